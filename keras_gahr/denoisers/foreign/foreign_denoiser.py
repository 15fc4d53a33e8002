"""A denoiser around somebody's network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr._backend.foreign import DERIVATIVES
from keras_gahr.datasets.arrays import sha256_of
from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

from ..denoiser import Denoiser
from ..layers import Layer, image_input
from .likeness import roughly
from .prediction import residual_of


class ForeignDenoiser(Denoiser):
    """Somebody's network behind the interface of a `Denoiser`; made by `wrap`.

    Where the network is told the noise level, so is the denoiser: `denoiser([y, sigma])`,
    `denoiser.denoise(y, sigma)`, and `denoiser.at(sigma)` is the denoiser of that level, which is told
    nothing more.

    Args:
        network: a `Network`.
        predicts, schedule: see `wrap`; a `Schedule`.
        value_range: (lowest, highest) value of the network's own images.
        channels, size_multiple, size: of the images that it takes.
        recipe: a `Recipe` by which it is made again; None if there is none.
        provenance, name: see `Denoiser`.

    Attributes:
        network, predicts, schedule, value_range, size, recipe: as given.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.wrap(lambda y, sigma: 0.1 * y, "image", "sigma", channels=1, layout="NHWC")
        >>> denoiser.told, denoiser.at(0.1).told
        (True, False)
    """

    foreign = True

    def __init__(
        self,
        network: Any,
        predicts: str,
        schedule: Any,
        value_range: tuple[float, float] = (0.0, 1.0),
        channels: int = 1,
        size_multiple: int = 1,
        size: Sequence[int] | None = None,
        recipe: Any = None,
        provenance: dict[str, Any] | None = None,
        name: str = "foreign",
    ) -> None:
        layer = ForeignLayer(
            network, residual_of(predicts, schedule), schedule, value_range, channels
        )
        inputs = [image_input(channels, *(size or (None, None)))]
        if schedule.told:
            inputs.append(keras.Input((), dtype="float32", name="sigma"))
        outputs = layer(inputs)
        super().__init__(inputs if schedule.told else inputs[0], outputs, None, provenance, name)
        # Not as attributes, in which Keras would look for weights.
        self.__dict__.update(network=network, schedule=schedule, recipe=recipe)
        self.predicts = predicts
        self.value_range = value_range
        self.size = None if size is None else tuple(size)
        self._multiple = size_multiple

    @property
    def told(self) -> bool:
        """Whether the network is told the noise level."""
        return self.schedule.told

    @property
    def differentiable(self) -> bool:
        """Whether there are derivatives: a function of NumPy arrays has none, nor what is cut off."""
        return self.network.takes == DERIVATIVES

    @property
    def size_multiple(self) -> int:
        return self._multiple

    @property
    def any_level(self) -> bool:
        # Images with black below 0 are those of diffusions.
        return self.schedule.any_level or self.value_range[0] < 0

    def check_units(self, sigma: float) -> None:
        try:
            super().check_units(sigma)
        except InputError as error:
            if self.schedule.name != "sigma":
                raise
            raise InputError(
                f'{error}; a network that knows such levels has a schedule such as "sigma:50"'
            ) from None

    @property
    def limits(self) -> tuple[float, float]:
        low, high = self.schedule.limits
        return low / self._width, high / self._width

    @property
    def _width(self):
        low, high = self.value_range
        return high - low

    @property
    def num_parameters(self) -> int:
        """Numbers among the network's weights, trained or not."""
        return sum(np.size(array) for array in self.network.saved().values())

    def arrays(self) -> list[np.ndarray]:
        """See `Denoiser.arrays`."""
        network = self.network
        return [*network.saved().values(), *map(roughly, network.unsaved().values())]

    def _options_that_count(self):
        schedule, network, recipe = self.schedule, self.network, self.recipe
        made: tuple[Any, ...] = ()
        if recipe is not None:
            address = recipe.address
            # Wherever a file or folder lies; of code each module has many names.
            named = str(address) if address.imports else address.kind
            files = [file.sha256 for file in recipe.sources()]
            made = (named, _that_counts(recipe.factory_options), files)
        return (
            self.predicts,
            (type(schedule).__name__, _that_counts(vars(schedule))),
            self.value_range,
            (self.input_channels, self.size, self.size_multiple),
            (network.channels_first, _that_counts(network.condition)),
            *made,
        )

    def nearest(self, sigma: float) -> float:
        """The level that the network is really told for this one, in units of [0, 1].

        A network in discrete time knows some levels only; see `AlphaBars`.
        """
        return self.schedule.nearest(self.check_sigma(sigma) * self._width) / self._width

    def check_shape(self, shape: Sequence[int | None]) -> None:
        """See `Denoiser.check_shape`; a network may take images of one size only."""
        super().check_shape(shape)
        if self.size is None:
            return
        if any(side not in {None, own} for side, own in zip(shape[1:3], self.size, strict=True)):
            raise InputError(
                f"received images of {shape[1]}x{shape[2]}, but this network takes "
                f"{self.size[0]}x{self.size[1]} only"
            )

    def at(self, sigma: float) -> Denoiser:
        """The denoiser of one noise level; see `Denoiser.at`."""
        sigma = self.check_sigma(sigma)
        return FixedLevel(self, sigma) if self.told else self

    def get_config(self) -> dict[str, Any]:
        mend = (
            "wrap it by its address, such as torch:package.module:factory, and save that"
            if self.recipe is None
            else "give a name that ends in .json"
        )
        raise InputError(
            f"a network of somebody else's is kept as a recipe, not in a .keras file: {mend}"
        )


