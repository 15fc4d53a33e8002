"""`gahr psnr`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    BatchSizeOption,
    Format,
    FormatOption,
    LayoutOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
)
from .progress import progress_bar
from .table import print_table
from .training_sets import HalfOption, check_half, warn_of_other_images


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
            help="Noise levels: 10/255,25/255,0.2; default: of ten from 1/255 to 316/255, as published, "
            "those that the network knows."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Independent noise draws of each image.", min=1)] = 3,
    told: Annotated[
        bool,
        typer.Option(
            "--told", help="Tell a baseline each noise level, which it estimates otherwise."
        ),
    ] = False,
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
    from keras_gahr.analysis import psnr_curve
    from keras_gahr.analysis.psnr_files import PSNRCurves
    from keras_gahr.analysis.slopes import fit_slope, optimal_slope
    from keras_gahr.datasets import load
    from keras_gahr.denoisers import Inference, load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.noise import parse_sigma

    PSNRCurves.check_output(out, overwrite)
    optimum = None if alpha is None else optimal_slope(alpha)
    levels = None if sigmas is None else [parse_sigma(text) for text in sigmas.split(",")]
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
    if train_size is not None:
        warn_of_other_images(model, denoiser, dataset, images, sets["train"], half)
    inference = Inference(denoiser, batch_size, memory)
    curves = []
    for name, part in sets.items():
        with progress_bar(f"measuring {name} images") as progress:
            part = part.subset(min(count, len(part)))
            curve = psnr_curve(inference, part, levels, draws, seed, told, progress)
        curves.append((name, curve, fit_slope(curve, *fit) if len(curve.sigmas) > 1 else None))

    found = PSNRCurves(tuple(curves), optimum)
    found.save(
        out,
        title=f"{model.stem} on {dataset.stem}",
        overwrite=overwrite,
        figures=figures or Format.png,
        denoiser=model.name,
        provenance=denoiser.provenance,
        dataset=dataset.resolve().name,
        train_size=train_size,
        half=half if train_size else None,
        seed=seed,
        draws=draws,
        told=told,
    )
    _print(curves, optimum, out)


def _sets(images, train_size, test_size, half):
    """The sets to measure, by name."""
    from keras_gahr.errors import InputError

    check_half(half, train_size)
    if train_size is None:
        if test_size is not None:
            raise InputError("received --test-size without --train-size: give both, or none")
        return {"all": images}
    parts = images.split_as_trained(train_size, test_size, half)
    return dict(zip(("train", "test"), parts, strict=True))


def _print(curves, optimum, out):
    from keras_gahr.analysis.psnr_files import curve_rows

    for name, curve, slope in curves:
        typer.echo(f"{name}: {curve.after.shape[-1]} images, PSNR in dB")
        header = ["sigma", "noisy", "denoised", "+- images", "+- draws"]
        print_table(
            header,
            [
                [f"{sigma * 255:.1f}/255", f"{noisy:.2f}", f"{denoised:.2f}"]
                + ["-" if error is None else f"{error:.3f}" for error in errors]
                for sigma, _, noisy, denoised, *errors in curve_rows(curve)
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
