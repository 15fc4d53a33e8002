"""What rivals explain of a trained denoiser."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from keras_gahr.analysis.intervals import mean_interval

from .images import as_shown
from .style import SMALL, caption, grid, legend, new_figure, plain

_LEAST = 1e-3
"""Of what is unexplained, the end of the scale of colours."""

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
        path: (T, R, M).
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
        axes.set_xticks(range(len(sigmas)), [f"{255 * sigma:.3g}" for sigma in sigmas])
        axes.set_yticks(range(len(rivals)), [plain(rival) for rival in rivals])
        axes.set_xlabel("sigma (of 255)")
        caption(axes, name)
    if image is not None:
        figure.colorbar(image, ax=panels[count - 1], label="unexplained share of |D(y) - y|^2")
    axes = panels[-1]
    for r, rival in enumerate(rivals):
        values = path[:, r]
        if np.isfinite(values).any():
            shown = np.maximum(values.mean(axis=1), _LEAST)
            axes.plot(255 * path_sigmas, shown, ".-", label=plain(rival))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    axes.set_xlabel("sigma (of 255), from noise to image")
    caption(axes, "along sampling")
    grid(axes)
    legend(axes)
    return figure


def samples_of_rivals(
    names: Sequence[str], samples: np.ndarray, *, numbers: Sequence[float] = (), title: str = ""
) -> Figure:
    """Samples from the same noise, a row for each denoiser.

    Args:
        names: K names, the network's first.
        samples: (K, M, H, W, C); a row of NaN is left out.
        numbers: of each but the first, shown beside its name; default: none.
        title: of the figure; default: none.

    Returns:
        The figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> len(plot.samples_of_rivals(["network", "copy"], np.zeros((2, 3, 8, 8, 1))).axes)
        6
    """
    drawn = [k for k in range(len(names)) if np.isfinite(samples[k]).any()]
    columns = samples.shape[1]
    figure = new_figure(1.5 + columns, 0.4 + len(drawn), title)
    panels = figure.subplots(len(drawn), columns, squeeze=False)
    for row, k in zip(panels, drawn, strict=True):
        for axes, image in zip(row, samples[k], strict=True):
            axes.imshow(as_shown(np.nan_to_num(image)), cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
        text = plain(names[k])
        if k and len(numbers):
            text += f"\n{numbers[k - 1]:.3f}"
        row[0].set_ylabel(
            text, rotation=0, ha="right", va="center", fontsize=SMALL, parse_math=False
        )
    return figure
