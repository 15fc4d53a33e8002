"""Choosing the Keras backend before Keras is imported."""

import importlib.util
import json
import os
import sys
from pathlib import Path

from .errors import InputError
from .files import kind_of
from .json_file import read_json

BACKENDS = ("tensorflow", "torch", "jax")
"""In order of speed on a CPU: the first installed one is taken when nothing else is said."""

_KERAS_SETTINGS = {
    "floatx": ("float32", "float16", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}
"""What keras.json may say of them; this package's networks are in float32 and channels-last anyway."""


def choose_backend(name=None):
    """Makes Keras use a backend: the named one, KERAS_BACKEND's, keras.json's, or an installed one.

    Returns:
        The backend's name.

    Raises:
        InputError: if it is unknown or not installed, if Keras already runs on another, or if there is a
            keras.json that Keras would not start with.
    """
    keras_json = _keras_folder() / "keras.json"
    _check_keras_json(keras_json)
    name = name or os.environ.get("KERAS_BACKEND")
    if name:
        _check(name)
    else:
        installed = installed_backends()
        if not installed:
            raise InputError(
                "no Keras backend is installed: install one of them, such as "
                '`pip install "keras-gahr[jax]"` (or tensorflow, torch)'
            )
        configured = backend_in(keras_json)
        name = configured if configured in installed else installed[0]
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != name:
        raise InputError(f"received backend {name!r}, but Keras already runs on another in here")
    os.environ["KERAS_BACKEND"] = name
    # TensorFlow writes its build flags and CPU advice to stderr otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return name


def take_installed_backend():
    """Sets KERAS_BACKEND if Keras, when it is imported, would look for a backend that is not installed.

    Without the variable and a keras.json that is TensorFlow. Nothing is done where Keras is imported
    already, or where none is installed.
    """
    if "keras" in sys.modules or os.environ.get("KERAS_BACKEND"):
        return
    configured = backend_in(_keras_folder() / "keras.json") or "tensorflow"
    installed = installed_backends()
    if installed and configured not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]


def installed_backends():
    """The names of those that are installed, the fastest on a CPU first."""
    return [name for name in BACKENDS if _is_installed(name)]


def _keras_folder():
    """Where Keras looks for keras.json."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"])
    # Of a user without an entry in the system's list the home folder is not known.
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp", ".keras")


def _check_keras_json(path):
    """Refuses what Keras fails on when it is imported. Text that is no JSON it passes over."""
    kind = kind_of(path)
    if kind == "missing":
        return
    expected = f"{path} is read by Keras when it starts: mend or remove it, or set KERAS_HOME"
    if kind != "file":
        raise InputError(f"received a {kind} where a file was expected: {expected}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        content = None
    except ValueError:
        return
    if not isinstance(content, dict):
        raise InputError(f"received no JSON object: {expected}")
    for name, known in _KERAS_SETTINGS.items():
        if name in content and content[name] not in known:
            raise InputError(
                f"received {name} = {json.dumps(content[name])[:80]}, which is none of "
                f"{', '.join(known)}: {expected}"
            )
    if type(content.get("epsilon", 0.0)) is not float:
        raise InputError(f"received an epsilon that is no number such as 1e-7: {expected}")


def _check(name):
    if name not in BACKENDS:
        raise InputError(f"received backend {name!r}, expected one of {', '.join(BACKENDS)}")
    if not _is_installed(name):
        raise InputError(
            f'the {name} backend is not installed: run `pip install "keras-gahr[{name}]"`'
        )


def _is_installed(name):
    # Python finds any folder of this name, such as one of results, as a package without a file.
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def backend_in(path):
    """The backend that a JSON file such as keras.json or a run's config.json names, or None."""
    if not os.path.isfile(path):
        return None
    try:
        name = read_json(path).get("backend")
    except (InputError, AttributeError):
        return None
    return name if name in BACKENDS else None
