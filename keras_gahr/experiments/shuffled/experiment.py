"""Faces whose pixels are shuffled, all in the same way (arXiv 2310.02557, figure 21).

The images hold as much as before, and the best denoiser is as good; but the bases that networks prefer
no longer suit them.
"""

import dataclasses

from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask

from ..bases import BasisSettings, measure_bases, measure_curve, measure_linear_curve
from ..eigenbasis.experiment import EigenbasisSettings
from ..faces import images_section
from ..scales import scales_of
from .findings import ShuffledFindings, shuffled_claims
from .report import answer, bases_section, denoising_section, numbers

LOW = 0.1
"""The lowest noise level at which slopes are compared.

Towards smaller noise every good denoiser returns what it gets, and has slope 1: the sooner, the less it
knows of the images.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShuffledSettings(EigenbasisSettings):
    """Settings of the experiment; see `EigenbasisSettings`, with whose networks it shares one."""

    bases: BasisSettings = BasisSettings(sigma=0.3, vectors=60, slope_low=LOW, slope_high=1.0)


class Shuffled(Experiment):
    """Figure 21."""

    name = "shuffled"
    title = "Shuffled faces"
    question = "How well does a network denoise images that are neither local nor regular?"
    figures = "Fig. 21"
    uses_faces = True
    scales = scales_of(name, ShuffledSettings)

    def trainings(self, settings, faces=None):
        network, bases = settings.network, settings.bases
        bases.check(network.test_size)
        plain = settings.images(faces)
        shuffled = DatasetTask("shuffled", {"dataset": plain, "seed": network.seed})
        return [
            network.training(label, images, settings.train_images, **bases.options())
            for label, images in (("unshuffled", plain), ("shuffled", shuffled))
        ]

    def analyse(self, settings, runs, progress):
        plain, shuffled = runs
        progress("PSNR curves", 0.0)
        found = ShuffledFindings(
            measure_curve(plain, settings.bases, settings.network),
            measure_curve(shuffled, settings.bases, settings.network),
            measure_linear_curve(plain, settings.bases, settings.network),
        )
        bases = measure_bases(
            shuffled,
            settings.bases,
            settings.network.seed,
            lambda done, all_: progress("bases", 0.5 + 0.5 * done / all_),
        )
        return self.document(
            answer(found),
            shuffled_claims(found),
            sections=[
                images_section(plain.dataset),
                denoising_section(found),
                bases_section(bases),
            ],
            numbers=numbers(found, bases),
        )
