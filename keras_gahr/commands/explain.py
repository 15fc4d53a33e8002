"""`gahr explain`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import (
    Format,
    FormatOption,
    LayoutOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    find_model,
)
from .training_sets import HalfOption, training_images, warn_of_other_images


def explain(
    model: ModelArgument,
    dataset: Annotated[Path, typer.Argument(help="Dataset that it was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder for explanation.json, .npz and figures.")],
    train_size: Annotated[
        int | None, typer.Option(help="Its training images; default: all of the dataset.", min=1)
    ] = None,
    half: HalfOption = "A",
    test: Annotated[
        Path | None,
        typer.Option(
            help="Dataset of images that were not trained on; default: the rest of the dataset."
        ),
    ] = None,
    twin: Annotated[
        Path | None,
        typer.Option(
            callback=lambda model: model and find_model(model),
            help="A model that was trained on as many images of the other half: what do both agree on beyond "
            "what Gaussian models would?",
        ),
    ] = None,
    rival: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=MODEL", help="One more rival, such as teacher=FILE; repeatable."
        ),
    ] = None,
    patch: Annotated[
        str | None,
        typer.Option(
            help="How far the local rivals see: the side of a square, odd, or a calibration.csv; default: "
            "the sides that explain the network best."
        ),
    ] = None,
    sigma: Annotated[
        list[str] | None,
        typer.Option(help="A noise level: 0.15 or 25/255; repeatable. Default: seven."),
    ] = None,
    images: Annotated[int, typer.Option(help="Of each set, that are denoised.", min=2)] = 16,
    samples: Annotated[int, typer.Option(help="Samples that are drawn.", min=1)] = 8,
    steps: Annotated[int, typer.Option(help="Of sampling, by Euler's steps.", min=1)] = 20,
    most_local: Annotated[
        int | None,
        typer.Option(
            help="Training images that the local rival without places knows; default: 2^26 / pixels^2.",
            min=2,
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(help="Folder for a page of it: report.html, report.md, pictures."),
    ] = None,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Which theory explains a network: copies, a Gaussian, a local machine, a masked one?

    For each noise level, on images that it was trained on and on others, how much of the change that the
    network makes does each rival leave unexplained? And along sampling, from the same noise.
    """
    choose_backend(backend)
    from keras_gahr.analysis import Explanation, read_sides
    from keras_gahr.analysis import explain as explained
    from keras_gahr.datasets import load
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.errors import InputError
    from keras_gahr.experiments.explanation import explanation_document
    from keras_gahr.noise import parse_sigma
    from keras_gahr.report.page import check_report_output, write_report

    from .progress import progress_bar

    Explanation.check_output(out, overwrite)
    if page is not None:
        check_report_output(page, overwrite)
    given = dict(_named(each) for each in rival or ())
    levels = [parse_sigma(text) for text in sigma] if sigma else None
    sides = None
    if patch is not None:
        sides = int(patch) if patch.isdecimal() else read_sides(patch)
    data = load(dataset, layout=layout)
    train = training_images(data, train_size, half)
    other = "B" if half == "A" else "A"
    of_twin = None
    if twin is not None:
        if 2 * len(train) > len(data):
            raise InputError(
                f"received a twin, but {len(train)} of {len(data)} images for each: give a --train-size of "
                "no more than half of them"
            )
        of_twin = training_images(data, len(train), other)
    if test is not None:
        tests = load(test, layout=layout).images
    else:
        tests = _rest(data.images, len(train), half, twin is not None)
        if len(tests) < 2:
            raise InputError(
                "received no images that were not trained on: give --test, or a smaller --train-size"
            )
    denoiser, second = load_denoiser(model), None if twin is None else load_denoiser(twin)
    warn_of_other_images(model, denoiser, dataset, data, train, half)
    if second is not None:
        warn_of_other_images(twin, second, dataset, data, of_twin, other)
    start = time.monotonic()
    with progress_bar("explaining", counted=False) as progress:
        found = explained(
            denoiser,
            train.images,
            tests,
            sigmas=levels,
            patch=sides,
            rivals={
                name: load_denoiser(find_model(Path(address))) for name, address in given.items()
            },
            twin=second,
            twin_images=None if of_twin is None else of_twin.images,
            images=images,
            samples=samples,
            steps=steps,
            most_local=most_local,
            seed=seed,
            progress=progress,
        )
    facts = {
        "model": str(model),
        "dataset": dataset.resolve().name,
        "half": half if train_size else None,
        "test_set": None if test is None else test.resolve().name,
        "twin": None if twin is None else str(twin),
        "seed": seed,
    }
    found.save(out, overwrite=overwrite, figures=figures or Format.png, **facts)
    _print(found, out)
    if page is not None:
        document = explanation_document(found, facts, time.monotonic() - start)
        typer.echo(f"page: {write_report(document, page, overwrite)}")


def _named(text):
    """("teacher", "FILE") from "teacher=FILE"."""
    from keras_gahr.errors import InputError

    name, equals, address = text.partition("=")
    if not (name and equals and address):
        raise InputError(f"received --rival {text:.80}, expected NAME=MODEL")
    return name, address


def _rest(images, count, half, has_twin):
    """What lies between the two ends that are trained on, or after the one."""
    if half == "A":
        return images[count : len(images) - count * has_twin]
    return images[count * has_twin : len(images) - count]


def _print(found, out):
    names = found.rivals
    width = max(map(len, names)) + 2
    typer.echo(
        f"{found.num_training} training images ({found.num_local} for local); unexplained share of "
        "|D(y) - y|^2 on test images"
    )
    typer.echo("sigma".rjust(9) + "".join(name.rjust(width) for name in names))
    for sigma, values in zip(found.sigmas, found.unexplained["test"], strict=True):
        shares = "".join(f"{share:.3f}".rjust(width) for share in values.mean(axis=1))
        typer.echo(f"{255 * sigma:5.4g}/255" + shares)
    if found.twins is not None:
        beyond = found.twins.beyond.mean(axis=1)
        typer.echo(
            "twins agree beyond Gaussian ones (correlation): "
            + ", ".join(f"{value:.2f}" for value in beyond)
        )
    typer.echo(f"explained by: {found.verdict}")
    typer.echo(f"numbers and figures: {out}")
