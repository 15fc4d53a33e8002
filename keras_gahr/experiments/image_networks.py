"""Networks trained on faces, or on a synthetic family in their place."""

import dataclasses

from keras_gahr.datasets import load
from keras_gahr.errors import InputError
from keras_gahr.sampling import AscentSchedule

from .plan import DatasetTask, TrainingTask


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """What trainings on images have in common.

    Args:
        images: number of synthetic images to make.
        test_size: test images of each training.
        num_kernels: of the network, in the first block.
        epochs, images_per_epoch, batch_size, learning_rate, halve_every: see `TrainingSettings`.
        curve_images: training and test images whose PSNR is measured.
        precision: "float32" or "mixed_bfloat16".
        seed: of images, weights and noise.
    """

    images: int = 198_650
    test_size: int = 512
    num_kernels: int = 64
    epochs: int = 1000
    images_per_epoch: int = 250_000
    batch_size: int = 512
    learning_rate: float = 1e-3
    halve_every: int | None = 100
    curve_images: int = 512
    precision: str = "float32"
    seed: int = 0

    def train_size(self):
        """How many images are left to train on.

        Raises:
            InputError: if there are none.
        """
        if self.images <= self.test_size:
            raise InputError(
                f"received {self.images} images, expected more than the {self.test_size} to test on"
            )
        return self.images - self.test_size

    def training(self, label, images, train_size, half="A", **network):
        """The `TrainingTask` of a network on some of the images; B starts from other weights.

        Of its arguments, those that are None are left to their defaults.
        """
        options = {
            "architecture": "unet",
            "train_size": train_size,
            "test_size": self.test_size,
            "half": half,
            "num_kernels": self.num_kernels,
            "seed": self.seed + (half == "B"),
            **{
                name: getattr(self, name)
                for name in (
                    "epochs",
                    "images_per_epoch",
                    "batch_size",
                    "learning_rate",
                    "halve_every",
                    "precision",
                )
            },
            **{name: value for name, value in network.items() if value is not None},
        }
        return TrainingTask(label, images, options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageNetworkSettings(NetworkSettings):
    """What experiments with faces have in common.

    Args:
        alpha: regularity of the C^alpha images that stand in for faces.
    """

    alpha: float = 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampledNetworkSettings(ImageNetworkSettings):
    """What experiments have in common that also sample; see `ImageNetworkSettings` for the others.

    Args:
        samples: of each network.
        h0, fixed_h, beta, sigma_end: see `AscentSchedule`.
    """

    samples: int = 200
    h0: float = 0.01
    fixed_h: bool = True
    beta: float = 0.1
    sigma_end: float = 0.05

    def schedule(self):
        """The `AscentSchedule`; raises `InputError` for values outside its ranges."""
        return AscentSchedule(
            h0=self.h0, fixed_h=self.fixed_h, beta=self.beta, sigma_end=self.sigma_end
        )


SMALL = {
    "smoke": {
        "images": 1024,
        "size": 16,
        "test_size": 32,
        "num_kernels": 16,
        "num_blocks": 1,
        "epochs": 4,
        "images_per_epoch": 2560,
        "batch_size": 16,
        "learning_rate": 4e-3,
        "halve_every": 1,
        "curve_images": 512,
        "samples": 16,
        "fixed_h": False,
    },
    "laptop": {
        "images": 8000,
        "size": 20,
        "test_size": 100,
        "num_kernels": 32,
        "num_blocks": 2,
        "epochs": 10,
        "images_per_epoch": 8000,
        "batch_size": 16,
        "halve_every": 2,
        "curve_images": 1000,
        "samples": 64,
        "fixed_h": False,
    },
}
"""What experiments that also sample have in common at their smaller scales, with U-Nets."""


def images_of(settings, size, count, faces):
    """The images to train on: all faces of the user, or C^alpha images.

    Args:
        settings: `ImageNetworkSettings`.
        size: height and width in pixels.
        count: images needed at least.
        faces: `DatasetFolder` of larger or equally large images, or None.

    Returns:
        `DatasetTask` or `DatasetFolder`.

    Raises:
        InputError: if there are too few images, or the side of faces is no multiple of the size.
    """
    if faces is None:
        _check_count(settings.images, count, f"images = {settings.images}")
        parameters = {"count": settings.images, "size": size}
        return DatasetTask("c_alpha", parameters | {"seed": settings.seed, "alpha": settings.alpha})
    available, height, width, _ = load(faces.path, verify=False).images.shape
    _check_count(available, count, f"{available} images in {faces.path}")
    if (height, width) == (size, size):
        return faces
    if height != width or height % size:
        raise InputError(
            f"{faces.path} has images of {height}x{width}, expected square ones with a side of "
            f"{size} pixels or a multiple: choose another size"
        )
    return DatasetTask("resized", {"dataset": faces, "size": size})


def _check_count(available, count, name):
    if available < count:
        raise InputError(
            f"received {name}, expected at least {count} for these settings: choose smaller sets, "
            "or give more images"
        )


def describe_images(dataset):
    """A sentence on what a `Dataset` holds, for the report."""
    height, width = dataset.images.shape[1:3]
    recipe = dataset.manifest["recipe"]
    if recipe == "c_alpha":
        alpha = dataset.manifest["parameters"]["alpha"]
        return (
            f"No dataset of faces was given: in their place stand {len(dataset)} synthetic C^alpha "
            f"images (alpha = {alpha:g}) of {height}x{width} pixels, so that the paper's numbers, "
            "which are of faces, cannot be expected to the digit."
        )
    return f"The images are the {len(dataset)} of the given dataset, at {height}x{width} pixels."


def check_set_sizes(set_sizes, least=2):
    """Raises `InputError` unless these are at least two ascending numbers of training images."""
    if len(set_sizes) < least or list(set_sizes) != sorted(set(set_sizes)) or set_sizes[0] < 1:
        raise InputError(
            f"received set sizes {', '.join(map(str, set_sizes))}, expected at least {least} "
            "ascending numbers of images such as 1,10,100"
        )
