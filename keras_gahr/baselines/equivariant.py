"""Posterior means that compare a square of pixels with other places of training images, too."""

import numpy as np
from keras import ops

from .posterior_means import SquareMeans, block_values, factor, joined, nothing, read
from .windows import spread, window_groups

_MOST_ROWS = 4096
"""Windows of noisy images that are compared at once."""


class EquivariantMeans(SquareMeans):
    """D_p from the square around p, among squares of all places of training images.

    Squared distances are products of matrices, with a row for each square. In float32 these lose what
    counts at small noise: at sigma = 0.01 a distance of 15x15 pixels would be off by a few percent of
    2 sigma^2. So all is split into multiples of 1/255 and a rest, y = h + l and x = k + m:

        |y - x|^2 = |h - k|^2 - 2 l k - 2 y m + 2 k m + |m|^2 + what depends on y alone.

    The first is a sum of whole numbers in units of 1/255^2, which float32 holds exactly below 2^24, and for
    training images in bytes m is 0 and the last three are left out. Only the first rest is rounded, which is
    a few hundred times smaller than the whole.

    Args:
        images: see `PosteriorMeans`.
        sides: `Sides` of the square.
        wrap: whether squares go around the borders; else they are cut there, and compared with all places
            where what is left fits.
        bordered: whether with those alone that are cut alike.
        sigma: see `PosteriorMeans`.
        middle: the mean of all training images, a whole number, which is subtracted first.
    """

    def __init__(self, images, sides, wrap, bordered, sigma, middle):
        super().__init__(images, sides, sigma, "equivariant_means")
        self._wrap, self._bordered = wrap, bordered
        self.middle = self.constant(np.float32(middle), "middle")

    def of_side(self, side):
        sizes = self.images.shape[1:3]
        down, across = (window_groups(size, side, self._wrap, self._bordered) for size in sizes)
        margins = [spread(size, side, self._wrap) if self._wrap else (0, 0) for size in sizes]

        def denoise(noisy, sigma):
            middle = read(self.middle)
            noisy = _continued(255 * noisy - middle, margins)
            rows = [
                _in_order(
                    [self._means(noisy, sigma, row, column, margins) for column in across],
                    [column.pixels for column in across],
                    axis=2,
                )
                for row in down
            ]
            return (_in_order(rows, [row.pixels for row in down], axis=1) + middle) / 255

        return denoise

    def _means(self, noisy, sigma, rows, columns, margins):
        """The means for the pixels of two `WindowGroup`s, (batch, rows, columns, C)."""
        batch, *_, channels = noisy.shape
        windows = len(rows.starts) * len(columns.starts)
        places = len(rows.places) * len(columns.places)
        size = rows.length * columns.length * channels
        offsets = [np.unique(group.offset) for group in (rows, columns)]
        given = _patches(noisy, rows.starts, rows.length, columns.starts, columns.length)
        factors = ops.reshape(factor(sigma) + ops.zeros((batch,), "float32"), (batch, 1))
        factors = ops.reshape(ops.repeat(factors, windows, axis=1), (-1, 1))

        middle = read(self.middle)

        def step(images, tensors, carry):
            given, factors = tensors
            images = _continued(images - middle, margins)
            known = _patches(images, rows.places, rows.length, columns.places, columns.length)
            middles = [
                ops.take(
                    ops.take(images, rows.places + down, axis=1), columns.places + across, axis=2
                )
                for down in offsets[0]
                for across in offsets[1]
            ]
            values = ops.reshape(ops.stack(middles, axis=3), (known.shape[0], -1))
            values = ops.concatenate([values, ops.ones((known.shape[0], 1), "float32")], axis=1)
            squares = self._squares(given, known)
            return joined(
                carry, squares, factors, lambda weights: (ops.matmul(weights, values),), 1
            )

        total = batch * windows
        block = block_values()
        chunk = max(1, min(total, _MOST_ROWS, block // places))
        at_once = min(block // (chunk * places), 4 * block // (places * size))
        width = len(offsets[0]) * len(offsets[1]) * channels + 1
        found = []
        for first in range(0, total, chunk):
            some = slice(first, min(first + chunk, total))
            count = some.stop - first
            _, sums = self.fold(
                step, (given[some], factors[some]), nothing((count, 1), (count, width)), at_once
            )
            found.append(sums[:, :-1] / sums[:, -1:])
        means = ops.reshape(
            ops.concatenate(found),
            (batch, len(rows.starts), len(columns.starts), *map(len, offsets), channels),
        )
        # A pixel's is that of its window, at its place in it.
        means = ops.reshape(
            ops.transpose(means, (0, 1, 3, 2, 4, 5)),
            (batch, len(rows.starts) * len(offsets[0]), len(columns.starts) * len(offsets[1]), -1),
        )
        for axis, (group, known) in enumerate(zip((rows, columns), offsets, strict=True), 1):
            at = group.window * len(known) + np.searchsorted(known, group.offset)
            means = ops.take(means, at, axis=axis)
        return means

    def _squares(self, given, known):
        """Squared distances of rows, up to what depends on the given ones alone."""
        whole = ops.stop_gradient(ops.round(given))
        rest = given - whole
        units = known if self.are_bytes else ops.round(known)
        exact = ops.sum(ops.square(whole), axis=1, keepdims=True) + ops.sum(
            ops.square(units), axis=1
        )
        exact = exact - 2 * ops.matmul(whole, ops.transpose(units))
        if self.are_bytes:
            return exact - 2 * ops.matmul(rest, ops.transpose(units))
        finer = known - units
        own = ops.sum(finer * (2 * units + finer), axis=1)
        left, right = (
            ops.concatenate([rest, given], axis=1),
            ops.concatenate([units, finer], axis=1),
        )
        return exact + (own - 2 * ops.matmul(left, ops.transpose(right)))


def _patches(images, starts, length, other_starts, other_length):
    """All windows of images as rows of a matrix, (images * windows, pixels)."""
    rows = starts[:, None] + np.arange(length)
    columns = other_starts[:, None] + np.arange(other_length)
    patches = ops.take(ops.take(images, rows, axis=1), columns, axis=3)
    patches = ops.transpose(patches, (0, 1, 3, 2, 4, 5))
    return ops.reshape(patches, (-1, length * other_length * images.shape[3]))


def _continued(images, margins):
    """Images that go on around their borders by so many pixels before and after."""
    for axis, (before, after) in enumerate(margins, 1):
        if before or after:
            size = images.shape[axis]
            images = ops.take(images, np.arange(-before, size + after) % size, axis=axis)
    return images


def _in_order(parts, places, axis):
    """Parts of images put together, each of whose lines is at its place."""
    return ops.take(
        ops.concatenate(parts, axis=axis), np.argsort(np.concatenate(places)), axis=axis
    )
