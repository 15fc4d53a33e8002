"""Posterior means over training images that are read in blocks, by a softmax that runs along."""

import math

import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr.errors import InputError

from .baseline import ResidualLayer

BLOCK_VALUES = 2**20
"""Distances that are known at once (4 MiB); more do not stay in the caches of a processor."""

_ACCELERATOR_BLOCKS = 16
"""As many such blocks at a time: smaller ones leave an accelerator waiting for the next."""

_FARTHEST = 1e30
"""A squared distance above all others, in any unit."""

_LEAST_EXPONENT = -80.0
"""What is less counts as this, 2e-35: smaller numbers take processors ten times as long."""

_NORMAL_MEDIAN = 0.6744897501960817
"""The median of |z| for a normal z of standard deviation 1."""


def block_values():
    """Distances that are known at once on the device at hand."""
    return BLOCK_VALUES * (1 if _backend.in_main_memory() else _ACCELERATOR_BLOCKS)


class PosteriorMeans(ResidualLayer):
    """r(y) = y - D(y), where each D_p is a mean over training images or parts of them.

    Args:
        images: (N, H, W, C), uint8 or floats.
        sigma: the noise level; None for that of `estimate`.
        name: of the layer.

    Raises:
        InputError: if the level is to be estimated from images of less than 2x2 pixels.
    """

    def __init__(self, images, sigma, name):
        super().__init__(images.shape[-1], sigma, name)
        if sigma is None and min(images.shape[1:3]) < 2:
            raise InputError(
                f"received images of {images.shape[1]}x{images.shape[2]}, from which no noise level can "
                "be estimated: give sigma"
            )
        self.images = self.constant(images, "images")
        self.are_bytes = images.dtype == np.uint8

    def estimate(self, noisy):
        """The robust median estimate, from what each pixel of 2x2 adds to the mean of its neighbours.

        sigma = median |(a - b - c + d) / 2| / 0.6745 over all squares of four pixels a b / c d, which do not
        overlap, and all channels: the finest diagonal Haar wavelets (Donoho and Johnstone, 1994).
        """
        height, width = (side - side % 2 for side in noisy.shape[1:3])
        rows = noisy[:, 0:height:2] - noisy[:, 1:height:2]
        diagonal = (rows[:, :, 0:width:2] - rows[:, :, 1:width:2]) / 2
        size = math.prod(diagonal.shape[1:])
        ordered = ops.sort(ops.abs(ops.reshape(diagonal, (-1, size))), axis=1)
        median = (ordered[:, (size - 1) // 2] + ordered[:, size // 2]) / 2
        return median / _NORMAL_MEDIAN

    def call(self, noisy):
        return noisy - self.denoise(noisy, self.noise_level(noisy))

    def denoise(self, noisy, sigma):
        """D(y) of images (batch, H, W, C), whose noise levels are (batch,)."""
        raise NotImplementedError

    def one_by_one(self, denoise, noisy, sigma):
        """`denoise`, of what depends on the noise level otherwise than in a factor.

        It is called with images and one level, a scalar.
        """
        if self.sigma is not None:
            return denoise(noisy, sigma[0])
        images = range(noisy.shape[0])
        return ops.concatenate([denoise(noisy[b : b + 1], sigma[b]) for b in images])

    def fold(self, step, tensors, carry, at_once):
        """Folds a step over the training images; see `_backend.fold`.

        Args:
            step: a function of so many images, float32 in units of 1/255 (see `values`), and of the tensors
                and the carry.
            tensors, carry: see `_backend.fold`.
            at_once: images in a block, at most.
        """
        count, *shape = self.images.shape
        blocks = -(-count // min(max(1, at_once), count))
        size = -(-count // blocks)
        full, rest = divmod(count, size)
        every = read(self.images)

        def block(index, tensors, carry, start=0, size=size):
            images = ops.slice(every, (start + index * size, 0, 0, 0), (size, *shape))
            return step(self.values(images), tensors, carry)

        carry = _backend.fold(block, tensors, carry, full)
        if rest:
            carry = _backend.fold(
                lambda index, tensors, carry: block(0, tensors, carry, full * size, rest),
                tensors,
                carry,
                1,
            )
        return carry

    def values(self, images):
        """Training images as float32, in units of 1/255."""
        images = ops.cast(images, "float32")
        return images if self.are_bytes else 255 * images


class SquareMeans(PosteriorMeans):
    """Posterior means by the square of pixels around each pixel, whose side may depend on the noise level.

    Args:
        images, sigma, name: see `PosteriorMeans`.
        sides: `Sides` of the square.
    """

    def __init__(self, images, sides, sigma, name):
        super().__init__(images, sigma, name)
        self.sides = sides

    def denoise(self, noisy, sigma):
        if self.sides.is_one:
            return self.of_side(self.sides.of(1.0))(noisy, sigma)
        return self.one_by_one(
            lambda noisy, sigma: self.sides.call(self.of_side, noisy, sigma), noisy, sigma
        )

    def of_side(self, side):
        """A function of images and noise levels to the denoised images, with squares of this side."""
        raise NotImplementedError


def read(weight):
    """A weight as a tensor for folds: TensorFlow cannot differentiate loops that read variables."""
    return ops.reshape(weight, weight.shape)


def factor(sigma):
    """What squared distances in units of 1/255 are multiplied by in an exponent: 1 / (2 sigma^2)."""
    return 1 / (2 * ops.square(255 * sigma))


def weights_of(excess, factors):
    """exp(excess factor), of excesses that are 0 or negative; see `factor`."""
    return ops.exp(ops.maximum(excess * factors, _LEAST_EXPONENT))


def nothing(shape, *others):
    """The carry of `joined` before anything has been seen.

    Args:
        shape: of the least squared distances, with an axis of length 1 along which they are the least.
        others: the shapes of the sums.
    """
    least = ops.full(shape, _FARTHEST, dtype="float32")
    return least, *(ops.zeros(other, dtype="float32") for other in others)


def joined(carry, squares, factors, totals, axis):
    """Takes more into sums of exp(-(squared distance - the least of all) factor) values.

    Args:
        carry: the least squared distances so far, and sums, of which each has as many axes.
        squares: the squared distances.
        factors: see `factor`; as many axes.
        totals: a function of the weights that returns their sums with values, one for each in the carry.
        axis: of the squares, along which are those of one mean.
    """
    least, *sums = carry
    # It cancels where sums are divided by sums, and so has no derivative.
    now = ops.stop_gradient(ops.minimum(least, ops.min(squares, axis=axis, keepdims=True)))
    kept = weights_of(now - least, factors)
    more = totals(weights_of(now - squares, factors))
    return now, *(
        of_before * kept + of_these for of_before, of_these in zip(sums, more, strict=True)
    )


def means_of_images(layer, noisy, sigma, add_up):
    """Means over whole training images, weighed at each pixel by itself.

    Args:
        layer: a `PosteriorMeans`.
        noisy: (batch, H, W, C).
        sigma: (batch,), or a scalar.
        add_up: a function of squared differences (any, images, H, W, C) to those that a pixel is judged by,
            shaped alike, or with one channel for all.
    """
    batch, *shape = noisy.shape
    judged = add_up(ops.zeros((1, 1, *shape), "float32")).shape[2:]
    noisy = 255 * noisy[:, None]
    factors = ops.reshape(factor(sigma), (-1, 1, 1, 1, 1))

    def step(images, tensors, carry):
        noisy, factors = tensors

        def totals(weights):
            means = ops.sum(weights * images, axis=1, keepdims=True)
            return means, ops.sum(weights, axis=1, keepdims=True)

        return joined(carry, add_up(ops.square(noisy - images)), factors, totals, 1)

    start = nothing((batch, 1, *judged), (batch, 1, *shape), (batch, 1, *judged))
    _, means, mass = layer.fold(
        step, (noisy, factors), start, block_values() // (batch * math.prod(shape))
    )
    return (means / mass)[:, 0] / 255
