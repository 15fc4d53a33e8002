"""`gahr sample`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.options.sampling import SamplerOptions

from .backend import BackendOption
from .options import (
    BatchSizeOption,
    LayoutOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    PrecisionOption,
    SeedOption,
    offers,
    parse_size,
)
from .sampler_options import (
    DeterministicOption,
    FinalDenoiseOption,
    FirstImageOption,
    InitialOption,
    SamplerOption,
    TrajectoryOption,
    chosen_schedule,
)


@offers(SamplerOptions, marked=True)
def sample(
    model: ModelArgument,
    out: Annotated[Path, typer.Option(help="Folder for samples.png, samples.npy, sampling.json.")],
    count: Annotated[
        int | None,
        typer.Option(help="How many images.", min=1, show_default="16, or as many as are given"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="40 or HEIGHTxWIDTH; default: the size it was trained on."),
    ] = None,
    seed: SeedOption = 0,
    first_image: FirstImageOption = 0,
    sampler: SamplerOption = "ascent",
    *,
    deterministic: DeterministicOption = False,
    initial: InitialOption = None,
    final_denoise: FinalDenoiseOption = True,
    trajectory: TrajectoryOption = None,
    low_band: Annotated[
        Path | None,
        typer.Option(help="Multi-scale denoisers: the file of small images to enlarge."),
    ] = None,
    joint: Annotated[
        bool,
        typer.Option("--joint", help="Multi-scale denoisers: all bands at once, not one by one."),
    ] = False,
    layout: LayoutOption = None,
    batch_size: BatchSizeOption = 16,
    memory: MemoryOption = None,
    precision: PrecisionOption = "float32",
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
    **of_schedule,
):
    """Draw new images from the prior in a denoiser.

    The same seed gives the same images on every backend and for every batch size. From a multi-scale
    denoiser the low band is drawn first, then the details of each scale given the band below.
    """
    choose_backend(backend)
    import time

    from keras_gahr.datasets.arrays import STARTS
    from keras_gahr.datasets.image_files import read_images
    from keras_gahr.denoisers import MultiScaleDenoiser, load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.sampling import NoiseLevels, Samples, Trajectory

    Samples.check_output(out, overwrite)
    schedule = chosen_schedule(of_schedule, sampler, deterministic)
    denoiser = load_denoiser(model, precision)
    by_level = isinstance(denoiser, MultiScaleDenoiser) and not joint
    options = {
        "sampler": sampler,
        "schedule": schedule,
        "seed": seed,
        "first_image": first_image,
        "final_denoise": final_denoise,
        "batch_size": batch_size,
        "memory": memory,
    }
    if by_level and (initial is not None or trajectory is not None):
        option = "--trajectory" if initial is None else "--initial"
        raise InputError(f"received {option} for a multi-scale denoiser: pass --joint too")
    if not by_level and low_band is not None:
        raise InputError("received --low-band, which needs a multi-scale denoiser without --joint")
    trained_on = _trained_size(denoiser.provenance)
    given = None
    if (file := initial or low_band) is not None:
        given, _ = read_images(file, denoiser.output_channels, layout, STARTS)
        options["initial" if initial else "low_band"] = given
        larger = 0 if initial else denoiser.num_scales
        trained_on = tuple(side << larger for side in given.shape[1:3])
    count = (16 if given is None else len(given)) if count is None else count
    if size is None and trained_on is None:
        raise InputError(
            f"{model} does not say what size it was trained on: pass --size, such as 40"
        )
    height, width = parse_size(size) if size is not None else trained_on
    if trajectory is not None:
        options["trajectory"] = Trajectory(trajectory)

    start = time.monotonic()
    samples = _draw(denoiser, (height, width, denoiser.output_channels), by_level, count, options)
    seconds = time.monotonic() - start
    samples.save(
        out,
        overwrite=overwrite,
        denoiser=model.name,
        precision=precision,
        seconds=round(seconds, 2),
    )
    converged = samples.status.count("converged")
    typer.echo(
        f"{count} images of {height}x{width} in {seconds:.1f} s, {samples.steps.min()} to "
        f"{samples.steps.max()} steps, at most {samples.passes.max()} passes of the network, "
        f"{converged} converged: {out / 'samples.png'}"
    )
    if by_level:
        for name, level in zip(samples.names, samples.levels, strict=True):
            typer.echo(
                f"{name}: {level.steps.min()} to {level.steps.max()} steps, "
                f"{level.status.count('converged')} converged"
            )
    ended = {"converged", "noise_unseen"}
    if unfinished := [i for i, status in enumerate(samples.status) if status not in ended]:
        more = "more steps" if isinstance(schedule, NoiseLevels) else "a larger beta"
        typer.echo(
            f"warning: images {', '.join(map(str, unfinished))} did not converge "
            f"(see sampling.json): {more} or a larger sigma-end may help",
            err=True,
        )


def _draw(denoiser, shape, by_level, count, options):
    """The samples, behind a progress bar."""
    from keras_gahr.sampling import sample, sample_multi_scale

    from .progress import progress_bar

    draw = sample_multi_scale if by_level else sample
    with progress_bar("sampling", counted=False) as progress:
        return draw(denoiser, shape, count=count, progress=progress, **options)


def _trained_size(provenance):
    """(height, width) of the training images, or None where the file does not say."""
    match provenance.get("image_shape"):
        case [int(height), int(width), int()]:
            return height, width
    return None
