"""Networks on points whose law is known: is the density that they learn the true one?"""

import dataclasses

import numpy as np

from keras_gahr.analysis import log_density
from keras_gahr.analysis.density.own_noise import with_own_noise
from keras_gahr.baselines import GaussianMixture
from keras_gahr.datasets import MOLRG, MixtureOfGaussians, mixture_images

from ..networks import check_least, check_set_sizes
from ..students import LAW, SIGMAS, UNIT, StudentSettings, train_student
from .findings import Teacher, TwinDensities

NOISE = 0.2 * UNIT
"""Level of the noise in which densities are compared: points of a few dimensions have none without. It is
twice the lowest level that networks are trained on."""

_LOWEST = NOISE / 20
"""Of the noise on top of that; below it hardly changes anything."""

_BATCH = 1024
"""Points computed at once: networks are small."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherSettings:
    """Settings of the networks whose law is known.

    Args:
        student: how they are trained.
        teacher_sizes: numbers of training points N, ascending.
        teacher_points: others, whose density is measured.
        point_evaluations: of each network for each of them.
    """

    student: StudentSettings = StudentSettings()
    teacher_sizes: tuple[int, ...] = (10, 100, 1000, 8000)
    teacher_points: int = 500
    point_evaluations: int = 500

    def check(self):
        """Raises `InputError` for what cannot be run."""
        check_set_sizes(self.teacher_sizes)
        self.student.check()
        check_least(self, teacher_points=3, point_evaluations=12)


def measure_students(settings, seed, progress):
    """Trains two networks for each N on points that they do not share, and asks for densities of others.

    Args:
        settings: `TeacherSettings`.
        seed: of points, weights and noise.
        progress: called as progress(text, part done).

    Returns:
        The `Teacher`, and a list of `TwinDensities`.
    """
    most = settings.teacher_sizes[-1]
    *halves, points = (
        mixture_images(count, seed, start, **MOLRG)
        for count, start in ((most, 0), (most, most), (settings.teacher_points, 2 * most))
    )

    def density(denoiser):
        return log_density(
            denoiser,
            points,
            seed=seed,
            evaluations=settings.point_evaluations,
            dequantize=NOISE,
            sigmas=(_LOWEST, SIGMAS[1] * UNIT),
            batch_size=_BATCH,
            progress=False,
        )

    progress("the teacher", 0.0)
    noisy = with_own_noise(points, range(len(points)), NOISE, seed, first=0)
    teacher = Teacher.of(
        density(GaussianMixture(LAW, sigma=NOISE)),
        LAW.log_density(noisy, NOISE),
        _best_gaussian(LAW).log_density(noisy, NOISE),
    )
    results = []
    for place, size in enumerate(settings.teacher_sizes):
        twins = []
        for k, half in enumerate(halves):
            done = 1 + 2 * place + k
            progress(f"N = {size}: network {'AB'[k]}", done / (1 + 2 * len(settings.teacher_sizes)))
            twins.append(density(train_student(half[:size], settings.student, 2 * seed + k)))
        results.append(TwinDensities(size, *twins))
    return teacher, results


def _best_gaussian(law):
    """The Gaussian with the mean and the covariance of a mixture of full rank or less, without floors."""
    size = law.means[0].size
    means = law.means.reshape(-1, size)
    mean = law.weights @ means
    spread = (means - mean) * np.sqrt(law.weights[:, None])
    scaled = law.bases * np.sqrt(law.weights[:, None, None] * law.variances[:, None])
    covariance = spread.T @ spread + np.einsum("kir,kjr->ij", scaled, scaled)
    return MixtureOfGaussians.from_covariances(mean.reshape(1, *law.image_shape), covariance[None])
