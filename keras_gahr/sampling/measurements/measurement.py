"""What every linear measurement has in common."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.image_arrays import as_images
from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole


def checked_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """The shape `(height, width, channels)` of images, if it is one; else raises `InputError`."""
    try:
        sides = tuple(shape)
    except TypeError:
        sides = ()
    if len(sides) != 3 or isinstance(shape, str):
        raise InputError(
            f"received an image shape {' '.join(f'{shape!r:.80}'.split())}, expected (height, width, "
            "channels)"
        )
    height, width, channels = (check_whole(side, "a side or channels", 1) for side in sides)
    return height, width, channels


class Measurement(abc.ABC):
    """A linear map M with orthonormal rows from images to measurements.

    Then P = M^T M is the projection on what is known of an image, and M M^T m = m for every m that
    is a measurement of some image. Called with images, it gives what is observed of them, as NumPy
    arrays. All methods take and return float32 tensors of the running backend and work on batches,
    `(batch, *shape)` and `(batch, *measured_shape)`.

    An instrument may give the same numbers in other units, such as means where M has sums:
    `observe` has these, for pictures, files and what `sample` is given, and `measured_from` turns them
    into measurements.

    Attributes:
        shape: of one image, `(height, width, channels)`.
        measured_shape: of what is measured of one image.
        gives_pictures: whether what is observed of an image is a picture, on [0, 1] if the image is.
        gain: how much larger than the values of an image those of such a picture can be.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> from keras import ops
        >>> class Red(kg.measurements.Measurement):
        ...     shape, measured_shape, gives_pictures = (8, 8, 3), (8, 8, 1), True
        ...
        ...     def measure(self, images):
        ...         return images[..., :1]
        ...
        ...     def back_project(self, measured):
        ...         return ops.pad(measured, [(0, 0), (0, 0), (0, 0), (0, 2)])
        >>> Red()(np.ones((8, 8, 3))).shape
        (8, 8, 1)
        >>> ops.convert_to_numpy(Red().project(ops.ones((1, 8, 8, 3))))[0, 0, 0]
        array([1., 0., 0.], dtype=float32)
    """

    shape: tuple[int, ...]
    measured_shape: tuple[int, ...]
    gives_pictures: bool = False
    gain: float = 1.0

    def __call__(self, images: ArrayLike) -> np.ndarray:
        """What the instrument gives of images: float32 `measured_shape`, of several `(N, ...)`.

        Args:
            images: of one image an array (H, W) or (H, W, C), of several (N, H, W) or (N, H, W, C);
                uint8 in 0..255 or floats in [0, 1].

        Raises:
            InputError: for something else, or images of another shape.
        """
        stack, layout = as_images(images, self.shape[-1])
        if stack.shape[1:] != tuple(self.shape):
            raise InputError(
                f"received images of shape {stack.shape[1:]}, expected {tuple(self.shape)}: make a "
                "measurement of their shape"
            )
        observed = ops.convert_to_numpy(self.observe(ops.convert_to_tensor(stack)))
        return observed if "N" in layout else observed[0]

    def of_channels(self, channels: int) -> Measurement:
        """The measurement of images with so many channels, if it is one or can be made one.

        Raises:
            InputError: if it cannot.
        """
        if self.shape[2] != channels:
            raise InputError(
                f"received a measurement of images with {self.shape[2]} channel(s) for a denoiser of "
                f"{channels}: make it for as many"
            )
        return self

    @abc.abstractmethod
    def measure(self, images: Any) -> Any:
        """M x: the measurements of images."""

    @abc.abstractmethod
    def back_project(self, measured: Any) -> Any:
        """M^T m: the images of least norm with these measurements."""

    def project(self, images: Any) -> Any:
        """P x: the known part of images."""
        return self.back_project(self.measure(images))

    def observe(self, images: Any) -> Any:
        """What the instrument gives of images, of the shape of the measurements."""
        return self.measure(images)

    def measured_from(self, observed: Any) -> Any:
        """M x from what the instrument gave of x."""
        return observed

    def ascent_direction(self, residual: Any, images: Any, known: Any) -> Any:
        """g = (I - P) r(y) + P y - M^T m, which the sampler follows downwards.

        Args:
            residual: r(y).
            images: y.
            known: M^T m, the back-projected measurements.
        """
        return residual + self.project(images - residual) - known
