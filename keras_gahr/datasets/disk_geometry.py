"""How much of each pixel a disk covers, and how that changes with the disk.

All is exact: a pixel is its square, not its centre. Measured from the centre of the disk, s(u) is
the half height of the disk at u, and w(v) its half width at v. Every quantity of a pixel is the
mixed difference over its corners of a function of one corner.
"""

from collections.abc import Callable

import numpy as np


def coverage(size: int, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The part of each pixel that lies in a disk, exact up to float64 rounding.

    Left of u, between the diameter v = 0 and the height v, lies the area (negative for v < 0)

        S(u, v) = integral of clip(v, -s, s) up to u
                = v clip(u, -w, w) + sign(v) (G(u) - clip(G(u), -G(w), G(w))) + const(v),

    with G(u) the integral of s from 0 to u. The arctangents in G are needed for rows and columns
    only, not for pixels.

    Args:
        size: height and width in pixels.
        x, y: the centre, from the left and the top edge in pixels; (N, 1, 1).
        radius: in pixels; (N, 1, 1).

    Returns:
        float64 (N, size, size) in [0, 1], up to rounding.
    """
    u, v = _corners(size, x, y, radius)
    w = np.sqrt(radius**2 - v**2)
    area = np.clip(u, -w, w)
    area *= v
    area += _caps(u, v, w, radius)
    return np.diff(np.diff(area, axis=1), axis=2)


def coverage_gradient(size: int, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Derivatives of the coverage in x, y and radius, exact up to float64 rounding.

    A disk that moves right gains, in each pixel, the length of the chord on the pixel's left edge
    and loses that on its right edge: dS/dx = -clip(v, -s, s); likewise for y. For the radius, S
    is homogeneous of degree two: u dS/du + v dS/dv + r dS/dr = 2 S.

    Args:
        size, x, y, radius: as for `coverage`.

    Returns:
        float64 (N, 3, size, size), in 1 / pixel.
    """
    u, v = _corners(size, x, y, radius)
    s, w = np.sqrt(radius**2 - u**2), np.sqrt(radius**2 - v**2)
    height, width = np.clip(v, -s, s), np.clip(u, -w, w)
    growth = (v * width - u * height + 2 * _caps(u, v, w, radius)) / radius
    corners = np.stack([-height, -width, growth], axis=1)
    return np.diff(np.diff(corners, axis=3), axis=2)


def wrapped(
    quantity: Callable[..., np.ndarray], size: int, x: np.ndarray, y: np.ndarray, radius: np.ndarray
) -> np.ndarray:
    """`coverage` or `coverage_gradient` of a disk on a torus, with radius <= size / 2.

    A disk that leaves the image on one side comes in on the other: it is one of four disks.
    """
    across, down = (np.where(at < size / 2, size, -size) for at in (x, y))
    parts = (quantity(size, x + i * across, y + j * down, radius) for i in (0, 1) for j in (0, 1))
    return np.asarray(sum(parts))


def _corners(size, x, y, radius):
    """Coordinates of columns and rows of corners, moved onto the disk's bounding square."""
    edges = np.arange(size + 1.0)
    return np.clip(edges - x, -radius, radius), np.clip(edges[:, None] - y, -radius, radius)


def _caps(u, v, w, radius):
    """The part of S where the disk's edge is the bound."""
    to_u, to_w = _half_disk(u, radius), _half_disk(w, radius)
    caps = np.clip(to_u, -to_w, to_w)
    np.subtract(to_u, caps, out=caps)
    caps *= np.sign(v)
    return caps


def _half_disk(u, radius):
    """Area of the upper half of a disk between its vertical diameter and u; |u| <= radius."""
    height = np.sqrt(np.maximum(radius**2 - u**2, 0))
    # An arctangent, because the rounding of the height cancels here; arcsin(u / radius) would lose
    # half of the digits where |u| is close to the radius.
    return (u * height + radius**2 * np.arctan2(u, height)) / 2
