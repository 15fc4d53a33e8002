"""Somebody's network as a function of images with channels last and of what it is told."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Sequence, Set
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr._backend import foreign
from keras_gahr.errors import InputError

from .description import class_within
from .keras_graph import check_work

_FIRST, _LAST = "NCHW", "NHWC"


def network_of(given: Any, layout: str | None = None, condition: dict | None = None) -> Network:
    """The `Network` that calls what was given.

    Args:
        given: a module of the backend, a Keras model or layer, a pair of parameters and a function of
            them, or a function.
        layout: "NCHW" or "NHWC", of the images that it takes; default: what such networks take.
        condition: named arguments that it is given besides; see `wrap`.

    Raises:
        InputError: for anything else.
    """
    if layout not in {None, _FIRST, _LAST}:
        raise InputError(f"received layout {layout!r:.20}, expected {_FIRST} or {_LAST}")
    channels_first = None if layout is None else layout == _FIRST
    options = {"channels_first": channels_first, "condition": condition or {}}
    if isinstance(given, keras.layers.Layer):
        return LayerNetwork(given, **options)
    if foreign.is_module(given):
        return ModuleNetwork(given, **options)
    if class_within("torch", given, ["Module"]):
        raise InputError(
            f"received a {type(given).__name__}, a module of PyTorch, on the backend "
            f"{keras.backend.backend()}: set KERAS_BACKEND=torch before Keras is imported"
        )
    if isinstance(given, tuple) and len(given) == 2 and callable(given[1]):
        return FunctionNetwork(given[1], parameters=given[0], **options)
    if callable(given):
        return FunctionNetwork(given, **options)
    raise InputError(
        f"received a {type(given).__name__}, expected a network: a module of "
        f"{keras.backend.backend()}, a keras.Model, a function of arrays, or a pair (parameters, function)"
    )


class Network(abc.ABC):
    """Calls a network in evaluation mode, without changing it.

    Args:
        channels_first: whether it takes images as `(batch, channels, height, width)`.
        condition: named arguments that it is given besides.

    Attributes:
        layer: the network itself, if it is a Keras model or layer whose weights Keras is to find.
        leaves: arrays that the network is a function of, besides images.
        takes: what it takes, see `keras_gahr._backend.foreign.taken_by`.
        number_types: the names of those in which it computes, as far as it was found out.
        passing: names of arrays that are not among its `state`, as each call makes them anew.
        channels: the channels that it takes, where it says so; else None.
        size: the height and width of the images if it takes no others, else None.
        multiple: what sides of images must be multiples of, where it says so; else 1.
    """

    layer: keras.layers.Layer | None = None
    leaves: Sequence[np.ndarray] = ()
    takes = foreign.DERIVATIVES
    number_types: Set[str] = frozenset()
    passing: Set[str] = frozenset()
    channels: int | None = None
    size: tuple[int, int] | None = None
    multiple = 1

    def __init__(self, channels_first: bool, condition: dict[str, Any]) -> None:
        self.channels_first = channels_first
        self.condition = dict(condition)

    @abc.abstractmethod
    def saved(self) -> dict[str, np.ndarray]:
        """The arrays that a file of its weights has, by name."""

    def unsaved(self) -> dict[str, np.ndarray]:
        """The others that it computes with, but for `passing` ones."""
        return {}

    def unsaved_tensors(self) -> dict[str, Any]:
        """The tensors themselves that have these arrays."""
        return {}

    @abc.abstractmethod
    def call(self, images: Any, told: tuple, leaves: Sequence, options: dict) -> Any:
        """What the network returns, in its own order of axes.

        Args:
            images: in that order.
            told: a tensor `(batch,)`, or none.
            leaves: tensors in the place of the attribute.
            options: named arguments, for each image of the batch.
        """

    def try_on(self, shape: Sequence[int], told: Any) -> None:
        """Finds out what it takes; arguments as for `__call__`, of images their shape alone."""
        images = np.zeros(shape, np.float32)
        levels = () if told is None else (ops.convert_to_numpy(told),)
        leaves = [ops.convert_to_tensor(leaf) for leaf in self.leaves]

        def of_tensors(images, *levels):
            return self(images, levels[0] if levels else None, leaves)

        self.takes = foreign.taken_by(of_tensors, images, *levels)
        if self.takes == foreign.ARRAYS and levels and self._rounds(told):
            self.takes = foreign.taken_by(of_tensors, images, *levels)
        # What takes neither says to tensors what its author can use.
        if self.takes == foreign.ARRAYS and not self._takes_arrays(images, levels):
            self.takes = foreign.DERIVATIVES
        if self.takes != foreign.ARRAYS:
            self.number_types = foreign.number_types(of_tensors, images, *levels)

    def _rounds(self, told):
        """Turns to telling it less exact numbers than these, if there are such that it may take."""
        return False

    def _takes_arrays(self, images, levels):
        """Whether it returns images for arrays."""
        return False

    def __call__(self, images: Any, told: Any, leaves: Sequence = ()) -> Any:
        """What the network returns, float32 `(batch, height, width, channels)`.

        Args:
            images: `(batch, height, width, channels)`.
            told: a tensor `(batch,)`, or None.
            leaves: tensors in the place of the attribute.
        """
        if self.channels_first:
            images = ops.transpose(images, (0, 3, 1, 2))
        # What it changes in place is not what the residual is taken from.
        images, *levels = (foreign.apart(each) for each in (images, told) if each is not None)
        options = {name: _for_all(value, images) for name, value in self.condition.items()}
        found = self.call(images, tuple(levels), leaves, options)
        if found is None or not ops.is_tensor(found):
            raise InputError(f"the network returns a {type(found).__name__}, expected images")
        if len(found.shape) != 4:
            raise InputError(
                f"the network returns an array of shape {tuple(found.shape)} for images of "
                f"{tuple(images.shape)}: expected images"
            )
        found = ops.cast(found, "float32")
        return ops.transpose(found, (0, 2, 3, 1)) if self.channels_first else found


class ModuleNetwork(Network):
    """A module of the backend."""

    def __init__(self, module: Any, channels_first: bool | None, condition: dict[str, Any]) -> None:
        first = foreign.CHANNELS_FIRST if channels_first is None else channels_first
        super().__init__(first, condition)
        self.module = module
        self.channels = foreign.first_channels(module)
        self._rounded = False

    def saved(self) -> dict[str, np.ndarray]:
        return foreign.state_of(self.module)

    def unsaved(self) -> dict[str, np.ndarray]:
        return foreign.arrays_of(self.unsaved_tensors())

    def unsaved_tensors(self) -> dict[str, Any]:
        found = sorted(foreign.unsaved_of(self.module).items())
        return {name: value for name, value in found if name not in self.passing}

    def call(self, images: Any, told: tuple, leaves: Sequence, options: dict) -> Any:
        return foreign.call_module(
            self.module, images, *told, rounded=self._rounded, options=options
        )

    def _rounds(self, told):
        self._rounded = foreign.is_coarser(self.module, told)
        return self._rounded


class LayerNetwork(Network):
    """A Keras model or layer."""

    def __init__(
        self,
        layer: keras.layers.Layer,
        channels_first: bool | None,
        condition: dict[str, Any],
    ) -> None:
        if channels_first is None:
            channels_first = getattr(layer, "data_format", None) == "channels_first"
        super().__init__(bool(channels_first), condition)
        self.layer = self._called = layer
        self.multiple = getattr(layer, "size_multiple", 1)
        self._inputs = getattr(layer, "inputs", None) or []
        # A functional model takes any name, and passes it over.
        if self._inputs and condition:
            raise InputError(
                f"received the condition {min(condition)!r:.40} for a functional Keras model, which takes "
                "its inputs alone: wrap a function of images that calls it"
            )
        if self._inputs and len(self._inputs[0].shape) == 4:
            _, *shape = self._inputs[0].shape
            *sides, self.channels = [*shape[1:], shape[0]] if channels_first else shape
            self.size = None if None in sides else (sides[0], sides[1])

    def saved(self) -> dict[str, np.ndarray]:
        return {
            f"{place} {weight.path}": ops.convert_to_numpy(weight)
            for place, weight in enumerate(self._called.weights)
        }

    def call(self, images: Any, told: tuple, leaves: Sequence, options: dict) -> Any:
        if "training" in inspect.signature(self._called.call).parameters:
            options = {**options, "training": False}
        if told and len(self._inputs) == 2:
            return self._called([images, self._level(told[0])], **options)
        return self._called(images, *told, **options)

    def check_work(self, shape: Sequence[int], told: Any) -> None:
        """Finds out how much it computes, before it does; see `keras_graph.check_work`.

        Args:
            shape, told: as for `try_on`.
        """
        count, *sides, channels = shape
        shapes = [(count, channels, *sides) if self.channels_first else tuple(shape)]
        if told is not None:
            level = self._inputs[1].shape if len(self._inputs) == 2 else (count,)
            shapes.append((count,) if len(level) == 1 else (count, 1))
        check_work(self.layer, shapes)

    def _level(self, told):
        """What it is told as a functional model takes it: (batch,) or (batch, 1), in the input's type."""
        given, taken = (
            keras.backend.standardize_dtype(each.dtype) for each in (told, self._inputs[1])
        )
        if keras.backend.is_float_dtype(given) and keras.backend.is_int_dtype(taken):
            raise InputError(
                f"the model takes whole numbers ({taken}) in the level's place, but its schedule tells it "
                "others, which would be cut off: choose the schedule that it was trained with, or wrap a "
                "function that rounds them"
            )
        level = ops.cast(told, taken)
        return level if len(self._inputs[1].shape) == 1 else level[:, None]


