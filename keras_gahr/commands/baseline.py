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
    them perfectly. wiener is the best linear one, which knows their mean and covariance. oracle
    knows the clean image, and keeps or shrinks its coefficients in a basis that does not adapt. mixture
    is the best denoiser of a dataset of `gahr data mixture`, whose law its manifest says. Each is for
    images of one size, and goes where a trained network goes: denoise, sample, psnr, ...
    """
    choose_backend(backend)
    given = {
        "train-size": train_size,
        "half": None if half == "A" else half,
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
            "half": half,
        }
        if kind is Kind.wiener:
            denoiser = baselines.Wiener.from_images(images.images, sigma=level, provenance=facts)
        else:
            denoiser = baselines.EmpiricalBayes(images.images, level, provenance=facts)
        known = f"{len(images)} images"
    save_denoiser(denoiser, out)
    shape = "x".join(map(str, facts["image_shape"]))
    noise = "noise level estimated" if level is None else f"sigma {level:.3g}"
    typer.echo(
        f"{out}: {kind.value} of {known}, {shape}, {noise}, {out.stat().st_size / 1e6:.1f} MB, "
        f"{time.monotonic() - start:.1f} s"
    )


_OF_IMAGES = Kind.empirical_bayes, Kind.wiener
_TAKEN_BY = {
    "train-size": _OF_IMAGES,
    "half": _OF_IMAGES,
    "basis": (Kind.oracle,),
    "rule": (Kind.oracle,),
    "index": (Kind.oracle,),
    "layout": (*_OF_IMAGES, Kind.oracle),
}
"""Which baselines take an option that not all take."""


def _check_options(kind, given):
    """Raises `InputError` for an option that is not of this baseline."""
    for name in given:
        taken_by = _TAKEN_BY[name]
        if kind not in taken_by:
            whose = f"for {' and '.join(taken_by)} alone"
            raise InputError(f"received --{name}, which is {whose}: leave it out")
