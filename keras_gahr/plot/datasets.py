"""What is in datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .images import show_sheet
from .style import BLUE, RED, grid, legend, new_figure

if TYPE_CHECKING:
    from keras_gahr.datasets.statistics import Intensities


def overlap_histogram(correlation: Sequence[float], threshold: float, *, title: str = "") -> Figure:
    """Histogram of the largest correlations between two datasets.

    Args:
        correlation: the largest one of each image, (N,).
        threshold: where a dashed line is drawn.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> plot.overlap_histogram([0.2, 0.4, 0.97], threshold=0.95).axes[0].get_ylabel()
        'images'
    """
    figure = new_figure(6.4, 4, title)
    axes = figure.subplots()
    low = min(0, np.floor(10 * np.min(correlation)) / 10)
    # That of an exact copy is 1 up to rounding, and may lie above the last bin.
    axes.hist(np.clip(correlation, -1, 1), bins=np.linspace(low, 1, 101), color=BLUE)
    axes.axvline(threshold, color=RED, linestyle="--", label=f"threshold {threshold:g}")
    axes.set_xlabel("correlation with the closest image of the other set")
    axes.set_ylabel("images")
    grid(axes)
    legend(axes)
    return figure


def intensity_histograms(images: np.ndarray, statistics: Intensities, *, title: str = "") -> Figure:
    """Some images of a dataset, and histograms of the intensities of all.

    Args:
        images: those to show, (N, height, width, channels) on [0, 1].
        statistics: what `keras_gahr.datasets.statistics.intensities` returns for the whole dataset.
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> from keras_gahr.datasets.statistics import intensities
        >>> images = np.random.default_rng(0).random((9, 8, 8, 1), np.float32)
        >>> len(plot.intensity_histograms(images, intensities(images)).axes)
        4
    """
    figure = new_figure(11, 6.4, title)
    left, right = figure.subfigures(1, 2, width_ratios=(1.6, 1))
    show_sheet(left.subplots(), images)
    values, means, sds = right.subplots(3, 1)
    bins = len(statistics.histogram)
    share = statistics.histogram / statistics.histogram.sum()
    values.bar((np.arange(bins) + 0.5) / bins, share, 1 / bins, color=BLUE)
    values.set_xlabel("intensity")
    values.set_ylabel("part of all values")
    for axes, numbers, name in (
        (means, statistics.image_means, "mean of an image"),
        (sds, statistics.image_sds, "standard deviation of an image"),
    ):
        axes.hist(numbers, bins=50, color=BLUE)
        axes.set_xlabel(name)
        axes.set_ylabel("images")
    for axes in (values, means, sds):
        grid(axes)
    return figure
