"""Which pixels of an image each pixel of a network's output depends on, computed from its layers."""

import dataclasses
import math

import keras
import numpy as np

from keras_gahr._backend.steps import steps_of

from .bias_free_norm import BiasFreeNorm
from .dilated_unet import CropLike, EvenSize
from .folding import Convolution
from .haar import HaarAnalysis, HaarSynthesis


@dataclasses.dataclass(frozen=True)
class Reach:
    """Pixel i of a tensor, along one axis, depends on pixels `stride * i + first` to `stride * i + last`
    of the image at most.

    Args:
        stride: pixels of the image from one pixel of the tensor to the next.
        first, last: see above.
    """

    stride: int = 1
    first: int = 0
    last: int = 0

    def filtered(self, before, after, stride=1):
        """After a filter that takes pixels `stride * i - before` to `stride * i + after`."""
        return Reach(
            self.stride * stride,
            self.first - self.stride * before,
            self.last + self.stride * after,
        )

    def spread(self, size, stride, cut=0):
        """After a transposed filter of so many taps, of whose result `cut` pixels are cut off before."""
        fine = self.stride // stride
        return Reach(fine, self.first + fine * (cut - size + 1), self.last + fine * cut)

    def joined(self, other):
        """What depends on both."""
        return Reach(self.stride, min(self.first, other.first), max(self.last, other.last))


@dataclasses.dataclass(frozen=True)
class NetworkReach:
    """How a network may be cut.

    Args:
        margin: the pixels (rows, columns) on each side of a pixel that its result may depend on.
        grid: the network does the same at pixels that lie multiples of this apart.
    """

    margin: tuple[int, int]
    grid: int


def network_reach(network):
    """The `NetworkReach` of a model, or None where a layer of it may look at the whole image.

    It is at most a few pixels larger than what `receptive_field` measures, and takes no computation.
    """
    steps = steps_of(network)
    if steps is None:
        return None
    known = {id(steps.input): (Reach(), Reach())}
    strides = {1}
    for step in steps.steps:
        rule = _rule(step.operation)
        reach = rule and rule(step, [known[id(source)] for source in step.sources])
        if reach is None:
            return None
        known.update((id(result), reach) for result in step.results)
        strides.update(axis.stride for axis in reach)
    reach = known[id(steps.output)]
    if any(axis.stride != 1 for axis in reach):
        return None
    rows, columns = (max(-axis.first, axis.last) for axis in reach)
    return NetworkReach((rows, columns), math.lcm(*strides))


def _joined(step, given):
    """Operations at each pixel, of one tensor or several and of numbers."""
    constants = keras.tree.flatten((step.arguments, step.options))
    if any(np.ndim(value) for value in constants if not isinstance(value, keras.KerasTensor)):
        return None
    first, *others = given
    for other in others:
        if [axis.stride for axis in first] != [axis.stride for axis in other]:
            return None
        first = tuple(map(Reach.joined, first, other))
    return first


def _concatenated(step, given):
    """Along the channels."""
    return _joined(step, given) if step.operation.axis in {-1, 3} else None


def _sliced(step, given):
    """Indexing, of channels alone."""
    *places, _ = step.arguments[1]
    return given[0] if all(place in (Ellipsis, slice(None)) for place in places) else None


def _convolved(step, given):
    layer = step.operation
    reach = []
    for axis, size, stride, dilation in zip(
        given[0],
        layer.kernel_size,
        getattr(layer, "strides", (1, 1)),
        getattr(layer, "dilation_rate", (1, 1)),
        strict=True,
    ):
        length = dilation * (size - 1)
        if getattr(layer, "padding", "same") == "valid":
            before, after = 0, length
        else:
            # At another stride than 1 the size of the image says how much is padded before.
            before, after = length // 2, length if stride > 1 else length - length // 2
        reach.append(axis.filtered(before, after, stride))
    return tuple(reach)


def _transposed(step, given):
    layer = step.operation
    reach = []
    for axis, size, stride in zip(given[0], layer.kernel_size, layer.strides, strict=True):
        if axis.stride % stride:
            return None
        cut = max(0, size - stride) // 2 if layer.padding == "same" else 0
        reach.append(axis.spread(size, stride, cut))
    return tuple(reach)


def _pooled(step, given):
    layer = step.operation
    if layer.padding != "valid":
        return None
    return tuple(
        axis.filtered(0, size - 1, stride)
        for axis, size, stride in zip(given[0], layer.pool_size, layer.strides, strict=True)
    )


def _padded(step, given):
    margins = step.operation.padding
    return tuple(
        axis.filtered(before, -before) for axis, (before, _) in zip(given[0], margins, strict=True)
    )


def _halved(step, given):
    return tuple(axis.filtered(0, 1, 2) for axis in given[0])


def _doubled(step, given):
    joined = _joined(step, given)
    return joined and tuple(axis.spread(2, 2) for axis in joined)


def _unchanged(step, given):
    """Layers that add lines at the end, or cut off what lies beyond the end of another image."""
    return given[0]


_RULES = (
    (Convolution | keras.layers.Conv2D, _convolved),
    (keras.layers.Conv2DTranspose, _transposed),
    (keras.layers.AveragePooling2D | keras.layers.MaxPooling2D, _pooled),
    (keras.layers.ZeroPadding2D, _padded),
    (HaarAnalysis, _halved),
    (HaarSynthesis, _doubled),
    (EvenSize | CropLike, _unchanged),
    (keras.layers.Concatenate, _concatenated),
    (BiasFreeNorm | keras.layers.ReLU | keras.layers.Add | keras.layers.Subtract, _joined),
)
_OPERATIONS = {
    "Add": _joined,
    "Concatenate": _concatenated,
    "GetItem": _sliced,
    "Multiply": _joined,
    "Subtract": _joined,
}
"""Keras' own operations, by the names of classes that it does not show."""


def _rule(operation):
    for kinds, rule in _RULES:
        if isinstance(operation, kinds):
            channels_last = getattr(operation, "data_format", "channels_last") == "channels_last"
            return rule if channels_last else None
    own = type(operation).__module__.startswith("keras.")
    return _OPERATIONS.get(type(operation).__name__) if own else None
