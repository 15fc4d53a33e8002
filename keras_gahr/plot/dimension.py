"""In how many directions images can change."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from .style import BLACK, BLUE, PALETTE, grid, legend, new_figure, plain

_LEAST = 0.1
"""Where the axis of dimensions ends."""


def dimension_over_noise(
    sigmas: np.ndarray,
    trace: np.ndarray,
    level: np.ndarray,
    means: Mapping[str, np.ndarray] | None = None,
    *,
    title: str = "",
) -> Figure:
    """tr J of each image over noise levels, and where it is taken as the dimension.

    Args:
        sigmas: (S,), in units of [0, 1].
        trace: (S, N).
        level: (N,), the place of that level for each.
        means: more estimates by name, (S,); default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> trace = np.array([[6.0, 5.5], [5.1, 5.0], [4.9, 2.0]])
        >>> figure = plot.dimension_over_noise(np.array([0.01, 0.1, 1.0]), trace, np.array([1, 1]))
        >>> figure.axes[0].get_xlabel()
        'noise level sigma'
    """
    figure = new_figure(6.4, 4, title)
    axes = figure.subplots()
    values = np.maximum(trace, _LEAST)
    axes.plot(sigmas, values, color=BLUE, linewidth=0.6, alpha=0.5)
    mean = np.maximum(trace.mean(axis=1), _LEAST)
    axes.plot(sigmas, mean, color=BLUE, linewidth=2, label="tr J, mean")
    chosen = values[level, np.arange(values.shape[1])]
    axes.plot(sigmas[level], chosen, ".", color=BLACK, label="where it is the dimension")
    for (name, line), color in zip((means or {}).items(), PALETTE[1:], strict=False):
        axes.plot(sigmas, np.maximum(line, _LEAST), "--", color=color, label=plain(name))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("noise level sigma")
    axes.set_ylabel("dimension")
    grid(axes)
    legend(axes)
    return figure
