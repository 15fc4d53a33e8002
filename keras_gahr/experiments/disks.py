"""Disks: five parameters, and a network that finds their five directions (arXiv 2310.02557, figure 5)."""

from .plan import DatasetTask
from .tangent_family import SMALL, TangentFamily, TangentSettings


class Disks(TangentFamily):
    """Figure 5."""

    name = "disks"
    title = "Disks: a five-dimensional family"
    question = "Does a network find the five directions in which images of disks can change?"
    figures = "Fig. 5"
    dimension = 5
    paper_factors = dict(
        enumerate((1.177, 1.067, 1.004, 0.999, 0.945, 0.674, 0.552, 0.390, 0.304, 0.278), start=1)
    )
    scales = {
        "smoke": TangentSettings(
            **SMALL["smoke"], sigma_max=0.2, epochs=6, images_per_epoch=4096, halve_every=2
        ),
        "laptop": TangentSettings(
            **SMALL["laptop"],
            images=20_000 + 512,
            sigma_max=0.2,
            epochs=12,
            images_per_epoch=15_000,
            halve_every=4,
        ),
        "paper": TangentSettings(images=100_000 + 512),
    }

    def images(self, settings):
        return DatasetTask(
            "disks", {"count": settings.images, "size": settings.size, "seed": settings.seed}
        )
