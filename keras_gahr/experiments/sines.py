"""Sines: two parameters (arXiv 2310.02557, figure 20)."""

from .plan import DatasetTask
from .tangent_family import SMALL, TangentFamily, TangentSettings


class Sines(TangentFamily):
    """Figure 20."""

    name = "sines"
    title = "Sines: a two-dimensional family"
    question = "Does a network keep more than the two directions in which plane waves can change?"
    figures = "Fig. 20"
    dimension = 2
    # Plane waves of all phases and intensities span three: a sine, a cosine and a constant.
    span = 3
    scales = {
        "smoke": TangentSettings(
            **SMALL["smoke"],
            sigma=0.08,
            sigma_max=0.5,
            epochs=6,
            images_per_epoch=4096,
            halve_every=2,
        ),
        "laptop": TangentSettings(
            **SMALL["laptop"],
            images=10_000 + 512,
            sigma=0.08,
            sigma_max=0.5,
            epochs=5,
            images_per_epoch=10_000,
            halve_every=1,
        ),
        "paper": TangentSettings(images=100_000 + 512, sigma=0.08),
    }

    def images(self, settings):
        return DatasetTask(
            "sines", {"count": settings.images, "size": settings.size, "seed": settings.seed}
        )
