"""Curves from the tables of trainings and of PSNR."""

from .columns import read_columns
from .curves import MOST_FRAMES, Curves, Line, even_places

_SETS = {"train": "training images", "test": "test images"}


def history_curves(folder, name):
    """PSNR, loss and learning rate over epochs, from history.csv."""
    columns = read_columns(folder, name)
    if "epoch" not in columns:
        raise ValueError("it has no column epoch")
    yield from _of_sets(
        columns,
        "psnr",
        "PSNR while training",
        "PSNR in dB",
        "At the noise levels that are trained with; that of training images is a mean over the epoch.",
    )
    yield from _of_sets(
        columns,
        "loss",
        "Loss",
        "loss",
        "Squared errors, summed over pixels and channels.",
        log_y=True,
    )
    if "learning_rate" in columns:
        line = Line("learning rate", columns["epoch"], _numbers(columns["learning_rate"]))
        yield Curves(
            "Learning rate", "epoch", "learning rate", [[line]], "In each epoch.", log_y=True
        )


def _of_sets(columns, quantity, title, y, caption, **options):
    lines = [
        Line(said, columns["epoch"], _numbers(columns[f"{part}_{quantity}"]))
        for part, said in _SETS.items()
        if f"{part}_{quantity}" in columns
    ]
    lines = [line for line in lines if not line.is_empty]
    if lines:
        yield Curves(title, "epoch", y, [lines], caption, **options)


def level_curves(folder, name):
    """PSNR over noise levels after each epoch, from levels.csv."""
    columns = read_columns(folder, name)
    rows = zip(
        *(columns[key] for key in ("epoch", "set", "sigma", "input_psnr", "psnr")), strict=True
    )
    epochs = {}
    for epoch, part, *numbers in rows:
        epochs.setdefault(epoch, {}).setdefault(part, []).append(_checked(numbers))
    if not epochs or not all(isinstance(epoch, float) for epoch in epochs):
        raise ValueError("it has no epochs")
    kept = [sorted(epochs)[k] for k in even_places(len(epochs), MOST_FRAMES)]
    return Curves(
        "PSNR over noise levels",
        "sigma, in units of [0, 1]",
        "PSNR in dB",
        [_level_lines(epochs[epoch]) for epoch in kept],
        "PSNR of denoised and of noisy images. Where the curves of training and test images part, the "
        "network memorizes.",
        "epoch",
        [f"{epoch:.0f}" for epoch in kept],
        log_x=True,
    )


def _level_lines(parts):
    lines, noisy = [], None
    for part in sorted(parts, key=lambda part: part != "train"):
        sigma, before, after = zip(*sorted(parts[part]), strict=True)
        lines.append(Line(_SETS.get(part, str(part)), sigma, after))
        noisy = noisy or Line("noisy images", sigma, before)
    return [*lines, noisy]


def clock_curves(folder, name):
    """What the looks of the clock of memorization found, from clock.csv."""
    columns = {key: _numbers(values) for key, values in read_columns(folder, name).items()}
    steps = columns["step"]
    groups = (
        (
            "Copies among the samples",
            "share of the samples",
            {
                "f_mem": "copies",
                "f_mem_up_to_a_factor": "up to a factor",
                "f_mem_features": "by features",
            },
            "With 95% intervals.",
        ),
        (
            "Train-test gap",
            "gap in dB",
            {"gap": "gap", "gap_null": "between halves of the test images"},
            "",
        ),
        (
            "Closeness to the own images",
            "correlation",
            {"own_bias": "own bias", "twins": "twins"},
            "",
        ),
        (
            "Mean squared error",
            "error",
            {"train_error": "training images", "test_error": "test images"},
            "",
        ),
        (
            "Distance to the copy",
            "distance",
            {key: f"sigma {key[8:]}/255" for key in columns if key.startswith("copy_at_")},
            "1 for a network that does nothing, 0 for a perfect copier.",
        ),
    )
    for title, y, names, caption in groups:
        lines = [
            Line(said, steps, columns[key], *_band(columns, key))
            for key, said in names.items()
            if key in columns
        ]
        if lines := [line for line in lines if not line.is_empty]:
            yield Curves(title, "training step", y, [lines], caption, log_x=True)


def _band(columns, key):
    if {f"{key}_low", f"{key}_high"} <= columns.keys():
        return columns[f"{key}_low"], columns[f"{key}_high"]
    return ()


def psnr_curves(folder, name):
    """PSNR over noise levels of each set, from psnr.csv."""
    columns = read_columns(folder, name)
    sets = {}
    for part, *numbers in zip(
        *(columns[key] for key in ("set", "sigma", "noisy", "denoised", "error_over_images")),
        strict=True,
    ):
        sets.setdefault(str(part), []).append(numbers)
    lines = []
    for part, rows in sets.items():
        sigma, noisy, denoised, error = zip(*sorted(map(_checked, rows)), strict=True)
        band = [
            [y + sign * (d or 0.0) for y, d in zip(denoised, error, strict=True)]
            for sign in (-1, 1)
        ]
        lines.append(Line(part, sigma, denoised, *band))
    lines.append(Line("noisy images", sigma, noisy))
    return Curves(
        "PSNR over noise levels",
        "sigma, in units of [0, 1]",
        "PSNR in dB",
        [lines],
        "Means, with a standard error over images.",
        log_x=True,
    )


def _numbers(values):
    """The values, if all are numbers or nothing."""
    if any(isinstance(value, str) for value in values):
        raise ValueError("a column of numbers holds text")
    return values


def _checked(row):
    """A row of numbers, of which the last may be nothing."""
    if not all(isinstance(value, float) for value in row[:-1]) or isinstance(row[-1], str):
        raise ValueError("a row of numbers holds something else")
    return row
