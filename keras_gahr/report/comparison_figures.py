"""Pictures of two networks' samples and the training images closest to them."""

import numpy as np
from matplotlib.figure import Figure

from .figures import save_figure, show_image

A, B, TWINS = "#3b6fb6", "#d1495b", "#2f8f5b"
SHOWN = 16


def twins_page(title, rows, path):
    """Writes the `twins_figure` of a title and rows to a PNG file."""
    save_figure(twins_figure(title, rows), path)


def twins_figure(title, rows, places=None):
    """Rows of four images: the sample of A, that of B, the closest training image of each.

    Args:
        title: of the page.
        rows: a list of (sample A, sample B, closest in A, closest in B, captions), images
            `(height, width, channels)` and four strings; the first `SHOWN` are drawn, in two columns.
        places: rows that there is room for, so that several pages have one size; by default as many
            as there are.
    """
    rows = rows[:SHOWN]
    places = len(rows) if places is None else min(places, SHOWN)
    columns = 2 if places > 4 else 1
    lines = -(-places // columns)
    figure = Figure(figsize=(5.6 * columns, 0.9 + 1.55 * lines), layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(lines, 4 * columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    names = ("network A", "network B", "closest in A", "closest in B")
    for k, (*images, captions) in enumerate(rows):
        column, line = divmod(k, lines)
        cells = grid[line, 4 * column : 4 * column + 4]
        for axes, image, name, caption in zip(cells, images, names, captions, strict=True):
            axes.set_axis_on()
            show_image(axes, image)
            axes.set_xlabel(caption, fontsize=7)
            if line == 0:
                axes.set_title(name, fontsize=9)
    return figure


def similarity_histograms(title, measures, path):
    """For each measure, histograms over pairs: twins, and each sample with its closest image.

    Args:
        title: of the page.
        measures: a list of (name, twins, closest A, closest B), arrays (P,).
        path: PNG file.
    """
    figure = Figure(figsize=(5.2 * len(measures), 3.8), layout="constrained")
    figure.suptitle(title)
    for axes, (name, *values) in zip(
        figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True
    ):
        low, high = min(map(np.min, values)), max(map(np.max, values))
        margin = max(0.02 * (high - low), 1e-6)
        edges = np.linspace(low - margin, high + margin, 31)
        labels = (
            "A and B from the same noise",
            "A and closest of its set",
            "B and closest of its set",
        )
        for numbers, label, color in zip(values, labels, (TWINS, A, B), strict=True):
            axes.hist(numbers, edges, color=color, alpha=0.35)
            axes.hist(numbers, edges, color=color, histtype="step", linewidth=1.6, label=label)
        axes.set_xlabel(name)
        axes.set_ylabel("pairs")
        axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
