"""When a training generalized, and when it began to memorize."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_gahr.training.clock.look import SHARE, Look
from keras_gahr.training.clock.times import first_memorizing, generalization_time

from .style import AMBER, BLUE, GREEN, NOISY, RED, TEST, TRAIN, grid, legend, new_figure, shades


def memorization_clock(
    looks: Sequence[Look], *, gap_errors: float = 3.0, title: str = ""
) -> Figure:
    """Copies among the samples, the gap, closeness to training images and errors, against the step.

    Beside the errors, on an axis of its own, is the share of the distance to the optimal denoiser of the
    training set that is left.

    Args:
        looks: of one training.
        gap_errors: standard errors that the gap may have, which are drawn as a band.
        title: of the figure; default: none.

    Returns:
        A figure with four pairs of axes, and one more for that share where it is known.

    Examples:
        >>> from keras_gahr import plot
        >>> from keras_gahr.training import Look
        >>> looks = [Look(10, 64, 0.0, 0.0, 0.06), Look(100, 64, 0.5, 0.38, 0.62)]
        >>> plot.memorization_clock(looks).axes[0].get_ylabel()
        'share of the samples'
    """
    figure = new_figure(10, 6.4, title)
    panels = figure.subplots(2, 2, sharex=True).ravel()
    steps = np.array([look.step for look in looks])
    memorizing = first_memorizing(looks, gap_errors)
    for axes, draw in zip(panels, (_copies, _gaps, _closeness, _errors), strict=True):
        beside = draw(axes, steps, looks, gap_errors)
        for time, color, name in (
            (generalization_time(looks), GREEN, "test error near its best"),
            (memorizing and memorizing.step, RED, "memorization seen"),
        ):
            if time is not None:
                label = f"{name}: step {time}" if axes is panels[0] else None
                axes.axvline(time, color=color, linestyle=":", linewidth=1.2, label=label)
        axes.set_xscale("log")
        grid(axes)
        if beside is None:
            legend(axes)
            continue
        lines, names = axes.get_legend_handles_labels()
        more_lines, more_names = beside.get_legend_handles_labels()
        # Above both, where it lies on none of their lines.
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 2}
        legend(axes, lines + more_lines, names + more_names, **place)
    for axes in panels[2:]:
        axes.set_xlabel("training step")
    return figure


def _copies(axes, steps, looks, gap_errors):
    _with_band(axes, steps, looks, "f_mem", BLUE, "copies (d1 / d2 < 1/3)")
    _with_band(axes, steps, looks, "f_mem_features", AMBER, "copies by features")
    _with_band(axes, steps, looks, "f_mem_up_to_a_factor", NOISY, "copies up to a factor")
    axes.axhline(SHARE, color=RED, linewidth=0.8)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("share of the samples")


def _gaps(axes, steps, looks, gap_errors):
    levels = list(looks[-1].gaps) if looks else []
    for sigma, color in zip(levels, shades(len(levels)), strict=True):
        values = [look.gaps.get(sigma, np.nan) for look in looks]
        name = f"sigma = {255 * sigma:.4g}/255"
        axes.plot(steps, values, ".-", color=color, label=name)
    limit = gap_errors * np.array([look.gap_error for look in looks])
    if np.isfinite(limit).any():
        axes.fill_between(
            steps,
            -limit,
            limit,
            color=NOISY,
            alpha=0.2,
            linewidth=0,
            label=f"{gap_errors:g} standard errors, middle sigma",
        )
    axes.set_ylabel("train PSNR - test PSNR (dB)")


def _closeness(axes, steps, looks, gap_errors):
    _line(axes, steps, looks, "closest", BLUE, "closest of all training images")
    _line(axes, steps, looks, "own", TRAIN, "closest of some training images", "--")
    _line(axes, steps, looks, "held_out", TEST, "closest of as many others", "--")
    _with_band(axes, steps, looks, "twins", GREEN, "twin's sample from the same noise")
    axes.set_ylabel("correlation of a sample")


def _errors(axes, steps, looks, gap_errors):
    """Returns the axes of another unit, if any."""
    _line(axes, steps, looks, "train_error", TRAIN, "training images")
    _line(axes, steps, looks, "test_error", TEST, "test images")
    axes.set_yscale("log")
    axes.set_ylabel("mean squared error\n(geometric mean over noise levels)")
    levels = list(looks[-1].copy) if looks else []
    if not levels:
        return None
    middle = levels[len(levels) // 2]
    values = [look.copy.get(middle, np.nan) for look in looks]
    if not np.isfinite(values).any():
        return None
    beside = axes.twinx()
    name = f"|D - copy|^2 / |y - copy|^2, sigma = {255 * middle:.4g}/255"
    beside.plot(steps, values, ".-", color=AMBER, label=name)
    beside.set_ylim(bottom=0)
    beside.set_ylabel("share left by the copy")
    beside.spines["top"].set_visible(False)
    return beside


def _line(axes: Axes, steps, looks, name, color, label, style=".-"):
    values = np.array([getattr(look, name) for look in looks], float)
    if np.isfinite(values).any():
        axes.plot(steps, values, style, color=color, label=label)


def _with_band(axes, steps, looks, name, color, label):
    _line(axes, steps, looks, name, color, label)
    low, high = (
        np.array([getattr(look, f"{name}_{end}") for look in looks], float)
        for end in ("low", "high")
    )
    if np.isfinite(low).any():
        axes.fill_between(steps, low, high, color=color, alpha=0.2, linewidth=0)
