"""`gahr assemble`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.model_address import refuse_address

from .backend import BackendOption
from .options import OverwriteOption, check_model_output


def assemble(
    low: Annotated[
        Path,
        typer.Argument(
            help="The denoiser of the low band: a .keras file.", callback=refuse_address
        ),
    ],
    details: Annotated[
        list[Path],
        typer.Argument(
            help="Conditional denoisers of the details, the finest scale first.",
            callback=lambda paths: [refuse_address(path) for path in paths],
        ),
    ],
    out: Annotated[Path, typer.Option(help="The .keras file to make.")],
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Put denoisers of wavelet bands together to a multi-scale denoiser."""
    choose_backend(backend)
    from keras_gahr.denoisers import MultiScaleDenoiser, load_denoiser, save_denoiser

    check_model_output(out, overwrite)
    denoiser = MultiScaleDenoiser(load_denoiser(low), [load_denoiser(path) for path in details])
    save_denoiser(denoiser, out)
    typer.echo(
        f"{out}: {denoiser.num_scales} scale(s), {denoiser.num_parameters:,} parameters, image sides "
        f"that are multiples of {denoiser.size_multiple}"
    )
