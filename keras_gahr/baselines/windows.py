"""The squares of pixels around each pixel of an image, cut at its borders or wrapped around them."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class WindowGroup:
    """Windows of one length along one axis that are compared with the same places of other images.

    Args:
        length: of the windows, in pixels.
        starts: where each begins.
        places: where the windows that they are compared with begin.
        pixels: whose windows these are.
        window: which of the windows is that of each of the pixels.
        offset: how far from its start each of these pixels lies.
    """

    length: int
    starts: np.ndarray
    places: np.ndarray
    pixels: np.ndarray
    window: np.ndarray
    offset: np.ndarray


def spread(size, side, wrap):
    """How many pixels a window reaches before and after its pixel, along an axis of so many.

    Args:
        size: pixels along the axis.
        side: of the square, odd.
        wrap: whether the axis is a ring, on which a window holds no pixel twice.
    """
    if wrap and side > size:
        return (size - 1) // 2, size // 2
    return side // 2, side // 2


def band(size, side, wrap):
    """Which pixels lie in the window of each pixel: 1 and 0, float32 (size, size), in its row."""
    before, after = spread(size, side, wrap)
    distance = np.arange(size) - np.arange(size)[:, None]
    if wrap:
        distance = (distance + before) % size - before
    return ((-before <= distance) & (distance <= after)).astype(np.float32)


def whole_windows(size, side, wrap):
    """The rows of `band` whose windows are not cut; if all are, the whole axis as one window."""
    if wrap or side < size:
        return band(size, side, wrap)[slice(None) if wrap else slice(side // 2, size - side // 2)]
    return np.ones((1, size), np.float32)


def window_groups(size, side, wrap, bordered):
    """The windows of all pixels along an axis, as a list of `WindowGroup`.

    If the axis wraps, starts are those in one that is continued by `spread` on both sides.

    Args:
        size, side, wrap: see `spread`.
        bordered: whether a window that is cut is compared only with those that are cut alike; else with all
            places where it fits.
    """
    before, after = spread(size, side, wrap)
    pixels = np.arange(size)
    if wrap:
        every = np.arange(size)
        return [WindowGroup(before + after + 1, every, every, every, every, np.full(size, before))]
    starts = np.maximum(pixels - before, 0)
    lengths = np.minimum(pixels + after, size - 1) + 1 - starts
    kinds = {}
    for pixel, start, length in zip(pixels.tolist(), starts, lengths, strict=True):
        is_cut = length < before + after + 1
        kinds.setdefault((int(length), int(start) if bordered and is_cut else None), []).append(
            pixel
        )
    groups = []
    for (length, own), members in kinds.items():
        distinct, window = np.unique(starts[members], return_inverse=True)
        places = np.arange(size - length + 1) if own is None else np.array([own])
        groups.append(
            WindowGroup(
                length, distinct, places, np.array(members), window, members - starts[members]
            )
        )
    return groups
