"""Pictures of what changes with the number of training images (arXiv 2310.02557, figures 1, 2 and 15)."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from .comparison_figures import TWINS, A
from .psnr_figures import NOISY


def psnr_figure(title, curves):
    """PSNR curves of training images on the left and of test images on the right.

    Args:
        title: of the figure.
        curves: a list of (name, train, test), `PSNRCurve`s.
    """
    figure = Figure(figsize=(10.5, 4.6), layout="constrained")
    figure.suptitle(title)
    places = figure.subplots(1, 2, sharey=True)
    for axes, part, name in zip(places, (1, 2), ("training images", "test images"), strict=True):
        x = curves[0][part].input_psnr
        for curve, color in zip(curves, _colors(len(curves)), strict=True):
            errors = np.nan_to_num(curve[part].error_over_images)
            axes.errorbar(
                x, curve[part].mean, errors, fmt="o-", color=color, capsize=2, label=curve[0]
            )
        axes.plot(x, x, color=NOISY, linewidth=1, label="noisy")
        axes.set_title(name)
        axes.set_xlabel(r"PSNR of the noisy image, $-20\,\log_{10}\sigma$ (dB)")
    places[0].set_ylabel("PSNR of the denoised image (dB)")
    places[0].legend(frameon=False, fontsize=8)
    return figure


def similarity_figure(title, sets):
    """For each number of training images, histograms of two similarities.

    Args:
        title: of the figure.
        sets: a list of (name, twins, closest): the correlation of A's sample with B's, and the
            larger of those with the training images, arrays (P,).
    """
    figure = Figure(figsize=(2 + 2.1 * len(sets), 3.4), layout="constrained")
    figure.suptitle(title)
    places = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    low = min(0.0, *(float(np.min(values)) for _, *both in sets for values in both))
    edges = np.linspace(low, 1, 31)
    for axes, (name, twins, closest) in zip(places, sets, strict=True):
        for values, color, label in (
            (twins, TWINS, "A and B from the same noise"),
            (closest, A, "closest training image"),
        ):
            axes.hist(values, edges, color=color, alpha=0.35)
            axes.hist(values, edges, color=color, histtype="step", linewidth=1.4, label=label)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("correlation")
    places[0].set_ylabel("pairs")
    handles, labels = places[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def crossing_figure(title, numbers, twins, closest, crossing=None):
    """How alike twins are, and samples and training images, against the number of these.

    Args:
        title: of the figure.
        numbers: of training images, (M,).
        twins, closest: lists of (P,) arrays of correlations.
        crossing: where the means cross, or None.
    """
    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    for values, color, label in (
        (twins, TWINS, "A and B from the same noise"),
        (closest, A, "closest training image"),
    ):
        low, high = np.array([np.quantile(part, (0.25, 0.75)) for part in values]).T
        axes.fill_between(numbers, low, high, color=color, alpha=0.2, linewidth=0)
        means = [np.mean(part) for part in values]
        axes.plot(numbers, means, "o-", color=color, label=f"{label}: mean, quartiles")
    if crossing is not None:
        axes.axvline(crossing, color=NOISY, linestyle=":", label=f"means cross at {crossing:.0f}")
    _number_axis(axes, numbers)
    axes.set_ylabel("correlation")
    axes.legend(frameon=False, fontsize=8)
    return figure


def gap_figure(title, curves, bound):
    """Train minus test PSNR against the number of training images.

    Args:
        title: of the figure.
        curves: a list of (name, numbers of images, gaps in dB, their 95% intervals).
        bound: dB, where a dotted line is drawn.
    """
    figure = Figure(figsize=(6.2, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    for (name, numbers, gaps, intervals), color in zip(curves, _colors(len(curves)), strict=True):
        gaps, (low, high) = np.asarray(gaps), np.asarray(intervals).T
        errors = np.maximum(0, [gaps - low, high - gaps])
        axes.errorbar(numbers, gaps, errors, fmt="o-", color=color, capsize=3, label=name)
    axes.axhline(0, color=NOISY, linewidth=1)
    axes.axhline(bound, color="black", linestyle=":", label=f"{bound:g} dB")
    _number_axis(axes, numbers)
    axes.set_ylabel("PSNR on training less on test images (dB)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def set_figure(title, curves):
    """PSNR on training and test images of several sets in one pair of axes.

    Args:
        title: of the figure.
        curves: a list of (name, train, test), `PSNRCurve`s.
    """
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    x = curves[0][1].input_psnr
    for (name, *parts), color in zip(curves, _colors(len(curves)), strict=True):
        for part, line, kind in zip(parts, ("-", "--"), ("training", "test"), strict=True):
            axes.plot(
                x, part.mean, line, color=color, marker="o", markersize=3, label=f"{name}, {kind}"
            )
    axes.plot(x, x, color=NOISY, linewidth=1, label="noisy")
    axes.set_xlabel(r"PSNR of the noisy image, $-20\,\log_{10}\sigma$ (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False, fontsize=8, handlelength=3)
    return figure


def _number_axis(axes, numbers):
    axes.set_xscale("log")
    axes.set_xticks(numbers, list(map(str, numbers)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training images N")


def _colors(count):
    """From dark to light, in the order of the sets; also told apart without colour vision."""
    return [matplotlib.colormaps["viridis"](place) for place in np.linspace(0, 0.88, count)]
