"""`gahr denoise`."""

import math
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

_ENOUGH = 2**16
"""Values of images whose noise level is estimated without being asked for: 256x256."""

_PROBES, _FEW_PROBES = 16, 4
"""Products with the Jacobian for that, asked for and not."""


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
            help="Noise level, for a network that is told it: 0.1 or 25/255; with --gray that of the grey "
            "images, which have 1/sqrt(3) of the noise of independent colours.",
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
    noise: Annotated[
        bool | None,
        typer.Option(
            help="Estimate the noise level of all images, corrected for the error that is left.",
            show_default="of the first, up to 256x256",
        ),
    ] = None,
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
            estimate=_estimator(denoiser, noise, memory, seed),
            progress=progress,
        )
    known = [result for result in done.files if result.before is not None]
    for result in known:
        typer.echo(f"{result.name}: {result.before:.2f} dB noisy, {result.after:.2f} dB denoised")
    if len(known) > 1:
        before = sum(result.before for result in known) / len(known)
        after = sum(result.after for result in known) / len(known)
        typer.echo(f"mean of {len(known)}: {before:.2f} dB noisy, {after:.2f} dB denoised")
    _print_levels(done.files)
    for what, line in (
        (APART, "in colour: a grey network denoised each channel (--gray makes them grey)"),
        (
            REPEATED,
            "grey: repeated for a colour network, with noise of its own in each channel, and made grey again",
        ),
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


def _estimator(denoiser, wanted, memory, seed):
    """What estimates the noise level of the images of a file, for `denoise_files`.

    Args:
        denoiser: a `Denoiser`.
        wanted: whether to estimate it; None for images of up to `_ENOUGH` values in all, by few products.
        memory, seed: see `Inference` and `noise_level`.
    """
    from keras_gahr.analysis.noise_levels import level_of_all
    from keras_gahr.analysis.residual_traces import ResidualTraces
    from keras_gahr.denoisers import Inference
    from keras_gahr.errors import InputError

    blind = denoiser.differentiable and not denoiser.told
    if wanted and not blind:
        raise InputError(
            "received --noise, and a denoiser that is told the level or has no derivatives: see `gahr noise`"
        )
    if not blind or wanted is False:
        return lambda noisy: None
    inference = Inference(denoiser, memory=memory, pad=True)
    measure = ResidualTraces(inference, probes=_PROBES if wanted else _FEW_PROBES, seed=seed)
    left = math.inf if wanted else _ENOUGH

    def estimate(noisy):
        nonlocal left
        if noisy.size > left:
            return None
        left -= noisy.size
        return level_of_all(measure, noisy)

    return estimate


def _print_levels(files):
    corrected = [each.noise for each in files if each.noise is not None]
    taken = [each.residual for each in files if each.noise is not None or not corrected]
    if corrected:
        some = "" if len(taken) == len(files) else f" of {len(taken)} of {len(files)}"
        typer.echo(
            f"noise level{some}: {_range(taken)} by what was taken away, {_range(corrected)} corrected for "
            "the error that is left"
        )
    elif taken:
        typer.echo(
            f"taken away: {_range(taken)}, a little less than the noise (--noise estimates that)"
        )


def _range(levels):
    low, high = 255 * min(levels), 255 * max(levels)
    return f"{low:.1f}/255" + (f" to {high:.1f}/255" if len(levels) > 1 else "")
