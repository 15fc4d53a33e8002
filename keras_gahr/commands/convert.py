"""`gahr convert`."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.model_address import refuse_address

from .backend import BackendOption
from .convert_tree import convert_recursively
from .options import OverwriteOption


class FirstLayer(enum.StrEnum):
    linear = "linear"
    relu = "relu"


class Norm(enum.StrEnum):
    layer = "layer"
    instance = "instance"


class Predicts(enum.StrEnum):
    residual = "residual"
    image = "image"


NormOption = Annotated[
    Norm | None,
    typer.Option(
        help="Which norm UNet_flex was trained with, where its checkpoint cannot tell the two apart; one "
        "of them must then be said."
    ),
]
PredictsOption = Annotated[
    Predicts | None,
    typer.Option(
        help="What the network was trained to compute, which its checkpoint cannot tell: the residual "
        "unless said, or the image where it is a bias-free UNet. A bias-free DnCNN is known."
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Which weights of a file that holds those of several networks, as in params_ema: "
        "the first that are no average unless said. The others are named.",
        show_default=False,
    ),
]


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="A PyTorch checkpoint (.pt, .pth, .ckpt, ...), or a folder of multi-scale ones.",
            callback=refuse_address,
        ),
    ],
    output: Annotated[Path, typer.Argument(help="The .keras file to write.")],
    first_layer: Annotated[
        FirstLayer | None,
        typer.Option(
            help="Whether a ReLU follows the first convolution of BF_CNN, which the paper's "
            "checkpoints cannot tell: linear unless said. Other layouts are known."
        ),
    ] = None,
    norm: NormOption = None,
    predicts: PredictsOption = None,
    weights: WeightsOption = None,
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive", help="Convert every checkpoint in a folder tree, into such a tree."
        ),
    ] = False,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Make a .keras denoiser of a published PyTorch checkpoint.

    PyTorch is not needed and nothing in the checkpoint is executed. The weights are found wherever
    they lie in the file. Every layer is compared with a float64 reference before anything is written.
    A folder that holds the published folders of one low band (..._low) and of details (..._scale_0,
    ..._scale_1) becomes one multi-scale denoiser.
    """
    choose_backend(backend)
    import weights_convert

    asked = {
        "first_layer": first_layer and first_layer.value,
        "norm": norm and norm.value,
        "predicts": predicts and predicts.value,
        "weights": weights,
    }
    if recursive:
        convert_recursively(source, output, overwrite=overwrite, **asked)
        return
    make = weights_convert.convert_multi_scale if source.is_dir() else weights_convert.convert
    conversion = make(source, output, overwrite=overwrite, **asked)
    options = ", ".join(f"{name}={value}" for name, value in conversion.options.items())
    typer.echo(f"{conversion.architecture} ({options}), {conversion.parameters:,} parameters")
    typer.echo(
        f"every layer agrees with the float64 reference to {conversion.max_relative_difference:.1e}"
    )
    for note in conversion.notes:
        typer.echo(f"note: {note}")
    for assumption in conversion.assumptions:
        typer.echo(f"assumed: {assumption}")
    typer.echo(f"wrote {output}")
