"""Shrinkage factors of denoisers, and how all of their eigenvalues lie."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from .style import BLUE, GREEN, NOISY, OPTIMUM, PAPER, RED, grid, legend, new_figure, plain, shades

_FEWEST = 0.1
"""Eigenvalues, and eigenvalues per unit of length, where the axes of them end."""

Spectrum = tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def shrinkage_and_coefficients(
    shrinkage: Sequence[float] | np.ndarray,
    coefficients: Sequence[float] | np.ndarray,
    *,
    sigma: float = 0.0,
    oracle: Sequence[float] | np.ndarray | None = None,
    of_noisy: bool = False,
    title: str = "",
) -> Figure:
    """Shrinkage factors and an image's coefficients, all axes logarithmic (arXiv 2310.02557,
    figure 3).

    Args:
        shrinkage: factors (n,), descending; those that are not positive are left out.
        coefficients: of the image in the basis, (k,), k <= n.
        sigma: noise level on [0, 1], drawn beside the coefficients unless 0.
        oracle: the oracle's factors, (k,); default: not drawn.
        of_noisy: whether the image is the noisy one; default: the clean one.
        title: of the figure; default: none.

    Returns:
        A figure with two pairs of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> k = np.arange(1, 65)
        >>> len(plot.shrinkage_and_coefficients(1 / k, 10 / k**2, sigma=0.1).axes)
        2
    """
    figure = new_figure(9, 3.8, title)
    factors, sizes = figure.subplots(1, 2)
    _positive(factors, shrinkage, "-", color=BLUE, label="shrinkage")
    if oracle is not None:
        _positive(factors, oracle, ".", color=RED, label="oracle", markersize=3)
    factors.set_ylim(bottom=1e-3)
    factors.set_ylabel("shrinkage factor")
    name, image = ("y", "noisy") if of_noisy else ("x", "clean")
    _positive(sizes, np.abs(coefficients), ".", color=GREEN, label=f"|<{name}, e_k>|")
    if sigma:
        sizes.axhline(sigma, color=NOISY, linestyle="--", label="sigma")
    sizes.set_ylabel(f"coefficient of the {image} image")
    for axes in (factors, sizes):
        axes.set_xlabel("k")
        grid(axes)
        legend(axes)
    return figure


def shrinkage_over_noise(
    spectra: Sequence[tuple[float, Sequence[float]]], *, title: str = ""
) -> Figure:
    """Shrinkage factors at several noise levels, on logarithmic axes.

    Args:
        spectra: a list of (sigma on [0, 1], factors), with at most one number of factors.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> figure = plot.shrinkage_over_noise([(0.1, [1, 0.5]), (0.4, [0.9, 0.1])])
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['sigma = 25.5/255', 'sigma = 102/255']
    """
    figure = new_figure(6.4, 4.4, title)
    axes = figure.subplots()
    spectra = sorted(spectra, key=lambda spectrum: spectrum[0])
    for (sigma, shrinkage), color in zip(spectra, shades(len(spectra)), strict=True):
        _positive(axes, shrinkage, "-", color=color, label=f"sigma = {sigma * 255:.3g}/255")
    axes.set_xlabel("k")
    axes.set_ylabel("shrinkage factor")
    grid(axes)
    legend(axes)
    return figure


def shrinkage_over_images(
    factors: np.ndarray,
    *,
    paper: Mapping[int, float] | None = None,
    dimension: int | None = None,
    title: str = "",
) -> Figure:
    """Shrinkage factors of several images and their mean, and those of the paper (arXiv 2310.02557,
    figures 3 to 5 and 16 to 21).

    Args:
        factors: (images, k).
        paper: the paper's factors by their number from 1; default: none.
        dimension: how many factors of the best denoiser are 1, the others being 0; default: unknown.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> factors = np.linspace(1, 0, 16) * np.ones((3, 1))
        >>> len(plot.shrinkage_over_images(factors, dimension=5).axes)
        1
    """
    figure = new_figure(6.4, 4.4, title)
    axes = figure.subplots()
    factors = np.asarray(factors)
    numbers = np.arange(1, factors.shape[1] + 1)
    axes.plot(numbers, factors.T, color=BLUE, alpha=0.25, linewidth=0.8)
    marker = "o" if len(numbers) <= 32 else None
    axes.plot(
        numbers, factors.mean(axis=0), marker=marker, markersize=4, color=BLUE, label="mean here"
    )
    if paper:
        axes.plot(list(paper), list(paper.values()), "s", color=PAPER, label="the paper's image")
    if dimension:
        optimum = np.where(numbers <= dimension, 1, 0)
        axes.step(numbers, optimum, where="mid", color=OPTIMUM, linestyle=":", label="optimum")
    axes.axhline(0, color=NOISY, linewidth=0.8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("k")
    axes.set_ylabel("shrinkage factor")
    grid(axes)
    legend(axes)
    return figure


def density_and_counts(
    spectra: Sequence[Spectrum], *, threshold: float = 0.5, title: str = ""
) -> Figure:
    """The spectral density of Jacobians, and how many of their eigenvalues are above each value.

    Args:
        spectra: (name, values, density, places, bounds) each: eigenvalues (V,) and how many there are per
            unit of length (V,), places (W,), and the least and most eigenvalues that are above them (W, 2).
        threshold: a value that is marked.
        title: of the figure; default: none.

    Returns:
        A figure with two pairs of axes, on which numbers are logarithmic.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> x = np.linspace(0, 1, 11)
        >>> bounds = np.stack([64 - 60 * x, 64 - 58 * x], axis=1)
        >>> figure = plot.density_and_counts([("sigma = 0.1", x, 120 - 60 * x, x, bounds)])
        >>> figure.axes[1].get_ylabel()
        'eigenvalues above it'
    """
    figure = new_figure(9, 3.8, title)
    densities, counts = figure.subplots(1, 2)
    colors = [BLUE] if len(spectra) == 1 else shades(len(spectra))
    for (name, values, density, places, bounds), color in zip(spectra, colors, strict=True):
        densities.plot(values, np.maximum(density, _FEWEST), color=color, label=plain(name))
        low, high = np.maximum(bounds, _FEWEST).T
        counts.fill_between(places, low, high, color=color, alpha=0.25, linewidth=0)
        counts.plot(places, np.maximum(np.mean(bounds, axis=1), _FEWEST), color=color)
    densities.set_ylabel("eigenvalues per unit of length")
    counts.set_ylabel("eigenvalues above it")
    for axes in (densities, counts):
        axes.set_yscale("log")
        axes.set_ylim(bottom=_FEWEST)
        axes.axvline(threshold, color=NOISY, linestyle="--", linewidth=0.8)
        axes.set_xlabel("eigenvalue of (J + J^T) / 2")
        grid(axes)
    legend(densities)
    return figure


def _positive(axes, values, *style, **options):
    """Positive values against their number, from 1, on logarithmic axes."""
    values = np.asarray(values)
    number = np.arange(1, len(values) + 1)
    axes.loglog(number[values > 0], values[values > 0], *style, **options)
