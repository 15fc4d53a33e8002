"""`gahr dimension`."""

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
)


def dimension(
    model: ModelArgument,
    images: Annotated[
        Path, typer.Argument(help="Clean images: a dataset folder, or a .npy or .npz file.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for dimension.json, .npz and a figure.")],
    count: Annotated[int, typer.Option(help="Images, evenly spread over the set.", min=1)] = 16,
    sigma: Annotated[
        list[str] | None,
        typer.Option(help="A noise level: 0.15 or 25/255; repeatable. Default: nine to 0.32."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Of the noise of each image.", min=2)] = 4,
    probes: Annotated[int, typer.Option(help="Of each trace.", min=2)] = 8,
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
    """
    choose_backend(backend)
    from keras_gahr.analysis import LocalDimension, local_dimension
    from keras_gahr.datasets import load
    from keras_gahr.datasets.arrays import spread_places
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.noise import parse_sigma

    from .caught import warnings_as_lines
    from .progress import progress_bar

    LocalDimension.check_output(out, overwrite)
    levels = [parse_sigma(text) for text in sigma] if sigma else None
    stack = load(images, layout=layout).images
    with warnings_as_lines(), progress_bar("measuring dimensions", counted=False) as progress:
        found = local_dimension(
            load_denoiser(model),
            stack[spread_places(len(stack), count)],
            levels,
            draws=draws,
            probes=probes,
            seed=seed,
            batch_size=batch_size,
            progress=progress,
        )
    found.save(
        out,
        overwrite=overwrite,
        figures=figures or Format.png,
        model=str(model),
        dataset=images.resolve().name,
        seed=seed,
    )
    typer.echo("sigma".rjust(9) + "tr J".rjust(11) + "error".rjust(11) + "FLIPD".rjust(11))
    for level, *values in zip(found.sigmas, found.trace, found.error, found.flipd, strict=True):
        cells = "".join(f"{value.mean():11.4g}" for value in values)
        typer.echo(f"{255 * level:5.4g}/255" + cells.replace("nan", "  -"))
    numbers = found.numbers()
    spread = numbers["mean_95"]
    interval = "" if spread is None else f" (95%: {spread[0]:.3g} to {spread[1]:.3g})"
    typer.echo(
        f"{numbers['images']} images of {found.size} values: dimension {numbers['mean']:.3g}{interval}"
    )
    typer.echo(f"numbers and figure: {out}")
