"""Conversion of published PyTorch checkpoints, without PyTorch."""

import importlib

import keras_gahr.before_keras  # noqa: F401

_HOMES = {
    "Conversion": "conversion",
    "VerificationError": "verify",
    "build_from_checkpoint": "conversion",
    "build_from_folder": "multi_scale",
    "convert": "conversion",
    "convert_multi_scale": "multi_scale",
    "convert_tree": "tree",
    "export_denoiser": "export",
    "open_checkpoint": "read",
    "read_checkpoint": "read",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return __all__
