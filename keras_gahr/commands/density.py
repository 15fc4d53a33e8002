"""`gahr density`."""

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
    ModelArgument,
    OverwriteOption,
    SeedOption,
    find_model,
)

_ASYMMETRY = 4
"""Images at which it is asked how far the denoiser is from a gradient."""


def density(
    model: ModelArgument,
    images: Annotated[
        Path, typer.Argument(help="Images: a dataset folder, or a .npy or .npz file.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for density.json, .csv, .npz and figures.")],
    against: Annotated[
        Path | None, typer.Option(help="Other images, to tell from these by their density.")
    ] = None,
    twin: Annotated[
        Path | None,
        typer.Option(
            callback=lambda model: model and find_model(model),
            help="Another denoiser: does it find the same of these images?",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(help="Images of each set, evenly spread over it.", min=1)
    ] = 64,
    method: Annotated[
        str, typer.Option(help="mmse: by errors of denoising; flow: by the probability flow.")
    ] = "mmse",
    evaluations: Annotated[
        int, typer.Option(help="Passes of the denoiser for each image.", min=12)
    ] = 400,
    error: Annotated[
        float | None,
        typer.Option(help="Go on until the standard error of bits per dimension is so small."),
    ] = None,
    most: Annotated[
        int, typer.Option(help="Passes where an image ends in any case.", min=12)
    ] = 20_000,
    dequantize: Annotated[
        str | None,
        typer.Option(
            help="Noise level that is added to images; default: 1/(255 sqrt(12)) for bytes, 0 for others."
        ),
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 32,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """How probable are images? log p(x) in bits per dimension, with standard errors.

    A command that was stopped goes on where it was when it is given again.
    """
    choose_backend(backend)
    from keras_gahr.analysis import DensityComparison
    from keras_gahr.analysis.density.kept import kept_densities
    from keras_gahr.datasets import load
    from keras_gahr.datasets.arrays import spread_places, to_float
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.noise import parse_sigma

    from .progress import progress_bar

    DensityComparison.check_output(out, overwrite)
    options = {
        "method": method,
        "evaluations": evaluations,
        "error": error,
        "most": most,
        "dequantize": None if dequantize is None else parse_sigma(dequantize),
        "seed": seed,
    }

    def read(path):
        found = load(path, layout=layout).images
        places = spread_places(len(found), count)
        return found[places], places

    stack, places = read(images)
    other_stack, other_places = (None, None) if against is None else read(against)
    denoiser, second = load_denoiser(model), None if twin is None else load_denoiser(twin)
    unfinished = out.with_name(f"{out.name}.unfinished.jsonl")
    with kept_densities(unfinished, **options) as kept:

        def densities(name, denoiser, images, **more):
            with progress_bar(f"densities, {name}", counted=False) as progress:
                return kept.of(denoiser, images, batch_size=batch_size, progress=progress, **more)

        found = densities("model", denoiser, stack, asymmetry=_ASYMMETRY)
        others = twins = None
        if other_stack is not None:
            others = densities("others", denoiser, other_stack, like=found)
        if second is not None:
            twins = densities("twin", second, stack)
        result = DensityComparison.of(
            found, to_float(stack), others, twins, places=places, other_places=other_places
        )
        result.save(
            out,
            overwrite=overwrite,
            figures=figures or Format.png,
            model=str(model),
            dataset=images.resolve().name,
            against=None if against is None else against.resolve().name,
            twin_model=None if twin is None else str(twin),
        )
    _print(result)
    typer.echo(f"numbers and figures: {out}")


def _print(result):
    import numpy as np

    from keras_gahr.analysis.intervals import mean_interval

    found = result.found
    for name, each in (("", found), ("others: ", result.others), ("twin: ", result.twin)):
        if each is None:
            continue
        bits = each.bits_per_dimension
        low, high = mean_interval(bits)
        spread = "" if np.isnan(low) else f" (95%: {low:.4f} to {high:.4f})"
        typer.echo(
            f"{name}{len(bits)} images: {bits.mean():.4f} bits per dimension{spread}; standard error of each "
            f"{each.bits_error.mean():.4f}"
        )
    noise = f"noise of sigma = {found.dequantization:.3g}" if found.dequantization else "none"
    typer.echo(f"densities of values in [0, 1], 8 bits more for bytes; dequantization: {noise}")
    if found.asymmetry is not None:
        typer.echo(
            f"asymmetry of the Jacobian at sigma = {found.asymmetry_sigma:.3g}: {found.asymmetry:.3f}; that "
            "of a gradient is 0, and only the best denoiser of a law has its density"
        )
    for what, value in (
        ("more probable than one of the others", result.told_apart),
        ("correlation with the twin", result.agreement),
    ):
        if value is not None:
            typer.echo(f"{what}: {value[0]:.3f} (95%: {value[1][0]:.3f} to {value[1][1]:.3f})")
    order = result.places[found.order]
    typer.echo(
        f"most probable: {', '.join(map(str, order[:5]))}; least: {', '.join(map(str, order[::-1][:5]))}"
    )
