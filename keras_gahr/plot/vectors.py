"""Eigenvectors of denoisers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .images import show_image
from .style import caption, new_figure

_COLUMNS = 8


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
    2310.02557, figure 3).

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
        show_image(axes, 0.5 + vector / (2 * (np.abs(vector).max() or 1)))
        caption(axes, f"{first + k}: {factors[k]:.3f}")
    return figure
