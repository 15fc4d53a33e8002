"""PSNR of denoised images against that of noisy ones."""

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.names import printable

from .figures import save_figure

COLORS = ("#3b6fb6", "#d1495b", "#2f8f5b", "#b8860b")
NOISY = "#8a8a8a"


def psnr_page(title, curves, path, optimum=None):
    """Curves with error bars and the lines fitted to them.

    Args:
        title: of the page.
        curves: a list of (name, curve, slope): a `PSNRCurve`, whose standard error over images is
            drawn (over draws, if there is one image), and a `Slope`, or None for no line.
        path: PNG file.
        optimum: slope of a dotted line through the middle of the first fitted line, or None.
    """
    figure = Figure(figsize=(6.2, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.set_title(printable(title), parse_math=False)
    for (name, curve, slope), color in zip(curves, COLORS, strict=False):
        x, errors = curve.input_psnr, curve.error_over_images
        if np.isnan(errors).all():
            errors = curve.error_over_draws
        axes.errorbar(
            x, curve.mean, np.nan_to_num(errors), fmt="o-", color=color, capsize=3, label=name
        )
        if slope is not None:
            ends = -20 * np.log10([slope.high, slope.low])
            low, high = slope.interval
            label = f"slope {slope.slope:.3f}" + (
                f" ({low:.3f} to {high:.3f})" if np.isfinite(low) else ""
            )
            line = slope.intercept + slope.slope * ends
            axes.plot(ends, line, "--", color=color, linewidth=1.2, label=label)
    _, curve, slope = curves[0]
    x = curve.input_psnr
    if optimum is not None and slope is not None:
        # Through the middle of the fitted line: only the slope is known.
        middle = -10 * np.log10(slope.low * slope.high)
        line = slope.intercept + slope.slope * middle + optimum * (x - middle)
        axes.plot(x, line, ":", color="black", label=f"optimal slope {optimum:.3f}")
    axes.plot(x, x, color=NOISY, linewidth=1, label="noisy")
    axes.set_xlabel(r"PSNR of the noisy image, $-20\,\log_{10}\sigma$ (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
