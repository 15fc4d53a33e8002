"""`gahr info`."""

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption


def info(backend: BackendOption = None):
    """Print versions, the backend and its devices."""
    name = choose_backend(backend)
    import importlib.metadata
    import platform

    import keras
    import typer

    import keras_gahr
    from keras_gahr import _backend
    from keras_gahr._backend.convolution import choice

    rows = {
        "keras-gahr": keras_gahr.__version__,
        "Python": platform.python_version(),
        "Keras": keras.__version__,
        "backend": f"{name} {_backend.version()}",
        "devices": ", ".join(_backend.devices()),
        "convolution": choice.described(),
        "NumPy": importlib.metadata.version("numpy"),
        "platform": platform.platform(),
    }
    for label, value in rows.items():
        typer.echo(f"{label:<11} {value}")
