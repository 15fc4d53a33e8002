"""Pictures of datasets."""

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.datasets.image_files import contact_sheet
from keras_gahr.names import printable

from .figures import save_figure, show_image

COLUMNS = 6
COLOR, MARK = "#3b6fb6", "#d1495b"


def pair_page(title, pairs, path):
    """Writes the `pair_figure` of a title and pairs to a PNG file."""
    save_figure(pair_figure(title, pairs), path)


def pair_figure(title, pairs):
    """Pairs of images side by side.

    Args:
        title: of the page.
        pairs: a list of (left, right, caption), images `(height, width, channels)`, which need not
            have one size.
    """
    rows = max(1, -(-len(pairs) // COLUMNS))
    figure = Figure(figsize=(2.1 * COLUMNS, 0.7 + 1.35 * rows), layout="constrained")
    figure.suptitle(printable(title), parse_math=False)
    cells = figure.subfigures(rows, COLUMNS, squeeze=False).ravel()
    for cell, (left, right, caption) in zip(cells, pairs, strict=False):
        cell.suptitle(caption, fontsize=8)
        for axes, image in zip(cell.subplots(1, 2), (left, right), strict=True):
            show_image(axes, image)
    return figure


def overlap_histogram(correlation, threshold, path):
    """Histogram of the largest correlations between two datasets.

    Args:
        correlation: (N,), the largest one of each image.
        threshold: where a dashed line is drawn.
        path: PNG file.
    """
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    low = min(0, np.floor(10 * correlation.min()) / 10)
    axes.hist(correlation, bins=np.linspace(low, 1, 101), color=COLOR)
    axes.axvline(threshold, color=MARK, linestyle="--", label=f"{threshold:g}")
    axes.set_xlabel("correlation with the closest image of the other set")
    axes.set_ylabel("images")
    axes.legend(frameon=False)
    save_figure(figure, path)


def intensity_page(title, images, statistics, path):
    """A contact sheet, and histograms of the intensities.

    Args:
        title: of the page.
        images: `(count, height, width, channels)`, shown as they are.
        statistics: the `Intensities` of the whole dataset.
        path: PNG file.
    """
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    figure.suptitle(printable(title), parse_math=False)
    left, right = figure.subfigures(1, 2, width_ratios=(1.6, 1))
    show_image(left.subplots(), contact_sheet(images, int(np.ceil(np.sqrt(len(images))))))
    values, means, sds = right.subplots(3, 1)
    bins = len(statistics.histogram)
    share = statistics.histogram / statistics.histogram.sum()
    values.bar((np.arange(bins) + 0.5) / bins, share, 1 / bins, color=COLOR)
    values.set_xlabel("intensity")
    values.set_ylabel("part of all values")
    for axes, numbers, name in (
        (means, statistics.image_means, "mean of an image"),
        (sds, statistics.image_sds, "standard deviation of an image"),
    ):
        axes.hist(numbers, bins=50, color=COLOR)
        axes.set_xlabel(name)
        axes.set_ylabel("images")
    save_figure(figure, path)
