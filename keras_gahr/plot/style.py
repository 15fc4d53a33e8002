"""What all figures have in common: colours, text, legends, axes."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend
from matplotlib.ticker import NullLocator

from keras_gahr.names import printable

BLUE, RED, GREEN, AMBER = "#3b6fb6", "#c0392b", "#35b779", "#e69f00"
GREY, BLACK = "#777777", "#000000"

PALETTE = (BLUE, RED, GREEN, AMBER)
"""Colours of things without an order. With the grey of noisy images and the black of optima they stay
apart for readers who lack one of the three kinds of cones."""

_MARKS = "os^D"

TRAIN, TEST = BLUE, RED
A, B, TWINS = BLUE, RED, GREEN
NOISY, OPTIMUM, PAPER = GREY, BLACK, RED

SMALL = 8
"""Points: legends and captions of images."""


def shades(count: int) -> list[tuple[float, float, float, float]]:
    """Colours of things in an order, such as numbers of training images, from dark to light.

    Args:
        count: how many.

    Returns:
        That many colours (red, green, blue, alpha) on [0, 1], told apart without colour vision too.

    Examples:
        >>> from keras_gahr import plot
        >>> len(plot.shades(5))
        5
    """
    colors = matplotlib.colormaps["viridis"]
    return [colors(place) for place in np.linspace(0, 0.88, count)]


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """A figure of so many inches, which leaves nothing out at its edges."""
    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(plain(title), fontsize=11, parse_math=False)
    return figure


def plain(text: str) -> str:
    """A name as text that matplotlib shows: it leaves out of legends what begins with _."""
    text = printable(text)
    return f" {text}" if text.startswith("_") else text


def caption(axes: Axes, text: str, *, below: bool = False, size: float = 9) -> None:
    """Plain text above an image, or below it."""
    write = axes.set_xlabel if below else axes.set_title
    write(plain(text), fontsize=size, parse_math=False)


def grid(axes: Axes) -> None:
    """Faint lines behind curves, and no frame above and at the right."""
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(place: Axes | Figure | SubFigure, *handles: Sequence, **options) -> Legend | None:
    """The legend of axes, or of a figure of the handles and labels given, if anything has a name."""
    axes = [place] if isinstance(place, Axes) else place.axes
    if not any(each.get_legend_handles_labels()[0] for each in axes):
        return None
    made = place.legend(*handles, **{"frameon": False, "fontsize": SMALL, **options})
    for text in made.get_texts():
        text.set_parse_math(False)
    return made


def numbers_of_images(axes: Axes, numbers: Sequence[int]) -> None:
    """The axis below for numbers of training images (M,): logarithmic, each with a tick."""
    axes.set_xscale("log")
    axes.set_xticks(numbers, list(map(str, numbers)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training images N")


def line_style(place: int) -> dict[str, Any]:
    """Color and mark of the lines of a figure by their place, for `Axes.plot`: the colours of `PALETTE`
    with dots, then again with open squares, and so on.
    """
    turn, color = divmod(place, len(PALETTE))
    return {
        "color": PALETTE[color],
        "marker": _MARKS[turn % len(_MARKS)],
        "markerfacecolor": "white" if turn else None,
    }


def curve_with_intervals(
    axes: Axes,
    places: Sequence[float],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    label: str,
    **style: Any,
) -> None:
    """A curve of (M,) values with their intervals (M, 2); NaN where a value has none."""
    means, (low, high) = np.asarray(values), np.asarray(intervals).T
    errors = np.maximum(0, [means - low, high - means])
    style = {"marker": "o", "markersize": 4, "capsize": 3, **style}
    axes.errorbar(places, means, errors, label=plain(label), **style)


def histogram(axes: Axes, values: np.ndarray, edges: np.ndarray, color: str, label: str) -> None:
    """A histogram that others may lie over: faint, with a strong outline."""
    axes.hist(values, edges, color=color, alpha=0.3)
    axes.hist(values, edges, color=color, histtype="step", linewidth=1.5, label=plain(label))
