"""How alike samples of two networks are, and samples and training images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .images import show_image
from .style import (
    NOISY,
    TWINS,
    A,
    B,
    caption,
    grid,
    histogram,
    legend,
    new_figure,
    numbers_of_images,
)

SHOWN = 16
"""Rows of `twin_samples` at most."""

_TWINS, _CLOSEST = "A and B from the same noise", "closest training image"
_COLORS = (TWINS, A, B)


def twin_samples(
    rows: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Sequence[str]]],
    *,
    places: int | None = None,
    title: str = "",
) -> Figure:
    """Rows of four images: the sample of A, that of B, the closest training image of each (arXiv
    2310.02557, figure 2).

    Args:
        rows: a list of (sample A, sample B, closest in A, closest in B, captions), images (height,
            width, channels) on [0, 1] and four strings; the first 16 are drawn, in two columns. The
            method `rows` of a `keras_gahr.analysis.comparison.Comparison` makes it.
        places: rows that there is room for, so that several figures have one size; default: as many
            as there are.
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> image = np.full((8, 8, 1), 0.5)
        >>> row = (image, image, image, image, ("sample 0", "0.99", "0.61", "0.58"))
        >>> plot.twin_samples([row]).axes[2].get_title()
        'closest in A'
    """
    rows = rows[:SHOWN]
    places = len(rows) if places is None else min(places, SHOWN)
    columns = 2 if places > 4 else 1
    lines = -(-places // columns)
    figure = new_figure(5.6 * columns, 0.9 + 1.55 * lines, title)
    cells = figure.subplots(lines, 4 * columns, squeeze=False)
    for axes in cells.ravel():
        axes.set_axis_off()
    names = ("network A", "network B", "closest in A", "closest in B")
    for k, (*images, captions) in enumerate(rows):
        column, line = divmod(k, lines)
        four = cells[line, 4 * column : 4 * column + 4]
        for axes, image, name, text in zip(four, images, names, captions, strict=True):
            axes.set_axis_on()
            show_image(axes, image)
            caption(axes, text, below=True, size=7)
            if line == 0:
                caption(axes, name)
    return figure


def similarity_histograms(
    panels: Sequence[tuple],
    *,
    labels: Sequence[str] = (_TWINS, _CLOSEST),
    quantity: str = "correlation",
    shared: bool = True,
    counted: str = "pairs",
    title: str = "",
) -> Figure:
    """Histograms of similarities over pairs of samples, in a panel for each measure, or for each
    number of training images (arXiv 2310.02557, figure 2).

    Args:
        panels: a list of (name, values (P,), values (P,), ...), as many values as labels: that of
            twins first, then of samples and the closest training image.
        labels: two or three of the values, in the legend; default: twins, closest training image.
        quantity: what the values are; default: correlation.
        shared: whether all panels have the same axes, up to 1; default True.
        counted: what there are P of; default: pairs.
        title: of the figure; default: none.

    Returns:
        A figure with axes for each panel.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> twins, closest = np.linspace(0.9, 1, 32), np.linspace(0.5, 0.7, 32)
        >>> figure = plot.similarity_histograms([("N = 10", closest, closest), ("N = 1000", twins, closest)])
        >>> [axes.get_title() for axes in figure.axes]
        ['N = 10', 'N = 1000']
    """
    figure = new_figure(2 + (2.1 if shared else 4) * len(panels), 3.8, title)
    places = figure.subplots(1, len(panels), sharex=shared, sharey=shared, squeeze=False)[0]
    for axes, (name, *values) in zip(places, panels, strict=True):
        drawn = [part for _, *parts in panels for part in parts] if shared else values
        low, high = min(map(np.min, drawn)), max(map(np.max, drawn))
        margin = max(0.02 * (high - low), 1e-6)
        edges = (min(0, low), 1) if shared else (low - margin, high + margin)
        for part, label, color in zip(values, labels, _COLORS, strict=False):
            # The correlation of an exact copy is 1 up to rounding, and may lie above the last bin.
            part = np.clip(part, -1, 1) if shared else part
            histogram(axes, part, np.linspace(*edges, 31), color, label)
        caption(axes, name, size=10)
        axes.set_xlabel(quantity)
        axes.locator_params(axis="x", nbins=3 if shared else 6)
        axes.yaxis.get_major_locator().set_params(integer=True)
        grid(axes)
    places[0].set_ylabel(counted)
    handles = places[0].get_legend_handles_labels()
    legend(figure, *handles, loc="outside lower center", ncols=len(labels))
    return figure


def similarity_crossing(
    numbers: Sequence[int],
    twins: Sequence[np.ndarray],
    closest: Sequence[np.ndarray],
    *,
    crossing: float | None = None,
    title: str = "",
) -> Figure:
    """How alike twins are, and samples and training images, against the number of these.

    Args:
        numbers: of training images, (M,).
        twins: M arrays (P,) of correlations of A's sample with B's.
        closest: M arrays (P,) of correlations with the closest training image.
        crossing: number of images at which the means cross, drawn as a dotted line; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> low, high = np.linspace(0.4, 0.6, 32), np.linspace(0.9, 1, 32)
        >>> figure = plot.similarity_crossing([10, 1000], [low, high], [high, low], crossing=100)
        >>> figure.axes[0].get_xscale()
        'log'
    """
    figure = new_figure(6.4, 4.4, title)
    axes = figure.subplots()
    for values, color, label in ((twins, TWINS, _TWINS), (closest, A, _CLOSEST)):
        low, high = np.array([np.quantile(part, (0.25, 0.75)) for part in values]).T
        axes.fill_between(numbers, low, high, color=color, alpha=0.2, linewidth=0)
        means = [np.mean(part) for part in values]
        axes.plot(
            numbers, means, "o-", markersize=4, color=color, label=f"{label}: mean, quartiles"
        )
    if crossing is not None:
        label = f"means cross at {crossing:.0f}"
        axes.axvline(crossing, color=NOISY, linestyle=":", label=label)
    numbers_of_images(axes, numbers)
    axes.set_ylabel("correlation")
    grid(axes)
    legend(axes)
    return figure
