"""`gahr data bands`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from .options import LayoutOption, OverwriteOption
from .progress import progress_bar
from .summary import summarize


def bands(
    dataset: Annotated[
        Path, typer.Argument(help="Dataset folder, or a .npy or .npz array of images.")
    ],
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    scale: Annotated[
        int, typer.Option(help="0: half the height and width, 1: a quarter, ...", min=0)
    ] = 0,
    low: Annotated[
        bool, typer.Option("--low", help="The low band alone: images averaged over blocks.")
    ] = False,
    layout: LayoutOption = None,
    overwrite: OverwriteOption = False,
):
    """Take the Haar wavelet bands of images, to train a multi-scale denoiser on.

    A conditional network (`gahr train --conditional`) learns the details of a scale given its low
    band; another learns the low band of the last scale.
    """
    from keras_gahr.datasets.bands import band_pictures, make_bands

    started = time.perf_counter()
    with progress_bar("Bands") as progress:
        made = make_bands(dataset, out, scale, low, overwrite, progress, layout)
    shown = {} if low else {"picture": lambda bands: band_pictures(bands[None])[0]}
    summarize(made, out, started, **shown)
