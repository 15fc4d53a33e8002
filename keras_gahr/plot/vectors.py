"""Eigenvectors of denoisers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .images import show_image
from .style import caption, new_figure

_COLUMNS = 8

_COLORS = ("red", "green", "blue")


def eigenvectors(
    vectors: np.ndarray,
    factors: Sequence[float] | np.ndarray,
    *,
    images: Sequence[tuple[str, np.ndarray]] = (),
    first: int = 1,
    room: int | None = None,
    title: str = "",
) -> Figure:
    """Eigenvectors with their shrinkage factors, each scaled to its largest value, grey being 0 (arXiv
    2310.02557, figure 3); of other channels than grey or red, green and blue their mean.

    Args:
        vectors: (k, height, width, channels).
        factors: (k,).
        images: a list of (caption, image (height, width, channels) on [0, 1]), shown before them.
        first: the number of the first vector; default 1.
        room: vectors for which there is room, so that several figures have one size; default k.
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> waves = np.sin(np.arange(1, 5)[:, None, None, None] * np.linspace(0, 3, 8)[:, None])
        >>> figure = plot.eigenvectors(waves * np.ones((8, 1)), [1, 0.9, 0.4, 0.1])
        >>> figure.axes[0].get_title()
        '1: 1.000'
    """
    places = len(images) + (len(vectors) if room is None else room)
    columns = min(_COLUMNS, places)
    rows = -(-places // columns)
    figure = new_figure(1.5 * columns, 1.75 * rows, title)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, (name, image) in zip(grid, images, strict=False):
        show_image(axes, image)
        caption(axes, name)
    for k, (axes, vector) in enumerate(zip(grid[len(images) :], vectors, strict=False)):
        show_image(axes, _scaled(vector))
        caption(axes, f"{first + k}: {factors[k]:.3f}")
    return figure


def eigenvector_channels(
    vectors: np.ndarray,
    factors: Sequence[float] | np.ndarray,
    shares: np.ndarray,
    *,
    title: str = "",
) -> Figure:
    """The first eight eigenvectors of colour images, and below each what it holds of each channel.

    All channels of a vector are scaled to its largest value, grey being 0.

    Args:
        vectors: (k, height, width, channels).
        factors: (k,), the shrinkage factors.
        shares: (k, channels), how much of each vector lies in each channel.
        title: of the figure; default: none.

    Returns:
        A figure with a column for each vector; below the vectors a row for each channel.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> waves = np.sin(np.arange(1, 5)[:, None, None, None] * np.linspace(0, 3, 8)[:, None])
        >>> vectors, shares = waves * np.full((8, 3), [3, 2, 1]), np.full((4, 3), [9, 4, 1]) / 14
        >>> figure = plot.eigenvector_channels(vectors, [1, 0.9, 0.4, 0.1], shares)
        >>> [axes.get_title() for axes in figure.axes[::4]]
        ['1: 1.000', '64.3 %', '28.6 %', '7.1 %']
    """
    vectors = vectors[:_COLUMNS]
    channels = vectors.shape[-1]
    figure = new_figure(0.4 + 1.5 * len(vectors), 1.75 * (1 + channels), title)
    whole, *rows = figure.subplots(1 + channels, len(vectors), squeeze=False)
    names = _COLORS if channels == len(_COLORS) else [f"channel {c}" for c in range(channels)]
    for row, name in zip(rows, names, strict=True):
        row[0].set_ylabel(name)
    for k, vector in enumerate(vectors):
        shown = _scaled(vector)
        show_image(whole[k], shown)
        caption(whole[k], f"{k + 1}: {factors[k]:.3f}")
        for c, row in enumerate(rows):
            show_image(row[k], shown[..., c])
            caption(row[k], f"{100 * shares[k, c]:.1f} %")
    return figure


def _scaled(vector):
    """A vector as an image, scaled to its largest value, 0 being grey."""
    return 0.5 + vector / (2 * (np.abs(vector).max() or 1))
