"""From how many points on networks are reproducible (arXiv 2310.05264).

For each N three networks are trained on points of a mixture of low-rank Gaussians: two on the same points
from other weights, and one on other points. All draw from the same noise, and so do the optimum of the law
and that of the training points. The networks are small, and trained by a plain Keras loop.
"""

import dataclasses

import numpy as np

from keras_gahr.analysis.explanation.agreement import apart
from keras_gahr.analysis.explanation.rivals import Rival
from keras_gahr.analysis.memorization import copies
from keras_gahr.analysis.similarity import closest, paired_similarity
from keras_gahr.baselines import EmpiricalBayes, GaussianMixture
from keras_gahr.datasets import MOLRG, mixture_images
from keras_gahr.errors import InputError
from keras_gahr.psnr import add_noise
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.sampling import NoiseLevels

from ..drawing import draw, first_noise
from ..networks import check_least, check_set_sizes
from ..scales import scales_of
from ..students import DEVIATION, LAW, SHAPE, SIGMAS, UNIT, StudentSettings, train_student
from .findings import COPIER, OTHER, SAME, TEACHER, MoLRGResult, claims_of
from .report import answer, numbers, sections_of

_LEVEL = 1.0
_LEVELS = 5
"""At which errors are measured."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoLRGSettings:
    """Settings of the experiment.

    Args:
        set_sizes: numbers of training points N, ascending.
        student: how networks are trained.
        samples: of each network, from the same noise.
        sampling_steps: of each sample.
        test_points: others, on which errors are measured.
        seed: of points, weights and noise.
    """

    set_sizes: tuple[int, ...] = (7, 14, 28, 56, 112, 224, 350, 700, 1400, 2800, 5600)
    student: StudentSettings = StudentSettings()
    samples: int = 1000
    sampling_steps: int = 50
    test_points: int = 500
    seed: int = 0

    def check(self):
        """Raises `InputError` for what cannot be run."""
        check_set_sizes(self.set_sizes)
        if self.set_sizes[0] < 2:
            raise InputError(f"received set_sizes = {self.set_sizes[0]}, expected 2 or more")
        self.student.check()
        check_least(self, samples=2, sampling_steps=1, test_points=2)


class MoLRG(Experiment):
    """The transition of reproducibility of Zhang et al., on their mixture."""

    name = "molrg"
    title = "From how many points on are networks reproducible?"
    question = (
        "Of networks that are trained on N points of a known law, from which N on do those that share no "
        "points draw the same samples from the same noise, and does the law's optimum draw them, too?"
    )
    figures = "arXiv 2310.05264"
    scales = scales_of(name, MoLRGSettings)

    def trainings(self, settings, faces=None):
        settings.check()
        # The loop is no training of ours that the engine could run.
        return []

    def analyse(self, settings, runs, progress):
        most = settings.set_sizes[-1]
        first, second, test = (
            mixture_images(count, settings.seed, start, **MOLRG)
            for count, start in (
                (most, 0),
                (most, 2 * most),
                (settings.test_points, 4 * most),
            )
        )
        sigmas = _sampling_levels(settings)
        noisy = first_noise(settings.samples, SHAPE, sigmas[0], settings.seed)
        teacher = GaussianMixture(LAW, sigma=_LEVEL)
        taught = draw(teacher, noisy, sigmas).images
        results = []
        for place, count in enumerate(settings.set_sizes):
            sets = [first[:count], first[:count], second[:count]]
            students = []
            for k, points in enumerate(sets):
                part = (place + k / len(sets)) / len(settings.set_sizes)
                progress(f"N = {count}: network {k + 1}", part)
                students.append(train_student(points, settings.student, 3 * settings.seed + k))
            drawn = [draw(student, noisy, sigmas).images for student in students]
            copier = EmpiricalBayes(first[:count], sigma=_LEVEL)
            others = {
                SAME: drawn[1],
                OTHER: drawn[2],
                TEACHER: taught,
                COPIER: draw(copier, noisy, sigmas).images,
            }
            results.append(
                MoLRGResult(
                    count=count,
                    correlation={
                        name: paired_similarity(drawn[0], images) for name, images in others.items()
                    },
                    by_chance=paired_similarity(drawn[0], np.roll(taught, 1, axis=0)),
                    distance={
                        name: apart(drawn[0], images) / (UNIT * DEVIATION)
                        for name, images in others.items()
                    },
                    memorized=copies(closest(drawn[0], first[:count], progress=False)),
                    **_errors(students[0], teacher, first[:count], test, settings.seed),
                )
            )
        return self.document(
            answer(results),
            claims_of(results),
            sections=sections_of(results, settings),
            numbers=numbers(results),
        )


def _sampling_levels(settings):
    """From noise in which nothing is seen to the least that networks are trained for."""
    low, high = (UNIT * sigma for sigma in SIGMAS)
    schedule = NoiseLevels(steps=settings.sampling_steps, sigma_0=high, sigma_end=low)
    return [schedule.level(t) for t in range(1, settings.sampling_steps + 2)]


def _errors(student, teacher, train, test, seed):
    """|D(y) - x|^2 over that of the teacher on test points, of each point, as a mean over noise levels."""
    levels = np.geomspace(*SIGMAS, _LEVELS) * UNIT
    sets = {"train_error": train[: len(test)], "test_error": test}
    network, optimum = Rival(student), Rival(teacher)
    errors = {name: [] for name in sets}
    for sigma in levels:
        best = np.square(optimum.denoise(add_noise(test, sigma, seed), sigma) - test).mean()
        for name, clean in sets.items():
            wrong = network.denoise(add_noise(clean, sigma, seed), sigma) - clean
            errors[name].append(np.square(wrong, dtype=np.float64).mean(axis=(1, 2, 3)) / best)
    return {name: np.mean(found, axis=0) for name, found in errors.items()}
