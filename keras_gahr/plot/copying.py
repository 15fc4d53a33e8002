"""Measures of copying, and what they are where nothing was copied."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLUE, GREY, RED, grid, legend, new_figure, plain

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


def copies_over_dimension(
    curve: np.ndarray,
    dimension: np.ndarray,
    ratio: np.ndarray,
    copies: np.ndarray,
    *,
    threshold: float,
    quantity: str = "d1 / d2",
    title: str = "",
) -> Figure:
    """How well a low dimension tells copies, and the dimension of each sample over how close it is.

    Args:
        curve: (K, 2) or more columns: the shares of others and of copies below a threshold, ascending;
            without either, not drawn.
        dimension: (N,), around each sample.
        ratio: (N,), of the distances to the closest and second closest training image of each.
        copies: bool (N,), which of them are copies.
        threshold: of the ratio, which is marked.
        quantity: what the ratio is called.
        title: of the figure; default: none.

    Returns:
        A figure with two pairs of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> curve, ratio = np.array([[0, 0], [0, 1], [1, 1]]), np.array([0.1, 0.8])
        >>> figure = plot.copies_over_dimension(
        ...     curve, np.array([2.0, 9.0]), ratio, ratio < 1 / 3, threshold=1 / 3
        ... )
        >>> figure.axes[0].get_ylabel()
        'share of copies'
    """
    figure = new_figure(9, 3.8, title)
    rates, samples = figure.subplots(1, 2)
    others, found = np.asarray(curve)[:, :2].T
    rates.plot([0, 1], [0, 1], "--", color=GREY, linewidth=0.8, label="by chance")
    if np.isfinite(others).all() and np.isfinite(found).all():
        rates.plot(others, found, color=BLUE, label="lower dimension first")
    rates.set_xlabel("share of other samples")
    rates.set_ylabel("share of copies")
    for wanted, color, name in ((copies, RED, "copies"), (~copies, BLUE, "other samples")):
        samples.plot(ratio[wanted], dimension[wanted], ".", color=color, label=name)
    samples.axvline(threshold, color=GREY, linestyle="--", linewidth=0.8)
    samples.set_ylim(bottom=0)
    samples.set_xlabel(quantity)
    samples.set_ylabel("dimension")
    for axes in (rates, samples):
        grid(axes)
        legend(axes)
    return figure
