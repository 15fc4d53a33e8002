"""`gahr denoise`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    LayoutOption,
    MaxPixelsOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    PrecisionOption,
    SeedOption,
)


def denoise(
    model: ModelArgument,
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="PNG, JPEG, .npy or .npz array, or a folder.")
    ],
    out: Annotated[
        Path, typer.Option(help="File of the same kind, or a folder if INPUT is a folder.")
    ],
    add_noise: Annotated[
        str | None,
        typer.Option(help="Take INPUT as clean, add this noise first: 0.1 or 25/255."),
    ] = None,
    sigma: Annotated[
        str | None,
        typer.Option(
            help="Noise level, for a network that is told it: 0.1 or 25/255.",
            show_default="that of --add-noise",
        ),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(help="The clean image (or folder) to compare with.")
    ] = None,
    gray: Annotated[
        bool,
        typer.Option(
            "--gray", help="Make colour grey; default: a grey network denoises each channel."
        ),
    ] = False,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    memory: MemoryOption = None,
    precision: PrecisionOption = "float32",
    max_pixels: MaxPixelsOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Denoise images; the noise level need not be known, unless the network is told it.

    With --add-noise, or with --clean, the PSNR before and after is printed. With --add-noise the
    noisy images are written too, as NAME.noisy.
    """
    choose_backend(backend)
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.denoising import APART, GREY, REPEATED, denoise_files
    from keras_gahr.noise import parse_sigma

    from .left_out import describe_left_out
    from .progress import progress_bar

    added, level = (None if text is None else parse_sigma(text) for text in (add_noise, sigma))
    denoiser = load_denoiser(model, precision)
    with progress_bar("denoising") as progress:
        done = denoise_files(
            denoiser,
            source,
            out,
            added,
            clean,
            seed,
            level=level,
            gray=gray,
            layout=layout,
            memory=memory,
            overwrite=overwrite,
            progress=progress,
        )
    known = [result for result in done.files if result.before is not None]
    for result in known:
        typer.echo(f"{result.name}: {result.before:.2f} dB noisy, {result.after:.2f} dB denoised")
    if len(known) > 1:
        before = sum(result.before for result in known) / len(known)
        after = sum(result.after for result in known) / len(known)
        typer.echo(f"mean of {len(known)}: {before:.2f} dB noisy, {after:.2f} dB denoised")
    if levels := [255 * result.residual for result in done.files]:
        low, high = min(levels), max(levels)
        typer.echo(
            f"taken away: {low:.1f}/255"
            + (f" to {high:.1f}/255" if len(levels) > 1 else "")
            + ", a little less than the noise (`gahr noise`)"
        )
    for what, line in (
        (APART, "in colour: a grey network denoised each channel (--gray makes them grey)"),
        (REPEATED, "grey: repeated for a colour network, and made grey again"),
        (GREY, "in colour: made grey"),
    ):
        if count := sum(result.channels == what for result in done.files):
            typer.echo(f"{count} of {len(done.files)} {line}")
    if padded := sum(result.padded is not None for result in done.files):
        typer.echo(
            f"{padded} of {len(done.files)} continued by reflection to multiples of "
            f"{denoiser.size_multiple}, as the network needs, and cut to their size again"
        )
    if done.left_out:
        typer.echo(describe_left_out([*done.left_out.items()]))
    typer.echo(f"{len(done.files)} denoised: {out}")
