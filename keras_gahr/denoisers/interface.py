"""What functions that take a denoiser take: a denoiser, what runs it, or where it is."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from keras_gahr.errors import InputError

from .denoiser import Denoiser
from .inference import Inference
from .loading import load_denoiser

DenoiserLike: TypeAlias = Denoiser | Inference | str | os.PathLike[str]
"""What `as_denoiser` takes: a text may be a path, a published name, or an address such as
`torch:package.module:factory`."""


def as_denoiser(given: DenoiserLike) -> Denoiser:
    """The `Denoiser` that was given or named.

    Args:
        given: a `Denoiser` (baselines are some), an `Inference` of one, or a path, name or address
            for `load_denoiser`.

    Raises:
        InputError: for anything else, and as `load_denoiser` does.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> kg.as_denoiser(kg.Inference(denoiser)) is denoiser
        True
    """
    if isinstance(given, Denoiser):
        return given
    if isinstance(given, Inference):
        return given.denoiser
    if isinstance(given, str | os.PathLike):
        return load_denoiser(given)
    raise InputError(
        f"received a {type(given).__name__}, expected a denoiser: one of this package's, an Inference of "
        "one, the path of its file, or what kg.wrap makes of a network"
    )


def as_inference(given: DenoiserLike, **options: Any) -> Inference:
    """The `Inference` that was given, or one of the denoiser that was.

    Args:
        given: see `as_denoiser`.
        options: of `Inference`, if one is made.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> kg.denoisers.as_inference(denoiser, batch_size=4).denoiser is denoiser
        True
    """
    return given if isinstance(given, Inference) else Inference(as_denoiser(given), **options)
