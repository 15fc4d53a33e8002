"""`gahr data`: make datasets."""

import enum
import time
from pathlib import Path
from typing import Annotated

import typer

from .options import OverwriteOption
from .progress import progress_bar
from .summary import summarize
from .synthetic import c_alpha, disks, ray, shuffled, sines

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
    summarize(dataset, out, started)


data_app.command()(disks)
data_app.command("c-alpha")(c_alpha)
data_app.command()(ray)
data_app.command()(sines)
data_app.command()(shuffled)
