"""`gahr data`: make datasets."""

import enum
import time
from pathlib import Path
from typing import Annotated

import typer

from .options import OverwriteOption, SeedOption
from .progress import progress_bar

data_app = typer.Typer(no_args_is_help=True, help="Make datasets of images.")


class PixelType(enum.StrEnum):
    float32 = "float32"
    uint8 = "uint8"


@data_app.command()
def faces(
    source: Annotated[
        Path, typer.Argument(help="Folder, .tar, .tar.gz or .zip of aligned CelebA pictures.")
    ],
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    size: Annotated[int, typer.Option(help="Height and width: 160, 80, 40 or 20 pixels.")] = 80,
    color: Annotated[bool, typer.Option("--color", help="RGB instead of grey.")] = False,
    dtype: Annotated[
        PixelType, typer.Option(help="Exact values, or rounded to 8 bits in a quarter of the room.")
    ] = PixelType.float32,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out unusable files instead of stopping.")
    ] = False,
    overwrite: OverwriteOption = False,
):
    """Crop and shrink the aligned CelebA pictures (178x218, or 89x109)."""
    from keras_gahr.datasets.faces import make_faces

    started = time.perf_counter()
    with progress_bar("Faces") as progress:
        dataset = make_faces(
            source, out, size, color, dtype.value, skip_bad, overwrite, progress=progress
        )
    _summarize(dataset, out, started)


@data_app.command()
def disks(
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    count: Annotated[int, typer.Option(help="Number of images.", min=1)] = 100_000,
    size: Annotated[int, typer.Option(help="Height and width in pixels.", min=2)] = 80,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
):
    """Draw one disk in each image: random centre, radius, foreground and background.

    Image i depends on the seed and i alone.
    """
    from keras_gahr.datasets.disks import make_disks

    started = time.perf_counter()
    with progress_bar("Disks") as progress:
        dataset = make_disks(out, count, size, seed, overwrite=overwrite, progress=progress)
    _summarize(dataset, out, started)


def _summarize(dataset, out, started):
    """Writes the contact sheet of the first 64 images and prints the summary."""
    from keras_gahr.datasets.image_files import contact_sheet, write_image

    write_image(out / "contact_sheet.png", contact_sheet(dataset.as_float(slice(64))))
    count, height, width, channels = dataset.images.shape
    skipped = len(dataset.manifest["skipped"])
    typer.echo(
        f"{out}: {count} images of {height}x{width}x{channels} {dataset.images.dtype}, "
        f"{dataset.images.nbytes / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s"
        + (f"; {skipped} files left out, see manifest.json" if skipped else "")
    )
