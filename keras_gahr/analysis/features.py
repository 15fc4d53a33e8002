"""Features: by which vectors images are compared with each other."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gahr import _backend
from keras_gahr._backend import foreign
from keras_gahr.datasets.arrays import release, to_float
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DirectDenoiser, FlexibleUNet
from keras_gahr.denoisers.foreign.any_keras_file import load_keras_file
from keras_gahr.denoisers.foreign.keras_graph import check_work
from keras_gahr.errors import InputError
from keras_gahr.names import printable, reason_of
from keras_gahr.progress import Progress, shows_progress

from .onnx_network import OnnxNetwork
from .taken_images import TakenImages

FeaturesLike: TypeAlias = (
    "Features | keras.Model | Callable[[np.ndarray], Any] | str | os.PathLike[str] | None"
)
"""What `as_features` takes."""

PIXELS = "pixels"

_VALUES = 2**22
"""Pixel values that a network is given at once, as it takes them: its activations are some times as many."""

_IMAGES = 256
"""Images that it is given at once, at most."""


class Features:
    """A function of images to vectors, in whose space images are compared; made by `as_features`.

    Args:
        name: what reports call it.
        function: of float32 images in the form that `takes` makes, on [0, 1], to vectors `(N, k)`: an array,
            or tensors of any framework.
        takes: the form of the images.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import as_features
        >>> features = as_features(lambda images: images.mean(axis=(1, 2)))
        >>> features.of(np.full((2, 8, 8), 0.5))
        array([[0.5],
               [0.5]], dtype=float32)
    """

    def __init__(
        self, name: str, function: Callable[[np.ndarray], Any], takes: TakenImages | None = None
    ) -> None:
        self.name = name
        self.function = function
        self.takes = takes or TakenImages()

    def __repr__(self) -> str:
        return f"Features({self.name!r})"

    @shows_progress("computing features")
    def of(self, images: ArrayLike, progress: Progress = None) -> np.ndarray:
        """The features of images, computed in blocks.

        Args:
            images: (N, H, W, C) or (N, H, W), uint8 or floats, such as the memory map of a dataset. Values
                outside [0, 1] are clipped, but for pixels.
            progress: called as progress(images done, images in all).

        Returns:
            float32 (N, k).

        Raises:
            InputError: for images that do not fit, or features that are no vectors, or not finite.
        """
        assert callable(progress)  # As the decorator makes it.
        images = as_stack(images)
        self.takes.check(images.shape, self.name)
        rows = self.takes.batch or max(
            1, min(_IMAGES, _VALUES // self.takes.size_of(images.shape[1:]))
        )
        found = np.empty((0, 0), np.float32)
        for start in range(0, len(images), rows):
            block = self._of_block(images[start : start + rows])
            if not start:
                found = np.empty((len(images), block.shape[1]), np.float32)
            elif block.shape[1] != found.shape[1]:
                raise InputError(
                    f"the features {self.name} are {found.shape[1]} numbers for some images and "
                    f"{block.shape[1]} for others, expected as many for each"
                )
            found[start : start + len(block)] = block
            release(images)
            progress(start + len(block), len(images))
        return found

    def vectors(self, images: ArrayLike) -> np.ndarray:
        """What `closest_features` compares: as `of`, but pixels are a view (N, k) of the images as they are.

        Of a memory map no copy is made.
        """
        if self.name != PIXELS:
            return self.of(images, progress=False)
        images = as_stack(images)
        images = images.astype(np.float32) if images.dtype == bool else images
        return images.reshape(len(images), -1)

    def _of_block(self, images):
        """float32 (N, k), checked."""
        given = self.takes.fit(to_float(images, None if self.name == PIXELS else (0, 1)))
        try:
            made = self.function(given)
        except InputError:
            raise
        except Exception as error:  # Somebody's code raises what it likes.
            if _backend.is_out_of_memory(error) or isinstance(error, MemoryError):
                raise
            raise InputError(
                f"the features {self.name} cannot be computed of images of {given.shape}: "
                f"{reason_of(error, with_class=True)}"
            ) from error
        found = array_of(made)
        if found.ndim != 2 or len(found) != len(given) or not found.shape[1]:
            raise InputError(
                f"the features {self.name} have shape {found.shape} for {len(given)} images, expected "
                f"({len(given)}, k): one vector for each"
            )
        if found.dtype.kind not in "fiub":
            raise InputError(f"the features {self.name} are {found.dtype}, expected floats")
        with np.errstate(over="ignore"):
            found = found[: len(images)].astype(np.float32, copy=False)
        if not np.isfinite(found).all():
            raise InputError(f"the features {self.name} of some images are not finite")
        return found


def as_features(given: FeaturesLike = None) -> Features:
    """Features of whatever makes vectors of images.

    A network is given images in [0, 1]; if it wants its own mean and scale removed, that has to be part of
    it, or pass a function that does so first. Where a Keras model or an ONNX file asks for 3 channels, grey
    images are repeated; where it asks for a fixed height and width, images are stretched to that by Pillow's
    bicubic filter. Elsewhere they are given as they are.

    Args:
        given: one of

            - None or "pixels": the images themselves;
            - a `keras.Model` of images to vectors, which is run in evaluation mode, or the path of a
              `.keras` file that holds one, of which nothing is executed; of a `FlexibleUNet`, or a
              `DirectDenoiser` of one, its own `features`;
            - a `torch.nn.Module` on the backend PyTorch, likewise, with channels first;
            - a function of float32 images (N, H, W, C) in [0, 1] to (N, k), which may be a tensor;
            - the path of an `.onnx` file, as SSCD or DINO are kept, run by ONNX Runtime on the processor.
              Channels come first or last as the file declares it; of several outputs, the first that is
              declared (N, k), else the first. Weights in other files are refused;
            - `Features`, which are returned.

    Returns:
        `Features`.

    Raises:
        InputError: for anything else, and files that do not hold it.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import as_features
        >>> as_features("pixels").of(np.zeros((2, 4, 4))).shape
        (2, 16)
    """
    if isinstance(given, Features):
        return given
    if given is None or (isinstance(given, str) and given == PIXELS):
        return Features(PIXELS, lambda images: images.reshape(len(images), -1))
    if isinstance(given, str | os.PathLike):
        return _of_file(Path(given))
    if isinstance(given, keras.Model):
        return _of_model(given)
    if foreign.is_module(given):
        takes = TakenImages(foreign.first_channels(given), channels_first=foreign.CHANNELS_FIRST)
        return Features(type(given).__name__, lambda images: _of_module(given, images), takes)
    if callable(given):
        return Features(printable(getattr(given, "__name__", type(given).__name__)), given)
    raise InputError(
        f"received features of type {type(given).__name__}, expected None for pixels, a Keras model, a "
        "function of images, or the path of an .onnx or .keras file"
    )


def _of_file(path):
    if path.suffix.lower() == ".onnx":
        network = OnnxNetwork(path)
        return Features(path.name, network, network.takes)
    if path.suffix.lower() == ".keras":
        return _of_keras_file(path)
    raise InputError(
        f"received the features {str(path)!r:.80}, expected pixels, or the path of an .onnx or .keras file"
    )


def _of_keras_file(path):
    """Of anybody's file: nothing is computed before it is known how much, for images of each size."""
    model = load_keras_file(path)
    features = _of_model(model, path.name)
    known = set()

    def function(images):
        if images.shape not in known:
            check_work(model, [images.shape])
            known.add(images.shape)
        return features.function(images)

    return Features(features.name, function, features.takes)


def _of_model(model, name=None):
    name = name or model.name
    if isinstance(model, DirectDenoiser) and isinstance(model.network, FlexibleUNet):
        model = model.network
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) > 1:
        raise InputError(f"the features {name} take {len(inputs)} inputs, expected images alone")
    shape = inputs[0].shape if inputs else None

    def function(images):
        if isinstance(model, FlexibleUNet):
            return model.features(images)
        if not model.built:
            model(images[:1], training=False)
        return model.predict_on_batch(images)

    first = keras.config.image_data_format() == "channels_first"
    return Features(name, function, TakenImages.declared(shape, name, first) if shape else None)


def _of_module(module, images):
    return foreign.call_module(module, keras.ops.convert_to_tensor(images))
