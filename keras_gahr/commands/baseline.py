"""`gahr baseline`."""

import enum
import time
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.errors import InputError

from .backend import BackendOption
from .options import LayoutOption, MaxPixelsOption, OverwriteOption, check_model_output
from .training_sets import HalfOption, training_images


class Kind(enum.StrEnum):
    """What there is in `keras_gahr.baselines`, which importing would take seconds."""

    empirical_bayes = "empirical-bayes"
    wiener = "wiener"
    local = "local"
    patches = "patches"
    masked = "masked"
    oracle = "oracle"
    mixture = "mixture"


class Rule(enum.StrEnum):
    """`keras_gahr.baselines.oracle_thresholding.RULES`."""

    threshold = "threshold"
    shrinkage = "shrinkage"


def baseline(
    kind: Annotated[Kind, typer.Argument(metavar="NAME", help=" or ".join(Kind) + ".")],
    dataset: Annotated[
        Path,
        typer.Argument(
            help="Training images: a dataset folder, or a .npy or .npz file. For the oracle the clean "
            "image: a picture, or an image of a dataset."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The .keras file to make.")],
    train_size: Annotated[
        int | None, typer.Option(help="Training images; default: all of the dataset.", min=1)
    ] = None,
    half: HalfOption = "A",
    sigma: Annotated[
        str | None,
        typer.Option(help="Noise level: 0.15 or 25/255; default: estimated from each noisy image."),
    ] = None,
    patch: Annotated[
        str | None,
        typer.Option(
            help="Of local and patches: the side of the square that is seen around a pixel, odd; or a "
            "calibration.csv, with a side for each noise level."
        ),
    ] = None,
    equivariant: Annotated[
        bool, typer.Option("--equivariant", help="Of local: compares with squares of all places.")
    ] = False,
    bordered: Annotated[
        bool,
        typer.Option(
            "--bordered", help="Of local: with those of all places that borders cut alike."
        ),
    ] = False,
    wrap: Annotated[
        bool,
        typer.Option(
            "--wrap",
            help="Of local and patches: images go on at their other side; else squares are cut.",
        ),
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Of masked: the part of the largest weight of a linear denoiser from which on a pixel "
            "counts; default: 0.02."
        ),
    ] = None,
    basis: Annotated[
        str | None, typer.Option(help="Of the oracle: dct (default), or a wavelet such as haar.")
    ] = None,
    rule: Annotated[
        Rule | None,
        typer.Option(help="Of the oracle: keeps coefficients above sigma, or shrinks them."),
    ] = None,
    index: Annotated[
        int | None, typer.Option(help="Of the oracle: which image of a dataset, from 0.", min=0)
    ] = None,
    layout: LayoutOption = None,
    max_pixels: MaxPixelsOption = None,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Make a denoiser by a formula, to compare networks with.

    empirical-bayes is the best denoiser if there are no images but the training images: it memorizes
    them perfectly. wiener is the best linear one, which knows their mean and covariance. local is the
    best one that sees only the square around each pixel, in the same place of each training image, or
    in all places; patches averages the best ones of whole squares. masked sees the pixels that matter
    to wiener. oracle knows the clean image, and keeps or shrinks its coefficients in a basis that does
    not adapt. mixture is the best denoiser of a dataset of `gahr data mixture`, whose law its manifest
    says. Each is for images of one size, and goes where a trained network goes: denoise, sample, psnr,
    ...
    """
    choose_backend(backend)
    given = {
        "train-size": train_size,
        "half": None if half == "A" else half,
        "patch": patch,
        "equivariant": equivariant or None,
        "bordered": bordered or None,
        "wrap": wrap or None,
        "threshold": threshold,
        "basis": basis,
        "rule": rule,
        "index": index,
        "layout": layout,
    }
    _check_options(kind, {name: value for name, value in given.items() if value is not None})
    from keras_gahr import baselines
    from keras_gahr.analysis.one_image import read_one
    from keras_gahr.datasets import law_of, load
    from keras_gahr.denoisers import save_denoiser
    from keras_gahr.noise import parse_sigma

    rule_of_squares = "equivariant" if equivariant else "bordered" if bordered else kind.value
    check_model_output(out, overwrite)
    level = None if sigma is None else parse_sigma(sigma)
    start = time.monotonic()
    if kind is Kind.oracle:
        clean, _ = read_one(dataset, index, layout=layout)
        facts = {"image": dataset.name, "index": index, "image_shape": list(clean.shape)}
        rule = (rule or Rule.threshold).value
        denoiser = baselines.OracleThresholding(
            clean.shape, basis or "dct", rule, clean, level, provenance=facts
        )
        known = f"one image, {rule} in the basis {denoiser.basis}"
    elif kind is Kind.mixture:
        images = load(dataset)
        law = law_of(images)
        facts = {"parameters": images.manifest["parameters"], "image_shape": list(law.image_shape)}
        denoiser = baselines.GaussianMixture(law, level, provenance=facts)
        known = f"{len(law.weights)} classes of rank {', '.join(map(str, law.ranks))}"
    else:
        images = training_images(load(dataset, layout=layout), train_size, half)
        facts = {
            "trained_on": images.manifest.get("recipe"),
            "image_shape": list(images.images.shape[1:]),
            "train_size": len(images),
            "half": half if train_size else None,
        }
        if kind in {Kind.local, Kind.patches}:
            boundary = "wrap" if wrap else "cut"
            denoiser = baselines.LocalBayes(
                images.images, _sides(patch), rule_of_squares, boundary, level, provenance=facts
            )
        elif kind is Kind.masked:
            part = baselines.masked_bayes.THRESHOLD if threshold is None else threshold
            denoiser = baselines.MaskedBayes(images.images, level, part, provenance=facts)
        elif kind is Kind.wiener:
            denoiser = baselines.Wiener.from_images(images.images, sigma=level, provenance=facts)
        else:
            denoiser = baselines.EmpiricalBayes(images.images, level, provenance=facts)
        known = f"{len(images)} images"
    save_denoiser(denoiser, out)
    shape = "x".join(map(str, facts["image_shape"]))
    name = (
        kind.value
        if kind is not Kind.local or rule_of_squares == "local"
        else f"{rule_of_squares} local"
    )
    noise = "noise level estimated" if level is None else f"sigma {level:.3g}"
    typer.echo(
        f"{out}: {name} of {known}, {shape}, {noise}, {out.stat().st_size / 1e6:.1f} MB, "
        f"{time.monotonic() - start:.1f} s"
    )


_OF_IMAGES = tuple(kind for kind in Kind if kind not in {Kind.oracle, Kind.mixture})
_TAKEN_BY = {
    "train-size": _OF_IMAGES,
    "half": _OF_IMAGES,
    "patch": (Kind.local, Kind.patches),
    "equivariant": (Kind.local,),
    "bordered": (Kind.local,),
    "wrap": (Kind.local, Kind.patches),
    "threshold": (Kind.masked,),
    "basis": (Kind.oracle,),
    "rule": (Kind.oracle,),
    "index": (Kind.oracle,),
    "layout": (*_OF_IMAGES, Kind.oracle),
}
"""Which baselines take an option that not all take."""


def _check_options(kind, given):
    """Raises `InputError` for an option that is not of this baseline, or a square that is missing."""
    for name in given:
        taken_by = _TAKEN_BY[name]
        if kind not in taken_by:
            whose = f"for {', '.join((*taken_by[:-2], ' and '.join(taken_by[-2:])))} alone"
            raise InputError(f"received --{name}, which is {whose}: leave it out")
    if kind in _TAKEN_BY["patch"] and "patch" not in given:
        raise InputError(f"{kind} needs --patch, the side of the square that it sees, such as 15")
    if {"equivariant", "bordered"} <= given.keys():
        raise InputError("received --equivariant and --bordered: leave one out")


def _sides(patch):
    """What --patch says: a side, or the sides in a file."""
    from keras_gahr.analysis import read_sides

    try:
        return int(patch)
    except ValueError:
        return read_sides(patch)
