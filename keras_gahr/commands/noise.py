"""`gahr noise`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    Format,
    FormatOption,
    LayoutOption,
    MaxPixelsOption,
    MemoryOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
)
from .table import print_table


def noise(
    model: ModelArgument,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures, .npy or .npz arrays, or datasets."),
    ],
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Take the images as clean: add known noise, and estimate that."
        ),
    ] = False,
    sigmas: Annotated[
        str | None,
        typer.Option(
            help="Levels for --calibrate: 10/255,25/255,0.2; default: ten from 1/255 to 316/255."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="With --calibrate: folder for noise_calibration.json, .npz and figure."),
    ] = None,
    count: Annotated[
        int, typer.Option(help="Images of an array or dataset, the first ones.", min=1)
    ] = 16,
    probes: Annotated[
        int, typer.Option(help="Products with the Jacobian, for its trace.", min=2)
    ] = 16,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    memory: MemoryOption = None,
    max_pixels: MaxPixelsOption = None,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Estimate the noise level in images, and how well that is done.

    What a denoiser takes away, |r| / sqrt(d), is less than the noise, by the error that it makes; corrected
    by the trace of its Jacobian, |r| / sqrt(d - tr J), it is right for the best denoiser.
    """
    choose_backend(backend)
    from keras_gahr.analysis import NoiseCalibration, noise_calibration, noise_level
    from keras_gahr.datasets.arrays import CLEAN, NOISY
    from keras_gahr.denoisers import Inference, load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.noise import parse_sigma

    from .progress import progress_bar

    if calibrate != (out is not None):
        raise InputError("received one of --calibrate and --out: give both, or none")
    if sigmas is not None and not calibrate:
        raise InputError("received --sigmas without --calibrate: give both, or none")
    levels = None if sigmas is None else [parse_sigma(text) for text in sigmas.split(",")]
    if out is not None:
        NoiseCalibration.check_output(out, overwrite)
    inference = Inference(load_denoiser(model), memory=memory, pad=True)
    limits = CLEAN if calibrate else NOISY
    channels = inference.denoiser.input_channels
    taken = [_read(path, channels, layout, limits, count) for path in images]
    stacks, options = [stack for _, stack in taken], {"probes": probes, "seed": seed}
    if out is None:
        with progress_bar("estimating", counted=False) as progress:
            found = noise_level(inference, stacks, **options, progress=progress)
        _print_levels(found, [name for names, _ in taken for name in names])
        return
    with progress_bar("calibrating", counted=False) as progress:
        found = noise_calibration(inference, stacks, levels, **options, progress=progress)
    found.save(
        out,
        title=f"{model.stem} on {images[0].stem}",
        overwrite=overwrite,
        figures=figures or Format.png,
        denoiser=model.name,
        provenance=inference.denoiser.provenance,
        sources=[path.resolve().name for path in images],
        seed=seed,
        probes=probes,
    )
    _print_calibration(found)
    typer.echo(f"numbers and figure: {out}")


def _read(path, channels, layout, limits, count):
    """Names and values of the first images in a file or dataset."""
    from keras_gahr.datasets import load
    from keras_gahr.datasets.image_files import read_images
    from keras_gahr.datasets.store import is_dataset

    if is_dataset(path):
        stack = load(path, layout=layout).images[:count]
    else:
        stack = read_images(path, channels, layout, limits)[0][:count]
    names = [path.name] if len(stack) == 1 else [f"{path.name}[{k}]" for k in range(len(stack))]
    return names, stack


def _in_bytes(level):
    return "-" if level != level else f"{255 * level:.2f}/255"


def _print_levels(found, names):
    header = ["image", "plain", "corrected", "95%", "wavelets"]
    columns = [names]
    columns += [list(map(_in_bytes, values)) for values in (found.plain, found.corrected)]
    low, high = 255 * found.interval.T
    columns.append([f"{a:.2f} to {b:.2f}" for a, b in zip(low, high, strict=True)])
    columns.append(list(map(_in_bytes, found.wavelet)))
    if found.scikit_image is not None:
        header.append("scikit-image")
        columns.append(list(map(_in_bytes, found.scikit_image)))
    print_table(header, [*zip(*columns, strict=True)])


def _print_calibration(found):
    images = found.standard_error.shape[1]
    typer.echo(f"estimated / known level, means of {images} image(s)")
    ratios, intervals = found.ratios, found.intervals
    rows = []
    for place, sigma in enumerate(found.sigmas):
        row = [_in_bytes(sigma)]
        for name in ratios:
            low, high = intervals[name][place]
            reach = "" if low != low else f" +- {(high - low) / 2:.3f}"
            row.append(f"{ratios[name][place]:.3f}{reach}")
        rows.append(row)
    print_table(["sigma", *(name.replace("_", "-") for name in ratios)], rows)
