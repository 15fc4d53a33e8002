"""Blind denoisers, their geometry-adaptive bases and their samplers, on any Keras 3 backend."""

import importlib
import sys
from pathlib import Path

__version__ = "0.1.0"

_HOMES = {
    "BFCNN": "denoisers",
    "BiasFreeNorm": "denoisers",
    "Denoiser": "denoisers",
    "DilatedUNet": "denoisers",
    "InputError": "errors",
    "MultiScaleDenoiser": "denoisers",
    "ReceptiveFieldBFCNN": "denoisers",
    "UNet": "denoisers",
    "build_denoiser": "denoisers",
    "load_denoiser": "denoisers",
    "save_denoiser": "denoisers",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return __all__


# Importing the denoisers registers them, so that `keras.saving.load_model` knows them after
# `import keras_gahr`. The command line must not: it answers --help without Keras, and chooses the
# backend before Keras is imported ("-m" is `python -m keras_gahr`).
if Path(sys.argv[0] if sys.argv else "").name not in {"gahr", "gahr.exe", "cli.py", "-m"}:
    importlib.import_module(f"{__name__}.denoisers")
