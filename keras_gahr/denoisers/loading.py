"""Denoisers in `.keras` files."""

import importlib
import json
import warnings
import zipfile
from pathlib import Path

import keras

from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.impostors import impostor

from .denoiser import Denoiser
from .precision import with_precision

_LATER = "keras_gahr.baselines"
"""Denoisers that are registered when this is imported, which builds on this room."""


def load_denoiser(path, precision="float32"):
    """The denoiser in a `.keras` file, written on any backend.

    Keras' safe mode is on: nothing in the file is executed.

    Args:
        path: of the file.
        precision: what it computes in; see `with_precision`.

    Raises:
        InputError: if there is no such file, if it does not hold a denoiser, or for an unknown
            precision.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: give the .keras file of a denoiser")
    if path.suffix == ".pt" or path.suffix == ".pth":
        raise InputError(
            f"{path} is a PyTorch checkpoint: first run `gahr convert {path} OUT.keras`"
        )
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise impostor(path, "a .keras file", {"zip"}) or InputError(
            f"{path} is not a .keras file: give the .keras file of a denoiser"
        )
    try:
        with warnings.catch_warnings():
            # What Keras warns of in a foreign or damaged file is in the error that follows.
            warnings.simplefilter("ignore")
            _register(path)
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # Keras raises whatever the damaged part happened to cause.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be read as a denoiser: {reason[:150]}") from error
    if not isinstance(model, Denoiser):
        raise InputError(
            f"{path} holds a {type(model).__name__}, expected one of this package's denoisers"
        )
    return model if precision == "float32" else with_precision(model, precision)


def _register(path):
    """Makes Keras know the class of the denoiser in a file, if it is one of `_LATER`."""
    with zipfile.ZipFile(path) as file:
        module = str(json.loads(file.read("config.json")).get("module"))
    if module.startswith(f"{_LATER}."):
        importlib.import_module(_LATER)


def save_denoiser(denoiser, path):
    """Writes a denoiser to a `.keras` file, whole or not at all; an old file is replaced."""
    with replacing(path) as temporary:
        denoiser.save(temporary)
