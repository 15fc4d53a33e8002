"""Measures of copying, and what they are where nothing was copied."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLUE, GREY, grid, legend, new_figure, plain

Row = tuple[str, float, tuple[float, float], float, tuple[float, float]]


def measures_and_nulls(
    shares: Sequence[Row], scores: Sequence[Row] = (), *, title: str = ""
) -> Figure:
    """Measures with their intervals, beside their nulls.

    Args:
        shares: rows (name, value, (low, high), null, (low, high)) of shares, between 0 and 1.
        scores: such rows of z-scores, in a panel of their own; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with axes for the shares, and for the scores if there are any.

    Examples:
        >>> from keras_gahr import plot
        >>> rows = [("f_mem", 0.9, (0.8, 0.95), 0.01, (0.0, 0.05))]
        >>> plot.measures_and_nulls(rows).axes[0].get_xlabel()
        'share'
    """
    panels = [("share", shares), ("z-score", scores)][: 2 if scores else 1]
    heights = [len(rows) for _, rows in panels]
    figure = new_figure(6.4, 1.6 + 0.45 * sum(heights) + 0.5 * (len(panels) - 1), title)
    places = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (quantity, rows) in zip(places, panels, strict=True):
        lines = np.arange(len(rows))
        names, *columns = zip(*rows, strict=True)
        for offset, color, label, values, intervals in (
            (-0.12, BLUE, "samples", *columns[:2]),
            (0.12, GREY, "null", *columns[2:]),
        ):
            values, (low, high) = np.asarray(values), np.asarray(intervals).T
            errors = np.maximum(0, [values - low, high - values])
            axes.errorbar(
                values,
                lines + offset,
                xerr=errors,
                fmt="o",
                markersize=4,
                capsize=3,
                color=color,
                label=label,
            )
        axes.set_yticks(lines, [plain(name) for name in names])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(quantity)
        if quantity == "share":
            axes.set_xlim(-0.03, 1.03)
        grid(axes)
    legend(figure, *places[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
