"""Products with the Jacobians of a denoiser at several noisy images at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from keras import ops

from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError

Linearize: TypeAlias = Callable[[np.ndarray], tuple[Callable, Callable, Callable]]
"""Takes noisy images `(b, height, width, channels)` to what is linear around them.

That is a function without arguments that returns r, shaped as they; a function that, for a number of
directions at each image, returns a function that applies dr/dy to so many,
`(b * number, height, width, channels)`, those of an image one after the other; and one for (dr/dy)^T. They
return tensors or arrays.
"""


class Jacobians:
    """The Jacobians J of D at some noisy images; made by `Linearizer.blocks`.

    Args:
        noisy: y, `(b, height, width, channels)`.
        linearize: see `Linearize`.
        directions_at_once: at each image.

    Attributes:
        noisy: y, float32 `(b, height, width, channels)`.
        directions_at_once: see above.
        products: products with a Jacobian or its transpose that were computed so far, for all images.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> linearizer = kg.analysis.Linearizer(denoiser)
        >>> ((images, jacobians),) = linearizer.blocks(np.full((2, 8, 8, 1), 0.5))
        >>> images, jacobians.apply(np.ones((2, 3, 8, 8, 1))).shape, jacobians.products
        (slice(0, 2, None), (2, 3, 8, 8, 1), 6)
    """

    def __init__(self, noisy: np.ndarray, linearize: Linearize, directions_at_once: int) -> None:
        self.noisy = noisy
        self.products = 0
        self.directions_at_once = directions_at_once
        self._residual, apply, transposed = linearize(noisy)
        # For a number of directions: each has its own graph, or program.
        self._apply, self._transposed = _OfSizes(apply), _OfSizes(transposed)
        self._denoised = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, (height, width, channels)."""
        return self.noisy.shape[1:]

    @property
    def dimension(self) -> int:
        """d, the number of values in an image."""
        return self.noisy[0].size

    @property
    def denoised(self) -> np.ndarray:
        """D(y), float32, shaped as y; a pass of the network when it is first asked for."""
        if self._denoised is None:
            self._denoised = self.noisy - ops.convert_to_numpy(self._residual())
        return self._denoised

    def apply(self, directions: Any) -> np.ndarray:
        """J v for directions v at each image: `(b, count, height, width, channels)`, float32."""
        return self._products(directions, self._apply)

    def apply_transposed(self, directions: Any) -> np.ndarray:
        """J^T u for directions at each image, shaped as for `apply`."""
        return self._products(directions, self._transposed)

    def apply_symmetric(self, directions: Any) -> np.ndarray:
        """(J + J^T) v / 2 for directions at each image, shaped as for `apply`: two products each."""
        return (self.apply(directions) + self.apply_transposed(directions)) / 2

    def _products(self, directions, residual_product):
        directions = np.asarray(array_of(directions), np.float32)
        if directions.ndim != 5 or (len(directions), *directions.shape[2:]) != self.noisy.shape:
            images, *sides = self.noisy.shape
            raise InputError(
                f"received directions of shape {directions.shape}, expected ({images}, count, "
                f"{', '.join(map(str, sides))})"
            )
        products = np.empty_like(directions)
        images, count = directions.shape[:2]
        size = max(1, min(count, self.directions_at_once))
        for start in range(0, count, size):
            batch = directions[:, start : start + size]
            # The last batch is filled up, so that the backends compile for one size only.
            missing = size - batch.shape[1]
            padded = np.pad(batch, [(0, 0), (0, missing), (0, 0), (0, 0), (0, 0)])
            found = ops.convert_to_numpy(residual_product(size, padded.reshape(-1, *self.shape)))
            found = found.reshape(padded.shape)[:, : batch.shape[1]]
            products[:, start : start + size] = batch - found
        self.products += images * count
        return products


class _OfSizes:
    """A product with directions, made for the last number of them."""

    def __init__(self, made_for):
        self._made_for = made_for
        self._made = {}

    def __call__(self, size, directions):
        if size not in self._made:
            # What another size needed, such as a graph, is let go first.
            self._made.clear()
            self._made[size] = self._made_for(size)
        return self._made[size](directions)
