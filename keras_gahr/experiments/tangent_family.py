"""Experiments with families of images that have few parameters (arXiv 2310.02557, figures 5, 19, 20)."""

import abc
import dataclasses

import numpy as np
from scipy.fft import idctn

from keras_gahr.analysis import fit_slope, principal_angles
from keras_gahr.baselines import Wiener
from keras_gahr.errors import InputError
from keras_gahr.report.document import Document, Section, Table

from .basis_report import (
    bases_text,
    curve_picture,
    factor_picture,
    factor_table,
    vectors_slider,
)
from .experiment import Experiment
from .image_bases import BasisSettings, factors_of, measure_bases, measure_curve
from .image_networks import NetworkSettings
from .tangent_claims import TangentFindings, first, tangent_claims


@dataclasses.dataclass(frozen=True, kw_only=True)
class TangentSettings(BasisSettings, NetworkSettings):
    """Settings of these experiments; see `BasisSettings` and `NetworkSettings`."""

    sigma: float = 0.04
    vectors: int = 26
    slope_high: float = 0.1


SMALL = {
    "smoke": {
        "images": 2048 + 64,
        "size": 16,
        "test_size": 64,
        "num_blocks": 1,
        "num_kernels": 16,
        "batch_size": 16,
        "learning_rate": 4e-3,
        "curve_images": 64,
        "basis_images": 6,
    },
    "laptop": {
        "size": 24,
        "num_blocks": 2,
        "num_kernels": 32,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "basis_images": 16,
    },
}
"""What the settings of these experiments have in common at their smaller scales."""


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

    @abc.abstractmethod
    def images(self, settings):
        """The `DatasetTask` of the family."""

    def trainings(self, settings, faces=None):
        settings.check_bases()
        span = self.span or self.dimension
        if settings.vectors <= span:
            raise InputError(f"received {settings.vectors} vectors, expected more than {span}")
        images = self.images(settings)
        train_size = settings.train_size()
        return [settings.training(self.name, images, train_size, **settings.network())]

    def analyse(self, settings, runs, progress):
        (run,) = runs
        progress("bases", 0.0)
        bases = measure_bases(
            run, settings, lambda done, all_: progress("bases", 0.6 * done / all_)
        )
        progress("PSNR curves", 0.6)
        curve = measure_curve(run, settings)
        progress("the best linear denoiser", 0.8)
        linear = measure_curve(run, settings, Wiener.from_images(run.split()[0].images))
        cosines = smoothest_cosines(self.dimension, bases[0].clean.shape)
        found = TangentFindings(
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
        claims = tangent_claims(found)
        return Document(
            self.name,
            self.title,
            self.question,
            self._answer(found),
            claims=claims,
            sections=[
                Section(
                    "Bases",
                    [bases_text(bases)],
                    [
                        factor_picture(bases, self.figures, self.paper_factors, self.dimension),
                        vectors_slider(
                            bases[0],
                            "Eigenvectors at the first image with their factors; the "
                            f"{first(self.dimension, 'eigenvector')} should look like changes of the "
                            "family's parameters.",
                        ),
                        factor_table(bases, self.paper_factors),
                        _angles_table(found),
                    ],
                ),
                Section("Denoising", items=[_curves(found, linear)]),
            ],
            numbers={
                "optimal_offset_db": found.optimal_offset,
                "optimal_gain_db": found.optimal_gain,
                "slope": dataclasses.asdict(found.slope),
                "sigmas": curve.sigmas.tolist(),
                "psnr": curve.mean.tolist(),
                "linear_psnr": linear.mean.tolist(),
                "tangent_shares": found.shares.tolist(),
                "tangent_shares_of_cosines": found.fixed.tolist(),
                "bases": [each.numbers() for each in bases],
            },
        )

    def _shares(self, each, vectors):
        angles = principal_angles(vectors[: self.dimension], each.tangent)
        return np.cos(angles) ** 2

    def _answer(self, found):
        m = self.dimension
        factors = ", ".join(f"{factor:.2f}" for factor in found.factors.mean(axis=0)[: m + 2])
        return (
            f"Of the tangent space {100 * found.shares.mean():.0f} % lie within the span of the "
            f"{first(m, 'eigenvector')}; the factors begin {factors}. The PSNR grows with slope "
            f"{found.slope.slope:.2f}, "
            f"and is {found.distances.mean():.1f} dB below the optimum at sigma = "
            f"{found.curve.sigmas[0]:.3g}."
        )


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


def _curves(found, linear):
    return curve_picture(
        "Test images",
        [("network", found.curve, found.slope, None), ("best linear denoiser", linear, None, None)],
        "PSNR of denoised test images; bars are standard errors. The optimum of small noise projects "
        f"on the tangent space: its mean squared error is {found.optimal_offset:.2f} dB below that of "
        f"the noise, and the mean of its PSNRs {found.optimal_gain:.2f} dB above. The best linear "
        "denoiser comes near it where the images span few dimensions, as a ray does.",
        found.optimal_gain,
    )


def _angles_table(found):
    """How much of the tangent space the first eigenvectors hold, direction by direction."""
    angles = np.degrees(np.arccos(np.sqrt(np.clip(found.shares, 0, 1))))
    return Table(
        ("direction", "mean angle", "largest angle", "mean share within", "within cosines"),
        [
            (
                k + 1,
                round(float(angles[:, k].mean()), 1),
                round(float(angles[:, k].max()), 1),
                round(float(found.shares[:, k].mean()), 3),
                round(float(found.fixed[:, k].mean()), 3),
            )
            for k in range(found.dimension)
        ],
        f"Principal angles, in degrees, between the tangent space and the "
        f"{first(found.dimension, 'eigenvector')}, over {len(found.shares)} images; 0 where it lies "
        f"within their span. Last, the share within the {first(found.dimension, 'cosine')}, the "
        "smoothest patterns of a basis that does not adapt.",
    )
