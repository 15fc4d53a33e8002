"""Figures of restored images."""

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.names import printable

from .figures import save_figure, show_image

_TITLES = {"minimum_norm": "minimum norm", "sample": "one sample"}


def restoration_page(measurement, restoration, observed, path):
    """The clean image, what was observed, the restored images and their spread in one row.

    Args:
        measurement: text that describes it.
        restoration: a `Restoration`.
        observed: picture `(height, width, channels)`, or None if there is none to show.
        path: PNG file.
    """
    quality = restoration.quality()
    kept = len(restoration.kept)
    panels = []
    if restoration.clean is not None:
        panels.append((restoration.clean, "clean", ""))
    if observed is not None:
        panels.append((observed, "observed", "x".join(map(str, observed.shape[:2]))))
    for name, image in restoration.images.items():
        panels.append((image, _TITLES.get(name, f"mean of {kept}"), _caption(quality, name)))
    height, width = restoration.mean.shape[:2]
    panel = 2.2
    figure = Figure(
        figsize=(panel * (len(panels) + 1) + 0.5, panel * height / width + 0.9),
        layout="constrained",
    )
    lost = len(restoration.status) - kept
    note = f", {lost} of {len(restoration.status)} samples diverged" if lost > 0 else ""
    title = printable(f"{restoration.name}: {measurement}{note}")
    figure.suptitle(title, fontsize=10, parse_math=False)
    *places, last = figure.subplots(1, len(panels) + 1)
    for axes, (image, title, caption) in zip(places, panels, strict=True):
        show_image(axes, image)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(caption, fontsize=8)
    deviation = np.nan_to_num(restoration.deviation).mean(axis=-1)
    shown = last.imshow(deviation, cmap="magma", vmin=0, interpolation="nearest")
    last.set_title("deviation of samples", fontsize=9)
    last.set_xticks([])
    last.set_yticks([])
    bar = figure.colorbar(shown, ax=last, shrink=0.75, pad=0.03)
    bar.ax.tick_params(labelsize=7)
    save_figure(figure, path)


def _caption(quality, name):
    """PSNR and SSIM as far as they are known."""
    psnr, ssim = quality[f"psnr_{name}"], quality[f"ssim_{name}"]
    numbers = [] if psnr is None else [f"{psnr:.2f} dB"]
    return ", ".join(numbers if ssim is None else [*numbers, f"SSIM {ssim:.3f}"])
