"""A ray: one image times a random intensity, one parameter (arXiv 2310.02557, figure 19)."""

import dataclasses
import hashlib
from pathlib import Path

from keras_gahr.datasets import read_image
from keras_gahr.errors import InputError

from .plan import DatasetFolder, DatasetTask
from .tangent_family import TangentFamily, TangentSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaySettings(TangentSettings):
    """Settings of the experiment; see `TangentSettings` for the others.

    Args:
        image: a picture in a file of `size` by `size` pixels, or None for a synthetic C^alpha one.
        alpha: the regularity of the synthetic image.
    """

    image: str | None = None
    alpha: float = 2.0
    sigma: float = 0.08


class Ray(TangentFamily):
    """Figure 19."""

    name = "ray"
    title = "A ray: one image at all intensities"
    question = "Does a network keep more than the one direction in which the intensity changes?"
    figures = "Fig. 19"
    dimension = 1
    scales = {
        "smoke": RaySettings(
            images=2048 + 64,
            size=16,
            test_size=64,
            num_blocks=1,
            num_kernels=16,
            epochs=4,
            images_per_epoch=2560,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=64,
            basis_images=6,
        ),
        "laptop": RaySettings(
            images=10_000 + 512,
            size=24,
            num_blocks=2,
            num_kernels=32,
            epochs=6,
            images_per_epoch=20_000,
            batch_size=32,
            learning_rate=2e-3,
            halve_every=1,
            basis_images=16,
        ),
        "paper": RaySettings(images=100_000 + 512),
    }

    def images(self, settings):
        if settings.image is None:
            parameters = {"count": 1, "size": settings.size, "seed": settings.seed}
            image = DatasetTask("c_alpha", parameters | {"alpha": settings.alpha})
        else:
            image = _picture(settings.image, settings.size)
        return DatasetTask("ray", {"image": image, "count": settings.images, "seed": settings.seed})


def _picture(path, size):
    """A picture in a file, known by its content."""
    height, width, _ = read_image(path).shape
    if (height, width) != (size, size):
        raise InputError(
            f"{path} has {height}x{width} pixels, expected {size}x{size}: crop it, or set the size"
        )
    content = Path(path).read_bytes()
    return DatasetFolder(str(Path(path).resolve()), hashlib.sha256(content).hexdigest())
