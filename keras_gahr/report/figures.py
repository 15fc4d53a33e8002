"""Figures in PNG files.

They are drawn on `Figure` objects, without pyplot, so that no global state of matplotlib changes.
"""

import io

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.datasets.image_files import contact_sheet
from keras_gahr.files import replacing

TRAIN_COLOR, TEST_COLOR, INPUT_COLOR = "#3b6fb6", "#d1495b", "#8a8a8a"


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
    picture_grid(left, rows)
    drawn, curve = right.subplots(2, 1, height_ratios=(1.5, 1))
    show_image(drawn, _square_sheet(samples))
    drawn.set_title(f"{len(samples)} samples")
    _, before, after = zip(*table, strict=True)
    curve.plot(before, after, "o-", color=TEST_COLOR, label="denoised")
    curve.plot(before, before, "--", color=INPUT_COLOR, label="noisy")
    curve.set_xlabel("PSNR of the noisy image (dB)")
    curve.set_ylabel("PSNR (dB)")
    curve.legend(frameon=False)
    save_figure(figure, path)


def picture_grid(figure, rows):
    """Clean, noisy and denoised images side by side, a row for each noise level.

    Args:
        figure: figure or subfigure to draw in.
        rows: a list of (sigma, clean, noisy, denoised), images `(count, height, width, channels)`.
    """
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, (sigma, *pictures) in zip(grid, rows, strict=True):
        for place, images, name in zip(axes, pictures, ("clean", "noisy", "denoised"), strict=True):
            show_image(place, _square_sheet(images))
            if place in grid[0]:
                place.set_title(name)
        axes[0].set_ylabel(rf"$\sigma$ = {sigma * 255:.0f}/255")


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


def png_bytes(figure):
    """The content of a PNG file of a figure."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
