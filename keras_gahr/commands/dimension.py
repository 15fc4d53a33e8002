"""`gahr dimension`."""

import dataclasses
import math
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .given_samples import read_samples
from .options import (
    BatchSizeOption,
    Format,
    FormatOption,
    LayoutOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
)
from .training_sets import HalfOption, check_half, training_images, warn_of_other_images


def dimension(
    model: ModelArgument,
    images: Annotated[
        Path,
        typer.Argument(
            help="Clean images or samples: a dataset folder, one of `gahr sample`, a .npy or .npz file."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for dimension.json, .npz and a figure.")],
    count: Annotated[int, typer.Option(help="Images, evenly spread over the set.", min=1)] = 16,
    sigma: Annotated[
        list[str] | None,
        typer.Option(help="A noise level: 0.15 or 25/255; repeatable. Default: nine to 0.32."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Of the noise of each image.", min=2)] = 4,
    probes: Annotated[int, typer.Option(help="Of each trace.", min=2)] = 8,
    spectrum: Annotated[
        int | None,
        typer.Option(
            help="Steps of Lanczos by which to look at all eigenvalues of (J + J^T) / 2, too, such as 32.",
            min=2,
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="Dataset of training images: does a low dimension tell which images are copies of them?"
        ),
    ] = None,
    train_size: Annotated[
        int | None, typer.Option(help="Training images; default: all of that dataset.", min=1)
    ] = None,
    half: HalfOption = "A",
    up_to_a_factor: Annotated[
        bool,
        typer.Option(
            "--up-to-a-factor",
            help="Multiples of training images are copies, too, as networks without biases make them.",
        ),
    ] = False,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 32,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """In how many directions can images like these change, as a denoiser sees it?

    tr J and |x - D(y)|^2 / sigma^2 at each noise level, and FLIPD of a denoiser that is told the level.
    With --spectrum, how many eigenvalues of (J + J^T) / 2 are above 1/2, with an interval, and a figure of
    all. With --train, whether low dimensions tell copies of training images, around which a network that has
    learned them by heart keeps few directions.
    """
    choose_backend(backend)
    from keras_gahr.analysis import LocalDimension, copies_by_dimension, local_dimension
    from keras_gahr.datasets import load
    from keras_gahr.datasets.arrays import spread_places
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.noise import parse_sigma

    from .progress import progress_bar

    LocalDimension.check_output(out, overwrite)
    if train is None and train_size is not None:
        raise InputError("received --train-size without --train: give both, or none")
    check_half(half, train_size)
    levels = [parse_sigma(text) for text in sigma] if sigma else None
    every = None if train is None else load(train, layout=layout)
    training = None if every is None else training_images(every, train_size, half)
    stack = read_samples(images, layout)
    places = spread_places(len(stack), count)
    shown = stack[places]
    denoiser = load_denoiser(model)
    if training is not None:
        warn_of_other_images(model, denoiser, train, every, training, half)
    with progress_bar("measuring dimensions", counted=False) as progress:
        found = local_dimension(
            denoiser,
            shown,
            levels,
            draws=draws,
            probes=probes,
            steps=spectrum,
            seed=seed,
            batch_size=batch_size,
            progress=progress,
        )
    if training is not None:
        copies = copies_by_dimension(
            found.value,
            shown,
            training.images,
            up_to_a_factor=up_to_a_factor,
            progress=False,
        )
        found = dataclasses.replace(found, copies=copies)
    found.save(
        out,
        overwrite=overwrite,
        figures=figures or Format.png,
        model=str(model),
        dataset=images.resolve().name,
        places=places.tolist(),
        training_set=None if train is None else train.resolve().name,
        half=half if train_size else None,
        seed=seed,
    )
    head = "".join(name.rjust(11) for name in ("tr J", "error", "FLIPD"))
    spectra = found.spectra or ()
    typer.echo("sigma".rjust(9) + head + ("  eigenvalues above 1/2" if spectra else ""))
    for s, (level, *values) in enumerate(
        zip(found.sigmas, found.trace, found.error, found.flipd, strict=True)
    ):
        cells = "".join(f"{value.mean():11.4g}" for value in values).replace("nan", "  -")
        if spectra:
            mean, (low, high) = spectra[s].count_above().mean
            cells += f"{mean:8.4g} (95%: {low:.3g} to {high:.3g})"
        typer.echo(f"{255 * level:5.4g}/255" + cells)
    numbers = found.numbers()
    spread = numbers["mean_95"]
    interval = "" if spread is None else f" (95%: {spread[0]:.3g} to {spread[1]:.3g})"
    typer.echo(
        f"{numbers['images']} images of {found.size} values: dimension {numbers['mean']:.3g}{interval}"
    )
    if not_agreed := sum(~found.agreed):
        typer.echo(
            f"of {not_agreed} of them tr J and the error do not agree: the denoiser is not the best one for "
            "such images, and this is no dimension of theirs"
        )
    if found.copies is not None:
        typer.echo(_copies(found.copies))
    typer.echo(f"numbers and figures: {out}")


def _copies(found):
    said = f"copies of {found.num_training} training images: {sum(found.copies)} of {len(found.copies)}"
    if found.told_apart is not None:
        value, (low, high) = found.told_apart
        said += f", of lower dimension in {value:.1%} of pairs (95%: {low:.1%} to {high:.1%})"
    correlation, p_value = found.correlation
    if not math.isnan(correlation):
        ratio = "sine 1 / sine 2" if found.up_to_a_factor else "d1 / d2"
        said += f"; rank correlation of dimension and {ratio} {correlation:.2f} (p = {p_value:.2g})"
    return said
