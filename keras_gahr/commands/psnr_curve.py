"""`gahr psnr`."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.figure_files import figure_files
from keras_gahr.names import encodable

from .backend import BackendOption, choose_backend
from .options import (
    BatchSizeOption,
    FormatOption,
    LayoutOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    figure_path,
)
from .progress import progress_bar
from .table import print_table
from .training_sets import HalfOption

CONTENTS = ("psnr.json", "psnr.csv", "psnr.npz", *figure_files("psnr"))


def psnr(
    model: ModelArgument,
    dataset: Annotated[
        Path, typer.Argument(help="Clean images: a dataset folder, or a .npy or .npz file.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for psnr.json, psnr.csv, psnr.npz and the figure psnr.")
    ],
    train_size: Annotated[
        int | None,
        typer.Option(
            help="Measure training and test images apart: so many were trained on; "
            "default: one curve for all images.",
            min=1,
        ),
    ] = None,
    test_size: Annotated[
        int | None,
        typer.Option(help="With --train-size: test images; default: as `gahr train`.", min=1),
    ] = None,
    half: HalfOption = "A",
    count: Annotated[int, typer.Option(help="Images of each set, the first ones.", min=1)] = 256,
    sigmas: Annotated[
        str | None,
        typer.Option(
            help="Noise levels: 10/255,25/255,0.2; default: ten from 1/255 to 316/255, as published."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Independent noise draws of each image.", min=1)] = 3,
    fit_from: Annotated[str, typer.Option(help="Lowest noise level the slope is fitted to.")] = "0",
    fit_to: Annotated[str, typer.Option(help="Highest noise level.")] = "2",
    alpha: Annotated[
        float | None, typer.Option(help="Of C^alpha images: shows the optimal slope.")
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 32,
    memory: MemoryOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Measure PSNR over noise levels, with error bars and the slope of the curve."""
    choose_backend(backend)
    from keras_gahr import __version__
    from keras_gahr.analysis import psnr_curve
    from keras_gahr.analysis.slopes import fit_slope, optimal_slope
    from keras_gahr.datasets import load
    from keras_gahr.denoisers import Inference, load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.files import check_output_folder, replacing_folder
    from keras_gahr.memory import parse_memory
    from keras_gahr.noise import parse_sigma
    from keras_gahr.plot import PSNRLine, psnr_lines, save
    from keras_gahr.psnr import SIGMAS

    check_output_folder(out, overwrite, known_by=CONTENTS[0], contents=CONTENTS)
    optimum = None if alpha is None else optimal_slope(alpha)
    levels = SIGMAS if sigmas is None else [parse_sigma(text) for text in sigmas.split(",")]
    fit = parse_sigma(fit_from), parse_sigma(fit_to)
    denoiser = load_denoiser(model)
    if denoiser.input_channels != denoiser.output_channels:
        raise InputError(
            f"{model} is a conditional denoiser, which needs the low band of an image: use the "
            "multi-scale denoiser it belongs to"
        )
    images = load(dataset, layout=layout)
    denoiser.check_shape(images.images.shape)
    sets = _sets(images, train_size, test_size, half)
    inference = Inference(denoiser, batch_size, None if memory is None else parse_memory(memory))
    curves = []
    for name, part in sets.items():
        with progress_bar(f"measuring {name} images") as progress:
            clean = part.as_float(slice(count))
            curve = psnr_curve(inference, clean, levels, draws, seed, progress)
        curves.append((name, curve, fit_slope(curve, *fit) if len(levels) > 1 else None))

    facts = {
        "package": f"keras-gahr {__version__}",
        "denoiser": model.name,
        "provenance": denoiser.provenance,
        "dataset": dataset.resolve().name,
        "train_size": train_size,
        "half": half if train_size else None,
        "seed": seed,
        "draws": draws,
        "optimal_slope": optimum,
    }
    with replacing_folder(out, overwrite) as folder:
        _write(folder, facts, curves)
        lines = [
            PSNRLine.of_curve(name, curve, slope=slope, optimum=optimum if slope else None)
            for name, curve, slope in curves
        ]
        figure = psnr_lines(lines, title=f"{model.stem} on {dataset.stem}")
        save(figure, figure_path(folder, "psnr", figures))
    _print(curves, optimum, out)


def _sets(images, train_size, test_size, half):
    """The sets to measure, by name."""
    from keras_gahr.errors import InputError

    if train_size is None:
        if test_size is not None:
            raise InputError("received --test-size without --train-size: give both, or none")
        return {"all": images}
    parts = images.split_as_trained(train_size, test_size, half)
    return dict(zip(("train", "test"), parts, strict=True))


def _write(folder, facts, curves):
    """Writes the numbers into a folder."""
    import numpy as np

    rows, arrays = [], {}
    for name, curve, slope in curves:
        arrays |= {f"before_{name}": curve.before, f"after_{name}": curve.after}
        rows += [
            dict(zip(("set", *_COLUMNS), (name, *row), strict=True)) for row in _curve_rows(curve)
        ]
        facts[name] = {
            "images": curve.after.shape[-1],
            "levels": [dict(zip(_COLUMNS, row, strict=True)) for row in _curve_rows(curve)],
            "slope": slope and _without_nan(dataclasses.asdict(slope)),
        }
    np.savez_compressed(folder / "psnr.npz", sigmas=curves[0][1].sigmas, **arrays)
    with open(folder / "psnr.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("set", *_COLUMNS))
        writer.writeheader()
        writer.writerows(rows)
    text = json.dumps(encodable(facts), indent=1, allow_nan=False)
    (folder / "psnr.json").write_text(text + "\n", encoding="utf-8")


_COLUMNS = ("sigma", "input_psnr", "noisy", "denoised", "error_over_images", "error_over_draws")


def _curve_rows(curve):
    """The numbers of each noise level, in the order of `_COLUMNS`; None for NaN."""
    columns = (
        curve.sigmas,
        curve.input_psnr,
        curve.before.mean(axis=(1, 2)),
        curve.mean,
        curve.error_over_images,
        curve.error_over_draws,
    )
    return [
        [None if value != value else float(value) for value in row]
        for row in zip(*columns, strict=True)
    ]


def _without_nan(numbers):
    numbers["interval"] = [None if value != value else value for value in numbers["interval"]]
    return numbers


def _print(curves, optimum, out):
    for name, curve, slope in curves:
        typer.echo(f"{name}: {curve.after.shape[-1]} images, PSNR in dB")
        header = ["sigma", "noisy", "denoised", "+- images", "+- draws"]
        print_table(
            header,
            [
                [f"{sigma * 255:.1f}/255", f"{noisy:.2f}", f"{denoised:.2f}"]
                + ["-" if error is None else f"{error:.3f}" for error in errors]
                for sigma, _, noisy, denoised, *errors in _curve_rows(curve)
            ],
        )
        if slope is not None:
            low, high = slope.interval
            typer.echo(
                f"slope {slope.slope:.3f}"
                + (f" (95%: {low:.3f} to {high:.3f})" if low == low else "")
                + f" from {slope.low * 255:.1f}/255 to {slope.high * 255:.1f}/255"
                + (f"; optimal: {optimum:.3f}" if optimum is not None else "")
            )
    typer.echo(f"numbers and figure: {out}")
