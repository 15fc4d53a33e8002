"""What a denoiser does, on one page."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .images import draw_denoised, show_sheet
from .psnr import PSNRLine, draw_lines
from .style import TEST, caption, legend, new_figure


def denoising_summary(
    rows: Sequence[tuple[float, np.ndarray, np.ndarray, np.ndarray]],
    table: Sequence[tuple[float, float, float]],
    samples: np.ndarray,
    *,
    title: str = "",
) -> Figure:
    """Clean, noisy and denoised images at several noise levels, PSNR, and samples.

    Args:
        rows: as for `denoised_images`.
        table: what `keras_gahr.psnr.psnr_table` returns: a list of (sigma, dB before, dB after).
        samples: images (N, height, width, channels) on [0, 1].
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> images = np.ones((4, 8, 8, 1))
        >>> table = [(0.1, 20.0, 28.0), (0.4, 8.0, 22.0)]
        >>> rows = [(sigma, images, images, images) for sigma, *_ in table]
        >>> len(plot.denoising_summary(rows, table, images).axes)
        8
    """
    figure = new_figure(11.5, 1 + 1.65 * max(2, len(rows)), title)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.2))
    draw_denoised(left, rows)
    drawn, curve = right.subplots(2, 1, height_ratios=(1.5, 1))
    show_sheet(drawn, samples)
    caption(drawn, f"{len(samples)} samples", size=10)
    _, before, after = zip(*table, strict=True)
    draw_lines(curve, [PSNRLine("denoised", before, after, color=TEST)])
    curve.set_ylabel("PSNR (dB)")
    legend(curve)
    return figure
