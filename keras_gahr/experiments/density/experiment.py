"""Do two networks that share no training images find the same images probable (arXiv 2506.05310)?

The networks are those of `transition`: two for each number of training images, of disjoint halves of a set.
The densities are of images that neither was trained on, and, for a network that memorizes, of its own. The
law of such images is not known: small networks on points of one that is tell whether it is the true density
that they agree on.
"""

import dataclasses

from keras_gahr.analysis import log_density
from keras_gahr.datasets.arrays import spread_places
from keras_gahr.reproduction.experiment import Experiment

from ..faces import FaceSettings, images_section
from ..networks import NetworkSettings, check_least, check_set_sizes
from ..scales import scales_of
from .findings import AgreementResult, claims_of, teacher_claims
from .report import agreement_section, answer, numbers, teacher_numbers, teacher_section
from .teacher import TeacherSettings, measure_students

_OF_IMAGES = 0.6
"""The part of the analysis that is of images."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DensitySettings:
    """Settings of the experiment.

    Args:
        network, faces: what it has in common with others.
        teacher: of the networks whose law is known.
        size: height and width of the images.
        set_sizes: numbers of training images N, ascending.
        num_blocks: of the UNets.
        density_images: images that neither network was trained on, and as many at most of those that one was.
        evaluations: of each network for each image.
    """

    network: NetworkSettings = NetworkSettings()
    faces: FaceSettings = FaceSettings()
    teacher: TeacherSettings = TeacherSettings()
    size: int = 80
    set_sizes: tuple[int, ...] = (10, 100, 1000, 10_000)
    num_blocks: int = 3
    density_images: int = 128
    evaluations: int = 400


class Densities(Experiment):
    """Strong generalization of the density, of Guth et al."""

    name = "density"
    title = "Do two networks find the same images probable?"
    question = (
        "How many training images does it take until two networks that share none of them agree on the "
        "density of other images?"
    )
    figures = "arXiv 2506.05310"
    uses_faces = True
    scales = scales_of(name, DensitySettings)

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        check_least(settings, density_images=3, evaluations=12)
        settings.teacher.check()
        network, most = settings.network, settings.set_sizes[-1]
        # Those in the middle are in no half.
        count = 2 * most + max(settings.density_images, network.test_size)
        images = settings.faces.images(network, settings.size, count, faces)
        return [
            network.training(f"N={size} {half}", images, size, half, num_blocks=settings.num_blocks)
            for size in settings.set_sizes
            for half in "AB"
        ]

    def analyse(self, settings, runs, progress):
        stack, most = runs[0].dataset.images, settings.set_sizes[-1]
        others = stack[most : most + settings.density_images]
        results = []
        for place, size in enumerate(settings.set_sizes):
            first, second = runs[2 * place : 2 * place + 2]
            own = stack[spread_places(size, settings.density_images)]

            def tell(text, part, place=place, size=size):
                done = (place + part) / len(settings.set_sizes)
                progress(f"N = {size}: {text}", _OF_IMAGES * done)

            results.append(_measure(size, first, second, own, others, settings, tell))

        def tell_points(text, part):
            progress(f"known law, {text}", _OF_IMAGES + (1 - _OF_IMAGES) * part)

        teacher, students = measure_students(settings.teacher, settings.network.seed, tell_points)
        return self.document(
            answer(results, teacher, students),
            claims_of(results) + teacher_claims(teacher, students),
            sections=[
                images_section(
                    runs[0].dataset,
                    "For each N, network A was trained on the first N of them and network B on the last N. "
                    f"Densities are of {len(others)} from the middle, which neither has seen. What density "
                    "these images have is not known: here networks are held against each other alone.",
                ),
                agreement_section(results, others),
                teacher_section(teacher, students, settings.teacher),
            ],
            numbers=numbers(results) | {"known law": teacher_numbers(teacher, students)},
        )


def _measure(size, first, second, own, others, settings, progress):
    """The `AgreementResult` of two `FinishedRun`s."""
    options = {"seed": settings.network.seed, "evaluations": settings.evaluations}

    def densities(run, images, start, **more):
        return log_density(
            run.denoiser(),
            images,
            progress=lambda done, of: progress("densities", start + done / of / 3),
            **options,
            **more,
        )

    found = densities(first, others, 0.0)
    # To compare, at the same noise levels.
    same = {"sigmas": found.sigmas}
    return AgreementResult(
        size, found, densities(second, others, 1 / 3, **same), densities(first, own, 2 / 3, **same)
    )
