"""Pictures of a training."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from .figures import INPUT_COLOR, TEST_COLOR, TRAIN_COLOR, picture_grid, save_figure

_COLORS = {"train": TRAIN_COLOR, "test": TEST_COLOR}


def training_curves(history, path):
    """Writes `training_figure` as a PNG file."""
    save_figure(training_figure(history), path)


def training_figure(history, others=()):
    """Loss and PSNR against the epoch.

    Args:
        history: rows of a training's history.csv.
        others: rows of other trainings, which are not drawn but for which the axes leave room.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, psnr = figure.subplots(1, 2)
    for axes, quantity in ((loss, "loss"), (psnr, "psnr")):
        for part, color in _COLORS.items():
            column = f"{part}_{quantity}"
            _curve(axes, history, "epoch", column, ".-", color=color, label=part)
            _curve(axes, others, "epoch", column, "none")
        axes.set_xlabel("epoch")
    loss.set_yscale("log")
    loss.set_ylabel("squared error per image")
    psnr.set_ylabel("PSNR (dB), noise levels as trained")
    psnr.legend(frameon=False)
    return figure


def _curve(axes, rows, x, y, line, **style):
    rows = [row for row in rows if row.get(y) is not None]
    axes.plot([row[x] for row in rows], [row[y] for row in rows], line, **style)


def level_curves(levels, path):
    """Writes `level_figure` as a PNG file."""
    save_figure(level_figure(levels), path)


def level_figure(levels, others=()):
    """PSNR of denoised against noisy images, for training and test images.

    The last epoch is drawn strongly, the first one faintly.

    Args:
        levels: rows of a training's levels.csv, at least those of one epoch.
        others: rows of other trainings, which are not drawn but for which the axes leave room.
    """
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = figure.subplots()
    epochs = sorted({row["epoch"] for row in levels})
    for epoch, strength in {epochs[0]: 0.35, epochs[-1]: 1.0}.items():
        for part, color in _COLORS.items():
            rows = [row for row in levels if (row["epoch"], row["set"]) == (epoch, part)]
            line = "o-" if epoch == epochs[-1] else "-"
            if rows:
                style = {"color": color, "alpha": strength, "label": f"{part}, epoch {epoch}"}
                _curve(axes, rows, "input_psnr", "psnr", line, **style)
    _curve(axes, others, "input_psnr", "psnr", "none")
    noisy = sorted({row["input_psnr"] for row in levels})
    axes.plot(noisy, noisy, "--", color=INPUT_COLOR, label="noisy")
    axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False)
    return figure


def gap_figure(gaps):
    """How much better training images are denoised than test images, for several trainings.

    Args:
        gaps: a list of (name, dB before denoising, dB of the gap), a string and two sequences.
    """
    figure = Figure(figsize=(7.6, 4), layout="constrained")
    axes = figure.subplots()
    colors = colormaps["viridis"](np.linspace(0, 0.85, len(gaps)))
    for (name, noisy, gap), color in zip(gaps, colors, strict=True):
        # A name is no formula, whatever is in it; one that begins with _ would be left out.
        name = name.replace("$", r"\$")
        axes.plot(noisy, gap, "o-", color=color, label=f" {name}" if name[0] == "_" else name)
    axes.axhline(0, color=INPUT_COLOR, linestyle="--")
    axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.set_ylabel("train PSNR - test PSNR (dB)")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def denoising_pictures(rows, path):
    """Clean, noisy and denoised images at several noise levels.

    Args:
        rows: a list of (sigma, clean, noisy, denoised), images `(count, height, width, channels)`,
            such as the pictures of `keras_gahr.training.NoiseLevels`.
        path: PNG file.
    """
    figure = Figure(figsize=(5.4, 0.4 + 1.75 * len(rows)), layout="constrained")
    picture_grid(figure, rows)
    save_figure(figure, path)
