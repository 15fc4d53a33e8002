"""Pictures of denoisers of low-dimensional families of images, as PNG."""

import numpy as np
from matplotlib.figure import Figure

from .figures import png_bytes, show_image

_NETWORK, _OPTIMUM, _NOISY = "#3b6fb6", "#d1495b", "#8a8a8a"


def factors_figure(factors, dimension):
    """Shrinkage factors at several images, and those of the projection on the tangent space.

    Args:
        factors: (images, k), each row descending.
        dimension: of the family.
    """
    figure = Figure(figsize=(6.2, 3.8), layout="constrained")
    axes = figure.subplots()
    number = np.arange(1, factors.shape[1] + 1)
    axes.plot(number, factors.T, color=_NETWORK, alpha=0.25, linewidth=1)
    axes.plot(number, factors.mean(axis=0), ".-", color=_NETWORK, label="network, mean of images")
    axes.step(
        number, number <= dimension, where="mid", color=_OPTIMUM, label="projection on the family"
    )
    axes.axhline(0, color=_NOISY, linewidth=0.8)
    axes.set_xlabel("k")
    axes.set_ylabel("shrinkage factor")
    axes.legend(frameon=False)
    return png_bytes(figure)


def vectors_figure(pictures, vectors, factors):
    """Images of one noisy image, and the first eigenvectors there, grey being 0.

    Args:
        pictures: a list of (caption, image (height, width, channels) on [0, 1]).
        vectors: (k, height, width, channels).
        factors: (k,) of them.
    """
    largest = np.abs(vectors).max(axis=(1, 2, 3), keepdims=True)
    shown = 0.5 + vectors / (2 * np.where(largest > 0, largest, 1))
    panels = [
        *pictures,
        *((f"$e_{{{k}}}$: {factors[k - 1]:.2f}", shown[k - 1]) for k in range(1, len(vectors) + 1)),
    ]
    columns = (len(panels) + 1) // 2
    figure = Figure(figsize=(1.75 * columns, 4.1), layout="constrained")
    grid = figure.subplots(2, columns).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, (caption, image) in zip(grid, panels, strict=False):
        show_image(axes, image)
        axes.set_title(caption, fontsize=9)
    return png_bytes(figure)


def psnr_figure(input_psnr, network, optimum):
    """PSNR of denoised against noisy images, of the network and of the projection.

    Args:
        input_psnr, network, optimum: (levels,), dB.
    """
    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(input_psnr, optimum, "--", color=_OPTIMUM, label="projection on the family")
    axes.plot(input_psnr, network, "o-", color=_NETWORK, label="network")
    axes.plot(input_psnr, input_psnr, color=_NOISY, linewidth=1, label="noisy")
    axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False)
    return png_bytes(figure)
