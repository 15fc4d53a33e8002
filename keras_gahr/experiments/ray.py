"""A ray: one image times a random intensity (arXiv 2310.02557, figure 19)."""

import dataclasses

from .plan import DatasetTask
from .tangent_family import SMALL, TangentFamily, TangentSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaySettings(TangentSettings):
    """Settings of the experiment; see `TangentSettings` for the others.

    Args:
        alpha: regularity of the image, which is a C^alpha image.
    """

    sigma: float = 0.08
    alpha: float = 2.0


class Ray(TangentFamily):
    """Figure 19."""

    name = "ray"
    title = "A ray: a one-dimensional family"
    question = "Does a network keep more than the one direction in which multiples of an image lie?"
    figures = "Fig. 19"
    dimension = 1
    scales = {
        "smoke": RaySettings(
            **SMALL["smoke"], sigma_max=0.5, epochs=4, images_per_epoch=2560, halve_every=1
        ),
        "laptop": RaySettings(
            **SMALL["laptop"],
            images=10_000 + 512,
            sigma_max=0.5,
            epochs=5,
            images_per_epoch=10_000,
            halve_every=1,
        ),
        "paper": RaySettings(images=100_000 + 512),
    }

    def images(self, settings):
        one = {"count": 1, "size": settings.size, "seed": settings.seed, "alpha": settings.alpha}
        return DatasetTask(
            "ray",
            {
                "dataset": DatasetTask("c_alpha", one),
                "count": settings.images,
                "seed": settings.seed,
            },
        )
