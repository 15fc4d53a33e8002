"""What repeated images in a training set do (arXiv 2310.02557, figure 6 and appendix A.1).

Collections of pictures hold some more than once. Two halves of such a set are not disjoint, and a
set with repeats has fewer images than it seems to. The paper therefore drops all but one of images
whose correlation is above 0.95. This experiment puts repeats where there were none: networks are
trained on a set of N distinct images, on one of N images that are repeats of a few, and on these few.
"""

import dataclasses

import numpy as np

from keras_gahr.analysis.memorization import memorization_report
from keras_gahr.datasets import find_repeats
from keras_gahr.errors import InputError
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask
from keras_gahr.sampling import sample

from ..faces import FaceSettings
from ..gap import measure_gap
from ..networks import NetworkSettings, SamplingSettings
from ..scales import scales_of
from .findings import DuplicatesResult, claims_of
from .report import answer, effect_section, images_section, numbers, repeats_section

SETS = ("distinct", "repeated", "few")
"""N distinct images; N repeats of a few; these few."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DuplicatesSettings:
    """Settings of the experiment.

    Args:
        network, sampling, faces: what it has in common with others.
        size: height and width of the images.
        few, repeats: how many images are repeated, and how often each is there: N is their product.
        num_blocks: of the U-Net.
    """

    network: NetworkSettings = NetworkSettings()
    sampling: SamplingSettings = SamplingSettings()
    faces: FaceSettings = FaceSettings()
    size: int = 80
    few: int = 100
    repeats: int = 100
    num_blocks: int = 3


class Duplicates(Experiment):
    """Figure 6, and what it is about."""

    name = "duplicates"
    title = "Repeated images"
    question = "What do images that are in a training set more than once do to a denoiser?"
    figures = "Fig. 6"
    uses_faces = True
    scales = scales_of(name, DuplicatesSettings)

    def trainings(self, settings, faces=None):
        network, samples = settings.network, settings.sampling.samples
        few, total = settings.few, settings.few * settings.repeats
        if few < 2 or settings.repeats < 2 or samples < 2:
            raise InputError(
                f"received {few} images, {settings.repeats} repeats and {samples} samples, "
                "expected at least 2 of each"
            )
        most = max(network.test_size, network.curve_images)
        images = settings.faces.images(network, settings.size, total + most, faces)
        parameters = {"distinct": few, "repeats": settings.repeats, "seed": network.seed}
        repeated = DatasetTask("repeated", {"dataset": images, **parameters})
        return [
            network.training(f"{name} N={size}", data, size, num_blocks=settings.num_blocks)
            for name, data, size in zip(
                SETS, (images, repeated, images), (total, total, few), strict=True
            )
        ]

    def analyse(self, settings, runs, progress):
        few, total = settings.few, settings.few * settings.repeats
        progress("looking for repeats", 0)
        repeats = find_repeats(runs[1].split()[0].images)
        gaps, memorized = {}, {}
        for place, (name, run) in enumerate(zip(SETS, runs, strict=True)):
            progress(f"{name}: PSNR curves and samples", (1 + place) / 4)
            distinct = few if name == "repeated" else None
            gaps[name] = measure_gap(run, settings.network, distinct=distinct)
            images = run.split()[0].images
            samples = _samples(run, images, settings)
            # Compared with its repeats too, the closest image and the next would be the same one.
            memorized[name] = memorization_report(
                samples, images[:distinct]
            ).memorized_up_to_a_factor
            if distinct is not None:
                with_repeats = memorization_report(samples, images)
                blind = float(with_repeats.memorized_up_to_a_factor.mean())
        result = DuplicatesResult(few, total, repeats, gaps, memorized, blind)
        return self.document(
            answer(result),
            claims_of(result),
            sections=[
                images_section(runs),
                repeats_section(result, runs[1]),
                effect_section(result),
            ],
            numbers=numbers(result),
        )


def _samples(run, images, settings):
    found = sample(
        run.denoiser(),
        images.shape[1:],
        count=settings.sampling.samples,
        seed=settings.network.seed,
        schedule=settings.sampling.schedule(),
        batch_size=32,
    )
    converged = np.array(found.status) == "converged"
    if not converged.any():
        raise InputError(f"no sample of {run.task.label} converged: a larger beta may help")
    return found.images[converged]
