"""`gahr compare`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.options.sampling import AscentOptions

from .backend import BackendOption
from .options import (
    MODEL_HELP,
    BatchSizeOption,
    Format,
    FormatOption,
    LayoutOption,
    MemoryOption,
    OverwriteOption,
    SeedOption,
    find_model,
    offers,
)
from .sampler_options import chosen_schedule
from .training_sets import HalfOption, check_half, training_images, warn_of_other_images


@offers(AscentOptions, marked=True)
def compare(
    model_a: Annotated[Path, typer.Argument(help=f"Denoiser A: {MODEL_HELP}", callback=find_model)],
    model_b: Annotated[
        Path, typer.Argument(help="Denoiser B, trained on other images.", callback=find_model)
    ],
    train_a: Annotated[Path, typer.Option(help="Dataset that A was trained on.")],
    out: Annotated[
        Path, typer.Option(help="Folder for comparison.json, comparison.npz and figures.")
    ],
    train_b: Annotated[
        Path | None, typer.Option(help="Dataset that B was trained on; default: A's.")
    ] = None,
    train_size: Annotated[
        int | None,
        typer.Option(help="Training images of each; default: all of the dataset.", min=1),
    ] = None,
    half_a: HalfOption = "A",
    half_b: Annotated[
        str | None,
        typer.Option(help="Of B: as --half-a.", show_default="B, or A with a --train-b of its own"),
    ] = None,
    count: Annotated[int, typer.Option(help="How many pairs of samples.", min=1)] = 16,
    layout: LayoutOption = None,
    seed: SeedOption = 0,
    *,
    batch_size: BatchSizeOption = 16,
    memory: MemoryOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
    **of_schedule,
):
    """Memorized or generalized? Sample two networks from the same noise and compare.

    For two networks trained by `gahr train` on halves A and B of one dataset, give that dataset as
    --train-a and the same --train-size; for two trained on the first images of two datasets, --train-b, too.
    """
    choose_backend(backend)
    from keras_gahr.analysis import comparison as networks
    from keras_gahr.datasets import load
    from keras_gahr.denoisers import load_denoiser

    from .progress import progress_bar

    networks.Comparison.check_output(out, overwrite)
    schedule = chosen_schedule(of_schedule)
    datasets = (train_a, train_b or train_a)
    # Of a dataset of its own B took the first images, as `gahr train` does unless it is told. All images
    # are no half.
    default = "B" if train_size and datasets[0].resolve() == datasets[1].resolve() else "A"
    models, halves = (model_a, model_b), (half_a, default if half_b is None else half_b)
    for option, half in zip(("--half-a", "--half-b"), halves, strict=True):
        check_half(half, train_size, option)
    denoisers = [load_denoiser(model) for model in models]
    # Both halves of one dataset have one manifest, which may be large.
    loaded = {path: load(path, layout=layout) for path in dict.fromkeys(datasets)}
    train = [
        training_images(loaded[path], train_size, half)
        for path, half in zip(datasets, halves, strict=True)
    ]
    for option, model, denoiser, path, part, half in zip(
        ("--half-a", "--half-b"), models, denoisers, datasets, train, halves, strict=True
    ):
        warn_of_other_images(model, denoiser, path, loaded[path], part, half, option)
    shared = _shared(datasets, train, halves)
    if shared:
        typer.echo(
            f"warning: both networks' training sets hold the same {shared} images of "
            f"{train_a.name}: twins may be alike for that reason; choose disjoint sets",
            err=True,
        )
    with progress_bar("sampling", counted=False) as progress:
        comparison = networks.compare(
            denoisers,
            [part.images for part in train],
            count=count,
            seed=seed,
            schedule=schedule,
            batch_size=batch_size,
            memory=memory,
            progress=progress,
        )
    facts = {
        side: {
            "denoiser": model.name,
            "provenance": denoiser.provenance,
            "dataset": path.resolve().name,
            "half": half if train_size else None,
            "training_images": len(part),
        }
        for side, model, denoiser, path, half, part in zip(
            "ab", models, denoisers, datasets, halves, train, strict=True
        )
    }
    comparison.save(
        out,
        overwrite=overwrite,
        figures=figures or Format.png,
        seed=seed,
        shared_training_images=shared,
        **facts,
    )
    _print(comparison, out)


def _shared(datasets, train, halves):
    """How many images both sets hold, if they are parts of one dataset."""
    if datasets[0].resolve() != datasets[1].resolve():
        return 0
    if halves[0] == halves[1]:
        return min(map(len, train))
    # Of the whole, a set from either end: what exceeds it is in both.
    whole = train[0].manifest["shape"][0]
    return max(0, len(train[0]) + len(train[1]) - whole)


def _print(comparison, out):
    from keras_gahr.analysis.intervals import share_interval
    from keras_gahr.analysis.memorization import RULE

    pairs, count = len(comparison.pairs), len(comparison.samples[0].status)
    for side, report in zip("AB", comparison.reports, strict=True):
        low, high = share_interval(report.memorized)
        best = report.closest["correlation"].value[:, 0]
        typer.echo(
            f"{side}: {report.memorized.sum()} of {pairs} samples memorized (95%: {low:.0%} to "
            f"{high:.0%}), {report.memorized_up_to_a_factor.sum()} up to a factor; correlation with the "
            f"closest of {report.num_training} training images {best.mean():.3f}"
        )
    twins = comparison.reports[0].twins["correlation"]
    typer.echo(
        f"twins: correlation {twins.mean():.3f}, in {comparison.share_twins_closer:.0%} of the pairs "
        "closer than the closest training images"
    )
    if pairs < count:
        typer.echo(
            f"warning: {count - pairs} of {count} pairs did not converge and were left out: a larger "
            "beta or sigma-end may help",
            err=True,
        )
    typer.echo(f"verdict: {comparison.verdict}   ({RULE})")
    typer.echo(f"numbers and figures: {out}")
