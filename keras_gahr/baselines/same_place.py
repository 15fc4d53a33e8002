"""Posterior means that compare a square of pixels with the same place of training images."""

from keras import ops

from .posterior_means import (
    SquareMeans,
    block_values,
    factor,
    joined,
    means_of_images,
    nothing,
    weights_of,
)
from .windows import band, whole_windows


class SamePlaceMeans(SquareMeans):
    """D_p from the square around p, or the average of what all squares that p lies in say.

    Args:
        images: see `PosteriorMeans`.
        sides: `Sides` of the square.
        wrap: whether squares go around the borders; else they are cut there, or do not go so far.
        averaged: whether squares are denoised as a whole, wherever they fit, and averaged.
        sigma: see `PosteriorMeans`.
    """

    def __init__(self, images, sides, wrap, averaged, sigma):
        super().__init__(images, sides, sigma, "same_place_means")
        self._windows = whole_windows if averaged else band
        self._denoise = self._averaged if averaged else self._centred
        self._wrap = wrap

    def of_side(self, side):
        windows = [self._windows(size, side, self._wrap) for size in self.images.shape[1:3]]
        return lambda noisy, sigma: self._denoise(noisy, sigma, *windows)

    def _centred(self, noisy, sigma, down, across):
        def add_up(squares):
            return _within(ops.sum(squares, axis=4), down, across)[..., None]

        return means_of_images(self, noisy, sigma, add_up)

    def _averaged(self, noisy, sigma, down, across):
        batch, *sides, _ = noisy.shape
        noisy = 255 * noisy[:, None]
        factors = ops.reshape(factor(sigma), (-1, 1, 1, 1))

        def distances(noisy, images):
            return _within(ops.sum(ops.square(noisy - images), axis=4), down, across)

        def weigh(images, tensors, carry):
            noisy, factors = tensors

            def totals(weights):
                return (ops.sum(weights, axis=1, keepdims=True),)

            return joined(carry, distances(noisy, images), factors, totals, 1)

        def average(images, tensors, carry):
            noisy, factors, least, mass = tensors
            weights = weights_of(least - distances(noisy, images), factors) / mass
            spread = _within(weights, down.T, across.T)
            return (carry[0] + ops.sum(spread[..., None] * images, axis=1),)

        places = batch, 1, len(down), len(across)
        at_once = block_values() // (batch * sides[0] * sides[1] * self.output_channels)
        least, mass = self.fold(weigh, (noisy, factors), nothing(places, places), at_once)
        (total,) = self.fold(
            average, (noisy, factors, least, mass), (ops.zeros_like(noisy[:, 0]),), at_once
        )
        squares_at = down.sum(0)[:, None] * across.sum(0)
        return total / ops.convert_to_tensor(255 * squares_at[..., None])


def _within(values, down, across):
    """Sums over rows and columns of pixels (any, any, H, W): products with matrices of 1 and 0.

    Unlike differences of running sums they lose no digits.
    """
    return ops.matmul(ops.matmul(down, values), across.T)
