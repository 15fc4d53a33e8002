"""What trainings and samples have in common in all experiments."""

import dataclasses

from keras_gahr.errors import InputError
from keras_gahr.reproduction.plan import TrainingTask
from keras_gahr.sampling import AscentSchedule

_OF_TRAININGS = (
    "epochs",
    "images_per_epoch",
    "batch_size",
    "learning_rate",
    "halve_every",
    "precision",
)


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
            **{name: getattr(self, name) for name in _OF_TRAININGS},
            **{name: value for name, value in network.items() if value is not None},
        }
        return TrainingTask(label, images, options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """What is sampled from networks, and how.

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


def check_set_sizes(set_sizes, least=2):
    """Raises `InputError` unless these are ascending numbers of training images, so many at least."""
    check_ascending("set sizes", set_sizes, least, "1,10,100")
    if set_sizes[0] < 1:
        raise InputError(f"received set sizes from {set_sizes[0]}, expected 1 image or more")


def check_ascending(name, values, least, example):
    """Raises `InputError` unless values ascend, and are so many at least."""
    if len(values) < least or list(values) != sorted(set(values)):
        shown = ", ".join(f"{value:g}" for value in values) or "none"
        raise InputError(
            f"received {name} {shown}, expected at least {least}, ascending, such as {example}"
        )


def check_levels(low, high):
    """Raises `InputError` unless curves over these noise levels have a slope."""
    if not 0 < low < high:
        raise InputError(
            f"received slopes from sigma {low:g} to {high:g}, expected an ascending range above 0"
        )


def check_halves(settings, *names):
    """Raises `InputError` unless a UNet of the settings' `num_blocks` can halve the sides of these names."""
    multiple = 2**settings.num_blocks
    for name in names:
        if (size := getattr(settings, name)) % multiple:
            raise InputError(
                f"received {name} {size} with {settings.num_blocks} blocks, expected a multiple of "
                f"{multiple}"
            )


def check_least(settings, **least):
    """Raises `InputError` unless each of these fields of settings is a number of at least so much."""
    for name, expected in least.items():
        if (number := getattr(settings, name)) < expected:
            raise InputError(f"received {name} = {number}, expected {expected} or more")
