"""The memory that one pass of a network takes, computed from its layers."""

import dataclasses
import math

import keras

from keras_gahr import _backend
from keras_gahr._backend import convolution
from keras_gahr._backend.steps import steps_of

from .folding import Convolution, WinogradConvolution
from .layers import Conv2DTranspose

_SIDE = 512
"""Of the image that is counted; what an image takes is in proportion to its pixels."""

_NUMBER = 4
"""Bytes of float32. Backends compute bfloat16 in it where the processor has none."""

_RESERVE = 1.1
"""Memory comes in pages and is not always given back at once."""

_KEPT = 2
"""Bytes that a derivative takes for each byte of a pass's tensors: 1.1 to 1.6 seen backwards, 1.5 to 2 for
two derivatives backwards, which PyTorch takes forwards."""

_KINDS = {
    "winograd": WinogradConvolution,
    "convolution": Convolution,
    "transposed": Conv2DTranspose,
    "keras_transposed": keras.layers.Conv2DTranspose,
    "keras_convolution": keras.layers.Conv2D,
}
"""Layers with work areas, by the names of `convolution.workspace`."""


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What a pass takes of memory.

    Args:
        fixed: bytes for a picture of any size.
        per_pixel: bytes for each pixel.
    """

    fixed: int
    per_pixel: float

    def bytes(self, pixels):
        """What images of so many pixels in all take."""
        return math.ceil(self.fixed + self.per_pixel * pixels)

    def pixels(self, memory):
        """How many pixels fit into so many bytes."""
        return max(0, int((memory - self.fixed) / self.per_pixel))


def footprint(network):
    """The `Footprint` of a network: of the operation during which most is kept for later ones.

    That is all tensors that are still needed, the result, and what the backend needs to compute it.
    """
    _, height, width, channels = network.input_shape
    shape = (1, height or _SIDE, width or _SIDE, channels)
    steps = steps_of(network, shape)
    assert steps is not None  # A folded network is a functional model.
    kept = most = _size(steps.input)
    for step in steps.steps:
        kept += sum(map(_size, step.results))
        most = max(most, kept + _workspace(step))
        kept -= sum(map(_size, step.idle))
    return Footprint(_backend.FIXED_MEMORY, _RESERVE * most / math.prod(shape[1:3]))


def derivative_footprint(network):
    """The `Footprint` of derivatives of a network, which keep every tensor of a pass, or all but.

    None for a model whose layers nobody here can look into.
    """
    _, height, width, channels = network.inputs[0].shape
    shape = (1, height or _SIDE, width or _SIDE, channels)
    steps = steps_of(network, shape)
    if steps is None:
        return None
    kept = _size(steps.input) + sum(
        _size(result) for step in steps.steps for result in step.results
    )
    return Footprint(_backend.FIXED_MEMORY, _KEPT * kept / math.prod(shape[1:3]))


def _workspace(step):
    """What an operation takes beside its images and its result."""
    kind = next(
        (kind for kind, layers in _KINDS.items() if isinstance(step.operation, layers)), None
    )
    if kind is None:
        return 0
    of_images, of_results = convolution.workspace(kind)
    return of_images * sum(map(_size, step.sources)) + of_results * sum(map(_size, step.results))


def _size(tensor):
    return _NUMBER * math.prod(tensor.shape)
