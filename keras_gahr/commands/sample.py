"""`gahr sample`."""

from pathlib import Path
from typing import Annotated

import typer

from .backend import BackendOption, choose_backend
from .options import BatchSizeOption, ModelArgument, OverwriteOption, SeedOption, parse_size
from .sampler_options import (
    BetaOption,
    FirstStepOption,
    FixedStepOption,
    InitialMeanOption,
    MaxStepsOption,
    SigmaEndOption,
    SigmaStartOption,
    parse_schedule,
)


def sample(
    model: ModelArgument,
    out: Annotated[Path, typer.Option(help="Folder for samples.png, samples.npy, sampling.json.")],
    count: Annotated[int, typer.Option(help="How many images.", min=1)] = 16,
    size: Annotated[
        str | None,
        typer.Option(help="40 or HEIGHTxWIDTH; default: the size it was trained on."),
    ] = None,
    seed: SeedOption = 0,
    beta: BetaOption = 0.01,
    h0: FirstStepOption = 0.01,
    fixed_h: FixedStepOption = False,
    sigma_0: SigmaStartOption = "1",
    sigma_end: SigmaEndOption = "0.01",
    init_mean: InitialMeanOption = 0.5,
    max_steps: MaxStepsOption = None,
    batch_size: BatchSizeOption = 16,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Draw new images from the prior in a denoiser.

    The same seed gives the same images on every backend and for every batch size.
    """
    choose_backend(backend)
    import time

    import keras

    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.sampling import check_samples_output, save_samples
    from keras_gahr.sampling import sample as draw_samples

    from .progress import progress_bar

    check_samples_output(out, overwrite)
    schedule = parse_schedule(
        sigma_0,
        sigma_end,
        h0=h0,
        beta=beta,
        fixed_h=fixed_h,
        init_mean=init_mean,
        max_steps=max_steps,
    )
    denoiser = load_denoiser(model)
    trained_on = _trained_size(denoiser.provenance)
    if size is None and trained_on is None:
        raise InputError(
            f"{model} does not say what size it was trained on: pass --size, such as 40"
        )
    height, width = parse_size(size) if size is not None else trained_on

    start = time.monotonic()
    with progress_bar("sampling", counted=False) as progress:
        samples = draw_samples(
            denoiser,
            (height, width, denoiser.output_channels),
            count=count,
            seed=seed,
            schedule=schedule,
            batch_size=batch_size,
            progress=progress,
        )
    seconds = time.monotonic() - start
    save_samples(
        samples,
        out,
        schedule,
        denoiser=model.name,
        provenance=denoiser.provenance,
        seed=seed,
        seconds=round(seconds, 2),
        backend=keras.backend.backend(),
        overwrite=overwrite,
    )
    converged = samples.status.count("converged")
    typer.echo(
        f"{count} images of {height}x{width} in {seconds:.1f} s, {samples.steps.min()} to "
        f"{samples.steps.max()} steps, {converged} converged: {out / 'samples.png'}"
    )
    if converged < count:
        unfinished = [i for i, status in enumerate(samples.status) if status != "converged"]
        typer.echo(
            f"warning: images {', '.join(map(str, unfinished))} did not converge "
            "(see sampling.json): a larger beta or sigma-end may help",
            err=True,
        )


def _trained_size(provenance):
    """(height, width) of the training images, or None where the file does not say."""
    match provenance.get("image_shape"):
        case [int(height), int(width), int()]:
            return height, width
    return None
