"""When trainings begin to memorize, for several numbers of training images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from .style import (
    BLACK,
    BLUE,
    GREY,
    RED,
    grid,
    legend,
    new_figure,
    numbers_of_images,
    plain,
    shades,
)


def memorized_over_time(
    curves: Sequence[tuple[int, ArrayLike, ArrayLike]],
    *,
    threshold: float | None = None,
    title: str = "",
) -> Figure:
    """Shares of memorized samples against the step, and against the step divided by the number of
    training images (Bonnaire et al. 2025, arXiv 2505.17638, figure 2).

    Args:
        curves: of each run (number of training images N, steps (L,), shares (L,)), in ascending order of
            N; runs of one N share a colour.
        threshold: a share where a dotted line is drawn; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with two pairs of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> curves = [(16, [10, 100, 1000], [0, 0.5, 1]), (64, [10, 100, 1000], [0, 0, 0.5])]
        >>> [axes.get_xlabel() for axes in plot.memorized_over_time(curves).axes]
        ['step tau', 'steps per image, tau / N']
    """
    figure = new_figure(9.2, 3.8, title)
    left, right = figure.subplots(1, 2, sharey=True)
    counts = sorted({count for count, *_ in curves})
    colors = dict(zip(counts, shades(len(counts)), strict=True))
    named = set()
    for count, steps, shares in curves:
        label = None if count in named else f"N = {count}"
        named.add(count)
        for axes, unit in ((left, 1), (right, count)):
            axes.plot(
                np.asarray(steps) / unit,
                shares,
                "o-",
                markersize=3,
                linewidth=1.2,
                color=colors[count],
                label=label if axes is left else None,
            )
    for axes, label in ((left, "step tau"), (right, "steps per image, tau / N")):
        axes.set_xscale("log")
        axes.set_xlabel(label)
        if threshold is not None:
            axes.axhline(threshold, color=BLACK, linestyle=":", linewidth=1)
        grid(axes)
    left.set_ylabel("share of memorized samples")
    legend(figure, loc="outside right upper")
    return figure


def onset_times(
    times: Sequence[tuple[str, ArrayLike, ArrayLike, tuple[float, float] | None]],
    *,
    unreached: tuple[ArrayLike, ArrayLike] | None = None,
    title: str = "",
) -> Figure:
    """Times of runs against the number of training images, with their power laws.

    Args:
        times: of up to two kinds (name, N of each run (R,), steps (R,), (a, b) of a N^b or None).
        unreached: (N (R,), steps (R,)) of runs that ended before the first kind of time came, drawn as
            arrows upwards; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> kinds = [("tau_mem", [16, 64], [500, 2000], (31.25, 1.0))]
        >>> plot.onset_times(kinds).axes[0].get_ylabel()
        'step'
    """
    figure = new_figure(6.4, 4.2, title)
    axes = figure.subplots()
    waiting = np.array(((), ()) if unreached is None else unreached, np.float64)
    runs = np.concatenate([waiting[0], *(np.asarray(counts) for _, counts, *_ in times)])
    numbers = [int(count) for count in np.unique(runs)]
    ends = np.array([numbers[0], numbers[-1]], np.float64) if numbers else np.ones(2)
    for (name, counts, steps, law), color in zip(times, (RED, BLUE), strict=False):
        label = name if law is None else f"{name} = {law[0]:.3g} N^{law[1]:.2f}"
        axes.plot(counts, steps, "o", markersize=5, color=color, alpha=0.7, label=plain(label))
        if law is not None:
            axes.plot(ends, law[0] * ends ** law[1], color=color, linewidth=1)
    if waiting.size:
        axes.plot(*waiting, "^", markersize=7, color=GREY, label="not memorized until here")
    numbers_of_images(axes, numbers)
    axes.set_yscale("log")
    axes.set_ylabel("step")
    grid(axes)
    legend(axes)
    return figure
