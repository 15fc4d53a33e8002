"""`gahr denoise`."""

from pathlib import Path
from typing import Annotated

import typer

from .backend import BackendOption, choose_backend
from .options import ModelArgument, OverwriteOption, PrecisionOption, SeedOption


def denoise(
    model: ModelArgument,
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="PNG, JPEG, .npy array, or a folder of them.")
    ],
    out: Annotated[
        Path, typer.Option(help="File of the same kind, or a folder if INPUT is a folder.")
    ],
    add_noise: Annotated[
        str | None,
        typer.Option(help="Take INPUT as clean, add this noise first: 0.1 or 25/255."),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(help="The clean image (or folder) to compare with.")
    ] = None,
    seed: SeedOption = 0,
    precision: PrecisionOption = "float32",
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Denoise images; the noise level need not be known.

    With --add-noise, or with --clean, the PSNR before and after is printed. With --add-noise the
    noisy images are written too, as NAME.noisy.
    """
    choose_backend(backend)
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.denoising import denoise_files
    from keras_gahr.noise import parse_sigma

    from .progress import progress_bar

    sigma = None if add_noise is None else parse_sigma(add_noise)
    denoiser = load_denoiser(model, precision)
    with progress_bar("denoising") as progress:
        results = denoise_files(
            denoiser, source, out, sigma, clean, seed, overwrite=overwrite, progress=progress
        )
    known = [result for result in results if result.before is not None]
    for result in known:
        typer.echo(f"{result.name}: {result.before:.2f} dB noisy, {result.after:.2f} dB denoised")
    if len(known) > 1:
        before = sum(result.before for result in known) / len(known)
        after = sum(result.after for result in known) / len(known)
        typer.echo(f"mean of {len(known)}: {before:.2f} dB noisy, {after:.2f} dB denoised")
    typer.echo(f"{len(results)} denoised: {out}")
