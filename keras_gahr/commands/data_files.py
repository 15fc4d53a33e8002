"""`gahr data faces`, `folder`, `mnist` and `array`: datasets from files."""

import contextlib
import enum
import time
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    LayoutOption,
    MaxPixelsOption,
    OverwriteOption,
    parse_crop,
    parse_fraction,
    parse_size,
)
from .progress import progress_bar
from .summary import summarize


class PixelType(enum.StrEnum):
    float32 = "float32"
    uint8 = "uint8"


OutArgument = Annotated[Path, typer.Argument(help="Dataset folder to make.")]
TypeOption = Annotated[
    PixelType, typer.Option(help="Exact values, or rounded to 8 bits in a quarter of the room.")
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out unusable files instead of stopping.")
]
OnlyOption = Annotated[
    str | None,
    typer.Option(help='Take only pictures with such names, as "train*".', show_default="all"),
]
CountOption = Annotated[
    int | None,
    typer.Option(help="Take only the first so many pictures.", min=1, show_default="all"),
]
ColumnOption = Annotated[
    str | None,
    typer.Option(
        help="Column or feature with the pictures of a table.", show_default="the only one"
    ),
]
PatchOption = Annotated[
    int | None, typer.Option(help="Cut square patches of this size.", min=1, show_default="none")
]
StrideOption = Annotated[
    int | None,
    typer.Option(help="From one patch to the next.", min=1, show_default="the patch's size"),
]


def faces(
    source: Annotated[
        list[Path],
        typer.Argument(help="Folder, .tar, .tar.gz, .zip, .parquet of aligned CelebA pictures."),
    ],
    out: OutArgument,
    size: Annotated[int, typer.Option(help="Height and width: 160, 80, 40 or 20 pixels.")] = 80,
    color: Annotated[bool, typer.Option("--color/--gray", help="RGB, or their mean.")] = False,
    dtype: TypeOption = PixelType.float32,
    only: OnlyOption = None,
    count: CountOption = None,
    column: ColumnOption = None,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    overwrite: OverwriteOption = False,
):
    """Crop and shrink the aligned CelebA pictures (178x218, or 89x109).

    If it is killed, the same command goes on where it was.
    """
    from keras_gahr.datasets.faces import make_faces

    started = time.perf_counter()
    with _going_on(), progress_bar("Faces") as progress:
        dataset = make_faces(
            source,
            out,
            size,
            color,
            dtype.value,
            skip_bad=skip_bad,
            only=only,
            count=count,
            column=column,
            overwrite=overwrite,
            progress=progress,
        )
    summarize(dataset, out, started)


def folder(
    source: Annotated[
        list[Path],
        typer.Argument(
            help="Folder, .tar, .tar.gz or .zip of pictures, .parquet, .arrow, data.mdb or .tfrecord file, "
            "batches of CIFAR, or several."
        ),
    ],
    out: OutArgument,
    crop: Annotated[
        str | None,
        typer.Option(
            help="First crop: 160 or 160x120 (height x width) in the middle, 160x120+29+9 from the "
            "top and the left, or square.",
            show_default="none",
        ),
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Then shrink by 1/2, 0.25, ...", show_default="none")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Or shrink to 80, or 80x60 (height x width).", show_default="none"),
    ] = None,
    patch: PatchOption = None,
    stride: StrideOption = None,
    color: Annotated[bool, typer.Option("--color/--gray", help="RGB, or their mean.")] = False,
    dtype: TypeOption = PixelType.float32,
    only: OnlyOption = None,
    count: CountOption = None,
    column: ColumnOption = None,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    overwrite: OverwriteOption = False,
):
    """Crop, shrink and cut any pictures.

    A folder may hold shards instead, as of data sets of the Hugging Face Hub or of WebDataset: they are
    read in order of their names. Every file is read, or left out and listed in manifest.json (hidden
    ones, also in hidden folders, and other suffixes), or the command stops. Links to folders are
    followed. If it is killed, the same command goes on where it was.
    """
    from keras_gahr.datasets.folder import Framing, make_folder

    started = time.perf_counter()
    framing = Framing(
        crop=parse_crop(crop) if crop else None,
        scale=parse_fraction(scale, "scale") if scale else None,
        size=parse_size(size) if size else None,
        patch=patch,
        stride=stride,
    )
    with _going_on(), progress_bar("Pictures") as progress:
        dataset = make_folder(
            source,
            out,
            framing,
            color,
            dtype.value,
            skip_bad=skip_bad,
            only=only,
            count=count,
            column=column,
            overwrite=overwrite,
            progress=progress,
        )
    summarize(dataset, out, started)


def mnist(
    files: Annotated[
        list[Path], typer.Argument(help="IDX files of images, plain or .gz, in this order.")
    ],
    out: OutArgument,
    overwrite: OverwriteOption = False,
):
    """Join IDX files of images, such as MNIST's train-images-idx3-ubyte.gz."""
    from keras_gahr.datasets.array_files import make_mnist

    started = time.perf_counter()
    summarize(make_mnist(files, out, overwrite), out, started)


def array(
    file: Annotated[
        Path,
        typer.Argument(help="A .npy or .npz file: (H, W), (H, W, C), (N, H, W), (N, H, W, C)."),
    ],
    out: OutArgument,
    patch: PatchOption = None,
    stride: StrideOption = None,
    layout: LayoutOption = None,
    overwrite: OverwriteOption = False,
):
    """Take the images in an array, whole or in patches."""
    from keras_gahr.datasets.array_files import make_array

    started = time.perf_counter()
    summarize(make_array(file, out, patch, stride, overwrite, layout), out, started)


@contextlib.contextmanager
def _going_on():
    """On Ctrl-C, says that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on from here", err=True)
        raise typer.Exit(130) from None
