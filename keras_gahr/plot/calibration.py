"""How well local optima explain a network."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLACK, grid, legend, new_figure, shades


def explained_by_sides(
    sigmas: Sequence[float] | np.ndarray,
    sides: Sequence[int] | np.ndarray,
    r_squared: np.ndarray,
    *,
    title: str = "",
) -> Figure:
    """The part of a network's result that local optima explain, over noise levels, a line for each side.

    Args:
        sigmas: (S,), in units of [0, 1].
        sides: (K,), of the square that an optimum sees, in pixels.
        r_squared: (S, K).
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> figure = plot.explained_by_sides([0.1, 1], [3, 5], np.array([[0.9, 0.8], [0.6, 0.7]]))
        >>> figure.axes[0].get_ylabel()
        'median r^2'
    """
    figure = new_figure(5.6, 3.8, title)
    axes = figure.subplots()
    values = np.asarray(r_squared)
    for side, colour, line in zip(sides, shades(len(sides)), values.T, strict=True):
        axes.plot(sigmas, line, color=colour, lw=1.2, label=f"{side} pixels")
    axes.plot(sigmas, values.max(axis=1), "o", color=BLACK, ms=4, label="largest")
    axes.set_xscale("log")
    axes.set_xlabel("noise level sigma")
    axes.set_ylabel("median r^2")
    grid(axes)
    legend(axes)
    return figure
