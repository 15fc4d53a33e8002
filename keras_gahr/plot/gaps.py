"""How much better training images are denoised than test images."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from .style import (
    BLACK,
    NOISY,
    curve_with_intervals,
    grid,
    legend,
    new_figure,
    numbers_of_images,
    plain,
    shades,
)


def gap_over_noise(
    gaps: Sequence[tuple[str, Sequence[float], Sequence[float]]], *, title: str = ""
) -> Figure:
    """Train minus test PSNR of several networks against the noise.

    Args:
        gaps: a list of (name, PSNR of the noisy images in dB, gap in dB): a string and two (S,).
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> figure = plot.gap_over_noise([("few", [10, 20], [9, 4]), ("many", [10, 20], [0.1, 0])])
        >>> figure.axes[0].get_ylabel()
        'train PSNR - test PSNR (dB)'
    """
    figure = new_figure(7.6, 4, title)
    axes = figure.subplots()
    for (name, noisy, gap), color in zip(gaps, shades(len(gaps)), strict=True):
        axes.plot(noisy, gap, "o-", markersize=4, color=color, label=plain(name))
    axes.axhline(0, color=NOISY, linestyle="--", linewidth=1)
    axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.set_ylabel("train PSNR - test PSNR (dB)")
    grid(axes)
    legend(figure, loc="outside right upper")
    return figure


def gap_over_images(
    curves: Sequence[tuple[str, Sequence[int], Sequence[float], Sequence[tuple[float, float]]]],
    *,
    bound: float | None = None,
    title: str = "",
) -> Figure:
    """Train minus test PSNR of several networks against the number of training images (arXiv
    2310.02557, figure 15).

    Args:
        curves: a list of (name, numbers of images (M,), gaps in dB (M,), their 95% intervals (M, 2)).
        bound: dB, where a dotted line is drawn; default: none.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> curve = ("40x40", [10, 1000], [9.0, 0.2], [(8.5, 9.5), (0.1, 0.3)])
        >>> plot.gap_over_images([curve], bound=0.5).axes[0].get_xlabel()
        'training images N'
    """
    figure = new_figure(6.4, 4.4, title)
    axes = figure.subplots()
    for (name, numbers, gaps, intervals), color in zip(curves, shades(len(curves)), strict=True):
        curve_with_intervals(axes, numbers, gaps, intervals, color, name)
    axes.axhline(0, color=NOISY, linewidth=1)
    if bound is not None:
        axes.axhline(bound, color=BLACK, linestyle=":", label=f"{bound:g} dB")
    numbers_of_images(axes, sorted({number for _, numbers, *_ in curves for number in numbers}))
    axes.set_ylabel("train PSNR - test PSNR (dB)")
    grid(axes)
    legend(axes)
    return figure
