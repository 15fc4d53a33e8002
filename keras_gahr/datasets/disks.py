"""Disks: a 5-dimensional family of images (arXiv 2310.02557, section 3.2).

An image has one disk of constant intensity on a constant background. Its parameters are the disk's
centre (two), its radius and the two intensities. A pixel's value is the exact average over its
square, so an image is a smooth function of the parameters: what supersampling tends to.
"""

import numpy as np

from keras_gahr.errors import InputError

from .store import load
from .writer import writing

RADII = (0.1, 0.3)

BLOCK = 256

# So few images at once stay in the processor's cache, which halves the time.
CHUNK = 16


def disk_images(count, size, seed, start=0, radii=RADII):
    """Disks number start, ..., start + count - 1 of the sequence that the seed defines.

    Image i depends on (seed, i) alone. With all draws uniform and independent: radius r in
    radii * size; both coordinates of the centre in [r, size - r], so the disk lies inside the
    image [0, size]^2; foreground and background in [0, 1].

    Args:
        count: number of images.
        size: height and width in pixels, at least 2.
        seed: integer in [0, 2^64).
        start: index of the first image.
        radii: smallest and largest radius, as fractions of the size, 0 < smallest <= largest <= .5.

    Returns:
        float32 (count, size, size, 1) in [0, 1].

    Raises:
        InputError: if an argument is out of range.
    """
    _check(count, size, seed, radii)
    if start < 0:
        raise InputError(f"the first index is {start}: expected 0 or more")
    draws = _uniform(count, seed, start)[..., None, None]
    images = np.empty((count, size, size, 1), np.float32)
    for first in range(0, count, CHUNK):
        chunk = slice(first, first + CHUNK)
        radius, across, down, foreground, background = draws[chunk].swapaxes(0, 1)
        radius = size * (radii[0] + (radii[1] - radii[0]) * radius)
        x = radius + (size - 2 * radius) * across
        y = radius + (size - 2 * radius) * down
        disks = background + (foreground - background) * coverage(size, x, y, radius)
        images[chunk, ..., 0] = np.clip(disks, 0, 1, out=disks)
    return images


_STREAM = int.from_bytes(b"disks")
"""Half of the key, so that these numbers are not the ones the sampler draws for the same seed."""


def _uniform(count, seed, start):
    """Five uniform numbers for each image, (count, 5).

    Philox makes its numbers from a key and a counter, four for each count; two counts an image.
    """
    key = np.array([seed, _STREAM], np.uint64)
    generator = np.random.Generator(np.random.Philox(key=key, counter=2 * start))
    return generator.random((count, 8))[:, :5]


def coverage(size, x, y, radius):
    """The part of each pixel that lies in a disk, exact up to float64 rounding.

    Measured from the centre, let s(u) be the half height of the disk at u, and w(v) its half width
    at v. Left of u, between the diameter v = 0 and the height v, lies the area (negative for v < 0)

        S(u, v) = integral of clip(v, -s, s) up to u
                = v clip(u, -w, w) + sign(v) (G(u) - clip(G(u), -G(w), G(w))) + const(v),

    with G(u) the integral of s from 0 to u. A pixel's part is the mixed difference of S over its
    corners. The arctangents in G are needed for rows and columns only, not for pixels.

    Args:
        size: height and width in pixels.
        x, y: the centre, from the left and the top edge in pixels; (N, 1, 1).
        radius: in pixels; (N, 1, 1).

    Returns:
        float64 (N, size, size) in [0, 1], up to rounding.
    """
    edges = np.arange(size + 1.0)
    u = np.clip(edges - x, -radius, radius)
    v = np.clip(edges[:, None] - y, -radius, radius)
    w = np.sqrt(radius**2 - v**2)
    to_u, to_w = _half_disk(u, radius), _half_disk(w, radius)
    area = v * np.clip(u, -w, w) + np.sign(v) * (to_u - np.clip(to_u, -to_w, to_w))
    return np.diff(np.diff(area, axis=2), axis=1)


def _half_disk(u, radius):
    """Area of the upper half of a disk between its vertical diameter and u; |u| <= radius."""
    height = np.sqrt(np.maximum(radius**2 - u**2, 0))
    # An arctangent, because the rounding of the height cancels here; arcsin(u / radius) would lose
    # half of the digits where |u| is close to the radius.
    return (u * height + radius**2 * np.arctan2(u, height)) / 2


def make_disks(out, count, size, seed, radii=RADII, overwrite=False, progress=None):
    """Makes a dataset of disks: `disk_images(count, size, seed)`, float32, block by block.

    Args:
        out: the dataset folder to make.
        count, size, seed, radii: as for `disk_images`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if an argument is out of range, or `out` exists.
    """
    _check(count, size, seed, radii)
    parameters = {"count": count, "size": size, "seed": seed, "radii": list(radii)}
    with writing(out, "disks", parameters, (size, size, 1), "float32", overwrite) as writer:
        for start in range(0, count, BLOCK):
            images = disk_images(min(BLOCK, count - start), size, seed, start, radii)
            writer.append(images)
            if progress:
                progress(start + len(images), count)
    return load(out, verify=False)


def _check(count, size, seed, radii):
    if count < 1:
        raise InputError(f"{count} images asked for: expected 1 or more")
    if size < 2:
        raise InputError(f"the size is {size}: expected 2 pixels or more")
    if not 0 <= seed < 2**64:
        raise InputError(f"the seed is {seed}: expected an integer from 0 to 2^64 - 1")
    if not 0 < radii[0] <= radii[1] <= 0.5:
        raise InputError(
            f"the radii are {radii[0]} to {radii[1]} of the size: expected 0 < smallest <= largest "
            "<= 0.5"
        )
