"""The number type that a denoiser computes in."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import keras

from keras_gahr import _backend
from keras_gahr._backend import parallel
from keras_gahr._backend.processor import has_bfloat16
from keras_gahr.errors import InputError
from keras_gahr.options.training import PRECISIONS

from .denoiser import Denoiser

if TYPE_CHECKING:
    from .interface import DenoiserLike


def with_precision(denoiser: DenoiserLike, precision: str = "float32") -> Denoiser:
    """A copy of a denoiser, with the same weights, that computes in another number type.

    `mixed_bfloat16` multiplies and adds in bfloat16 but keeps the weights, and the deviations of
    `BiasFreeNorm`, in float32. What follows a network's last convolution stays in float32, since
    differences of images, which have 8 bits in bfloat16, would lose the residual. Keras' global policy
    is neither read nor changed, and a `.keras` file of the copy is the same as the original's: it
    loads in float32.

    A processor without instructions for bfloat16 computes the same, but slower than in float32, which the
    log says once.

    Args:
        denoiser: see `as_denoiser`; it is not changed.
        precision: one of `PRECISIONS`.

    Raises:
        InputError: for another precision, or a network of somebody else's.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> copy = kg.denoisers.with_precision(denoiser, "mixed_bfloat16")
        >>> copy is denoiser, copy.num_parameters == denoiser.num_parameters
        (False, True)
    """
    from .interface import as_denoiser

    denoiser = as_denoiser(denoiser)
    if precision not in PRECISIONS:
        raise InputError(
            f"received precision {precision!r}, expected one of {', '.join(PRECISIONS)}"
        )
    if denoiser.foreign:
        raise InputError(
            f"received precision {precision} for a network of somebody else's, which computes in what it "
            "was made for: leave it out"
        )
    if precision == "mixed_bfloat16":
        _say_if_slow()
    copy = type(denoiser).from_config(denoiser.get_config())
    copy.set_weights(denoiser.get_weights())
    policy = keras.DTypePolicy(precision)
    for layer in layers_of_precision(copy):
        layer.dtype_policy = policy
    return copy


def in_bfloat16(made: Callable[..., Denoiser], arguments: Sequence[Any]) -> Denoiser:
    """What `Denoiser.__reduce__` makes a copy of a denoiser in bfloat16 of, whose file is in float32."""
    return with_precision(made(*arguments), "mixed_bfloat16")


def layers_of_precision(denoiser: Denoiser) -> Iterator[keras.layers.Layer]:
    """The layers that compute in the precision of `with_precision`; all others do in float32."""
    parts = [layer for layer in denoiser.layers if isinstance(layer, Denoiser)]
    for part in parts:
        yield from layers_of_precision(part)
    if parts:
        return
    layers = denoiser.layers
    last = max(place for place, layer in enumerate(layers) if layer.weights)
    for layer in layers[: last + 1]:
        if not isinstance(layer, keras.layers.InputLayer):
            yield layer


def on_cpu() -> bool:
    """Whether the backend has no other device than the processor."""
    return all("cpu" in name.lower() for name in _backend.devices())


@functools.cache
def _say_if_slow():
    # Of processes that train together one is enough.
    if has_bfloat16() is False and on_cpu() and parallel.process()[0] == 0:
        logging.getLogger("keras_gahr").warning(
            "this processor has no instructions for bfloat16: float32 is faster on it"
        )