class FunctionNetwork(Network):
    """A function of the backend's tensors, or of NumPy arrays.

    Args:
        function: takes images, then what it is told, and the condition by name.
        parameters: nested arrays that it takes before the images; default: none.
        channels_first, condition: see `Network`.
    """

    def __init__(
        self,
        function: Callable,
        channels_first: bool | None,
        condition: dict[str, Any],
        parameters: Any = None,
    ) -> None:
        if channels_first is None:
            channels_first = parameters is None and foreign.CHANNELS_FIRST
        super().__init__(bool(channels_first), condition)
        self._function = function
        self._rebuild = None
        if parameters is not None:
            leaves, self._rebuild = foreign.leaves_of(parameters)
            self.leaves = [_numbers(leaf) for leaf in leaves]

    def saved(self) -> dict[str, np.ndarray]:
        return {str(place): leaf for place, leaf in enumerate(self.leaves)}

    def _takes_arrays(self, images, levels):
        try:
            self._of_arrays(np.moveaxis(images, -1, 1) if self.channels_first else images, *levels)
        except Exception:  # Whatever somebody's function raises.
            return False
        return True

    def call(self, images: Any, told: tuple, leaves: Sequence, options: dict) -> Any:
        if self.takes == foreign.ARRAYS:
            return foreign.call_with_arrays(self._of_arrays, tuple(images.shape), images, *told)
        first = () if self._rebuild is None else (self._rebuild(list(leaves)),)
        found = self._function(*first, images, *told, **options)
        if isinstance(found, list | tuple) and found:
            found = found[0]
        return found if ops.is_tensor(found) else None

    def _of_arrays(self, images, *told):
        options = {name: _for_all(value, images, np) for name, value in self.condition.items()}
        found = np.asarray(self._function(images, *told, **options))
        # Told in time: a backend would say it in its own words, or not at all.
        if found.shape != images.shape:
            raise InputError(
                f"the function returns an array of shape {found.shape} for images of {images.shape}: "
                "expected as many pixels and channels"
            )
        return found


