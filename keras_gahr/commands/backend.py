"""Choosing the Keras backend before Keras is imported."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError

BACKENDS = ("tensorflow", "torch", "jax")
"""In order of speed on a CPU: the first installed one is taken when nothing else is said."""

BackendOption = Annotated[
    str | None,
    typer.Option(
        metavar="[tensorflow|torch|jax]",
        help="Keras backend; default: KERAS_BACKEND, keras.json, or the one that is installed.",
        show_default=False,
    ),
]


def choose_backend(name=None):
    """Makes Keras use a backend: the named one, KERAS_BACKEND's, keras.json's, or an installed one.

    Returns:
        The backend's name.

    Raises:
        InputError: if it is unknown or not installed, or if Keras already runs on another.
    """
    name = name or os.environ.get("KERAS_BACKEND")
    if name:
        _check(name)
    else:
        installed = [backend for backend in BACKENDS if _is_installed(backend)]
        if not installed:
            raise InputError(
                "no Keras backend is installed: install one of them, such as "
                '`pip install "keras-gahr[jax]"` (or tensorflow, torch)'
            )
        home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
        configured = backend_in(home / "keras.json")
        name = configured if configured in installed else installed[0]
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != name:
        raise InputError(f"received backend {name!r}, but Keras already runs on another in here")
    os.environ["KERAS_BACKEND"] = name
    # TensorFlow writes its build flags and CPU advice to stderr otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return name


def _check(name):
    if name not in BACKENDS:
        raise InputError(f"received backend {name!r}, expected one of {', '.join(BACKENDS)}")
    if not _is_installed(name):
        raise InputError(
            f'the {name} backend is not installed: run `pip install "keras-gahr[{name}]"`'
        )


def _is_installed(name):
    return importlib.util.find_spec(name) is not None


def backend_in(path):
    """The backend that a JSON file such as keras.json or a run's config.json names, or None."""
    try:
        name = json.loads(Path(path).read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return name if name in BACKENDS else None
