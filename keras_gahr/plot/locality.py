"""What local machines draw of what networks draw, and how far networks see."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLACK, caption, grid, legend, new_figure, plain, shades

_WIDTH = 0.3
"""Of a column of points and of its bar, where neighbours are 1 apart."""


def explanation_of_samples(
    networks: Sequence[tuple[str, Mapping[str, np.ndarray]]], *, title: str = ""
) -> Figure:
    """r^2 of each sample of networks with those of machines, and the medians.

    Args:
        networks: a list of (name, r^2 by name of the machine, each (M,)), with the same machines.
        title: of the figure; default: none.

    Returns:
        A figure with a pair of axes for each network.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> r_squared = {"ELS": np.array([0.8, 0.9]), "copy": np.array([0.2, 0.4])}
        >>> figure = plot.explanation_of_samples([("CNN", r_squared), ("UNet", r_squared)])
        >>> len(figure.axes)
        2
    """
    figure = new_figure(1.2 + 2.8 * len(networks), 4, title)
    panels = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
    for axes, (name, machines) in zip(panels, networks, strict=True):
        for place, (values, color) in enumerate(
            zip(machines.values(), shades(len(machines)), strict=True)
        ):
            spread = place + _WIDTH * np.linspace(-1, 1, len(values))
            axes.plot(spread, values, ".", color=color, alpha=0.6)
            axes.hlines(np.median(values), place - _WIDTH, place + _WIDTH, BLACK, linewidth=2)
        axes.set_xticks(
            range(len(machines)), [plain(machine) for machine in machines], rotation=35, ha="right"
        )
        axes.set_ylim(-0.03, 1.03)
        caption(axes, name)
        grid(axes)
    panels[0].set_ylabel("r^2 of a sample")
    return figure


def sides_over_noise(
    lines: Sequence[tuple[str, Sequence[tuple[float, int]]]],
    *,
    published: Sequence[tuple[float, int]] = (),
    title: str = "",
) -> Figure:
    """The sides of the squares that networks see, against the noise.

    Args:
        lines: a list of (name, (sigma, side) of each level, in units of [0, 1] and in pixels).
        published: the same of a published network; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> figure = plot.sides_over_noise([("CNN", [(0.1, 5), (1.0, 15)])])
        >>> figure.axes[0].get_ylabel()
        'side of the square (pixels)'
    """
    figure = new_figure(6.4, 4, title)
    axes = figure.subplots()
    for (name, sides), color in zip(lines, shades(len(lines)), strict=True):
        axes.plot(*zip(*sides, strict=True), ".-", color=color, label=plain(name))
    if published:
        axes.plot(*zip(*published, strict=True), "--", color=BLACK, label="published")
    axes.set_xscale("log")
    axes.set_xlabel("noise level sigma")
    axes.set_ylabel("side of the square (pixels)")
    grid(axes)
    legend(axes)
    return figure
