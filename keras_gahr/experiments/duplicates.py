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
from keras_gahr.report.document import Document
from keras_gahr.sampling import sample

from .duplicates_findings import DuplicatesResult, claims_of
from .duplicates_report import answer, effect_section, images_section, numbers, repeats_section
from .experiment import Experiment
from .gap import measure_gap
from .image_networks import SMALL, SampledNetworkSettings, images_of
from .plan import DatasetTask

SETS = ("distinct", "repeated", "few")
"""N distinct images; N repeats of a few; these few."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DuplicatesSettings(SampledNetworkSettings):
    """Settings of the experiment; see `SampledNetworkSettings` for the others.

    Args:
        size: height and width of the images.
        few, repeats: how many images are repeated, and how often each is there: N is their product.
        num_blocks: of the U-Net.
    """

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
    scales = {
        "smoke": DuplicatesSettings(**SMALL["smoke"], few=2, repeats=256),
        "laptop": DuplicatesSettings(**SMALL["laptop"], few=10, repeats=100),
        "paper": DuplicatesSettings(),
    }

    def trainings(self, settings, faces=None):
        few, total = settings.few, settings.few * settings.repeats
        if few < 2 or settings.repeats < 2 or settings.samples < 2:
            raise InputError(
                f"received {few} images, {settings.repeats} repeats and {settings.samples} samples, "
                "expected at least 2 of each"
            )
        most = max(settings.test_size, settings.curve_images)
        images = images_of(settings, settings.size, total + most, faces)
        parameters = {"distinct": few, "repeats": settings.repeats, "seed": settings.seed}
        repeated = DatasetTask("repeated", {"dataset": images, **parameters})
        return [
            settings.training(f"{name} N={size}", data, size, num_blocks=settings.num_blocks)
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
            gaps[name] = measure_gap(run, settings.curve_images, seed=settings.seed)
            images = run.split()[0].images
            samples = _samples(run, images, settings)
            # Compared with its repeats too, the closest image and the next would be the same one.
            distinct = images[:few] if name == "repeated" else images
            memorized[name] = memorization_report(samples, distinct).memorized_up_to_a_factor
            if name == "repeated":
                with_repeats = memorization_report(samples, images)
                blind = float(with_repeats.memorized_up_to_a_factor.mean())
        result = DuplicatesResult(few, total, repeats, gaps, memorized, blind)
        return Document(
            self.name,
            self.title,
            self.question,
            answer(result),
            claims=claims_of(result),
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
        count=settings.samples,
        seed=settings.seed,
        schedule=settings.schedule(),
        batch_size=32,
    )
    converged = np.array(found.status) == "converged"
    if not converged.any():
        raise InputError(f"no sample of {run.task.label} converged: a larger beta may help")
    return found.images[converged]
