"""Blind denoisers, their geometry-adaptive bases and their samplers, on any Keras 3 backend.

`import keras_gahr as kg` is enough: rooms such as `kg.analysis` load when they are touched, and what a
notebook starts with stands here. Nothing is loaded before, neither Keras nor its backend, which is
KERAS_BACKEND's, keras.json's or one that is installed. To read a
`.keras` file by `keras.saving.load_model` instead of `kg.load_denoiser`, touch `kg.denoisers` first, which
makes the classes known to Keras.
"""

import importlib

__version__ = "0.2.0"

_ROOMS = {
    "analysis": "analysis",
    "baselines": "baselines",
    "datasets": "datasets",
    "denoisers": "denoisers",
    "experiments": "experiments",
    "measurements": "sampling.measurements",
    "noise": "noise",
    "plot": "plot",
    "report": "report",
    "reproduction": "reproduction",
    "restoration": "restoration",
    "runs": "runs",
    "sampling": "sampling",
    "training": "training",
}

_HOMES = {
    "BFCNN": "denoisers",
    "BiasFreeNorm": "denoisers",
    "Denoiser": "denoisers",
    "DilatedUNet": "denoisers",
    "FlexibleUNet": "denoisers",
    "Inference": "denoisers",
    "InputError": "errors",
    "MemorizationClock": "training",
    "MultiScaleDenoiser": "denoisers",
    "ReceptiveFieldBFCNN": "denoisers",
    "UNet": "denoisers",
    "as_denoiser": "denoisers",
    "build_denoiser": "denoisers",
    "compare": "analysis",
    "denoise": "denoising",
    "eigenbasis": "analysis",
    "explain": "analysis",
    "load_denoiser": "denoisers",
    "log_density": "analysis",
    "memorization_report": "analysis",
    "psnr_curve": "analysis",
    "push_to_hub": "publishing",
    "restore": "restoration",
    "sample": "sampling",
    "save_denoiser": "denoisers",
    "train": "training",
    "wrap": "denoisers",
}

__all__ = ["__version__", *_HOMES, *_ROOMS]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{_ROOMS[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
