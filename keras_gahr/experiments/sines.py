"""Sines: two parameters (arXiv 2310.02557, figure 20)."""

from .plan import DatasetTask
from .tangent_family import TangentFamily, TangentSettings


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
            images=2048 + 64,
            size=16,
            test_size=64,
            num_blocks=1,
            num_kernels=16,
            sigma=0.08,
            sigma_max=0.5,
            epochs=6,
            images_per_epoch=4096,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=2,
            curve_images=64,
            basis_images=6,
        ),
        "laptop": TangentSettings(
            images=10_000 + 512,
            size=24,
            num_blocks=2,
            num_kernels=32,
            sigma=0.08,
            sigma_max=0.5,
            epochs=5,
            images_per_epoch=10_000,
            batch_size=16,
            learning_rate=2e-3,
            halve_every=1,
            basis_images=16,
        ),
        "paper": TangentSettings(images=100_000 + 512, sigma=0.08),
    }

    def images(self, settings):
        return DatasetTask(
            "sines", {"count": settings.images, "size": settings.size, "seed": settings.seed}
        )
