"""The bases in which a network denoises faces (arXiv 2310.02557, figure 3)."""

import dataclasses

from keras_gahr.reproduction.experiment import Experiment

from ..bases import BasisSettings, measure_bases
from ..faces import FaceSettings, images_section
from ..networks import NetworkSettings
from ..scales import scales_of
from .findings import adaptive_claims, adaptive_findings
from .report import answer, bases_section, numbers


@dataclasses.dataclass(frozen=True, kw_only=True)
class EigenbasisSettings:
    """Settings of the experiment.

    Args:
        network, bases, faces: what it has in common with others.
        train_images: to train on.
    """

    network: NetworkSettings = NetworkSettings()
    bases: BasisSettings = BasisSettings()
    faces: FaceSettings = FaceSettings()
    train_images: int = 99_325

    def images(self, faces):
        """The images to train and to test on; see `FaceSettings.images`."""
        count = self.train_images + self.network.test_size
        return self.faces.images(self.network, self.bases.size, count, faces)


class FaceEigenbasis(Experiment):
    """Figure 3."""

    name = "eigenbasis"
    title = "Harmonics that adapt to the image"
    question = "In which basis does a network that generalizes shrink a noisy image?"
    figures = "Fig. 3"
    uses_faces = True
    scales = scales_of(name, EigenbasisSettings)

    def trainings(self, settings, faces=None):
        settings.bases.check(settings.network.test_size)
        images, options = settings.images(faces), settings.bases.options()
        return [settings.network.training("faces", images, settings.train_images, **options)]

    def analyse(self, settings, runs, progress):
        (run,) = runs
        bases = measure_bases(
            run,
            settings.bases,
            settings.network.seed,
            lambda done, all_: progress("bases", done / all_),
        )
        found = adaptive_findings(bases)
        return self.document(
            answer(bases, found),
            adaptive_claims(found),
            sections=[images_section(run.dataset), bases_section(bases)],
            numbers=numbers(bases, found),
        )
