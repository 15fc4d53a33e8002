"""`gahr density`."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    BatchSizeOption,
    Format,
    FormatOption,
    LayoutOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
)

_BLOCK = 16
"""Images that are finished together: what an interrupted command keeps."""

_ASKED, _SIGMA = 4, 0.1
"""Images, and their noise level, at which it is asked how far the denoiser is from a gradient."""


def density(
    model: ModelArgument,
    images: Annotated[
        Path, typer.Argument(help="Images: a dataset folder, or a .npy or .npz file.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for density.json, .csv, .npz and figures.")],
    against: Annotated[
        Path | None, typer.Option(help="Other images, to tell from these by their density.")
    ] = None,
    twin: Annotated[
        Path | None,
        typer.Option(help="Another denoiser: does it find the same of these images?"),
    ] = None,
    count: Annotated[
        int, typer.Option(help="Images of each set, evenly spread over it.", min=1)
    ] = 64,
    method: Annotated[
        str, typer.Option(help="mmse: by errors of denoising; flow: by the probability flow.")
    ] = "mmse",
    evaluations: Annotated[
        int, typer.Option(help="Passes of the denoiser for each image.", min=12)
    ] = 400,
    error: Annotated[
        float | None,
        typer.Option(help="Go on until the standard error of bits per dimension is so small."),
    ] = None,
    most: Annotated[
        int, typer.Option(help="Passes where an image ends in any case.", min=12)
    ] = 20_000,
    dequantize: Annotated[
        str | None,
        typer.Option(
            help="Noise level that is added to images; default: 1/(255 sqrt(12)) for bytes, 0 for others."
        ),
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 32,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """How probable are images? log p(x) in bits per dimension, with standard errors.

    A command that was stopped goes on where it was when it is given again.
    """
    choose_backend(backend)
    from keras_gahr.analysis import DensityComparison
    from keras_gahr.datasets import load
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.noise import parse_sigma

    from .caught import warnings_as_lines

    DensityComparison.check_output(out, overwrite)
    options = {
        "method": method,
        "evaluations": evaluations,
        "error": error,
        "most": most,
        "dequantize": None if dequantize is None else parse_sigma(dequantize),
        "seed": seed,
    }
    sets = {
        name: _spread(load(path, layout=layout).images, count)
        for name, path in (("images", images), ("others", against))
        if path is not None
    }
    denoisers = {
        name: load_denoiser(path)
        for name, path in (("model", model), ("twin", twin))
        if path is not None
    }
    kept = Kept(out, {**options, "models": [str(model), None if twin is None else str(twin)]})
    with warnings_as_lines():
        found = kept.densities("model", denoisers["model"], sets["images"], options, batch_size)
        others = twins = None
        if against is not None:
            others = kept.densities(
                "others", denoisers["model"], sets["others"], options, batch_size
            )
        if twin is not None:
            twins = kept.densities("twin", denoisers["twin"], sets["images"], options, batch_size)
    result = DensityComparison.of(found, _as_float(sets["images"]), others, twins)
    asymmetry = _asymmetry(denoisers["model"], sets["images"][:_ASKED], seed)
    result.save(
        out,
        overwrite=overwrite,
        figures=figures or Format.png,
        model=str(model),
        dataset=images.resolve().name,
        against=None if against is None else against.resolve().name,
        twin_model=None if twin is None else str(twin),
        asymmetry=asymmetry,
        asymmetry_sigma=_SIGMA,
    )
    kept.remove()
    _print(result, asymmetry, out)


class Kept:
    """What an interrupted command had found, beside the folder that it was to make.

    Args:
        out: that folder.
        made: what is being made, as JSON has it.
    """

    def __init__(self, out, made):
        from keras_gahr.datasets.journal import Journal

        out.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(out.with_name(f"{out.name}.unfinished.jsonl"), made)

    def densities(self, name, denoiser, images, options, batch_size):
        """The `LogDensity` of all images, block by block."""
        import numpy as np

        from keras_gahr.analysis import log_density
        from keras_gahr.progress import share

        from .progress import progress_bar

        parts = []
        with progress_bar(f"densities, {name}", counted=False) as progress:
            for start in range(0, len(images), _BLOCK):
                block = np.ascontiguousarray(images[start : start + _BLOCK])
                key = [name, start, hashlib.sha256(block.tobytes()).hexdigest()]
                entry = self._journal.next(key)
                if entry is not None:
                    self._journal.accept()
                    parts.append(_from_entry(entry))
                else:
                    part = share(progress, start // _BLOCK, -(-len(images) // _BLOCK))
                    found = log_density(
                        denoiser,
                        block,
                        first=start,
                        batch_size=batch_size,
                        progress=part,
                        **options,
                    )
                    self._journal.add(key=key, **_as_entry(found))
                    parts.append(found)
                # Those of the first block hold for all: densities are to be compared.
                options = {**options, "sigmas": parts[0].sigmas}
        return _joined(parts)

    def remove(self):
        self._journal.remove()


def _as_entry(found):
    import dataclasses

    import numpy as np

    return {
        field.name: value.tolist() if isinstance(value, np.ndarray) else value
        for field in dataclasses.fields(found)
        for value in [getattr(found, field.name)]
    }


def _from_entry(entry):
    import numpy as np

    from keras_gahr.analysis import LogDensity

    values = {
        name: np.array(value) if isinstance(value, list) and name != "sigmas" else value
        for name, value in entry.items()
        if name != "key"
    }
    return LogDensity(**{**values, "sigmas": tuple(values["sigmas"])})


def _joined(parts):
    import dataclasses

    import numpy as np

    names = ("log_density", "standard_error", "reach", "evaluations")
    return dataclasses.replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
    )


def _spread(images, count):
    from keras_gahr.datasets.arrays import spread_places

    return images[spread_places(len(images), count)]


def _as_float(images):
    from keras_gahr.datasets.arrays import to_float

    return to_float(images)


def _asymmetry(denoiser, images, seed):
    """|J - J^T| / |J|, mean over noisy images; None if the denoiser has no derivative or another level."""
    import numpy as np

    from keras_gahr.analysis import Linearizer, probe_statistics
    from keras_gahr.errors import InputError
    from keras_gahr.psnr import add_noise

    try:
        linearizer = Linearizer(denoiser)
        jacobians = (linearizer.at(y, _SIGMA) for y in add_noise(_as_float(images), _SIGMA, seed))
        return float(np.mean([probe_statistics(each).asymmetry for each in jacobians]))
    except InputError:
        return None


def _print(result, asymmetry, out):
    import numpy as np

    from keras_gahr.analysis.intervals import mean_interval

    found = result.found
    for name, each in (("", found), ("others: ", result.others), ("twin: ", result.twin)):
        if each is None:
            continue
        bits = each.bits_per_dimension
        low, high = mean_interval(bits)
        spread = "" if np.isnan(low) else f" (95%: {low:.4f} to {high:.4f})"
        typer.echo(
            f"{name}{len(bits)} images: {bits.mean():.4f} bits per dimension{spread}; standard error of each "
            f"{each.bits_error.mean():.4f}"
        )
    noise = f"noise of sigma = {found.dequantization:.3g}" if found.dequantization else "none"
    typer.echo(f"densities of values in [0, 1], 8 bits more for bytes; dequantization: {noise}")
    if asymmetry is not None:
        typer.echo(
            f"asymmetry of the Jacobian at sigma = {_SIGMA:g}: {asymmetry:.3f}; that of a gradient is 0, "
            "and only the best denoiser of a law has its density"
        )
    for what, value in (
        ("more probable than one of the others", result.told_apart),
        ("correlation with the twin", result.agreement),
    ):
        if value is not None:
            typer.echo(f"{what}: {value[0]:.3f} (95%: {value[1][0]:.3f} to {value[1][1]:.3f})")
    order = found.order
    typer.echo(
        f"most probable: {', '.join(map(str, order[:5]))}; least: {', '.join(map(str, order[::-1][:5]))}"
    )
    typer.echo(f"numbers and figures: {out}")
