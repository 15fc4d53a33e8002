"""Somebody's network as a function of images with channels last and of what it is told."""

from __future__ import annotations

import inspect

import keras
import numpy as np
from keras import ops

from keras_gahr._backend import foreign
from keras_gahr.errors import InputError

_FIRST, _LAST = "NCHW", "NHWC"


class Network:
    """Calls a network in evaluation mode, without changing it.

    Args:
        given: a module of the backend, a Keras model or layer, a pair of parameters and a function of
            them, or a function.
        layout: "NCHW" or "NHWC", of the images that it takes; default: what such networks take.
        condition: named arguments that it is given besides; see `wrap`.

    Attributes:
        layer: the network itself, if it is a Keras model or layer whose weights Keras is to find.
        leaves: arrays that the network is a function of, besides images.
        takes: what it takes, see `keras_gahr._backend.foreign.taken_by`; set by `try_on`.
    """

    def __init__(self, given, layout=None, condition=None):
        self.layer, self.leaves, self.takes = None, [], foreign.DERIVATIVES
        self.module, self._rebuild = None, None
        first = False
        if isinstance(given, keras.layers.Layer):
            self.layer = given
            first = getattr(given, "data_format", None) == "channels_first"
        elif foreign.is_module(given):
            self.module, first = given, True
        elif isinstance(given, tuple) and len(given) == 2 and callable(given[1]):
            parameters, self._function = given
            leaves, self._rebuild = foreign.leaves_of(parameters)
            self.leaves = [np.asarray(leaf) for leaf in leaves]
        elif callable(given):
            self._function, first = given, foreign.CHANNELS_FIRST
        else:
            raise InputError(
                f"received a {type(given).__name__}, expected a network: a module of "
                f"{keras.backend.backend()}, a keras.Model, a function of arrays, or a pair (parameters, "
                "function)"
            )
        if layout not in {None, _FIRST, _LAST}:
            raise InputError(f"received layout {layout!r:.20}, expected {_FIRST} or {_LAST}")
        self.channels_first = first if layout is None else layout == _FIRST
        self.condition = dict(condition or {})

    @property
    def channels(self):
        """The channels that the network takes, where it says so; else None."""
        if self.module is not None:
            return foreign.first_channels(self.module)
        if isinstance(self.layer, keras.Model) and getattr(self.layer, "inputs", None):
            shape = self.layer.inputs[0].shape
            return shape[1 if self.channels_first else -1] if len(shape) == 4 else None
        return None

    @property
    def size(self):
        """The height and width of the images if it takes no others, else None."""
        if isinstance(self.layer, keras.Model) and getattr(self.layer, "inputs", None):
            shape = self.layer.inputs[0].shape
            sides = shape[2:4] if self.channels_first else shape[1:3]
            return tuple(sides) if len(shape) == 4 and None not in sides else None
        return None

    @property
    def multiple(self):
        """What sides of images must be multiples of, where the network says so; else 1."""
        return getattr(self.layer, "size_multiple", 1)

    def state(self):
        """The arrays of the network by name, NumPy."""
        if self.module is not None:
            return foreign.state_of(self.module)
        weights = self.layer.weights if self.layer is not None else self.leaves
        return {str(place): np.array(value) for place, value in enumerate(map(_array, weights))}

    def __call__(self, images, told, leaves=()):
        """What the network returns, `(batch, height, width, channels)`.

        Args:
            images: `(batch, height, width, channels)`.
            told: a tensor `(batch,)`, or None.
            leaves: tensors in the place of the attribute.
        """
        if self.channels_first:
            images = ops.transpose(images, (0, 3, 1, 2))
        tensors = (images,) if told is None else (images, told)
        found = self._call(leaves, *tensors)
        if found is None or not ops.is_tensor(found):
            raise InputError(f"the network returns a {type(found).__name__}, expected images")
        if len(found.shape) != 4:
            raise InputError(
                f"the network returns an array of shape {tuple(found.shape)} for images of "
                f"{tuple(images.shape)}: expected images"
            )
        found = ops.cast(found, "float32")
        return ops.transpose(found, (0, 2, 3, 1)) if self.channels_first else found

    def _call(self, leaves, images, *told):
        options = {name: _for_all(value, images) for name, value in self.condition.items()}
        if self.module is not None:
            return foreign.call_module(self.module, images, *told, **options)
        if self.layer is not None:
            return self._call_layer(images, told, options)
        if self.takes == foreign.ARRAYS:
            shape = tuple(images.shape)

            def of_arrays(*arrays):
                found = np.asarray(self._function(*arrays, **self._plain(arrays[0])))
                # Told in time: a backend would say it in its own words, or not at all.
                if found.shape[0] != arrays[0].shape[0] or found.ndim != 4:
                    raise InputError(f"the function returns an array of shape {found.shape}")
                return found

            return foreign.call_with_arrays(of_arrays, shape, images, *told)
        first = () if self._rebuild is None else (self._rebuild(list(leaves)),)
        found = self._function(*first, images, *told, **options)
        if isinstance(found, list | tuple) and found:
            found = found[0]
        return found if ops.is_tensor(found) else None

    def _call_layer(self, images, told, options):
        inputs = getattr(self.layer, "inputs", None)
        if told and inputs is not None and len(inputs) == 2:
            # As a functional model takes it: (batch,) or (batch, 1).
            level = ops.cast(told[0], inputs[1].dtype)
            level = level if len(inputs[1].shape) == 1 else level[:, None]
            return self.layer([images, level], training=False, **options)
        if "training" in inspect.signature(self.layer.call).parameters:
            options = {**options, "training": False}
        return self.layer(images, *told, **options)

    def _plain(self, images):
        return {name: _for_all(value, images, np) for name, value in self.condition.items()}

    def try_on(self, shape, told):
        """Finds out what a function takes; `shape` and `told` as those of `__call__`'s arguments."""
        if self.module is not None or self.layer is not None:
            return
        images = np.zeros(shape, np.float32)
        if self.channels_first:
            images = np.moveaxis(images, -1, 1)
        tensors = (images,) if told is None else (images, ops.convert_to_numpy(told))
        leaves = [ops.convert_to_tensor(leaf) for leaf in self.leaves]
        self.takes = foreign.taken_by(lambda *tensors: self._call(leaves, *tensors), *tensors)
        if self.takes == foreign.ARRAYS:
            try:
                self._function(*tensors, **self._plain(images))
            except (
                Exception
            ):  # It takes neither; what it says to tensors is what its author can use.
                self.takes = foreign.DERIVATIVES


def _array(value):
    return ops.convert_to_numpy(value)


def _for_all(value, images, library=ops):
    """A condition for each image of a batch: of a number as many, of one row as many rows."""
    count = images.shape[0]
    if isinstance(value, bool) or not isinstance(value, int | float | np.generic):
        shape = getattr(value, "shape", None)
        if shape and shape[0] == 1 and count != 1:
            return library.repeat(value, count, axis=0)
        return value
    if library is np:
        return np.full((count,), value)
    dtype = foreign.INDEX if isinstance(value, int | np.integer) else "float32"
    return ops.full((count,), value, dtype=dtype)