class FixedLevel(Denoiser):
    """A denoiser that is told the noise level, at one level; made by `Denoiser.at`.

    Args:
        denoiser: a `Denoiser` that is told the level.
        sigma: the level, in units of [0, 1].

    Attributes:
        denoiser, sigma: as given.
    """

    foreign = True

    def __init__(self, denoiser: ForeignDenoiser, sigma: float) -> None:
        inputs = image_input(denoiser.input_channels, *(denoiser.size or (None, None)))
        outputs = denoiser([inputs, Level(sigma)(inputs)])
        super().__init__(inputs, outputs, None, denoiser.provenance, f"{denoiser.name}_at_a_level")
        self.denoiser = denoiser
        self.sigma = sigma

    @property
    def size_multiple(self) -> int:
        return self.denoiser.size_multiple

    @property
    def differentiable(self) -> bool:
        return self.denoiser.differentiable

    @property
    def num_parameters(self) -> int:
        return self.denoiser.num_parameters

    def arrays(self) -> list[np.ndarray]:
        """See `Denoiser.arrays`."""
        return [*self.denoiser.arrays(), np.array(self.sigma)]

    def _options_that_count(self):
        return self.denoiser._options_that_count()

    def at(self, sigma: float) -> Denoiser:
        """The denoiser of another noise level; see `Denoiser.at`."""
        return self.denoiser.at(sigma)

    def check_shape(self, shape: Sequence[int | None]) -> None:
        self.denoiser.check_shape(shape)

    def get_config(self) -> dict[str, Any]:
        raise InputError("a denoiser at one level is not kept: save the one that it was made of")


class ForeignLayer(Layer):
    """r(y) of [y] or [y, sigma]; see `prediction`.

    Args:
        network: a `Network`.
        residual: its entry in `PREDICTIONS`.
        schedule, value_range: see `ForeignDenoiser`.
        channels: of the images; of what the network returns the first ones, if it returns more.
    """

    def __init__(self, network, residual, schedule, value_range, channels):
        super().__init__(name="network")
        # Keras tracks the weights of its own layers, and is not to find a module of PyTorch.
        self.layer = network.layer
        self.__dict__.update(_network=network, _schedule=schedule, _residual=residual)
        self._low, high = value_range
        self._width = high - self._low
        self.channels = channels
        self.leaves = [
            self._leaf(leaf, f"leaf_{place}") for place, leaf in enumerate(network.leaves)
        ]

    def _leaf(self, array, name):
        return self.add_weight(
            shape=array.shape,
            dtype=str(array.dtype),
            initializer=lambda shape, dtype: ops.convert_to_tensor(array, dtype),
            trainable=False,
            name=name,
        )

    def call(self, inputs):
        noisy, *levels = inputs
        y = self._width * noisy + self._low
        sigma = told = None
        z = y
        if levels:
            told = self._schedule.argument(self._width * levels[0])
            sigma = self._width * levels[0][:, None, None, None]
            z = self._schedule.scale(sigma) * y
        found = self._predicted(z, told)[..., : self.channels]
        if tuple(found.shape[1:]) != tuple(noisy.shape[1:]):
            raise InputError(
                f"the network returns images of {_sides(found)} for images of {_sides(noisy)}, expected "
                "as many pixels and channels"
            )
        return self._residual(self._schedule, y, sigma, found) / self._width

    def _predicted(self, z, told):
        leaves = [ops.convert_to_tensor(leaf) for leaf in self.leaves]
        try:
            return self._network(z, told, leaves)
        except InputError:
            raise
        except Exception as error:  # Whatever somebody's network raises.
            if _backend.is_out_of_memory(error):
                raise
            level = (
                "" if told is None else f" and {_kind(told)} levels of shape {tuple(told.shape)}"
            )
            raise InputError(
                f"the network cannot be called with images of {_sides(z)}{level}: "
                f"{reason_of(error, with_class=True)}"
            ) from error

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class Level(Layer):
    """A noise level for each image of a batch."""

    def __init__(self, sigma):
        super().__init__(name="sigma")
        self.sigma = sigma

    def call(self, noisy):
        return ops.full((ops.shape(noisy)[0],), self.sigma, dtype="float32")

    def compute_output_shape(self, input_shape):
        return (input_shape[0],)


def _that_counts(value):
    """What tells the value of an option from others; of arrays, however large, all of it."""
    if isinstance(value, dict):
        return sorted((repr(name), _that_counts(part)) for name, part in value.items())
    if isinstance(value, list | tuple):
        return [_that_counts(part) for part in value]
    if ops.is_tensor(value):
        value = ops.convert_to_numpy(value)
    return sha256_of(value)


def _kind(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _sides(images):
    return "x".join(map(str, images.shape[1:]))
