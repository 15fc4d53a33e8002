"""`gahr restore`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.options.sampling import SamplerOptions

from .backend import BackendOption
from .options import (
    BatchSizeOption,
    ChannelOption,
    Format,
    FormatOption,
    IndexOption,
    LayoutOption,
    MaxPixelsOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    PrecisionOption,
    SeedOption,
    figure_path,
    offers,
    parse_crop,
    parse_size,
)
from .sampler_options import SamplerOption, chosen_schedule


@offers(SamplerOptions, marked=True)
def restore(
    model: ModelArgument,
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...", help="PNG, JPEG, .npy or .npz arrays, datasets, folders of them."
        ),
    ],
    measurement: Annotated[
        str,
        typer.Option(
            help="What is known, such as super-resolution:4, inpainting:30x30, random-pixels:0.1, "
            "random-basis:0.1, random-transform:0.1, spectral:0.3, deblur:gaussian:1.5, mask:FILE, "
            "grey, or several with commas; see docs/measurements.md."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to make, with a folder for each image.")],
    repeat: Annotated[
        int, typer.Option(help="Samples of each image, whose mean is written too.", min=1)
    ] = 8,
    crop: Annotated[
        str | None,
        typer.Option(help="square, 64, HEIGHTxWIDTH or HEIGHTxWIDTH+TOP+LEFT; default: all."),
    ] = None,
    index: IndexOption = None,
    channel: ChannelOption = None,
    measured: Annotated[
        bool, typer.Option("--measured", help="IMAGE holds what was observed, not whole images.")
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(help="With --measured: 40 or HEIGHTxWIDTH, where numbers do not say it."),
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    sampler: SamplerOption = "ascent",
    *,
    batch_size: BatchSizeOption = 16,
    memory: MemoryOption = None,
    precision: PrecisionOption = "float32",
    max_pixels: MaxPixelsOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
    **of_schedule,
):
    """Measure images, and restore them from these measurements and the prior in a denoiser.

    Writes what was observed, the image of least norm, a sample, the mean of all samples (which has a
    higher PSNR) and their deviation. A run that was killed goes on when it is started again. An image
    depends on the seed, not on the other images.
    """
    choose_backend(backend)
    import time

    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.plot import restored_images, save
    from keras_gahr.restoration import InputImages, check_restoration_output, restore_files
    from keras_gahr.restoration.inputs import GREY, REPEATED

    from .left_out import describe_left_out
    from .progress import progress_bar
    from .table import print_table

    schedule = chosen_schedule(of_schedule, sampler)
    denoiser = load_denoiser(model, precision)
    images = InputImages(
        sources,
        measurement,
        denoiser.output_channels,
        seed,
        crop=None if crop is None else parse_crop(crop),
        index=index,
        channel=channel,
        measured=measured,
        sides=None if size is None else parse_size(size),
        layout=layout,
    )
    check_restoration_output(out, images.names, overwrite)

    def draw(folder, restoration, observed):
        figure = restored_images(restoration, measurement=images.text, observed=observed)
        save(figure, figure_path(folder, "figure", figures))

    start = time.monotonic()
    with progress_bar("restoring", counted=False) as progress:
        rows = restore_files(
            denoiser,
            images,
            out,
            repeat=repeat,
            seed=seed,
            schedule=schedule,
            sampler=sampler,
            batch_size=batch_size,
            memory=memory,
            overwrite=overwrite,
            progress=progress,
            draw=draw,
            figures=figures or Format.png,
            denoiser_file=model.name,
            precision=precision,
        )
    seconds = time.monotonic() - start
    if not measured:
        print_table(*_quality_table(rows))
    for what, line in (
        (GREY, "in colour: made grey for a grey network"),
        (REPEATED, "grey: repeated for a colour network"),
    ):
        if changed := sum(row["channels"] == what for row in rows):
            typer.echo(f"{changed} of {len(rows)} {line}")
    if images.left_out:
        typer.echo(describe_left_out([*images.left_out.items()]))
    typer.echo(f"{len(rows)} restored in {seconds:.1f} s: {out}")
    for status, advice in (
        ("diverged", "and are left out of the mean"),
        ("max_steps", "(not converged): a larger beta or sigma-end may help"),
    ):
        names = [f"{row['name']} ({row[status]} of {repeat})" for row in rows if row[status]]
        if names:
            typer.echo(
                f"warning: samples of {', '.join(names)} {_ENDINGS[status]} {advice}", err=True
            )


_ENDINGS = {"diverged": "diverged", "max_steps": "ran out of steps"}


def _quality_table(rows):
    """Header and rows of text: PSNR and SSIM of each image, and their means if there are several."""
    header = ["image", "PSNR least norm", "sample", "mean", "SSIM least norm", "sample", "mean"]
    columns = [key for key in rows[0] if key.startswith(("psnr_", "ssim_"))]
    lines = [(row["name"], [row[key] for key in columns]) for row in rows]
    if len(rows) > 1:
        known = [[row[key] for row in rows if row[key] is not None] for key in columns]
        means = [sum(values) / len(values) if values else None for values in known]
        lines.append((f"mean of {len(rows)}", means))
    return header, [[name, *map(_cell, values, columns)] for name, values in lines]


def _cell(value, column):
    if value is None:
        return "-"
    return f"{value:.2f}" if column.startswith("psnr") else f"{value:.4f}"
