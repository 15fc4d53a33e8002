"""Estimated noise levels against known ones."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from .style import BLACK, grid, legend, line_style, new_figure, plain

_TICKS = (0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.3, 1.6, 2, 3, 4)

_LARGEST = 4
"""The largest ratio that has room in the figure, and the inverse of the least."""


def noise_level_ratios(
    sigmas: Sequence[float] | np.ndarray,
    ratios: Mapping[str, np.ndarray],
    intervals: Mapping[str, np.ndarray] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Estimated over known noise levels, a line for each way to estimate them; 1 is right.

    Args:
        sigmas: (S,), the known levels, in units of [0, 1].
        ratios: from names to (S,).
        intervals: from the same names to (S, 2), drawn as bands; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> figure = plot.noise_level_ratios([0.1, 1], {"corrected": np.array([1.02, 0.98])})
        >>> figure.axes[0].get_xlabel()
        'noise level sigma'
    """
    figure = new_figure(5.6, 3.8, title)
    axes = figure.subplots()
    axes.axhline(1, color=BLACK, lw=0.8, ls=":")
    for place, (name, values) in enumerate(ratios.items()):
        style = line_style(place)
        axes.plot(sigmas, values, ms=3, lw=1.4, label=plain(name), **style)
        if intervals is not None:
            low, high = np.transpose(intervals[name])
            axes.fill_between(sigmas, low, high, color=style["color"], alpha=0.2, lw=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    known = np.concatenate([np.ravel(values) for values in ratios.values()])
    known = known[np.isfinite(known) & (known > 0)]
    low, high = (known.min(), known.max()) if len(known) else (1, 1)
    axes.set_yticks(_TICKS)
    axes.set_ylim(max(1 / _LARGEST, min(low, 0.9) * 0.95), min(_LARGEST, max(high, 1.1) * 1.05))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("noise level sigma")
    axes.set_ylabel("estimated level / sigma")
    grid(axes)
    legend(axes)
    return figure
