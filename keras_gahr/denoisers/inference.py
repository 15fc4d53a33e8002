"""A denoiser's outputs as NumPy arrays, in as much memory as it is allowed to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr import _backend
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.noise import check_whole

from .denoiser import Denoiser
from .folding import FoldedNetwork
from .footprint import footprint
from .passes import Passes, allowed_memory

if TYPE_CHECKING:
    from .interface import DenoiserLike


class Inference:
    """Runs a denoiser in evaluation mode, without gradients, compiled once for each input shape.

    Norms are folded into the weights, which are those that the denoiser has now; see `refold`.

    Where a batch would take more memory than it may, fewer images are computed at once; so they are on a
    processor where each takes less time then, on PyTorch and JAX. Where one image would, it is computed in
    tiles, which overlap by as much as the network sees, so that the residual is that of the whole image to
    rounding. Networks with layers that look at the whole image cannot be cut and are computed whole.
    Networks of others are, too, and always `batch_size` images at once: what they take is not known.

    Args:
        denoiser: see `as_denoiser`.
        batch_size: images computed at once, at most.
        memory: bytes, or a text such as "2GB", that may be taken beyond what the process has with the
            network loaded: by the activations, the backend's work areas, and an image with its residual.
            How much that will be is predicted from the network's layers. Default: a quarter of what is
            free now, on the accelerator if there is one. It is never taken for more than all that is free.
        pad: whether images may have sides that are no multiples of the denoiser's `size_multiple`. They
            are continued by reflection at the bottom and right, and the result is cut to the image's
            size. Zeros in their place would be an edge that the network sees, and interpolation would
            change the noise.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> inference = kg.Inference(denoiser, pad=True)
        >>> inference.residual(np.zeros((5, 8, 12, 1))).shape
        (5, 8, 12, 1)
    """

    def __init__(
        self,
        denoiser: DenoiserLike,
        batch_size: int = 32,
        memory: int | str | None = None,
        pad: bool = False,
    ) -> None:
        # It takes an `Inference`, too, and so comes after this one.
        from .interface import as_denoiser

        self.denoiser = denoiser = as_denoiser(denoiser)
        self.batch_size = check_whole(batch_size, "batch_size", 1)
        self.memory = allowed_memory(memory)
        self.pad = pad
        self._folded = FoldedNetwork(denoiser)
        self._passes = Passes(
            denoiser,
            self.network,
            footprint,
            self.batch_size,
            self.memory,
            _backend.memory_at_hand(),
        )
        self._residual = _backend.compile_inference(
            self.network,
            # A network in bfloat16 leaves its outputs in that.
            lambda network, y: ops.cast(network(y), "float32"),
        )

    def __reduce__(self) -> Any:
        """As `pickle` and `copy` ask for it: one of the denoiser as it is now, compiled anew."""
        return type(self), (self.denoiser, self.batch_size, self.memory, self.pad)

    @property
    def network(self) -> keras.Model:
        """The Keras model that is run, without norms."""
        return self._folded.network

    def refold(self) -> None:
        """Takes over the denoiser's weights again, after they have changed."""
        self._folded.refold()

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raises `InputError` unless images of this shape, `(count, height, width, channels)`, fit."""
        if len(shape) == 4:
            count, height, width, channels = shape
            shape = (count, *self.padded((height, width)), channels)
        self.denoiser.check_shape(shape)

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether images of this shape, `(count, height, width, channels)`, are computed all at once."""
        at_once, tiling = self._passes.of(*shape[1:3])
        return shape[0] <= at_once and all(axis.size == axis.length for axis in tiling)

    def at_once(self, shape: Sequence[int]) -> int:
        """How many images of this shape, `(count, height, width, channels)`, a pass takes.

        Who has more makes them and uses them so many at a time, which changes no result.

        Raises:
            InputError: as `residual`.
        """
        self.check_shape(shape)
        return self._passes.of(*self.padded(shape[1:3]))[0]

    def residual(
        self,
        noisy: ArrayLike,
        progress: Callable[[int, int], object] = lambda done, total: None,
        sigma: ArrayLike | None = None,
    ) -> np.ndarray:
        """r(y).

        Args:
            noisy: images `(count, height, width, channels)`: uint8 in 0..255, or floats in the units of
                [0, 1].
            progress: called with how many passes of the network are done, of how many.
            sigma: the noise level, or one for each image, of a denoiser that is told it; in units of
                [0, 1].

        Raises:
            InputError: if the images do not fit the denoiser, or the smallest tiles the memory, or for a
                noise level that is missing or that the denoiser does not know.
        """
        noisy = pixel_values(noisy)
        self.check_shape(noisy.shape)
        count, height, width, _ = noisy.shape
        levels = self.denoiser.check_levels(sigma, count)
        noisy = self._with_margins(noisy)
        at_once, (down, across) = self._passes.of(*noisy.shape[1:3])
        passes = [
            (start, rows, columns)
            for start in range(0, count, at_once)
            for rows in down.parts
            for columns in across.parts
        ]
        residual = np.empty((*noisy.shape[:3], self.denoiser.output_channels), np.float32)
        for done, (start, rows, columns) in enumerate(passes):
            progress(done, len(passes))
            images = slice(start, start + at_once)
            part = np.ascontiguousarray(noisy[images, rows.tile, columns.tile])
            given = part if levels is None else [part, levels[images]]
            part = ops.convert_to_numpy(self._residual(given))
            residual[images, rows.kept, columns.kept] = part[:, rows.inner, columns.inner]
        progress(len(passes), len(passes))
        return residual[:, :height, :width]

    def denoise(
        self,
        noisy: ArrayLike,
        progress: Callable[[int, int], object] = lambda done, total: None,
        sigma: ArrayLike | None = None,
    ) -> np.ndarray:
        """D(y) = y - r(y), arguments as for `residual`."""
        noisy = pixel_values(noisy)
        residual = self.residual(noisy, progress, sigma)
        # In the same memory: of a large image each array counts.
        return np.subtract(noisy[..., -self.denoiser.output_channels :], residual, out=residual)

    def _with_margins(self, noisy):
        sides = noisy.shape[1:3]
        margins = [
            (0, padded - side) for padded, side in zip(self.padded(sides), sides, strict=True)
        ]
        if not np.any(margins):
            return noisy
        return np.pad(noisy, [(0, 0), *margins, (0, 0)], mode="reflect")

    def padded(self, sides: Sequence[int]) -> tuple[int, ...]:
        """The height and width of images once they are continued, if they are."""
        multiple = self.denoiser.size_multiple if self.pad else 1
        return tuple(-(-side // multiple) * multiple for side in sides)


class CurrentInference:
    """The `Inference` of a denoiser in training: compiled once, with the weights of now.

    Args:
        batch_size: images computed at once, at most.
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self._last: Inference | None = None

    def of(self, denoiser: Denoiser) -> Inference:
        """The `Inference` of a denoiser with the weights that it has now; another one is compiled anew."""
        if self._last is None or self._last.denoiser is not denoiser:
            self._last = Inference(denoiser, self.batch_size)
        else:
            self._last.refold()
        return self._last
