"""What rivals explain of a trained denoiser."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from keras_gahr.analysis.intervals import mean_interval

from .images import as_shown
from .style import (
    BLACK,
    NOISY,
    PALETTE,
    SMALL,
    caption,
    curve_with_intervals,
    grid,
    legend,
    new_figure,
    numbers_of_images,
    plain,
)

_LEAST = 1e-3
"""Of what is unexplained, the end of the scale of colours."""

_COLORS = (*PALETTE, BLACK, NOISY)

_DARK = 0.03
"""Below it cells are dark, and their numbers white."""


def unexplained_changes(
    rivals: Sequence[str],
    sigmas: np.ndarray,
    unexplained: Sequence[tuple[str, np.ndarray]],
    path_sigmas: np.ndarray,
    path: np.ndarray,
    *,
    title: str = "",
) -> Figure:
    """What each rival leaves unexplained of the change that a denoiser makes.

    Args:
        rivals: R names.
        sigmas: (S,), in units of [0, 1].
        unexplained: names of sets of images with (S, R, N).
        path_sigmas: (T,), the levels of the steps of sampling.
        path: (T, R, M); NaN where there is none.
        title: of the figure; default: none.

    Returns:
        A figure with a heat map for each set, and the means along sampling.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> values = np.full((2, 1, 4), 0.1)
        >>> levels = np.array([0.1, 0.2])
        >>> found = plot.unexplained_changes(["copy"], levels, [("faces", values)], levels, values)
        >>> len(found.axes)
        3
    """
    count = len(unexplained)
    figure = new_figure(1.6 + 4.4 * (count + 1), max(3.2, 1.8 + 0.5 * len(rivals)), title)
    panels = figure.subplots(1, count + 1)
    image = None
    for axes, (name, values) in zip(panels, unexplained, strict=False):
        means = values.mean(axis=2).T
        image = axes.imshow(
            np.clip(means, _LEAST, 1), norm=LogNorm(_LEAST, 1), cmap="cividis", aspect="auto"
        )
        for r, s in np.ndindex(means.shape):
            low, high = mean_interval(values[s, r])
            color = "white" if means[r, s] < _DARK else "black"
            spread = "" if np.isnan(low) else f"\n±{(high - low) / 2:.1g}"
            axes.text(
                s,
                r,
                f"{means[r, s]:.2g}{spread}",
                ha="center",
                va="center",
                fontsize=6,
                color=color,
            )
        _levels_below(axes, sigmas)
        axes.set_yticks(range(len(rivals)), [plain(rival) for rival in rivals])
        caption(axes, name)
    if image is not None:
        figure.colorbar(image, ax=panels[count - 1], label="unexplained share of |D(y) - y|^2")
    axes = panels[-1]
    for r, rival in enumerate(rivals):
        values = path[:, r]
        if np.isfinite(values).any():
            # Without samples that diverged.
            shown = np.maximum(finite_means(values), _LEAST)
            axes.plot(255 * path_sigmas, shown, ".-", color=_color(r), label=plain(rival))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    axes.set_xlabel("sigma (of 255), from noise to image")
    caption(axes, "along sampling")
    grid(axes)
    legend(axes)
    return figure


def explained_by_rivals(
    numbers: Sequence[int],
    sigmas: np.ndarray,
    rivals: Sequence[str],
    panels: Sequence[tuple[str, Sequence[Sequence[Sequence[str]]]]],
    *,
    title: str = "",
) -> Figure:
    """Who explains networks at which noise levels, by the number of their training images.

    Args:
        numbers: of training images, (M,).
        sigmas: (S,), in units of [0, 1].
        rivals: names, each of which has a colour.
        panels: names of sets of images with names of rivals for each number and noise level, (M, S, any),
            the best first, whose colour the cell has; none leave it white.
        title: of the figure; default: none.

    Returns:
        A figure with a map for each panel.

    Examples:
        >>> from keras_gahr import plot
        >>> names = [[["copy"], []], [[], ["gaussian", "local"]]]
        >>> rivals = ["copy", "gaussian", "local"]
        >>> found = plot.explained_by_rivals([10, 1000], [0.1, 0.3], rivals, [("faces", names)])
        >>> [text.get_text() for text in found.axes[0].texts]
        ['copy', 'gaussian\\nlocal']
    """
    most = max(len(best) for _, rows in panels for row in rows for best in row)
    figure = new_figure(
        0.8 + 0.72 * len(sigmas) * len(panels),
        1.2 + max(0.35, 0.1 + 0.12 * most) * len(numbers),
        title,
    )
    for axes, (name, rows) in zip(
        figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True
    ):
        for (m, row), s in itertools.product(enumerate(rows), range(len(sigmas))):
            if row[s]:
                axes.fill_between(
                    (s - 0.5, s + 0.5),
                    m - 0.5,
                    m + 0.5,
                    color=_color(rivals.index(row[s][0])),
                    alpha=0.35,
                    linewidth=0,
                )
                axes.text(
                    s,
                    m,
                    "\n".join(map(plain, row[s])),
                    ha="center",
                    va="center",
                    fontsize=7,
                    parse_math=False,
                )
        axes.set_xlim(-0.5, len(sigmas) - 0.5)
        axes.set_ylim(len(numbers) - 0.5, -0.5)
        axes.set_xticks(np.arange(len(sigmas) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(numbers) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="#dddddd", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
        _levels_below(axes, sigmas)
        axes.set_yticks(range(len(numbers)), list(map(str, numbers)))
        caption(axes, name)
    figure.axes[0].set_ylabel("training images N")
    return figure


def unexplained_over_images(
    numbers: Sequence[int],
    rivals: Sequence[str],
    panels: Sequence[tuple[str, Sequence[np.ndarray]]],
    *,
    bound: float | None = None,
    title: str = "",
) -> Figure:
    """What each rival leaves unexplained of networks, against the number of their training images.

    Args:
        numbers: of training images, (M,), ascending.
        rivals: R names.
        panels: names of sets of images with M arrays (R, N), the unexplained shares of N images.
        bound: share below which a rival explains the network, drawn as a dotted line; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with axes for each panel: means with their 95% intervals.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> shares = [np.array([[0.01, 0.02]]), np.array([[0.4, 0.5]])]
        >>> found = plot.unexplained_over_images([10, 1000], ["copy"], [("faces", shares)], bound=0.1)
        >>> found.axes[0].get_yscale()
        'log'
    """
    figure = new_figure(1.6 + 4.4 * len(panels), 4, title)
    places = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(places, panels, strict=True):
        for r, rival in enumerate(rivals):
            means = [float(each[r].mean()) for each in values]
            intervals = [mean_interval(each[r]) for each in values]
            curve_with_intervals(axes, numbers, means, intervals, rival, color=_color(r))
        if bound is not None:
            axes.axhline(bound, color=BLACK, linestyle=":", label=f"{bound:.0%}")
        axes.set_yscale("log", nonpositive="clip")
        numbers_of_images(axes, numbers)
        caption(axes, name)
        grid(axes)
    places[0].set_ylabel("unexplained share of |D(y) - y|^2")
    handles = places[0].get_legend_handles_labels()
    legend(figure, *handles, loc="outside right upper")
    return figure


def samples_of_rivals(
    names: Sequence[str],
    samples: np.ndarray,
    *,
    numbers: Sequence[float] | np.ndarray = (),
    title: str = "",
) -> Figure:
    """Samples from the same noise, a row for each denoiser.

    Args:
        names: K names, the network's first.
        samples: (K, M, H, W, C); one of NaN has diverged, and a row of these is left out but the first.
        numbers: of each but the first, shown beside its name where they are finite; default: none.
        title: of the figure; default: none.

    Returns:
        The figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> len(plot.samples_of_rivals(["network", "copy"], np.zeros((2, 3, 8, 8, 1))).axes)
        6
    """
    drawn = [k for k in range(len(names)) if not k or np.isfinite(samples[k]).any()]
    columns = samples.shape[1]
    figure = new_figure(1.5 + columns, 0.4 + len(drawn), title)
    panels = figure.subplots(len(drawn), columns, squeeze=False)
    for row, k in zip(panels, drawn, strict=True):
        for axes, image in zip(row, samples[k], strict=True):
            if np.isnan(image).all():
                axes.text(0.5, 0.5, "diverged", ha="center", va="center", fontsize=SMALL)
            else:
                axes.imshow(as_shown(np.nan_to_num(image)), cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
        text = plain(names[k])
        if k and len(numbers) and np.isfinite(numbers[k - 1]):
            text += f"\n{numbers[k - 1]:.3f}"
        row[0].set_ylabel(
            text, rotation=0, ha="right", va="center", fontsize=SMALL, parse_math=False
        )
    return figure


def finite_means(values: np.ndarray) -> np.ndarray:
    """Means over the last axis of what is finite; NaN where nothing is."""
    return np.ma.masked_invalid(values).mean(axis=-1).filled(np.nan)


def _levels_below(axes, sigmas):
    axes.set_xticks(range(len(sigmas)), [f"{255 * sigma:.3g}" for sigma in sigmas])
    axes.set_xlabel("sigma (of 255)")


def _color(place):
    """That of a rival, by its place among all."""
    return _COLORS[place % len(_COLORS)]
