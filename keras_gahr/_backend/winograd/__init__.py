"""Convolutions of 3x3 kernels by Winograd's algorithm; one module per backend, the same names in each."""

import importlib

import keras

from .algorithm import transform_kernel as transform_kernel

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

convolve_tiles = _module.convolve_tiles
tile_side = _module.tile_side
