"""Jacobians at images that a network cannot take as they are: too large a one, or one with other sides.

These take what linearizes a network around an image that it can take (see `jacobian_products.Linearize`) to
what linearizes it around another one, with the derivatives that this has, not approximations of them.
"""

from __future__ import annotations

import itertools

import numpy as np
from keras import ops

from keras_gahr.denoisers.tiling import AxisTiling

from .jacobian_products import Linearize


def in_tiles(linearize: Linearize, tiling: tuple[AxisTiling, AxisTiling]) -> Linearize:
    """Around one image that is computed in tiles, one direction after the other.

    Args:
        linearize: around tiles, of a network that sees no farther than their margins.
        tiling: of rows and of columns.
    """

    def at(noisy):
        parts = [*itertools.product(*(axis.parts for axis in tiling))]

        def around(rows, columns):
            return linearize(np.ascontiguousarray(noisy[:, rows.tile, columns.tile]))

        def residual():
            found = np.empty_like(noisy)
            for rows, columns in parts:
                part = ops.convert_to_numpy(around(rows, columns)[0]())
                found[:, rows.kept, columns.kept] = part[:, rows.inner, columns.inner]
            return found

        def apply(directions):
            products = np.empty_like(directions)
            for rows, columns in parts:
                product = around(rows, columns)[1](1)
                for v, found in zip(directions, products, strict=True):
                    tile = np.ascontiguousarray(v[None, rows.tile, columns.tile])
                    part = ops.convert_to_numpy(product(tile))[0]
                    found[rows.kept, columns.kept] = part[rows.inner, columns.inner]
            return products

        def transposed(directions):
            products = np.zeros_like(directions)
            for rows, columns in parts:
                product = around(rows, columns)[2](1)
                for u, found in zip(directions, products, strict=True):
                    # Only what is kept of a tile's result depends on the image.
                    tile = np.zeros((1, tiling[0].size, tiling[1].size, u.shape[-1]), np.float32)
                    tile[0, rows.inner, columns.inner] = u[rows.kept, columns.kept]
                    found[rows.tile, columns.tile] += ops.convert_to_numpy(product(tile))[0]
            return products

        return residual, lambda count: apply, lambda count: transposed

    return at


def with_margins(linearize: Linearize, sides: tuple[int, ...]) -> Linearize:
    """Around images that are continued by reflection at the bottom and right, and cut afterwards.

    Args:
        linearize: around the larger images.
        sides: their height and width.
    """

    def at(noisy):
        height, width = noisy.shape[1:3]
        margins = [(0, 0), (0, sides[0] - height), (0, sides[1] - width), (0, 0)]
        residual, apply, transposed = linearize(np.pad(noisy, margins, mode="reflect"))

        def cut(images):
            return ops.convert_to_numpy(images)[:, :height, :width]

        def apply_cut(count):
            product = apply(count)
            return lambda directions: cut(product(np.pad(directions, margins, mode="reflect")))

        def transposed_cut(count):
            product = transposed(count)

            def run(directions):
                found = ops.convert_to_numpy(product(np.pad(directions, margins)))
                return _folded(_folded(found, height, 1), width, 2)

            return run

        return lambda: cut(residual()), apply_cut, transposed_cut

    return at


def _folded(images, length, axis):
    """The transpose of a reflection behind the end of an axis: what is there is added to what it mirrors."""
    images = np.moveaxis(images, axis, 0)
    mirrored = np.pad(np.arange(length), (0, len(images) - length), mode="reflect")
    kept = np.zeros((length, *images.shape[1:]), images.dtype)
    np.add.at(kept, mirrored, images)
    return np.moveaxis(kept, 0, axis)
