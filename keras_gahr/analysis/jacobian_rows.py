"""Rows of the Jacobian of a network with frozen gates, computed only where they are not 0.

Row i of dr/dy says on which pixels of y pixel i of r depends. In the last layers these are few: backwards
through a network, a convolution of 3x3 kernels adds one line of pixels on each side. So the rows of a block
of neighbouring pixels are computed together, on windows that grow until they are the image: those of a BF-CNN
of 21 layers at 80x80 pixels took a sixteenth of the time of passes of whole images, those of a UNet a half.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr._backend import convolution
from keras_gahr.denoisers import BiasFreeNorm, layers


class LocalRows:
    """The rows of dr/dy, some neighbouring ones at a time.

    Args:
        steps: the `Steps` of a network, for images of the size at hand, which `has_local_rows`.
        gates: as `frozen_gates` records them, a tensor for each ReLU.
        at_once: rows, at most.
    """

    def __init__(self, steps, gates, at_once):
        self._steps = steps
        _, self._height, self._width, self._channels = steps.input.shape
        self._at_once = at_once
        gates = iter(gates)
        # Rules, and what they take beside the layer, are found once for all rows.
        prepared = [
            next(gates) if isinstance(step.operation, keras.layers.ReLU) else _prepare(step)
            for step in steps.steps
        ]
        rules = map(_rule, steps.steps)
        self._backwards = [*zip(steps.steps, rules, prepared, strict=True)][::-1]
        self._makers = {id(result): step for step in steps.steps for result in step.results}

    def __iter__(self):
        """Yields numbers of rows, and these, `(count, height, width, channels)`."""
        numbers = np.arange(self._height * self._width * self._channels)
        numbers = numbers.reshape(self._height, self._width, self._channels)
        side = max(1, math.isqrt(self._at_once // self._channels))
        for top in range(0, self._height, side):
            for left in range(0, self._width, side):
                some = numbers[top : top + side, left : left + side]
                for start in range(0, some.size, self._at_once):
                    chosen = slice(start, start + self._at_once)
                    ones = np.eye(some.size, dtype=np.float32)[chosen].reshape(-1, *some.shape)
                    patch = self._back(Patch(ops.convert_to_tensor(ones), top, left))
                    rows = patch.within(0, 0, self._height, self._width).values
                    yield some.ravel()[chosen], ops.convert_to_numpy(rows)

    def _back(self, patch):
        """From a derivative with respect to the result to that with respect to the image."""
        known = {id(self._steps.output): patch}
        for step, rule, prepared in self._backwards:
            patch = known.pop(id(step.results[0]), None)
            if patch is None:
                continue
            assert rule is not None  # By `has_local_rows`.
            parts = rule(step, patch, prepared)
            for source, part in zip(self._sources(step), parts, strict=True):
                other = known.get(id(source))
                known[id(source)] = part if other is None else part.plus(other)
        return known[id(self._steps.input)]

    def _sources(self, step):
        """What a step takes. The gate of a ReLU has the scale of a norm before it."""
        if isinstance(step.operation, keras.layers.ReLU):
            before = self._makers.get(id(step.sources[0]))
            if before is not None and isinstance(before.operation, BiasFreeNorm):
                return before.sources
        return step.sources


@dataclasses.dataclass(frozen=True)
class Patch:
    """Images that are 0 but in a window.

    Args:
        values: in the window, `(count, height, width, channels)`.
        top, left: its first row and column.
    """

    values: Any
    top: int
    left: int

    @property
    def bottom(self):
        return self.top + self.values.shape[1]

    @property
    def right(self):
        return self.left + self.values.shape[2]

    def within(self, top, left, bottom, right):
        """The same in a larger window."""
        rows = self.top - top, bottom - self.bottom
        columns = self.left - left, right - self.right
        if not any((*rows, *columns)):
            return self
        return Patch(ops.pad(self.values, ((0, 0), rows, columns, (0, 0))), top, left)

    def plus(self, other):
        """The sum, in the least window that has both."""
        window = (
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )
        return Patch(self.within(*window).values + other.within(*window).values, *window[:2])


def has_local_rows(steps):
    """Whether there is a rule for every operation of a network."""
    return steps is not None and all(_rule(step) for step in steps.steps)


def _prepare(step):
    """What the rule of an operation that is no ReLU takes of it."""
    layer = step.operation
    if isinstance(layer, keras.layers.Conv2D):
        kernel = ops.transpose(ops.flip(layer.kernel, (0, 1)), (0, 1, 3, 2))
        kernel = ops.convert_to_numpy(ops.transpose(kernel, convolution.KERNEL_AXES))
        # As it lies in memory, and without a derivative.
        return ops.convert_to_tensor(np.ascontiguousarray(kernel))
    if isinstance(layer, keras.layers.Conv2DTranspose):
        rows, columns, out, channels = layer.kernel.shape
        return ops.stop_gradient(ops.reshape(layer.kernel, (rows * columns * out, channels)))
    if isinstance(layer, BiasFreeNorm):
        return ops.stop_gradient(layer.gamma / layer.running_sd)
    return None


def _convolved(step, patch, kernel):
    _, height, width, _ = step.sources[0].shape
    down, across = (side // 2 for side in step.operation.kernel_size)
    patch = patch.within(
        max(0, patch.top - down),
        max(0, patch.left - across),
        min(height, patch.bottom + down),
        min(width, patch.right + across),
    )
    return [dataclasses.replace(patch, values=convolution.convolve_constant(patch.values, kernel))]


def _transposed(step, patch, kernel):
    rows, columns = step.operation.kernel_size
    patch = _of_blocks(patch, rows, columns)
    count, height, width, channels = patch.values.shape
    height, width = height // rows, width // columns
    blocks = ops.reshape(patch.values, (count, height, rows, width, columns, channels))
    blocks = ops.transpose(blocks, (0, 1, 3, 2, 4, 5))
    values = ops.matmul(ops.reshape(blocks, (count, height, width, -1)), kernel)
    return [Patch(values, patch.top // rows, patch.left // columns)]


def _of_blocks(patch, rows, columns):
    """In a window of whole blocks."""
    return patch.within(
        patch.top // rows * rows,
        patch.left // columns * columns,
        -(-patch.bottom // rows) * rows,
        -(-patch.right // columns) * columns,
    )


def _pooled(step, patch, prepared):
    rows, columns = step.operation.pool_size
    values = ops.repeat(ops.repeat(patch.values, rows, axis=1), columns, axis=2)
    return [Patch(values / (rows * columns), patch.top * rows, patch.left * columns)]


def _concatenated(step, patch, prepared):
    parts, first = [], 0
    for source in step.sources:
        last = first + source.shape[-1]
        parts.append(dataclasses.replace(patch, values=patch.values[..., first:last]))
        first = last
    return parts


def _gated(step, patch, gate):
    gate = gate[:, patch.top : patch.bottom, patch.left : patch.right]
    return [dataclasses.replace(patch, values=patch.values * gate)]


def _scaled(step, patch, scale):
    return [dataclasses.replace(patch, values=patch.values * scale)]


def _is_plain(layer):
    """Whether a convolution is linear, of stride 1, and has a middle pixel."""
    return (
        (layer.padding, layer.groups) == ("same", 1)
        and {*layer.strides, *layer.dilation_rate} == {1}
        and all(side % 2 for side in layer.kernel_size)
        and _is_linear(layer)
    )


def _enlarges(layer):
    """Whether a transposed convolution makes a block of each pixel."""
    return layer.strides == layer.kernel_size and _is_linear(layer)


def _is_linear(layer):
    return not layer.use_bias and layer.activation is keras.activations.linear


def _takes_blocks(layer):
    return layer.padding == "valid" and layer.strides == layer.pool_size


def _joins_channels(layer):
    return layer.axis in {-1, 3}


def _any(layer):
    return True


_RULES = (
    ({keras.layers.Conv2D, layers.Conv2D}, _is_plain, _convolved),
    ({keras.layers.Conv2DTranspose, layers.Conv2DTranspose}, _enlarges, _transposed),
    ({keras.layers.AveragePooling2D, layers.AveragePooling2D}, _takes_blocks, _pooled),
    ({keras.layers.Concatenate, layers.Concatenate}, _joins_channels, _concatenated),
    ({keras.layers.ReLU, layers.ReLU}, _any, _gated),
    ({BiasFreeNorm}, _any, _scaled),
)
"""Classes of layers, of which of them a rule knows the derivative, and the rule.

A class that somebody derived of one may compute something else. The rule takes a `Step`, the derivative
with respect to its result, a `Patch`, and what is prepared; it returns those with respect to what the step
takes, in the order of `LocalRows._sources`.
"""


def _rule(step):
    layer = step.operation
    for kinds, applies, rule in _RULES:
        if type(layer) in kinds:
            exact = layer.compute_dtype == "float32"
            channels_last = getattr(layer, "data_format", "channels_last") == "channels_last"
            return rule if exact and channels_last and applies(layer) else None
    return None
