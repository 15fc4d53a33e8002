"""From memorization to generalization (arXiv 2310.02557, figures 1, 2 and 9 to 12).

Two networks are trained on N images each, of disjoint halves of a set. With few images each
repeats its own; with many both compute nearly the same function, and make nearly the same new
images from the same noise.
"""

import contextlib
import dataclasses

import numpy as np

from keras_gahr.analysis.comparison import compare
from keras_gahr.analysis.memorization import memorized_in_a_way
from keras_gahr.errors import InputError
from keras_gahr.reproduction.experiment import Experiment

from ..explanations import ExplanationSettings, explanations_section
from ..faces import FaceSettings
from ..gap import measure_gap
from ..networks import NetworkSettings, SamplingSettings, check_set_sizes
from ..scales import scales_of
from .findings import SetResult, claims_of, crossing_of
from .report import (
    answer,
    curves_section,
    images_section,
    numbers_section,
    samples_section,
    twins_page,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransitionSettings:
    """Settings of the experiment.

    Args:
        network, sampling, faces: what it has in common with others.
        explanation: how networks are held against denoisers in closed form.
        size: height and width of the images.
        set_sizes: numbers of training images N, ascending.
        architecture, num_blocks, num_layers: of the networks, as `gahr train` has them.
    """

    network: NetworkSettings = NetworkSettings()
    sampling: SamplingSettings = SamplingSettings()
    faces: FaceSettings = FaceSettings()
    explanation: ExplanationSettings = ExplanationSettings()
    size: int = 80
    set_sizes: tuple[int, ...] = (1, 10, 100, 1000, 10_000, 99_325)
    architecture: str = "unet"
    num_blocks: int | None = 3
    num_layers: int | None = None


class Transition(Experiment):
    """Figures 1 and 2; with other images and networks 9 to 12."""

    name = "transition"
    title = "Memorized or generalized?"
    question = (
        "How many training images does it take until two networks that share none of them learn "
        "the same images instead of their own?"
    )
    figures = "Figs. 1, 2, 9-12"
    uses_faces = True
    scales = scales_of(name, TransitionSettings)

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        samples = settings.sampling.samples
        if samples < 2:
            raise InputError(f"received {samples} samples, expected at least 2 pairs")
        settings.sampling.schedule()
        settings.explanation.check()
        network, most = settings.network, settings.set_sizes[-1]
        count = most + max(most, network.test_size)
        images = settings.faces.images(network, settings.size, count, faces)
        options = {
            "architecture": settings.architecture,
            "num_blocks": settings.num_blocks,
            "num_layers": settings.num_layers,
        }
        return [
            network.training(f"N={size} {half}", images, size, half, **options)
            for size in settings.set_sizes
            for half in "AB"
        ]

    def analyse(self, settings, runs, progress):
        results, pages, numbers = [], [], {}
        places = len(settings.set_sizes)
        for place, size in enumerate(settings.set_sizes):
            progress(f"N = {size}: PSNR curves", place / places)
            pair = runs[2 * place : 2 * place + 2]
            gap = measure_gap(pair[0], settings.network)
            # The networks are trained, and can be looked at again with other settings.
            with _errors_of(size):
                progress(f"N = {size}: samples", (place + 0.2) / places)
                comparison = _compare(settings, pair)
                progress(f"N = {size}: what explains it", (place + 0.5) / places)
                explanation = settings.explanation.explain(pair, settings.network.seed)
            results.append(_result(size, gap, comparison, explanation))
            rows = comparison.rows()
            pages.append(twins_page(size, results[-1], rows, settings.sampling.samples))
            numbers[f"N={size}"] = {
                **gap.numbers(),
                **comparison.numbers(),
                "explanation": explanation.numbers(),
            }
        crossing = crossing_of(results)
        numbers["crossing"] = crossing
        return self.document(
            answer(results, crossing),
            claims_of(results),
            sections=[
                images_section(runs[0].dataset),
                curves_section(results),
                samples_section(results, crossing, pages),
                explanations_section({r.count: r.explanation for r in results}),
                numbers_section(results, crossing),
            ],
            numbers=numbers,
        )


@contextlib.contextmanager
def _errors_of(size):
    """Says of which networks an error is."""
    try:
        yield
    except InputError as error:
        raise InputError(f"N = {size}: {error}") from error


def _compare(settings, pair):
    return compare(
        [run.denoiser() for run in pair],
        [run.split()[0].images for run in pair],
        count=settings.sampling.samples,
        seed=settings.network.seed,
        schedule=settings.sampling.schedule(),
        batch_size=32,
    )


def _result(size, gap, comparison, explanation):
    reports = comparison.reports
    return SetResult(
        count=size,
        gap=gap,
        twins=reports[0].twins["correlation"],
        closest=np.max([r.closest["correlation"].value[:, 0] for r in reports], axis=0),
        memorized=memorized_in_a_way(reports).ravel(),
        explanation=explanation,
    )
