"""`gahr eigenbasis`."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    ChannelOption,
    Format,
    FormatOption,
    IndexOption,
    LayoutOption,
    MaxPixelsOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    parse_crop,
)


class Method(enum.StrEnum):
    """`keras_gahr.analysis.METHODS`, which importing would take seconds."""

    exact = "exact"
    lanczos = "lanczos"
    randomized = "randomized"


def eigenbasis(
    model: ModelArgument,
    image: Annotated[
        Path, typer.Argument(help="A picture, .npy array, or dataset (folder or .npz).")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the numbers and figures.")],
    sigma: Annotated[
        str, typer.Option(help="Noise added first: 0.15 or 25/255; 0 if IMAGE is noisy.")
    ] = "0.15",
    count: Annotated[int, typer.Option(help="How many eigenvectors.", min=1)] = 64,
    method: Annotated[
        Method, typer.Option(help="exact takes one pass of the network for each pixel.")
    ] = Method.randomized,
    singular: Annotated[
        bool, typer.Option("--singular", help="Singular vectors, not those of (J + J^T) / 2.")
    ] = False,
    crop: Annotated[
        str | None, typer.Option(help="square, 40, HEIGHTxWIDTH or HEIGHTxWIDTH+TOP+LEFT.")
    ] = None,
    index: IndexOption = None,
    channel: ChannelOption = None,
    spectra: Annotated[
        str | None, typer.Option(help="More noise levels to compare: 25/255,50/255,100/255.")
    ] = None,
    max_products: Annotated[
        int | None, typer.Option(help="Stop lanczos and randomized here at the latest.", min=2)
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    max_pixels: MaxPixelsOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Find the basis in which a denoiser shrinks an image, and by how much.

    Writes numbers (eigenbasis.json, eigenbasis.npz) and figures of the spectrum, the eigenvectors
    (in colour also by channel) and the denoising, and prints the effective dimension, asymmetry,
    largest factor and, of a denoiser that is not homogeneous, its affine part and curvature.
    """
    choose_backend(backend)
    import keras

    from keras_gahr import analysis
    from keras_gahr.analysis.numbers import eigenbasis_numbers, eigenbasis_verdict
    from keras_gahr.analysis.one_image import read_one
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.noise import parse_sigma

    from .progress import progress_bar

    level = parse_sigma(sigma)
    others = [parse_sigma(text) for text in spectra.split(",")] if spectra else []
    analysis.Eigenbasis.check_output(out, overwrite)
    denoiser = load_denoiser(model)
    linearizer = analysis.Linearizer(denoiser)
    frame = None if crop is None else parse_crop(crop)
    clean, tangent = read_one(image, index, frame, denoiser.input_channels, layout, channel)

    options = {"symmetrize": not singular, "max_products": max_products, "seed": seed}
    with progress_bar("products") as progress:
        basis, *rest = analysis.eigenbases(
            linearizer, clean, [level, *others], count, method.value, progress=progress, **options
        )
    compared = list(zip([level, *others], [basis, *rest], strict=True)) if others else []
    basis.save(
        out,
        clean=clean,
        sigma=level,
        tangent=tangent,
        spectra=compared,
        overwrite=overwrite,
        figures=figures or Format.png,
        denoiser=model.name,
        image=image.name,
        index=index,
        crop=crop,
        seed=seed,
        backend=keras.backend.backend(),
        provenance=denoiser.provenance,
    )
    for line in eigenbasis_verdict(eigenbasis_numbers(basis, clean, level, tangent)):
        typer.echo(line)
    for other, found in compared[1:]:
        statistics = found.statistics
        typer.echo(
            f"sigma {other:.3g}: effective dimension {statistics.effective_dimension:.1f}, trace "
            f"{statistics.trace:.1f}, largest factor {found.shrinkage[0]:.3f}"
        )
    typer.echo(f"numbers and figures: {out}")
