"""Tiles of an image that a network computes one after the other, with the result of the whole image."""

import dataclasses
import math

_ALIGNMENT = 4
"""The network's grid is taken so many times: Winograd's convolutions, which have tiles of 2 or 4 pixels of
their own at each of a network's scales, then cut an image as they would cut the whole."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A tile along one axis.

    Args:
        tile: its pixels of the image.
        inner: the pixels of its result that are right.
        kept: where these are in the image.
    """

    tile: slice
    inner: slice
    kept: slice


@dataclasses.dataclass(frozen=True)
class AxisTiling:
    """How one axis is cut. All tiles have one size, so that a network is compiled once.

    Args:
        length: pixels of the image.
        size: pixels of a tile.
        margin: pixels at each end of a tile, but at the ends of the image, that are computed in vain.
        grid: tiles start at multiples of this.
    """

    length: int
    size: int
    margin: int
    grid: int

    @property
    def starts(self):
        """The first pixel of each tile; the last tile ends with the image."""
        step = (self.size - 2 * self.margin) // self.grid * self.grid
        last = self.length - self.size
        return [*range(0, last, step), last] if last else [0]

    @property
    def parts(self):
        """The `Part` of each tile."""
        starts = self.starts
        ends = [start + self.margin for start in starts[1:]] + [self.length]
        return [
            Part(
                slice(start, start + self.size),
                slice(first - start, end - start),
                slice(first, end),
            )
            for start, first, end in zip(starts, [0, *ends], ends, strict=False)
        ]

    @classmethod
    def choices(cls, length, margin, grid):
        """All tilings of an axis, from the smallest tiles to one that is the whole."""
        # As the last tile ends with the image, its start is on the grid like the others.
        size = length % grid
        while size < length:
            if size >= 2 * margin + grid:
                yield cls(length, size, margin, grid)
            size += grid
        yield cls(length, length, margin, grid)


def best_tiling(height, width, reach, most_pixels):
    """The tiling of an image that computes the fewest pixels, with tiles of so many pixels at most.

    Args:
        height, width: of the image.
        reach: a `NetworkReach`.
        most_pixels: of a tile.

    Returns:
        The `AxisTiling` of rows and of columns. If no tiles are as small, those that are smallest.
    """
    axes = zip((height, width), reach.margin, strict=True)
    rows, columns = (_fewest(length, margin, _ALIGNMENT * reach.grid) for length, margin in axes)
    pairs = [(down, across) for down in rows for across in columns]
    fitting = [pair for pair in pairs if pixels_of(pair) <= most_pixels]
    if not fitting:
        return min(pairs, key=pixels_of)
    return min(fitting, key=lambda pair: (pixels_of(pair) * _count(pair), pixels_of(pair)))


def _fewest(length, margin, grid):
    """The smallest tiles for each number of tiles along an axis."""
    smallest = {}
    for choice in AxisTiling.choices(length, margin, grid):
        smallest.setdefault(len(choice.starts), choice)
    return list(smallest.values())


def pixels_of(tiling):
    """The pixels of a tile."""
    return math.prod(axis.size for axis in tiling)


def _count(tiling):
    return math.prod(len(axis.starts) for axis in tiling)
