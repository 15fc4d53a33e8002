"""Options that several commands share, and how they are parsed."""

import enum
import functools
import math
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.checkpoint_address import join_said, split_said
from keras_gahr.errors import InputError
from keras_gahr.hub.address import HUB_FORM, is_hub_address, parse_hub_address
from keras_gahr.memory import parse_memory
from keras_gahr.model_address import FORMS, is_address, parse_address
from keras_gahr.options.option import takes_options

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
SeedOption = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
BatchSizeOption = Annotated[int, typer.Option(help="Images computed at once.", min=1)]
PrecisionOption = Annotated[
    str,
    typer.Option(
        help="float32, or mixed_bfloat16: faster where the processor has it, but coarser."
    ),
]
IndexOption = Annotated[
    int | None, typer.Option(help="Which image of an array or dataset, from 0.", min=0)
]
ChannelOption = Annotated[
    int | None,
    typer.Option(
        help="Which channel of images in colour, from 0, as grey images.",
        min=0,
        show_default="all, or their mean for a grey network",
    ),
]
LayoutOption = Annotated[
    str | None,
    typer.Option(
        help="Axes of arrays: NCHW, CHW, NHW, ...; H rows, W columns, C channels, N images.",
        show_default="what fits, or NHWC",
    ),
]


def _limit_pixels(context: typer.Context, pixels: int | None):
    """Sets the limit until the command ends."""
    if pixels is not None:
        from keras_gahr.pixel_limit import pixel_limit

        context.with_resource(pixel_limit(pixels))
    return pixels


MaxPixelsOption = Annotated[
    int | None,
    typer.Option(
        help="Read pictures of up to so many pixels.",
        min=1,
        callback=_limit_pixels,
        show_default="178956970",
    ),
]


def _bytes(text):
    return None if text is None else parse_memory(text)


MemoryOption = Annotated[
    str | None,
    typer.Option(
        callback=_bytes,
        help="What computing images may take beside the network: 2GB, 500MB; larger images are computed "
        "in tiles. Default: a quarter of what is free.",
        show_default=False,
    ),
]


def offers(kind, without=(), marked=False):
    """A decorator: a command offers the options of a dataclass, which it takes as `**options`.

    Args:
        kind: see `declared`.
        without: names of options that are left out.
        marked: whether those that the user leaves out are None.
    """
    return takes_options(kind, without, functools.partial(_parameter, marked=marked))


def _parameter(each, marked):
    """Type and default of the parameter of a command for a `Declared` option."""
    option = each.option
    kind, default = each.kind, each.default
    if option.written is not None:
        kind = option.written | None if each.may_be_none else option.written
        default = f"{default:g}" if isinstance(default, float) else default
    names = [f"--{each.name.replace('_', '-')}"] if option.flag else []
    numeric = not option.written and set(each.types) <= {int, float}
    shown = True
    if marked and default is not None and kind is not bool:
        kind, default, shown = kind | None, None, str(default)
    made = typer.Option(
        *names,
        help=each.description,
        rich_help_panel=option.panel,
        min=option.least if numeric else None,
        show_default=shown,
    )
    return Annotated[kind, made], default


class Format(enum.StrEnum):
    """`keras_gahr.figure_files.FORMATS`."""

    png = "png"
    pdf = "pdf"
    svg = "svg"


FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="Of the figures: pixels or lines.", show_default="png"),
]


def find_model(model: Path):
    """What the command is to load: an address as a `ModelAddress`, anything else as it is.

    What is said after a checkpoint stays there, for `load_denoiser`. It says what an address will import, and
    downloads a published checkpoint that is asked for by its name, with a progress bar. A place on the Hub
    comes back with the commit that was fetched.
    """
    if is_address(model):
        return _say_import(parse_address(model))
    source, said = split_said(model)
    if is_hub_address(source):
        from keras_gahr.hub.download import fetch_from_hub

        address = fetch_from_hub(parse_hub_address(source)).address
        return Path(join_said(address, said)) if said else address
    from keras_gahr.pretrained.catalogue import find_pretrained, is_model_name
    from weights_convert.catalogue import fetch, find_published, is_fetched

    from .progress import progress_bar

    if find_pretrained(source) is not None:
        return model
    if is_model_name(source) and not is_fetched(published := find_published(str(source))):
        with progress_bar(f"fetching {source}", counted=False) as progress:
            fetch(published, progress=progress)
    return model


def _say_import(model):
    """The address, of whose import standard error tells."""
    if model.address.imports:
        typer.echo(f"importing {model.address.place}, as MODEL says", err=True)
    return model


MODEL_HELP = (
    "a path (a .keras file, a run, a recipe, a PyTorch checkpoint, after which ?first_layer=relu&... may say "
    "what it cannot tell, as options of `gahr convert` do), a name of `gahr weights list`, or "
    f"{FORMS.rpartition(', ')[0]} or {FORMS.rpartition(', ')[2]}, which may be followed by @RECIPE or "
    f"?OPTION=VALUE&..., or {HUB_FORM}"
)
ModelArgument = Annotated[
    Path, typer.Argument(help=f"A denoiser: {MODEL_HELP}", callback=find_model)
]


def check_model_output(out, overwrite):
    """Raises `InputError` unless a denoiser may be written there."""
    from keras_gahr.files import check_output_file

    if out.suffix != ".keras":
        raise InputError(f"received --out {out}, expected the name of a .keras file")
    check_output_file(out, overwrite)


def figure_path(folder, stem, chosen):
    """The path of a figure in a folder, in the format chosen, or as PNG if there is none."""
    return folder / f"{stem}.{chosen or Format.png}"


def parse_size(text):
    """(height, width) from `40` or `40x48`.

    Raises:
        InputError: if it is neither.
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(re.fullmatch(r"0*[1-9]\d{0,8}", side, re.ASCII) for side in sides):
        raise InputError(f"received size {text!r:.40}, expected 40 or HEIGHTxWIDTH such as 40x48")
    return int(sides[0]), int(sides[-1])


def parse_crop(text):
    """A crop as `Framing` has it, from `square`, `160`, `160x120` or `160x120+29+9`.

    Raises:
        InputError: if it is none of these.
    """
    if text == "square":
        return text
    found = re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?(?:\+(\d{1,9})\+(\d{1,9}))?", text, re.ASCII)
    if not found or "0" in {found[1], found[2]}:
        raise InputError(
            f"received crop {text!r:.40}, expected square, 160, HEIGHTxWIDTH or HEIGHTxWIDTH+TOP+LEFT"
        )
    height, width, *corner = found.groups()
    return (int(height), int(width or height), *(int(side) for side in corner if side is not None))


def parse_fraction(text, name):
    """A number from `0.25` or `1/4`.

    Raises:
        InputError: naming `name`, if it is neither.
    """
    # A fraction of whole numbers would take as much time as its exponents ask for.
    numerator, slash, denominator = text.partition("/")
    try:
        number = float(numerator) / (float(denominator) if slash else 1)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"received {name} {text!r:.40}, expected a number such as 0.25 or 1/4")
    return number


def expand_home(argument):
    """An argument of the command line with the user's folder for the `~` of `~/x` or `--out=~/x`.

    Of the latter a shell does not do it.
    """
    option, equals, value = ("", "", argument)
    if argument.startswith("-"):
        option, equals, value = argument.partition("=")
    if value != "~" and not value.startswith("~/"):
        return argument
    return f"{option}{equals}{os.path.expanduser(value)}"
