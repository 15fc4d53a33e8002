"""Images that were restored from measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .images import show_image
from .style import SMALL, caption, new_figure

if TYPE_CHECKING:
    from keras_gahr.restoration import Restoration

_TITLES = {"minimum_norm": "minimum norm", "sample": "one sample"}
_SIDE = 2.2
"""Inches of an image."""


def restored_images(
    restoration: Restoration, *, measurement: str = "", observed: np.ndarray | None = None
) -> Figure:
    """The clean image, what was observed, the restored images and their spread in one row.

    Args:
        restoration: what `keras_gahr.restore` returns of one image.
        measurement: text that describes it, for the title; default: none.
        observed: picture (height, width, channels) on [0, 1] to show; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> from keras_gahr.restoration import Restoration
        >>> samples = np.random.default_rng(0).random((3, 16, 16, 1), np.float32)
        >>> found = Restoration("photo", None, samples[0], samples[0], samples, ("converged",) * 3)
        >>> [axes.get_title() for axes in plot.restored_images(found).axes[:3]]
        ['minimum norm', 'one sample', 'mean of 3']
    """
    quality = restoration.quality()
    kept = len(restoration.kept)
    panels = []
    if restoration.clean is not None:
        panels.append((restoration.clean, "clean", ""))
    if observed is not None:
        panels.append((observed, "observed", "x".join(map(str, observed.shape[:2]))))
    for name, image in restoration.images.items():
        panels.append((image, _TITLES.get(name, f"mean of {kept}"), _quality_text(quality, name)))
    height, width = restoration.mean.shape[:2]
    lost = len(restoration.status) - kept
    note = f", {lost} of {len(restoration.status)} samples diverged" if lost > 0 else ""
    title = ": ".join(filter(None, (restoration.name, measurement))) + note
    figure = new_figure(_SIDE * (len(panels) + 1) + 0.5, _SIDE * height / width + 0.9, title)
    *places, last = figure.subplots(1, len(panels) + 1)
    for axes, (image, name, text) in zip(places, panels, strict=True):
        show_image(axes, image)
        caption(axes, name)
        caption(axes, text, below=True, size=SMALL)
    deviation = np.nan_to_num(restoration.deviation).mean(axis=-1)
    shown = last.imshow(deviation, cmap="magma", vmin=0, interpolation="nearest")
    caption(last, "deviation of samples")
    last.set_xticks([])
    last.set_yticks([])
    bar = figure.colorbar(shown, ax=last, shrink=0.75, pad=0.03)
    bar.ax.tick_params(labelsize=7)
    return figure


def _quality_text(quality, name):
    """PSNR and SSIM as far as they are known."""
    psnr, ssim = quality[f"psnr_{name}"], quality[f"ssim_{name}"]
    numbers = [] if psnr is None else [f"{psnr:.2f} dB"]
    return ", ".join(numbers if ssim is None else [*numbers, f"SSIM {ssim:.3f}"])
