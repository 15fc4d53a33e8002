"""Denoisers in `.keras` files."""

import warnings
import zipfile
from pathlib import Path

import keras

from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, replacing
from keras_gahr.impostors import impostor
from keras_gahr.names import printable

from .keras_file import check_keras_file
from .precision import with_precision


def load_denoiser(path, precision="float32"):
    """The denoiser in a `.keras` file, written on any backend.

    Nothing in the file is executed, and its classes, options and sizes are checked before anything of it
    is built: reading it takes about four times as much memory as the file is long.

    Args:
        path: of the file.
        precision: what it computes in; see `with_precision`.

    Raises:
        InputError: if there is no such file, if it does not hold a denoiser, or for an unknown
            precision.
    """
    path = Path(path)
    check_regular(path, "the .keras file of a denoiser")
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
            check_keras_file(path)
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part happened to cause.
        if _backend.is_out_of_memory(error):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} cannot be read as a denoiser: {printable(reason[:250])}"
        ) from error
    return model if precision == "float32" else with_precision(model, precision)


def save_denoiser(denoiser, path):
    """Writes a denoiser to a `.keras` file, whole or not at all; an old file is replaced."""
    with replacing(path) as temporary:
        denoiser.save(temporary)