def _numbers(leaf):
    """An array of parameters as NumPy has it, of a number type that Keras knows."""
    try:
        found = np.array(leaf)
        keras.backend.standardize_dtype(found.dtype)
    except (TypeError, ValueError) as error:
        kind = getattr(leaf, "dtype", type(leaf).__name__)
        raise InputError(
            f"the parameters hold a {kind!s:.60}, which is no array of numbers: leave it out"
        ) from error
    return found


def _for_all(value, images, library=ops):
    """A condition for each image of a batch: a number as often, one row too.

    Arrays become the library's, in memory of their own, which the network may change.
    """
    count = images.shape[0]
    if isinstance(value, bool) or not isinstance(value, int | float | np.generic):
        if library is ops and isinstance(value, np.ndarray) and value.dtype.kind in "biufcV":
            value = ops.convert_to_tensor(value)
        shape = tuple(getattr(value, "shape", None) or ())
        if shape and shape[0] == 1 and count != 1:
            value = library.repeat(value, count, axis=0)
        if isinstance(value, np.ndarray):
            return value.copy()
        return foreign.apart(value) if ops.is_tensor(value) else value
    if library is np:
        return np.full((count,), value)
    dtype = foreign.INDEX if isinstance(value, int | np.integer) else "float32"
    return ops.full((count,), value, dtype=dtype)
