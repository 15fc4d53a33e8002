"""How a training went."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from .psnr import PSNRLine, psnr_lines
from .style import TEST, TRAIN, grid, legend, new_figure

_COLORS = {"train": TRAIN, "test": TEST}


def training_history(
    history: Sequence[dict], *, room: Sequence[dict] = (), title: str = ""
) -> Figure:
    """Loss and PSNR against the epoch, on training and on test images.

    Args:
        history: rows of a training's history.csv, dictionaries with "epoch" and any of "train_loss",
            "test_loss", "train_psnr" and "test_psnr" (dB).
        room: rows of other trainings, which are not drawn but for which the axes leave room, so that
            several figures have the same axes.
        title: of the figure; default: none.

    Returns:
        A figure with two pairs of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> rows = [{"epoch": k, "train_loss": 9 / k, "train_psnr": 20 + k} for k in (1, 2, 3)]
        >>> [axes.get_ylabel() for axes in plot.training_history(rows).axes]
        ['squared error per image', 'PSNR (dB), noise levels as trained']
    """
    figure = new_figure(9, 3.8, title)
    loss, psnr = figure.subplots(1, 2)
    for axes, quantity in ((loss, "loss"), (psnr, "psnr")):
        for part, color in _COLORS.items():
            column = f"{part}_{quantity}"
            _curve(axes, history, column, ".-", color=color, label=part)
            _curve(axes, room, column, "none")
        axes.set_xlabel("epoch")
        grid(axes)
    loss.set_yscale("log")
    loss.set_ylabel("squared error per image")
    psnr.set_ylabel("PSNR (dB), noise levels as trained")
    legend(psnr)
    return figure


def training_levels(
    levels: Sequence[dict], *, room: Sequence[dict] = (), title: str = ""
) -> Figure:
    """PSNR of denoised against noisy images, for training and test images: after the first epoch
    (faint) and after the last.

    Args:
        levels: rows of a training's levels.csv, dictionaries with "epoch", "set" ("train" or "test"),
            "input_psnr" and "psnr" (dB), at least those of one epoch.
        room: rows of other trainings, which are not drawn but for which the axes leave room.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> from keras_gahr import plot
        >>> rows = [{"epoch": 1, "set": "test", "input_psnr": x, "psnr": 20 + x / 2} for x in (0, 20)]
        >>> len(plot.training_levels(rows).axes)
        1
    """
    epochs = sorted({row["epoch"] for row in levels})
    lines = []
    for epoch in dict.fromkeys((epochs[0], epochs[-1])):
        for part, color in _COLORS.items():
            rows = [row for row in levels if (row["epoch"], row["set"]) == (epoch, part)]
            name, faint = f"{part}, epoch {epoch}", epoch != epochs[-1]
            if rows:
                lines.append(PSNRLine(name, *_levels_of(rows), color=color, faint=faint))
    space = [PSNRLine("others", *_levels_of(room))] if room else []
    return psnr_lines(lines, room=space, title=title)


def _levels_of(rows):
    return [row["input_psnr"] for row in rows], [row["psnr"] for row in rows]


def _curve(axes, rows, column, line, **style):
    rows = [row for row in rows if row.get(column) is not None]
    axes.plot([row["epoch"] for row in rows], [row[column] for row in rows], line, **style)
