"""A ray: one image times a random intensity (arXiv 2310.02557, figure 19)."""

import dataclasses

from keras_gahr.reproduction.plan import DatasetTask

from ..bases import BasisSettings
from ..scales import scales_of
from .experiment import TangentFamily, TangentSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaySettings(TangentSettings):
    """Settings of the experiment; see `TangentSettings` for the others.

    Args:
        alpha: regularity of the image, which is a C^alpha image.
    """

    bases: BasisSettings = BasisSettings(sigma=0.08, vectors=26, slope_high=0.1)
    alpha: float = 2.0


class Ray(TangentFamily):
    """Figure 19."""

    name = "ray"
    title = "A ray: a one-dimensional family"
    question = "Does a network keep more than the one direction in which multiples of an image lie?"
    figures = "Fig. 19"
    dimension = 1
    scales = scales_of(name, RaySettings)

    def images(self, settings):
        network = settings.network
        one = {"count": 1, "size": settings.bases.size, "seed": network.seed}
        return DatasetTask(
            "ray",
            {
                "dataset": DatasetTask("c_alpha", one | {"alpha": settings.alpha}),
                "count": network.images,
                "seed": network.seed,
            },
        )
