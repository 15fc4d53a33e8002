"""The parts of the error of denoisers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLUE, RED, grid, histogram, legend, new_figure


def error_parts(
    bias: Sequence[float] | np.ndarray,
    variance: Sequence[float] | np.ndarray,
    *,
    title: str = "",
) -> Figure:
    """Histograms over images of how much of the error several denoisers share, and how much is each
    one's.

    Args:
        bias: (N,), squared error per pixel of their mean.
        variance: (N,), around it.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> figure = plot.error_parts([0.02, 0.03, 0.03], [0.001, 0.002, 0.001])
        >>> figure.axes[0].get_xlabel()
        'squared error per pixel'
    """
    figure = new_figure(5.6, 3.8, title)
    axes = figure.subplots()
    edges = np.linspace(0, max(np.max(bias), np.max(variance)) or 1, 31)
    histogram(axes, np.asarray(bias), edges, BLUE, "bias")
    histogram(axes, np.asarray(variance), edges, RED, "variance")
    axes.set_xlabel("squared error per pixel")
    axes.set_ylabel("images")
    axes.yaxis.get_major_locator().set_params(integer=True)
    grid(axes)
    legend(axes)
    return figure
