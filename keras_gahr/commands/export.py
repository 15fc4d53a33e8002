"""`gahr export`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import ModelArgument, OverwriteOption, parse_size


def export(
    model: ModelArgument,
    output: Annotated[Path, typer.Argument(help="The file to write: .pt, .safetensors or .onnx.")],
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N|HxW",
            help="Size of the images, only for ONNX files that cannot leave it free.",
            show_default=False,
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Write a denoiser for PyTorch (.pt), as .safetensors or as .onnx.

    The first two need no PyTorch and hold a state dict that the paper's published networks load
    with strict=True. What its arrays cannot tell, such as that the network was trained with
    --no-skip, is printed as options of `gahr convert`. ONNX is written by Keras and compared with
    ONNX Runtime; its output is the residual, to be subtracted from the noisy images (batch, height,
    width, channels).
    """
    choose_backend(backend)
    import weights_convert

    made = weights_convert.export_denoiser(
        model, output, size=parse_size(size) if size else None, overwrite=overwrite
    )
    options = ", ".join(f"{name}={value}" for name, value in made.options.items())
    typer.echo(f"{made.architecture} ({options})" if options else made.architecture)
    if made.arrays is not None:
        typer.echo(f"{made.arrays} arrays, bit for bit those of {model}")
    else:
        typer.echo(f"ONNX Runtime agrees with Keras to {made.max_relative_difference:.1e}")
    for note in made.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"wrote {output}")
