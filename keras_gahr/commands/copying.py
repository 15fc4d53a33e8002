"""`gahr copying`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .given_samples import read_samples
from .options import Format, FormatOption, LayoutOption, OverwriteOption, SeedOption
from .training_sets import HalfOption, training_images

_SAMPLES = "a folder of `gahr sample`, a dataset, or a .npy or .npz file"


def copying(
    samples: Annotated[Path, typer.Argument(help=f"Samples: {_SAMPLES}.")],
    training: Annotated[Path, typer.Argument(help="Dataset that their network was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder for copying.json, copying.npz and a figure.")],
    test: Annotated[
        Path | None, typer.Option(help="Dataset of images that were not trained on, for C_T.")
    ] = None,
    others: Annotated[
        Path | None,
        typer.Option(
            help="Samples of a network trained on other images, from the same noise, for RP."
        ),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="pixels, or an .onnx or .keras file of a network that makes vectors of images."
        ),
    ] = "pixels",
    threshold: Annotated[
        float, typer.Option(help="Cosine above which two images are alike, for RP and M.")
    ] = 0.6,
    quantile: Annotated[
        float,
        typer.Option(
            help="Of the distances between training images: within it samples are memorized or spurious."
        ),
    ] = 0.05,
    train_size: Annotated[
        int | None, typer.Option(help="Training images; default: all of the dataset.", min=1)
    ] = None,
    half: HalfOption = "A",
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    *,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Do samples copy training images? The measures in use, with intervals and nulls.

    RP, M, f_mem, AuthPct, C_T, and how many samples are memorized, spurious or generalized. The null of each
    is what it is of training images that are no copies: of one half of the set against the other. With
    --train-size, the test set is the rest of the dataset unless --test is given.
    """
    choose_backend(backend)
    from keras_gahr.analysis import CopyingReport, as_features, copying_report
    from keras_gahr.datasets import load

    from .progress import progress_bar

    CopyingReport.check_output(out, overwrite)
    space = as_features(features)
    dataset = load(training, layout=layout)
    train = training_images(dataset, train_size, half)
    given = read_samples(samples, layout)
    test_images = None
    if test is not None:
        test_images = load(test, layout=layout).images
    elif len(train) < len(dataset):
        test_images = dataset.split(len(train), len(dataset) - len(train), half)[1].images
    twins = None if others is None else read_samples(others, layout)
    with progress_bar("comparing", counted=False) as progress:
        report = copying_report(
            given,
            train.images,
            test_images,
            twins,
            space,
            threshold,
            quantile=quantile,
            seed=seed,
            progress=progress,
        )
    report.save(
        out,
        overwrite=overwrite,
        figures=figures or Format.png,
        seed=seed,
        samples_of=samples.resolve().name,
        dataset=training.resolve().name,
        half=half if train_size else None,
        test_set=None if test is None else test.resolve().name,
        other_samples=None if others is None else others.resolve().name,
    )
    _print(report, out)


def _print(report, out):
    typer.echo(
        f"{len(report.index)} samples, {report.num_training} training images, features: {report.features}"
    )
    for name, measure in report.measures.items():
        found, null = (_shown(name, each) for each in (measure.found, measure.null))
        typer.echo(f"{name:>11}: {found}; null {null}")
    typer.echo(f"numbers and figures: {out}")


def _shown(name, estimate):
    low, high = estimate.interval
    if name == "C_T":
        return f"{estimate.value:.2f} (95%: {low:.2f} to {high:.2f})"
    return f"{estimate.value:.1%} (95%: {low:.1%} to {high:.1%})"
