"""The network and the images of a training, from its options."""

import dataclasses
from pathlib import Path
from typing import Any

from keras_gahr.datasets import Dataset, load
from keras_gahr.denoisers import (
    Denoiser,
    DirectDenoiser,
    build_conditional_denoiser,
    build_denoiser,
    load_denoiser,
)
from keras_gahr.errors import InputError
from keras_gahr.model_address import refuse_address
from keras_gahr.options.training import AUTO

from .conditions import check_trainable
from .config import RunConfig, read_network, read_options
from .faster_precision import FasterPrecision, faster_precision
from .resume.state import state_size


@dataclasses.dataclass(frozen=True, eq=False)
class Preparation:
    """What `train` needs besides settings and a directory.

    Args:
        denoiser: with its first weights.
        train_images, test_images: `Dataset`s.
        config: the `RunConfig` that they come from, its precision chosen.
        half: see `prepare_images`.
        precision: the `FasterPrecision`, if it was to be chosen.
    """

    denoiser: Denoiser
    train_images: Dataset
    test_images: Dataset
    config: RunConfig
    half: str | None
    precision: FasterPrecision | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What config.json of a run says of its images."""
        return {
            "dataset": self.config.dataset,
            "recipe": self.train_images.manifest.get("recipe"),
            "sha256": self.train_images.manifest.get("sha256"),
            "available": self.train_images.manifest.get("shape", [None])[0],
            "train_size": len(self.train_images),
            "test_size": len(self.test_images),
            "half": self.half,
        }


def prepare_training(config: RunConfig, begun: Path | None = None) -> Preparation:
    """The `Preparation` of a training.

    Args:
        config: `RunConfig`.
        begun: the run directory to go on with, or None. What it started from is not read again: the
            weights are in its state.

    Raises:
        InputError: for a dataset or network that cannot be had, or that do not fit.
    """
    if config.dataset is None:
        raise InputError("received no dataset: give a folder made by `gahr data`, or an array")
    images = load(config.dataset, bands=config.conditional, layout=config.layout)
    return prepare_images(config, *split_for_training(images, config), begun)


def split_for_training(images: Dataset, config: RunConfig) -> tuple[Dataset, Dataset, str | None]:
    """Training and test images, and the half that they are; None for all images.

    Of a single image there are none to test on, unless some are asked for.
    """
    if len(images) == 1 and config.test_size is None:
        return images, Dataset(images.images[:0], images.manifest), None
    parts = images.split_as_trained(config.train_size, config.test_size, config.half)
    return *parts, config.half


def prepare_images(
    config: RunConfig,
    train_images: Dataset,
    test_images: Dataset,
    half: str | None,
    begun: Path | None = None,
    denoiser: Denoiser | None = None,
) -> Preparation:
    """The `Preparation` of a training whose images are there already.

    Args:
        config: `RunConfig`; what it says of images is taken as it is.
        train_images, test_images: `Dataset`s.
        half: "A" or "B", from which end of their dataset the training images are; None for all of it.
        begun: see `prepare_training`.
        denoiser: the network to train; None for what the configuration says.

    Raises:
        InputError: for a network that cannot be had, or that does not fit.
    """
    shape = train_images.images.shape
    provenance = {
        "trained_on": train_images.manifest.get("recipe"),
        "image_shape": list(shape[1:]),
        "sha256": train_images.manifest.get("sha256"),
        "train_size": len(train_images),
        "half": half,
    }
    given = denoiser is not None
    if denoiser is None:
        if config.start_from is not None and begun is not None:
            denoiser = read_network(begun / "config.json", state_size(begun / "state.safetensors"))
        else:
            denoiser = initial_denoiser(config, shape[-1], provenance)
    check_trainable(denoiser)
    denoiser.check_shape(shape)
    if given:
        denoiser.provenance = {**provenance, "started_from": denoiser.provenance}
    precision = None
    if config.precision == AUTO:
        if begun is None:
            precision = faster_precision(denoiser, train_images, config)
            chosen = precision.name
        else:
            chosen = read_options(begun / "config.json")["precision"]
        config = dataclasses.replace(config, precision=chosen)
    return Preparation(denoiser, train_images, test_images, config, half, precision)


def initial_denoiser(
    config: RunConfig, channels: int, provenance: dict[str, Any] | None = None
) -> Denoiser:
    """The network of a training before its first step.

    Args:
        config: `RunConfig`.
        channels: of its images.
        provenance: see `Denoiser`.
    """
    if config.start_from is not None:
        denoiser = load_denoiser(refuse_address(config.start_from))
        denoiser.provenance = {**(provenance or {}), "started_from": denoiser.provenance}
        return denoiser
    network = {**config.network(), "provenance": provenance}
    if config.conditional:
        denoiser = build_conditional_denoiser(bands=channels, **network)
    else:
        denoiser = build_denoiser(num_channels=channels, **network)
    return denoiser if config.skip else DirectDenoiser(denoiser, provenance=provenance)
