"""`gahr data disks`, `c-alpha`, `ray`, `sines`, `mixture` and `shuffled`: families that are known.

Image i of a family depends on the seed and i alone.
"""

import enum
import time
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError

from .options import LayoutOption, MaxPixelsOption, OverwriteOption, SeedOption, parse_size
from .progress import progress_bar
from .summary import summarize

OutArgument = Annotated[Path, typer.Argument(help="Dataset folder to make.")]
CountOption = Annotated[int, typer.Option(help="Number of images.", min=1)]
SideOption = Annotated[int, typer.Option(help="Height and width in pixels.", min=2)]
IntensityOption = typer.Option(min=0, max=1, help="The same for all images; by default random.")


class Preset(enum.StrEnum):
    """Mixtures that are published."""

    molrg = "molrg"


def disks(
    out: OutArgument,
    count: CountOption = 100_000,
    size: SideOption = 80,
    seed: SeedOption = 0,
    wrap: Annotated[
        bool, typer.Option("--wrap", help="Disks that leave on one side come in on the other.")
    ] = False,
    centred: Annotated[
        bool, typer.Option("--centred", help="All disks in the middle of the image.")
    ] = False,
    radius: Annotated[
        float | None,
        typer.Option(help="One radius, as a fraction of the size; by default from 0.1 to 0.3."),
    ] = None,
    foreground: Annotated[float | None, IntensityOption] = None,
    background: Annotated[float | None, IntensityOption] = None,
    overwrite: OverwriteOption = False,
):
    """Draw one disk in each image: random centre, radius, foreground and background."""
    from keras_gahr.datasets.disks import RADII, make_disks

    options = {
        "wrap": wrap or None,
        "centre": (0.5, 0.5) if centred else None,
        "foreground": foreground,
        "background": background,
    }
    given = {name: value for name, value in options.items() if value is not None}
    radii = RADII if radius is None else (radius, radius)
    _make("Disks", out, make_disks, out, count, size, seed, radii, overwrite, **given)


def c_alpha(
    out: OutArgument,
    alpha: Annotated[float, typer.Option(help="Regularity of the contour.")] = 2,
    beta: Annotated[
        float | None, typer.Option(help="Regularity of the backgrounds; by default alpha.")
    ] = None,
    blurred: Annotated[
        bool, typer.Option("--blurred", help="Average the contour over 2x2 pixels, as the paper.")
    ] = False,
    constant: Annotated[bool, typer.Option("--constant", help="Constant backgrounds.")] = False,
    separable: Annotated[
        bool, typer.Option("--separable", help="Backgrounds with horizontal and vertical texture.")
    ] = False,
    antialias: Annotated[
        int, typer.Option(help="2 or 4: draw larger and keep the low wavelet band.")
    ] = 1,
    wavelet: Annotated[str, typer.Option(help="The wavelet for that: haar, db2, ...")] = "haar",
    count: CountOption = 100_000,
    size: SideOption = 80,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
):
    """Draw two regular textures on both sides of a regular contour."""
    from keras_gahr.datasets.c_alpha import make_c_alpha

    _make(
        "C-alpha",
        out,
        make_c_alpha,
        out,
        count,
        size,
        seed,
        alpha,
        overwrite,
        beta=beta,
        blurred=blurred,
        constant=constant,
        separable=separable,
        antialias=antialias,
        wavelet=wavelet,
    )


def ray(
    image: Annotated[Path, typer.Argument(help="A picture or a .npy array.")],
    out: OutArgument,
    count: CountOption = 100_000,
    seed: SeedOption = 0,
    gray: Annotated[bool, typer.Option("--gray", help="Make a colour picture grey.")] = False,
    layout: LayoutOption = None,
    max_pixels: MaxPixelsOption = None,
    overwrite: OverwriteOption = False,
):
    """Multiply one image by random intensities between 0 and 1."""
    from keras_gahr.datasets.ray import make_ray

    channels = 1 if gray else None
    _make("Ray", out, make_ray, image, out, count, seed, channels, overwrite, layout=layout)


