"""The denoisers that `load_denoiser` knows by name: their trainings, and what they are worth."""

import dataclasses

import numpy as np

from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask

from ..bases import measure_curve, measure_linear_curve
from ..networks import NetworkSettings, check_ascending, check_halves, check_levels
from ..scales import scales_of
from .findings import PretrainedFindings, alpha_of, pretrained_claims
from .report import answer, numbers, quality_section

ARCHITECTURES = ("unet", "bf-cnn")

_LEVELS = 7
"""Noise levels of a PSNR curve."""

_MIXTURE = {"classes": 4, "rank": 3, "spread": 1.0}
"""Classes of few dimensions apart from each other: the best linear denoiser keeps the span of them all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainedSettings:
    """Settings of the experiment.

    Args:
        network: what it has in common with others; `num_kernels`, `epochs`, `batch_size` and
            `learning_rate` are those of UNets.
        ema: decay of the average of the weights.
        num_blocks: of the UNets.
        cnn_kernels, cnn_layers, cnn_epochs, cnn_batch_size, cnn_learning_rate: of the BF-CNNs.
        alphas: regularities of C^alpha images, ascending.
        antialias: of them, see `keras_gahr.datasets.c_alpha.CAlpha`.
        unet_size, cnn_size: height and width of C^alpha images for UNets and for BF-CNNs, which take far
            longer for a pixel.
        disk_size, mixture_size: those of disks, and of images of a mixture of Gaussians.
        slope_low, slope_high: the noise levels between which PSNR is measured.
    """

    network: NetworkSettings = NetworkSettings(
        images=20_000 + 512,
        num_kernels=16,
        epochs=30,
        images_per_epoch=20_000,
        batch_size=64,
        learning_rate=3e-3,
        curve_images=128,
    )
    ema: float = 0.999
    num_blocks: int = 3
    cnn_kernels: int = 32
    cnn_layers: int = 21
    cnn_epochs: int = 20
    cnn_batch_size: int = 16
    cnn_learning_rate: float = 3e-3
    alphas: tuple[float, ...] = (1, 2, 3, 5)
    antialias: int = 2
    unet_size: int = 40
    cnn_size: int = 24
    disk_size: int = 24
    mixture_size: int = 16
    slope_low: float = 0.04
    slope_high: float = 0.4

    def sigmas(self):
        """The noise levels of PSNR curves."""
        return np.geomspace(self.slope_low, self.slope_high, _LEVELS)

    def check(self):
        """Raises `InputError` for settings that cannot be run."""
        check_ascending("alphas", self.alphas, 1, "1,2,3")
        check_halves(self, "unet_size", "disk_size", "mixture_size")
        check_levels(self.slope_low, self.slope_high)


class Pretrained(Experiment):
    """Trains them all, on images whose law is known."""

    name = "pretrained"
    title = "Pretrained denoisers"
    question = "How well do the denoisers that come with the package denoise?"
    figures = "none: networks by name"
    scales = scales_of(name, PretrainedSettings)

    def trainings(self, settings, faces=None):
        settings.check()
        return [
            self._training(settings, family, dataset, architecture)
            for architecture in ARCHITECTURES
            for family, dataset in _families(settings, architecture).items()
        ]

    def _training(self, settings, family, dataset, architecture):
        network = settings.network
        if architecture == "unet":
            options = {"num_blocks": settings.num_blocks}
        else:
            options = {
                "num_kernels": settings.cnn_kernels,
                "num_layers": settings.cnn_layers,
                "epochs": settings.cnn_epochs,
                "batch_size": settings.cnn_batch_size,
                "learning_rate": settings.cnn_learning_rate,
            }
        return network.training(
            f"{family}-{architecture}",
            dataset,
            network.train_size(),
            architecture=architecture,
            schedule="cosine",
            ema=settings.ema,
            **options,
        )

    def analyse(self, settings, runs, progress):
        found, linear = [], {}
        for place, run in enumerate(runs):
            progress(run.task.label, place / len(runs))
            # Both networks of a family have one best linear denoiser.
            family = run.task.dataset.folder
            if family not in linear:
                linear[family] = measure_linear_curve(run, settings, settings.network)
            curve = measure_curve(run, settings, settings.network)
            found.append(
                PretrainedFindings(
                    alpha_of(run.task.dataset), curve, linear[family], run.task.label
                )
            )
        return self.document(
            answer(found),
            pretrained_claims(found),
            sections=[quality_section(found)],
            numbers=numbers(found),
        )


def _families(settings, architecture):
    """The `DatasetTask` of each family by its name, which ends with the side of the images."""
    drawn = {"count": settings.network.images, "seed": settings.network.seed}
    size = settings.unet_size if architecture == "unet" else settings.cnn_size
    families = {
        f"c-alpha-{alpha:g}-{size}": DatasetTask(
            "c_alpha",
            drawn
            | {
                "size": size,
                "alpha": alpha,
                "blurred": True,
                "antialias": settings.antialias,
            },
        )
        for alpha in settings.alphas
    }
    families[f"disks-{settings.disk_size}"] = DatasetTask(
        "disks", drawn | {"size": settings.disk_size}
    )
    families[f"mixture-{settings.mixture_size}"] = DatasetTask(
        "mixture", drawn | {"size": settings.mixture_size} | _MIXTURE
    )
    return families
