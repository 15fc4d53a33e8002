"""How much better training images are denoised than test images."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from .style import (
    BLACK,
    NOISY,
    curve_with_intervals,
    grid,
    legend,
    line_style,
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
    _with_intervals(axes, curves, [{"color": color} for color in shades(len(curves))])
    axes.axhline(0, color=NOISY, linewidth=1)
    if bound is not None:
        axes.axhline(bound, color=BLACK, linestyle=":", label=f"{bound:g} dB")
    axes.set_ylabel("train PSNR - test PSNR (dB)")
    grid(axes)
    legend(axes)
    return figure


def measured_over_images(
    curves: Sequence[tuple[str, Sequence[int], Sequence[float], Sequence[tuple[float, float]]]],
    *,
    quantity: str,
    logarithmic: bool = False,
    title: str = "",
) -> Figure:
    """Several measures of networks against the number of training images, with intervals.

    Args:
        curves: a list of (name, numbers of images (M,), values (M,), their 95% intervals (M, 2)).
        quantity: what the values are.
        logarithmic: whether their axis is; default False.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> curve = ("other points", [8, 512], [0.0, 0.9], [(0, 0.02), (0.85, 0.94)])
        >>> plot.measured_over_images([curve], quantity="share of samples").axes[0].get_ylabel()
        'share of samples'
    """
    figure = new_figure(7.6, 4, title)
    axes = figure.subplots()
    _with_intervals(axes, curves, map(line_style, range(len(curves))))
    if logarithmic:
        axes.set_yscale("log")
    axes.set_ylabel(quantity)
    grid(axes)
    legend(figure, loc="outside right upper")
    return figure


def _with_intervals(axes, curves, styles):
    for (name, numbers, values, intervals), style in zip(curves, styles, strict=True):
        curve_with_intervals(axes, numbers, values, intervals, name, **style)
    numbers_of_images(axes, sorted({number for _, numbers, *_ in curves for number in numbers}))
