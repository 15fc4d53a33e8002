"""Pictures of bases and slopes of networks (arXiv 2310.02557, figures 3 to 5 and 16 to 21)."""

import numpy as np
from matplotlib.figure import Figure

from .figures import show_image
from .psnr_figures import COLORS, NOISY

_COLUMNS = 8
_PAPER = "#d1495b"


def vectors_figure(images, vectors, factors, first=1, count=None):
    """An image, and eigenvectors with their factors, each scaled to its largest value, 0 being grey.

    Args:
        images: a list of (caption, image (height, width, channels) on [0, 1]), shown first.
        vectors: (k, height, width, channels).
        factors: (k,).
        first: the number of the first vector.
        count: vectors for which there is room, by default k: pages of one size have one count.
    """
    rows = -(-(len(images) + (count or len(vectors))) // _COLUMNS)
    figure = Figure(figsize=(1.5 * _COLUMNS, 1.75 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, (caption, image) in zip(grid, images, strict=False):
        show_image(axes, image)
        axes.set_title(caption, fontsize=9)
    for k, axes in enumerate(grid[len(images) : len(images) + len(vectors)]):
        show_image(axes, 0.5 + vectors[k] / (2 * (np.abs(vectors[k]).max() or 1)))
        axes.set_title(f"{first + k}: {factors[k]:.3f}", fontsize=9)
    return figure


def factors_figure(title, factors, paper=None, dimension=None):
    """Shrinkage factors of several images and their mean, and those of the paper.

    Args:
        title: of the figure.
        factors: (images, k).
        paper: None, or the paper's factors by their number from 1.
        dimension: None, or how many factors of the best denoiser are 1; the others are 0.
    """
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    numbers = np.arange(1, factors.shape[1] + 1)
    axes.plot(numbers, factors.T, color=COLORS[0], alpha=0.25, linewidth=0.8)
    marker = "o" if len(numbers) <= 32 else None
    axes.plot(numbers, factors.mean(axis=0), "-", marker=marker, color=COLORS[0], label="mean here")
    if paper:
        axes.plot(list(paper), list(paper.values()), "s", color=_PAPER, label="the paper's image")
    if dimension:
        optimum = np.where(numbers <= dimension, 1, 0)
        axes.step(numbers, optimum, where="mid", color="black", linestyle=":", label="optimum")
    axes.axhline(0, color=NOISY, linewidth=0.8)
    axes.set_xlabel("k")
    axes.set_ylabel(r"shrinkage factor $\lambda_k$")
    axes.legend(frameon=False)
    return figure


def slopes_figure(title, curves, offset=None):
    """PSNR curves, and the lines fitted to them.

    Args:
        title: of the figure.
        curves: a list of (name, `PSNRCurve`, `Slope` or None, optimal slope or None): the optimal
            slope is drawn through the curve's lowest noise level.
        offset: None, or dB above the noisy images of an optimum with slope 1.
    """
    figure = Figure(figsize=(6.6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    for place, (name, curve, slope, optimum) in enumerate(curves):
        color = COLORS[place % len(COLORS)]
        x = curve.input_psnr
        label = name if slope is None else f"{name}: slope {slope.slope:.2f}"
        errors = np.nan_to_num(curve.error_over_images)
        axes.errorbar(x, curve.mean, errors, fmt="o-", color=color, capsize=2, label=label)
        if optimum is not None:
            line = curve.mean[0] + optimum * (x - x[0])
            axes.plot(x, line, ":", color=color, label=f"{name}: optimal slope {optimum:.2f}")
    if offset is not None:
        axes.plot(x, x + offset, ":", color="black", label=f"optimum, noisy + {offset:.1f} dB")
    axes.plot(x, x, color=NOISY, linewidth=1, label="noisy")
    axes.set_xlabel(r"PSNR of the noisy image, $-20\,\log_{10}\sigma$ (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False, fontsize=8)
    return figure
