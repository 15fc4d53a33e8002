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


def _is_command_line():
    """Whether this is `gahr`, `python -m keras_gahr`, or the checkout's `cli.py` or benchmarks."""
    program = Path(sys.argv[0] if sys.argv else "")
    if program.name == "-m":
        return __name__ in sys.orig_argv
    checkout = Path(__file__).resolve().parents[1]
    launchers = {checkout / "cli.py", checkout / "benchmarks" / "__main__.py"}
    return program.name in {"gahr", "gahr.exe"} or program.resolve() in launchers


# Importing the denoisers registers them, so that `keras.saving.load_model` knows them after
# `import keras_gahr`. The command line must not: it answers --help without Keras, and chooses the
# backend before Keras is imported.
if not _is_command_line():
    for room in ("denoisers", "baselines"):
        importlib.import_module(f"{__name__}.{room}")
