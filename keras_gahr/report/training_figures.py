"""Pictures of a training."""

from matplotlib.figure import Figure

from .figures import INPUT_COLOR, TEST_COLOR, TRAIN_COLOR, picture_grid, save_figure

_COLORS = {"train": TRAIN_COLOR, "test": TEST_COLOR}


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
    for part, color in _COLORS.items():
        rows = [row for row in history if row.get(f"{part}_{quantity}") is not None]
        axes.plot(
            [row["epoch"] for row in rows],
            [row[f"{part}_{quantity}"] for row in rows],
            ".-",
            color=color,
            label=part,
        )
    axes.set_xlabel("epoch")


def level_curves(levels, path):
    """PSNR of denoised against noisy images, for training and test images.

    The last epoch is drawn strongly, the first one faintly.

    Args:
        levels: rows of a training's levels.csv, at least those of one epoch.
        path: PNG file.
    """
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = figure.subplots()
    epochs = sorted({row["epoch"] for row in levels})
    for epoch, strength in {epochs[0]: 0.35, epochs[-1]: 1.0}.items():
        for part, color in _COLORS.items():
            rows = [row for row in levels if (row["epoch"], row["set"]) == (epoch, part)]
            if rows:
                axes.plot(
                    [row["input_psnr"] for row in rows],
                    [row["psnr"] for row in rows],
                    "o-" if epoch == epochs[-1] else "-",
                    color=color,
                    alpha=strength,
                    label=f"{part}, epoch {epoch}",
                )
    noisy = sorted({row["input_psnr"] for row in levels})
    axes.plot(noisy, noisy, "--", color=INPUT_COLOR, label="noisy")
    axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.set_ylabel("PSNR of the denoised image (dB)")
    axes.legend(frameon=False)
    save_figure(figure, path)


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
