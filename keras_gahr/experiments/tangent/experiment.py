"""Experiments with families of images that have few parameters (arXiv 2310.02557, figures 5, 19, 20)."""

import dataclasses

import numpy as np
from scipy.fft import idctn

from keras_gahr.analysis import fit_slope, principal_angles
from keras_gahr.errors import InputError
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask

from ..bases import (
    BasisSettings,
    factors_of,
    measure_bases,
    measure_curve,
    measure_linear_curve,
)
from ..networks import NetworkSettings
from .findings import TangentFindings, tangent_claims
from .report import answer, bases_section, denoising_section, numbers


@dataclasses.dataclass(frozen=True, kw_only=True)
class TangentSettings:
    """Settings of these experiments.

    Args:
        network, bases: what they have in common with others.
    """

    network: NetworkSettings = NetworkSettings(images=100_000 + 512)
    bases: BasisSettings = BasisSettings(sigma=0.04, vectors=26, slope_high=0.1)


class TangentFamily(Experiment):
    """A network trained on a family whose tangent spaces are known.

    Attributes:
        dimension: the number of its parameters.
        span: see `TangentFindings`; by default the number of parameters.
        paper_factors: those that the paper has, by their number from 1.
    """

    dimension: int
    span: int | None = None
    paper_factors = {}

    def images(self, settings):
        """The `DatasetTask` of the family; by default a recipe that bears the experiment's name."""
        network = settings.network
        parameters = {"count": network.images, "size": settings.bases.size, "seed": network.seed}
        return DatasetTask(self.name, parameters)

    def trainings(self, settings, faces=None):
        network, bases = settings.network, settings.bases
        bases.check(network.test_size)
        span = self.span or self.dimension
        if bases.vectors <= span:
            raise InputError(f"received {bases.vectors} vectors, expected more than {span}")
        images = self.images(settings)
        return [network.training(self.name, images, network.train_size(), **bases.options())]

    def analyse(self, settings, runs, progress):
        (run,) = runs
        progress("bases", 0.0)
        bases = measure_bases(
            run,
            settings.bases,
            settings.network.seed,
            lambda done, all_: progress("bases", 0.6 * done / all_),
        )
        progress("PSNR curves", 0.6)
        curve = measure_curve(run, settings.bases, settings.network)
        progress("the best linear denoiser", 0.8)
        linear = measure_linear_curve(run, settings.bases, settings.network)
        found = self._found(bases, curve)
        return self.document(
            answer(found),
            tangent_claims(found),
            sections=[
                bases_section(found, bases, self.paper_factors),
                denoising_section(found, linear),
            ],
            numbers=numbers(found, linear, bases),
        )

    def _found(self, bases, curve):
        cosines = smoothest_cosines(self.dimension, bases[0].clean.shape)
        return TangentFindings(
            self.figures,
            self.dimension,
            self.span or self.dimension,
            bases[0].clean.size,
            factors_of(bases),
            np.stack([self._shares(each, each.basis.left) for each in bases]),
            np.stack([self._shares(each, cosines) for each in bases]),
            np.array([each.basis.statistics.effective_dimension for each in bases]),
            curve,
            fit_slope(curve),
        )

    def _shares(self, each, vectors):
        angles = principal_angles(vectors[: self.dimension], each.tangent)
        return np.cos(angles) ** 2


def smoothest_cosines(count, shape):
    """The vectors of the discrete cosine transform with the lowest frequencies.

    Args:
        count: of them, at most height times width.
        shape: (height, width, channels); channels are equal.

    Returns:
        float64 (count, height, width, channels), orthonormal.
    """
    height, width, channels = shape
    squares = np.add.outer((np.arange(height) / height) ** 2, (np.arange(width) / width) ** 2)
    chosen = np.argsort(squares, axis=None, kind="stable")[:count]
    coefficients = np.zeros((count, height * width))
    coefficients[np.arange(count), chosen] = 1
    grey = idctn(coefficients.reshape(count, height, width), axes=(1, 2), norm="ortho")
    return np.repeat(grey[..., None], channels, axis=-1) / np.sqrt(channels)
