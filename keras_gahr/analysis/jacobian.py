"""The Jacobian of a denoiser at a noisy image: its products with images, and its matrix.

A bias-free denoiser D(y) = y - r(y) acts on y as its Jacobian there, D(y) = J y with J = I - dr/dy
(arXiv 2310.02557, section 3). Rows of J are pixels of the denoised image, columns pixels of the noisy one,
both in the order of the flattened `(height, width, channels)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr import _backend
from keras_gahr.datasets.arrays import NOISY, take
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.stacks import as_one, as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.denoisers.footprint import derivative_footprint
from keras_gahr.denoisers.passes import Passes, allowed_memory, power_of_two
from keras_gahr.errors import InputError
from keras_gahr.names import reason_of
from keras_gahr.noise import check_number, check_seed, check_whole, keyed_normal

from .frozen_gates import FrozenGates
from .jacobian_parts import in_tiles, with_margins
from .jacobian_products import Jacobians, Linearize
from .jacobian_rows import LocalRows

BATCH_SIZE = 16

_LINEAR = 1e-2
"""Relative error up to which frozen gates count as exact: rounding is 1e-4 or less, a bias far more."""

_SCALE = -64.0
"""A power of 2, by which linear maps multiply exactly, and negative, as which ReLUs and the like do not."""

_HOMOGENEOUS = 1e-4
"""The same for multiples by `_SCALE`, which are rounded alike: other units, however small their part
in D(y) is, and biases show here."""

_ROUNDING = 1e-6
"""Differences of outputs, as part of them in norm, that are taken for rounding in float32."""

_NEARBY_DRAW = 2
"""Which draw of `keyed_normal` looks around an image; others made its noise and the vectors."""


class Linearizer:
    """Compiles what the Jacobians of a denoiser need, once for all images and noise levels.

    With frozen gates (see `frozen_gates`) a product with the Jacobian costs one pass of the network.
    Where the network is not piecewise linear in this way, as with biases or with norms of whole images,
    the backend's derivatives are used, which cost two or three.

    Args:
        denoiser: see `as_denoiser`; with as many channels out as in.
        batch_size: directions computed at once, at most.
        frozen_gates: False for the backend's derivatives in any case.
        memory: bytes, or a text such as "2GB", that `blocks` may take; see `Inference`.

    Raises:
        InputError: for a conditional denoiser, whose Jacobian is not square.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> jacobian = kg.analysis.Linearizer(denoiser).at(np.full((8, 8), 0.5))
        >>> jacobian.matrix().shape
        (64, 64)
    """

    def __init__(
        self,
        denoiser: DenoiserLike,
        batch_size: int = BATCH_SIZE,
        frozen_gates: bool = True,
        memory: int | str | None = None,
    ) -> None:
        denoiser = as_denoiser(denoiser)
        if denoiser.input_channels != denoiser.output_channels:
            raise InputError(
                f"received a conditional denoiser, from {denoiser.input_channels} channels to "
                f"{denoiser.output_channels}: expected one with as many out as in"
            )
        if not denoiser.differentiable:
            raise InputError(
                "received a function of NumPy arrays, or a network that is cut off from its images (detach, "
                "no_grad, stop_gradient, NumPy), which has no derivatives: write it for "
                f"{keras.backend.backend()}, with its functions in the place of NumPy's"
            )
        self.denoiser = denoiser
        self.batch_size = batch_size = check_whole(batch_size, "batch_size", 1)
        # Of somebody's network nobody knows where its gates are; a posterior mean has none.
        gated = frozen_gates and not (denoiser.foreign or denoiser.streams)
        with _backend.with_gradients():
            self._gates = FrozenGates(denoiser) if gated else None
        self._derivatives = _Derivatives(denoiser)
        self._passes = Passes(
            denoiser, denoiser, derivative_footprint, batch_size, allowed_memory(memory)
        )

    def at(self, noisy: ArrayLike, sigma: float | None = None) -> Jacobian:
        """The `Jacobian` at an image.

        Args:
            noisy: y, (H, W), (H, W, C) or a batch of one: uint8 in 0..255, or floats in the units of
                [0, 1].
            sigma: the noise level, of a denoiser that is told it; a blind one ignores it.

        Raises:
            InputError: for an image that the denoiser cannot take, several, or NaN and infinity.
        """
        noisy = as_one(noisy, self.denoiser.input_channels)[None]
        self.denoiser.check_shape(noisy.shape)
        if (levels := self.denoiser.check_levels(sigma, 1)) is not None:
            told = functools.partial(self._derivatives.at, levels=levels)
            return Jacobian(noisy[0], told, self.batch_size, by_rows=True)
        if self._gates:
            rows = functools.partial(self._gates.rows_at, noisy, self.batch_size)
            jacobian = Jacobian(noisy[0], self._gates.at, self.batch_size, rows=rows)
            if _is_linear(jacobian):
                return jacobian
        return Jacobian(noisy[0], self._derivatives.at, self.batch_size, by_rows=True)

    def blocks(
        self, noisy: ArrayLike, sigma: ArrayLike | None = None
    ) -> Iterator[tuple[slice, Jacobians]]:
        """The Jacobians at several images, some of them at a time, by the backend's derivatives.

        In as much memory as they may take: large images alone, or in tiles. Images whose sides the
        network cannot take are continued by reflection, and the Jacobian is that of the denoiser of
        images as they are, as `keras_gahr.denoise` is it.

        Args:
            noisy: y, (N, H, W, C) or (N, H, W): uint8 in 0..255, or floats in the units of [0, 1].
            sigma: the noise level, or one for each image, of a denoiser that is told it.

        Yields:
            Which of the images, a slice, and their `Jacobians`.

        Raises:
            InputError: for images that the denoiser cannot take, NaN and infinity, or too little memory.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
            >>> linearizer = kg.analysis.Linearizer(denoiser, batch_size=2)
            >>> [images for images, _ in linearizer.blocks(np.full((3, 8, 8), 0.5))]
            [slice(0, 2, None), slice(2, 3, None)]
        """
        noisy = as_stack(noisy, self.denoiser.input_channels, NOISY)
        levels = self.denoiser.check_levels(sigma, len(noisy))
        multiple = self.denoiser.size_multiple
        height, width = noisy.shape[1:3]
        sides = tuple(-(-side // multiple) * multiple for side in (height, width))
        self.denoiser.check_shape((1, *sides, noisy.shape[3]))
        at_once, tiling = self._passes.of(*sides)
        tiled = any(axis.size < axis.length for axis in tiling)
        # Of powers of 2, so that a pass has as many directions however many images there are.
        at_once = power_of_two(at_once)
        start = 0
        while start < len(noisy):
            images = slice(start, start + power_of_two(min(at_once, len(noisy) - start)))
            start = images.stop
            linearize: Linearize = self._derivatives.at
            if levels is not None:
                linearize = functools.partial(linearize, levels=levels[images])
            if tiled:
                linearize = in_tiles(linearize, tiling)
            if sides != (height, width):
                linearize = with_margins(linearize, sides)
            # In tiles there is one after the other in any case.
            directions = self.batch_size if tiled else at_once // (images.stop - images.start)
            yield images, Jacobians(take(noisy, images, NOISY), linearize, directions)


def as_linearizer(given: DenoiserLike | Linearizer) -> Linearizer:
    """The `Linearizer` that was given, or one of the denoiser that was; see `as_denoiser`."""
    return given if isinstance(given, Linearizer) else Linearizer(given)


class Jacobian:
    """The Jacobian J of D at one noisy image; made by `Linearizer.at`.

    Args:
        noisy: y, `(height, width, channels)`.
        linearize: see `jacobian_products.Linearize`; of images `(1, height, width, channels)`.
        batch_size: directions computed at once.
        by_rows: whether `matrix` is made of products with the transposed Jacobian, which are faster
            where both are derivatives.
        rows: a function that returns the rows of dr/dy as `LocalRows`, of which `matrix` is then made, or
            None.

    Attributes:
        noisy, denoised: y and D(y), float32 `(height, width, channels)`.
        products: products with J and its transpose that were computed so far, one for each direction.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> jacobian = kg.analysis.Linearizer(denoiser).at(np.full((8, 8), 0.5))
        >>> jacobian.apply(jacobian.noisy[None]).shape, jacobian.products
        ((1, 8, 8, 1), 1)
    """

    def __init__(
        self,
        noisy: np.ndarray,
        linearize: Linearize,
        batch_size: int = BATCH_SIZE,
        by_rows: bool = False,
        rows: Callable[[], LocalRows | None] = lambda: None,
    ) -> None:
        self.noisy = noisy
        self._alone = Jacobians(noisy[None], linearize, batch_size)
        self.by_rows = by_rows
        self.denoised = self._alone.denoised[0]
        self.batch_size = batch_size
        self._linearize = linearize
        self._rows = rows

    @property
    def products(self) -> int:
        return self._alone.products

    def forget_products(self) -> None:
        """Counts from 0 again."""
        self._alone.products = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return self.noisy.shape

    @property
    def dimension(self) -> int:
        """d, the number of values in an image."""
        return self.noisy.size

    def apply(self, directions: np.ndarray) -> np.ndarray:
        """J v for each of some directions, `(count, height, width, channels)`, float32."""
        return self._alone.apply(self._checked(directions)[None])[0]

    def apply_transposed(self, directions: np.ndarray) -> np.ndarray:
        """J^T u for each of some directions, shaped as for `apply`."""
        return self._alone.apply_transposed(self._checked(directions)[None])[0]

    def apply_symmetric(self, directions: np.ndarray) -> np.ndarray:
        """(J + J^T) v / 2 for each of some directions, shaped as for `apply`: two products each."""
        return self._alone.apply_symmetric(self._checked(directions)[None])[0]

    def _checked(self, directions):
        directions = array_of(directions)
        if directions.shape[1:] != self.shape:
            sides = ", ".join(map(str, self.shape))
            raise InputError(
                f"received directions of shape {directions.shape}, expected (count, {sides})"
            )
        return directions

    def matrix(
        self, progress: Callable[[int, int], object] = lambda done, total: None
    ) -> np.ndarray:
        """J itself, float32 (d, d): d products, and 4 d^2 bytes (164 MB for 80x80 pixels).

        With frozen gates, on PyTorch and TensorFlow, each is computed only where it is not 0: see
        `jacobian_rows`.

        Args:
            progress: called with (columns done, columns in all), or rows.
        """
        size = self.dimension
        if (rows := self._rows()) is not None:
            return self._matrix_of(rows, progress)
        product = self.apply_transposed if self.by_rows else self.apply
        lines = np.empty((size, size), np.float32)
        for start in range(0, size, self.batch_size):
            some = np.arange(start, min(start + self.batch_size, size))
            directions = np.zeros((len(some), size), np.float32)
            directions[np.arange(len(some)), some] = 1
            lines[some] = product(directions.reshape(-1, *self.shape)).reshape(len(some), size)
            progress(some[-1] + 1, size)
        return lines if self.by_rows else lines.T

    def _matrix_of(self, rows, progress):
        """I - dr/dy."""
        size, done = self.dimension, 0
        matrix = np.empty((size, size), np.float32)
        for numbers, found in rows:
            matrix[numbers] = -found.reshape(len(numbers), size)
            matrix[numbers, numbers] += 1
            done += len(numbers)
            progress(done, size)
        self._alone.products += size
        return matrix

    def linearity_error(self) -> float:
        """|D(y) - J y| / |D(y)|, which is rounding for a bias-free denoiser.

        Around y the denoiser is the affine map J y + b, with b = D(y) - J y, so that this is also the
        affine part |b| / |D(y)|: what would stay of D(y) if the map took y to 0.
        """
        return relative_error(self.apply(self.noisy[None])[0], self.denoised)

    def curvature(self, level: float | None = None, seed: int = 0) -> float:
        """|D(y + n) - D(y) - J n| / |J n| for noise n: how far D is from its affine map near y.

        For a piecewise linear network it comes from the gates that n changes. It is 0 where the
        difference may be rounding in float32: for affine networks.

        Args:
            level: of the noise, in units of [0, 1]; default: `nearby_level()`.
            seed: of the noise.

        Raises:
            InputError: for a level that is not above 0.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> images = np.random.default_rng(0).random((8, 8, 8))
            >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.5)
            >>> kg.analysis.Linearizer(wiener).at(images[0]).curvature(level=0.05)
            0.0
        """
        level = self.nearby_level() if level is None else check_number(level, "level")
        if level <= 0:
            raise InputError(f"received level {level}, expected one above 0")
        noise = keyed_normal(check_seed(seed), [0], _NEARBY_DRAW, self.shape)
        near = self.noisy + np.float32(level) * noise
        residual, *_ = self._linearize(near)
        change = near[0] - ops.convert_to_numpy(residual())[0] - self.denoised.astype(np.float64)
        expected = self.apply(near - self.noisy)[0]
        rounding = _ROUNDING * np.linalg.norm(self.denoised)
        if np.linalg.norm(change - expected) <= rounding:
            return 0.0
        return relative_error(change, expected)

    def nearby_level(self, sigma: float | None = None) -> float:
        """The level of the small noise by which to look around y, in units of [0, 1].

        Args:
            sigma: level of the noise in y; None or 0: not known.

        Returns:
            A tenth of it where it is known, else a hundredth of the root mean square of y, or 0.01
            if y is 0.
        """
        size = float(np.sqrt(np.mean(np.square(self.noisy, dtype=np.float64)))) or 1.0
        return sigma / 10 if sigma else size / 100


class _Derivatives:
    """Linearizes a network by the backend's derivatives; see `FrozenGates`."""

    def __init__(self, network):
        def evaluate(model, y, *levels):
            # A network in bfloat16 leaves its outputs in that, and directions are in float32.
            return ops.cast(model([y, *levels] if levels else y), "float32")

        self._foreign = network.foreign
        self._evaluate = _backend.compile_inference(network, evaluate)
        self._jvp = self._checked(_backend.compile_jvp(network, evaluate))
        self._vjp = self._checked(_backend.compile_vjp(network, evaluate))

    def at(self, noisy, levels=None):
        """See `jacobian_products.Linearize`; `levels` (b,) are of a network that is told them."""
        point = [noisy] if levels is None else [noisy, levels]

        def times(count):
            return [part.repeat(count, axis=0) for part in point]

        return (
            lambda: self._evaluate(*point),
            lambda count: self._checked(self._jvp(*times(count))),
            lambda count: self._checked(self._vjp(*times(count))),
        )

    def _checked(self, derivative):
        """A derivative, of somebody's network with what it raises in one line."""

        def checked(*tensors):
            try:
                return derivative(*tensors)
            except InputError:
                raise
            except Exception as error:  # Whatever a library raises that lacks a derivative.
                if not self._foreign or _backend.is_out_of_memory(error):
                    raise
                raise InputError(
                    f"this network cannot be differentiated: {reason_of(error, with_class=True)}"
                ) from error

        return checked


def relative_error(found, expected):
    """|found - expected| / |expected|, in the Euclidean norm."""
    expected = np.asarray(expected, np.float64)
    scale = np.linalg.norm(expected) or 1.0
    return float(np.linalg.norm(found - expected) / scale)


def _is_linear(jacobian):
    """Whether the products are those of one linear map that takes y to D(y)."""
    y = jacobian.noisy
    z = y[::-1, ::-1]
    directions = np.stack([y, z, y + z, _SCALE * y, 0 * y])
    of_y, of_z, of_both, scaled, of_nothing = jacobian.apply(directions)
    # They are the price of knowing, not asked for.
    jacobian.forget_products()
    added = max(relative_error(of_y, jacobian.denoised), relative_error(of_y + of_z, of_both))
    multiplied = relative_error(scaled / _SCALE, of_y)
    return added <= _LINEAR and multiplied <= _HOMOGENEOUS and not of_nothing.any()
