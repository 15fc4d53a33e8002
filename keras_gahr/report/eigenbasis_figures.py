"""Pictures of eigenbases of denoisers."""

import numpy as np
from matplotlib.figure import Figure

from .figures import save_figure, show_image

_FACTORS, _ORACLE, _COEFFICIENTS, _NOISE = "#3b6fb6", "#d1495b", "#5b8c5a", "#8a8a8a"
_COLUMNS = 8


def spectrum_figure(title, shrinkage, coefficients, path, sigma=0.0, oracle=None):
    """Shrinkage factors and coefficients of the clean image, both axes logarithmic.

    Args:
        title: of the figure.
        shrinkage: (n,) factors, descending; those that are not positive are left out.
        coefficients: (k,) of the clean image, k <= n.
        path: PNG file.
        sigma: noise level, drawn beside the coefficients unless 0.
        oracle: None, or the oracle's factors (k,).
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    figure.suptitle(title)
    factors, sizes = figure.subplots(1, 2)
    _positive(factors, shrinkage, "-", color=_FACTORS, label="shrinkage")
    if oracle is not None:
        _positive(factors, oracle, ".", color=_ORACLE, label="oracle", markersize=3)
    factors.set_ylim(bottom=1e-3)
    factors.set_ylabel("factor")
    _positive(
        sizes, np.abs(coefficients), ".", color=_COEFFICIENTS, label=r"$|\langle x, e_k\rangle|$"
    )
    if sigma:
        sizes.axhline(sigma, color=_NOISE, linestyle="--", label=r"$\sigma$")
    sizes.set_ylabel("coefficient of the clean image")
    for axes in (factors, sizes):
        axes.set_xlabel("k")
        axes.legend(frameon=False)
    save_figure(figure, path)


def spectra_figure(spectra, path):
    """Shrinkage factors at several noise levels.

    Args:
        spectra: a list of (sigma, factors), with at most one number of factors.
        path: PNG file.
    """
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    shades = np.linspace(0.35, 1, len(spectra))
    for shade, (sigma, shrinkage) in zip(shades, sorted(spectra, key=lambda s: s[0]), strict=True):
        label = rf"$\sigma$ = {sigma * 255:.3g}/255"
        _positive(axes, shrinkage, "-", color=_FACTORS, alpha=shade, label=label)
    axes.set_xlabel("k")
    axes.set_ylabel("shrinkage factor")
    axes.legend(frameon=False)
    save_figure(figure, path)


def vector_sheet(vectors, shrinkage, path):
    """Eigenvectors, each scaled to its largest value, grey being 0, with their factors.

    Args:
        vectors: (k, height, width, channels).
        shrinkage: (k,).
        path: PNG file.
    """
    columns = min(_COLUMNS, len(vectors))
    rows = -(-len(vectors) // columns)
    figure = Figure(figsize=(1.5 * columns, 1.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for k, axes in enumerate(grid):
        axes.set_axis_off()
        if k < len(vectors):
            largest = np.abs(vectors[k]).max() or 1
            show_image(axes, 0.5 + vectors[k] / (2 * largest))
            axes.set_title(f"{k + 1}: {shrinkage[k]:.3f}", fontsize=8)
    save_figure(figure, path)


def denoising_figure(pictures, path):
    """Images side by side.

    Args:
        pictures: a list of (caption, image (height, width, channels) on [0, 1]).
        path: PNG file.
    """
    figure = Figure(figsize=(3 * len(pictures), 3.3), layout="constrained")
    for axes, (caption, image) in zip(
        figure.subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True
    ):
        show_image(axes, image)
        axes.set_title(caption)
    save_figure(figure, path)


def _positive(axes, values, *style, **options):
    """Positive values against their number, from 1, on logarithmic axes."""
    values = np.asarray(values)
    number = np.arange(1, len(values) + 1)
    axes.loglog(number[values > 0], values[values > 0], *style, **options)