def sines(
    out: OutArgument,
    count: CountOption = 100_000,
    size: SideOption = 80,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
):
    """Draw plane waves of one period: random phase and intensity."""
    from keras_gahr.datasets.sines import make_sines

    _make("Sines", out, make_sines, out, count, size, seed, overwrite)


def mixture(
    out: OutArgument,
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="molrg: two classes of dimension 7 in 4x4 pixels of colour, orthogonal to each other and "
            "equally frequent, 700 images. Other options change it."
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="40 or HEIGHTxWIDTH in pixels.", show_default="16")
    ] = None,
    color: Annotated[
        bool | None, typer.Option("--color/--gray", help="Channels.", show_default="gray")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="Number of Gaussians.", min=1, show_default="2")
    ] = None,
    rank: Annotated[
        str | None,
        typer.Option(
            help="Directions in which a class varies: 7, or 7,3 for each class.", show_default="7"
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="How probable each class is, such as 3,1.", show_default="equally"),
    ] = None,
    spread: Annotated[
        float,
        typer.Option(
            help="Deviation of pixels of the means; 1: as a class along a direction.", min=0
        ),
    ] = 0,
    floor: Annotated[
        float,
        typer.Option(help="Variance in all other directions; above 0: full covariances.", min=0),
    ] = 0,
    overlapping: Annotated[
        bool, typer.Option("--overlapping", help="Classes may have directions in common.")
    ] = False,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Classes take turns, instead of by chance.")
    ] = False,
    law_seed: Annotated[int, typer.Option(help="Seed of means and directions.", min=0)] = 0,
    count: Annotated[
        int | None, typer.Option(help="Number of images.", min=1, show_default="100000")
    ] = None,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
):
    """Draw images of a mixture of Gaussians, whose best denoiser `gahr baseline mixture` makes."""
    from keras_gahr.datasets.mixture import MOLRG, make_mixture

    known = {} if preset is None else {**MOLRG, "count": 700}
    given = {
        "size": None if size is None else parse_size(size),
        "channels": None if color is None else 3 if color else 1,
        "classes": classes,
        "rank": _numbers(rank, "rank", int),
        "weights": _numbers(weights, "weights", float),
        "balanced": balanced or None,
        "count": count,
    }
    options = {"count": 100_000, **known}
    options |= {name: value for name, value in given.items() if value is not None}
    options |= {"spread": spread, "floor": floor, "overlapping": overlapping, "law_seed": law_seed}
    _make("Mixture", out, make_mixture, out, seed=seed, overwrite=overwrite, **options)


def _numbers(text, name, kind):
    """One number, or several with commas between them."""
    if text is None:
        return None
    try:
        found = [kind(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"received {name} {text!r:.40}, expected a number, or several such as 7,3"
        ) from None
    return found if len(found) > 1 else found[0]


def shuffled(
    dataset: Annotated[
        Path, typer.Argument(help="Dataset folder, or a .npy or .npz array of images.")
    ],
    out: OutArgument,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Seed of the permutation: 0, or for --inverse the one in the manifest."
        ),
    ] = None,
    inverse: Annotated[
        bool, typer.Option("--inverse", help="Put the pixels of shuffled images back.")
    ] = False,
    layout: LayoutOption = None,
    overwrite: OverwriteOption = False,
):
    """Shuffle the pixels of all images by one fixed permutation."""
    from keras_gahr.datasets.shuffled import make_shuffled

    _make("Shuffled", out, make_shuffled, dataset, out, seed, inverse, overwrite, layout=layout)


def _make(title, out, make, *arguments, **options):
    """Calls make(..., progress=...) under a progress bar; then the picture and the summary."""
    started = time.perf_counter()
    with progress_bar(title) as progress:
        dataset = make(*arguments, progress=progress, **options)
    summarize(dataset, out, started)
