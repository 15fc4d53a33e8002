"""The bases in which a network denoises faces (arXiv 2310.02557, figure 3)."""

import dataclasses

from keras_gahr.report.document import Document, Section

from .adaptive_claims import adaptive_claims, adaptive_findings
from .basis_report import bases_text, factor_picture, factor_table, vectors_slider
from .experiment import Experiment
from .image_bases import BasisSettings, measure_bases
from .image_networks import ImageNetworkSettings, describe_images, images_of

PAPER = dict(
    zip(
        (5, 17, 41, 65, 89, 113, 137, 161, 185, 209, 233, 245),
        (1.244, 1.115, 1.008, 0.93, 0.857, 0.792, 0.718, 0.663, 0.612, 0.569, 0.53, 0.51),
        strict=True,
    )
)
"""The factors in the paper, by their number."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EigenbasisSettings(BasisSettings, ImageNetworkSettings):
    """Settings of the experiment; see `BasisSettings` and `ImageNetworkSettings` for the others.

    Args:
        train_images: to train on.
    """

    train_images: int = 99_325


class FaceEigenbasis(Experiment):
    """Figure 3."""

    name = "eigenbasis"
    title = "Harmonics that adapt to the image"
    question = "In which basis does a network that generalizes shrink a noisy image?"
    figures = "Fig. 3"
    uses_faces = True
    scales = {
        "smoke": EigenbasisSettings(
            images=2048 + 64,
            train_images=2048,
            size=16,
            test_size=64,
            num_blocks=1,
            num_kernels=16,
            sigma_max=0.5,
            epochs=4,
            images_per_epoch=2048,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            basis_images=6,
            vectors=39,
        ),
        "laptop": EigenbasisSettings(
            images=8000,
            train_images=4000,
            size=40,
            test_size=100,
            num_blocks=2,
            num_kernels=32,
            epochs=16,
            images_per_epoch=8000,
            batch_size=16,
            halve_every=4,
            basis_images=16,
            vectors=160,
        ),
        "paper": EigenbasisSettings(),
    }

    def trainings(self, settings, faces=None):
        settings.check_bases()
        count = settings.train_images + settings.test_size
        images = images_of(settings, settings.size, count, faces)
        network = settings.network()
        return [settings.training("faces", images, settings.train_images, **network)]

    def analyse(self, settings, runs, progress):
        (run,) = runs
        bases = measure_bases(run, settings, lambda done, all_: progress("bases", done / all_))
        found = adaptive_findings(bases)
        factors = ", ".join(
            f"{value:.2f}" for value in bases[0].factors[: settings.vectors : 12][:4]
        )
        return Document(
            self.name,
            self.title,
            self.question,
            f"In a basis with an effective dimension of {100 * found.dimensions.mean():.1f} % of the "
            f"pixels; at the first image every twelfth factor is {factors} ... The first "
            f"{settings.vectors} vectors at an image leave {found.own.mean():.1f} dB of it, those at "
            f"another {found.other.mean():.1f} dB.",
            claims=adaptive_claims(found),
            sections=[
                Section("Images", [describe_images(run.dataset)]),
                Section(
                    "Bases",
                    [bases_text(bases)],
                    [
                        vectors_slider(
                            bases[0],
                            "Eigenvectors at the first image with their factors: they oscillate "
                            "along contours and in smooth regions. The paper's Fig. 3.",
                        ),
                        factor_picture(bases, self.figures, PAPER),
                        factor_table(bases, PAPER),
                    ],
                ),
            ],
            numbers={
                "effective_dimension_share": found.dimensions.tolist(),
                "left_by_own_db": found.own.tolist(),
                "left_by_other_db": found.other.tolist(),
                "rank_correlation_of_frequency": found.rising.tolist(),
                "density_on_contours": found.crowding.tolist(),
                "bases": [each.numbers() for each in bases],
            },
        )
