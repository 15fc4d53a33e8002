"""Figures in PNG files.

They are drawn on `Figure` objects, without pyplot, so that no global state of matplotlib changes.
"""

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.datasets.image_files import contact_sheet
from keras_gahr.files import replacing

_TRAIN, _TEST, _INPUT = "#3b6fb6", "#d1495b", "#8a8a8a"


def training_curves(history, path):
    """Loss and PSNR against the epoch.

    Args:
        history: rows of a training's history.csv.
        path: PNG file.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, psnr = figure.subplots(1, 2)
    _curve(loss, history, "loss")
    loss.set_yscale("log")
    loss.set_ylabel("squared error per image")
    _curve(psnr, history, "psnr")
    psnr.set_ylabel("PSNR (dB), noise levels as trained")
    psnr.legend(frameon=False)
    save_figure(figure, path)


def _curve(axes, history, quantity):
    for part, color in (("train", _TRAIN), ("test", _TEST)):
        rows = [row for row in history if f"{part}_{quantity}" in row]
        axes.plot(
            [row["epoch"] for row in rows],
            [row[f"{part}_{quantity}"] for row in rows],
            ".-",
            color=color,
            label=part,
        )
    axes.set_xlabel("epoch")


def denoising_page(title, rows, table, samples, path):
    """One page: clean, noisy and denoised images at several noise levels, PSNR, and samples.

    Args:
        title: of the page.
        rows: a list of (sigma, clean, noisy, denoised), images `(count, height, width, channels)`.
        table: a list of (sigma, dB before, dB after).
        samples: images `(count, height, width, channels)`.
        path: PNG file.
    """
    figure = Figure(figsize=(11.5, 1 + 1.65 * len(rows)), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.2))
    grid = left.subplots(len(rows), 3, squeeze=False)
    for axes, (sigma, *pictures) in zip(grid, rows, strict=True):
        for place, images, name in zip(axes, pictures, ("clean", "noisy", "denoised"), strict=True):
            show_image(place, _square_sheet(images))
            if place in grid[0]:
                place.set_title(name)
        axes[0].set_ylabel(rf"$\sigma$ = {sigma * 255:.0f}/255")
    drawn, curve = right.subplots(2, 1, height_ratios=(1.5, 1))
    show_image(drawn, _square_sheet(samples))
    drawn.set_title(f"{len(samples)} samples")
    sigma, before, after = zip(*table, strict=True)
    curve.plot(before, after, "o-", color=_TEST, label="denoised")
    curve.plot(before, before, "--", color=_INPUT, label="noisy")
    curve.set_xlabel("PSNR of the noisy image (dB)")
    curve.set_ylabel("PSNR (dB)")
    curve.legend(frameon=False)
    save_figure(figure, path)


def _square_sheet(images):
    return contact_sheet(images, columns=int(np.ceil(np.sqrt(len(images)))))


def show_image(axes, image):
    """Shows an image (H, W, C) on [0, 1] without ticks; grey if C is 1."""
    image = np.clip(np.nan_to_num(image), 0, 1)
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def save_figure(figure, path):
    """Writes a figure as a PNG file."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
