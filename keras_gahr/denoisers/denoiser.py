"""What every blind denoiser has in common."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr.datasets.arrays import sha256_of
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.errors import InputError
from keras_gahr.noise import check_units, parse_sigma

from .configuration import check_stored_options, plain_values

_MOST_PARAMETERS = 10**9
_MOST_ARRAYS = 3000
"""Three for a convolution and the norm after it."""


def check_network_size(shapes, **counts):
    """Refuses networks that make no sense before their weights take up the memory.

    Args:
        shapes: of all arrays that the network would have, see `Denoiser.weight_shapes`.
        **counts: numbers of layers, kernels and so on, by argument name.

    Raises:
        InputError: if a count is no whole number or below 1, or if there would be more than a billion
            parameters or a thousand layers.
    """
    for name, count in counts.items():
        if not isinstance(count, numbers.Integral) or isinstance(count, bool) or count < 1:
            raise InputError(f"received {name} = {count!r}, expected a whole number of at least 1")
        if int(count) > _MOST_PARAMETERS:
            raise InputError(f"received {name} above a billion: choose a smaller one")
    received = ", ".join(f"{name} = {count}" for name, count in counts.items())
    parameters = 0
    for place, shape in enumerate(shapes):
        parameters += math.prod(map(int, shape))
        if parameters > _MOST_PARAMETERS:
            raise InputError(
                f"received {received}: more than a billion parameters; choose smaller ones"
            )
        if place == _MOST_ARRAYS:
            raise InputError(f"received {received}: more than a thousand layers; choose fewer")


def convolution_shapes(kernel, channels_in, channels_out, norm=False):
    """The shapes of the arrays of a convolution without bias and of the `BiasFreeNorm` after it.

    Args:
        kernel: its side.
        channels_in, channels_out: of the images; the other way round if it is transposed.
        norm: whether there is one.
    """
    yield kernel, kernel, channels_in, channels_out
    if norm:
        yield from [(channels_out,)] * 2


class Denoiser(keras.Model):
    """A network that maps noisy images to the residual: its estimate of the noise in them.

    `denoiser(y)` is the residual r(y), `denoiser.denoise(y)` the image D(y) = y - r(y). The network is
    blind (it is not told the noise level) and, unless its class says otherwise, bias-free, so that
    D(a y) = a D(y) for a > 0.

    Subclasses are functional models built in their `__init__`, with images of any height and width:
    input `(batch, height, width, input_channels)`, float32, nominally in [0, 1] plus noise; output
    `(batch, height, width, output_channels)`. Where the output has fewer channels than the input,
    the last ones are denoised and the others are a condition. A subclass that is to be trained, or
    kept in `.keras` files, says in `weight_shapes` how large it will be, and is registered by
    `@keras.saving.register_keras_serializable("keras_gahr")`.

    Args:
        inputs, outputs: the symbolic tensors of the functional model.
        seed: of the initial weights; the same seed gives the same weights on every backend.
        provenance: a dictionary of plain values that says where the weights come from; it is stored
            in the `.keras` file.
        name: of the model.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.UNet(num_channels=1, num_blocks=1, num_kernels=4)
        >>> isinstance(denoiser, kg.Denoiser), denoiser.size_multiple
        (True, 2)
        >>> denoiser.denoise(np.zeros((1, 8, 8, 1))).shape
        (1, 8, 8, 1)
    """

    size_multiple = 1
    """Height and width must be multiples of this."""

    foreign = False
    """Whether it runs code of somebody else's, whose layers nobody here can look into."""

    differentiable = True
    """Whether it has derivatives."""

    streams = False
    """Whether it is computed in blocks, of which nothing is kept for derivatives."""

    limits = (0.0, math.inf)
    """The lowest and highest noise level that it knows, in units of [0, 1]."""

    any_level = False
    """Whether it knows noise levels of any size, as networks of diffusion do. Others without a highest level
    in `limits` are told none above 4, which are those of 0..255."""

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        seed: int | None,
        provenance: dict[str, Any] | None,
        name: str,
    ) -> None:
        if not isinstance(provenance, Mapping | None):
            raise InputError(f"received provenance {provenance!r:.60}, expected a dictionary")
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        # As its layers, whatever Keras is set to.
        self.dtype_policy = "float32"
        self.seed = seed
        self.provenance = dict(provenance or {})

    @staticmethod
    def weight_shapes() -> Iterable[tuple[int, ...]]:
        """The shapes of all arrays of such a network, trained or not, one after the other.

        It takes those options of the class that the shapes depend on, by name. It is asked before anything
        is built, so that it may have to say them of networks that are far too large: as a generator.
        """
        raise InputError("this network has no weight_shapes, without which no file of it is read")

    @classmethod
    def stored_shapes(cls, options: dict[str, Any]) -> Iterable[tuple[int, ...]]:
        """The shapes of all arrays in the `.keras` file of such a denoiser, before it is built.

        Args:
            options: what `get_config` returned, from a file that may be anybody's.

        Returns:
            An iterable of tuples.

        Raises:
            ValueError: for options that the class does not have, or of another type or size.
        """
        signature = inspect.signature(cls)
        check_stored_options(
            options, {p.name: (type(p.default),) for p in signature.parameters.values()}
        )
        given = signature.bind(**options)
        given.apply_defaults()
        names = inspect.signature(cls.weight_shapes).parameters
        sizes = {name: given.arguments[name] for name in names}
        counts = {name: size for name, size in sizes.items() if type(size) is not bool}
        check_network_size(cls.weight_shapes(**sizes), **counts)
        return cls.weight_shapes(**sizes)

    @property
    def told(self) -> bool:
        """Whether it is told the noise level; a blind one, as all of this package, is not."""
        return False

    @property
    def input_channels(self) -> int:
        return self.inputs[0].shape[-1]

    @property
    def output_channels(self) -> int:
        return self.output_shape[-1]

    @property
    def num_parameters(self) -> int:
        """Trainable parameters, the number that publications give."""
        return sum(math.prod(variable.shape) for variable in self.trainable_variables)

    def arrays(self) -> list[np.ndarray]:
        """All arrays that decide what it computes."""
        return [ops.convert_to_numpy(weight) for weight in self.weights]

    def fingerprint(self) -> str:
        """SHA-256 of what decides what it computes: its class, its options, its number type and its arrays.

        Of somebody's network, whose code is theirs, these are how it was wrapped, with its condition, and
        where there is an address the factory with its options and the files that it was read from, of code
        the module that was named; but not what that imports, nor code that has no address.

        Examples:
            >>> import keras_gahr as kg
            >>> options = {"num_channels": 1, "num_kernels": 4, "num_layers": 3}
            >>> first, second = (kg.build_denoiser("bf-cnn", **options, seed=seed) for seed in (0, 1))
            >>> len(first.fingerprint()), first.fingerprint() == second.fingerprint()
            (64, False)
        """
        return sha256_of(self._options_that_count(), *self.arrays())

    def __reduce__(self) -> Any:
        """As `pickle` and `copy` ask for it: in the precision that it has, which no file knows."""
        from .precision import in_bfloat16

        made = super().__reduce__()
        return (in_bfloat16, made) if "bfloat16" in self._number_types() else made

    def _number_types(self):
        """In which its layers compute, those of denoisers in it, too."""
        of_parts = (part._number_types() for part in self.layers if isinstance(part, Denoiser))
        return {layer.compute_dtype for layer in self.layers}.union(*of_parts)

    def _options_that_count(self):
        unseen = ("name", "provenance", "seed")
        options = {name: value for name, value in self.get_config().items() if name not in unseen}
        # Weights stay in float32 whatever is computed in.
        numbers = self._number_types() - {"float32"}
        # Numbers of NumPy, too, make the same network.
        return type(self).__name__, plain_values(options), *sorted(numbers)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        noisy, *levels = inputs if self.told else [inputs]
        self.check_shape(noisy.shape)
        if "float" not in keras.backend.standardize_dtype(noisy.dtype):
            # Keras would take 0..255 for units of [0, 1].
            noisy = pixel_tensor(noisy)
            inputs = [noisy, *levels] if self.told else noisy
        return super().call(inputs, training=training, mask=mask)

    def denoise(self, noisy: Any, sigma: Any = None) -> Any:
        """The denoised images D(y) = y - r(y); shapes as in the class.

        Args:
            noisy: y, a tensor, or an array: uint8 in 0..255 or floats in the units of [0, 1].
            sigma: the noise level, of a denoiser that is told it: one, or one for each image, in units of
                [0, 1]. A blind one ignores it.

        Returns:
            Of a tensor a tensor, which can be differentiated; of anything else a NumPy array, float32.
            `keras_gahr.denoise` takes other shapes too, and large images in less memory.

        Raises:
            InputError: for images that do not fit, or a level that is missing or out of range.
        """
        if not (ops.is_tensor(noisy) or isinstance(noisy, keras.KerasTensor)):
            return ops.convert_to_numpy(self.denoise(pixel_tensor(noisy), sigma))
        # Of what Keras raises within a call it would make several lines.
        self.check_shape(noisy.shape)
        noisy = pixel_tensor(noisy)
        images = self.with_level(noisy, self.check_levels(sigma, noisy.shape[0]))
        return noisy[..., -self.output_channels :] - self(images, training=False)

    def at(self, sigma: float) -> Denoiser:
        """The denoiser of one noise level, which is told nothing more; a blind one is that itself.

        Args:
            sigma: the level, in units of [0, 1].

        Raises:
            InputError: for a level that it does not know.
        """
        self.check_sigma(sigma)
        return self

    def check_sigma(self, sigma: float) -> float:
        """The noise level, if it is one and this denoiser knows it; else raises `InputError`."""
        sigma = parse_sigma(sigma)
        if self.told and sigma <= 0:
            raise InputError(
                f"received sigma = {sigma:.4g} for a network that is told the noise level: give that of "
                "the images, above 0"
            )
        self.check_units(sigma)
        low, high = self.limits
        # To the rounding of a level that was changed from one unit to the other.
        if not low * (1 - 1e-6) <= sigma <= high * (1 + 1e-6):
            raise InputError(
                f"received sigma = {sigma:.4g}, but this network knows noise levels from {low:.4g} to "
                f"{high:.4g} only"
            )
        return sigma

    def check_units(self, sigma: float) -> None:
        """Raises `InputError` for a level that only units of 0..255 have, unless it knows such."""
        if self.limits[1] == math.inf and not self.any_level:
            check_units(sigma)

    def known(self, sigmas: Iterable[float]) -> list[float]:
        """Those of some noise levels that this denoiser knows, in units of [0, 1]."""
        low, high = self.limits
        return [sigma for sigma in sigmas if low <= sigma <= high]

    def check_levels(self, sigma: Any, count: int) -> np.ndarray | None:
        """The noise levels of so many images, float32 (count,); None for a blind denoiser.

        Args:
            sigma: one level, or one for each image; None: not known.

        Raises:
            InputError: for levels that this denoiser needs and does not get, or does not know.
        """
        if not self.told:
            return None
        if sigma is None:
            raise InputError(
                "this denoiser is told the noise level: pass sigma (--sigma of commands), or take "
                "denoiser.at(sigma)"
            )
        levels = np.array(self.given_levels(sigma), np.float32)
        if levels.shape not in {(), (count,)}:
            raise InputError(
                f"received {len(levels)} noise levels for {count} images: give as many"
            )
        return np.full(count, levels, np.float32)

    def given_levels(self, sigma: Any) -> float | list[float]:
        """The noise level, or those of several images, of any library, if this denoiser knows them all.

        Raises:
            InputError: for another level, or an array of several axes.
        """
        if np.ndim(sigma) > 1:
            raise InputError(
                f"received noise levels of shape {np.shape(sigma)}: give one, or a list of one for each image"
            )
        if np.ndim(sigma):
            return [self.check_sigma(level) for level in sigma]
        return self.check_sigma(sigma)

    def with_level(self, noisy: Any, levels: Any) -> Any:
        """What the network is called with: the images, and the noise levels if it is told them."""
        return [noisy, ops.convert_to_tensor(levels)] if self.told else noisy

    def check_shape(self, shape: Sequence[int | None]) -> None:
        """Raises `InputError` unless images of this shape, `(batch, height, width, channels)`, fit.

        Sides that are None (not known yet) are passed over.
        """
        if len(shape) != 4:
            raise InputError(
                f"received an array of shape {tuple(shape)}, expected (batch, height, width, "
                "channels): add the missing axes"
            )
        _, height, width, channels = shape
        if channels != self.input_channels:
            first = height in {1, 3} and channels not in {None, 1, 2, 3, 4}
            mend = (
                "if channels come first, pass np.moveaxis(images, 1, -1)"
                if first
                else "convert the images or use another denoiser"
            )
            raise InputError(
                f"received images with {channels} channel(s), but this denoiser was made for "
                f"{self.input_channels}: {mend}"
            )
        for side in (height, width):
            if side is not None and side % self.size_multiple:
                raise InputError(
                    f"received images of {height}x{width}, but this denoiser needs a height and "
                    f"width that are multiples of {self.size_multiple}: crop or pad the images"
                )

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "provenance": plain_values(self.provenance),
        }


def pixel_tensor(values: Any) -> Any:
    """Pixel values as a float32 tensor in units of [0, 1]; see `pixel_values`.

    Args:
        values: a tensor, which can be differentiated, or what `pixel_values` takes.

    Raises:
        InputError: for another number type; as `pixel_values` for what is no tensor.
    """
    if not (ops.is_tensor(values) or isinstance(values, keras.KerasTensor)):
        return ops.convert_to_tensor(pixel_values(values))
    dtype = keras.backend.standardize_dtype(values.dtype)
    if dtype not in {"uint8", "bool"} and "float" not in dtype:
        raise InputError(
            f"the tensor has type {dtype}: expected uint8 in 0..255 or floats in [0, 1]; cast 0..255 to uint8"
        )
    values = ops.cast(values, "float32")
    return values / 255 if dtype == "uint8" else values
