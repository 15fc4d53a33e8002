"""How much a Keras model of anybody's file computes, known before anything of it is computed.

A file of a few kilobytes may describe any amount of work: an operation without inputs that makes an array as
large as it says, one that repeats its input, models within models, each called many times. So what the file
says is looked at first. Then the model is built of shapes alone and each of them is looked at as it is made,
and so again for the images that it is called with.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_gahr import _backend

from ..configuration import objects_in, quoted_value

_MOST_VALUES = 2**28
"""In one tensor: 1 GiB in float32."""

_MOST_IN_INPUT = 2**24
"""Values for an image of an input that says its size."""

_MOST_OPERATIONS = 2**16
"""Calls of layers and operations, each as often as the models are called that it is in."""

_MOST_TENSORS = 2**16
"""Of shapes alone, each of which takes a kilobyte."""

_MOST_CALLS = 2**24
"""Of functions of Python while shapes are found: those of a network of a hundred layers take 2**18."""

_MOST_WINDOW = 2**8
"""Sides of windows: an image may be padded by as much."""

_WINDOWS = ("pool_size", "dilation_rate", "kernel_size")

_OF_IMAGES = ("Resize", "PadImages", "CropImages")
"""Operations on whole images that make no more than they return."""

_VALUES_OF_A_STEP = 2**14
"""As many values take as long as a step of a recurrent layer, which may be one of a loop in Python."""

_WITH_SCORES = (
    keras.layers.Attention,
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
)
"""Layers that compare every place with every other."""

_BYTES = 4

_KERAS_TENSOR = "__keras_tensor__"

_ARRAYS = ("__numpy__", "__tensor__")

_MADE = keras.KerasTensor.__init__.__code__


def check_graph(configuration: Any) -> None:
    """Raises `ValueError` for what a file says that would be computed, or made, while the model is built."""
    shared: dict[Any, Any] = {}
    for part in objects_in(configuration):
        _check_part(part)
        if "shared_object_id" in part:
            named = repr(part["shared_object_id"])
            # Or a few words would stand for a whole model.
            if shared.setdefault(named, part) != part:
                raise ValueError("it has two objects of one name")
    if _operations(configuration) > _MOST_OPERATIONS:
        raise ValueError(f"it calls its layers more than {_MOST_OPERATIONS} times")


def _check_part(part):
    name, config = part.get("class_name"), part.get("config")
    config = config if isinstance(config, dict) else {}
    if name in _ARRAYS:
        # Of text NumPy takes as much as its type says.
        keras.backend.standardize_dtype(config.get("dtype"))
    if name == "InputLayer":
        _check_input(config)
    # What the user's own classes take is the user's to know.
    if str(part.get("module")).startswith("keras"):
        _check_own(name, config, part)
    nodes = part.get("inbound_nodes", [])
    if not isinstance(nodes, list):
        raise ValueError("it has calls of a layer that are no list")
    for node in nodes:
        _check_call(name, node)


def _check_own(name, config, part):
    """Raises `ValueError` for what a class of Keras would take besides what it returns."""
    # What layers have in common, of any number of axes; nobody's network is made of them.
    if type(name) is str and (name.startswith("Base") or name == "Wrapper"):
        raise ValueError(f"it has a {quoted_value(name)}, which is no layer by itself")
    if type(name) is str and name.endswith(("Cell", "Cells")) and part.get("inbound_nodes"):
        raise ValueError(f"it calls a {quoted_value(name)} by itself, expected a layer around it")
    if part["module"].startswith("keras.src.ops.image") and name not in _OF_IMAGES:
        raise ValueError(f"it has a {quoted_value(name)}, of which is not known how much it takes")
    for window in _WINDOWS:
        if _largest_side(config.get(window)) > _MOST_WINDOW:
            raise ValueError(f"it has a {window} of more than {_MOST_WINDOW}")


def _check_input(config):
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if not isinstance(shape, list):
        raise ValueError("it has an input of no shape")
    if math.prod(side for side in shape if type(side) is int) > _MOST_IN_INPUT:
        raise ValueError(f"it has an input of more than {_MOST_IN_INPUT} values")


def _check_call(name, node):
    """Raises `ValueError` unless a layer is called with tensors of the model, or it would compute at once."""
    if not isinstance(node, dict):
        raise ValueError("it has a call of a layer in a form of older versions of Keras")
    symbolic = False
    parts = [node.get("args"), node.get("kwargs")]
    while parts:
        part = parts.pop()
        if isinstance(part, list):
            parts.extend(part)
        elif isinstance(part, dict):
            kind = part.get("class_name")
            if kind is None:
                parts.extend(part.values())
            elif kind == "function":
                raise ValueError("it has a call with a function")
            symbolic = symbolic or kind == _KERAS_TENSOR
    if not symbolic:
        raise ValueError(
            f"it calls a {quoted_value(name)} with no tensor of the model, which would be computed at once"
        )


def _largest_side(value):
    values = keras.tree.flatten(value)
    return max((abs(side) for side in values if isinstance(side, int | float)), default=0)


def _operations(value):
    """How many calls there are within a part of a configuration."""
    if isinstance(value, list):
        return sum(map(_operations, value))
    if not isinstance(value, dict):
        return 0
    nodes = value.get("inbound_nodes")
    within = sum(_operations(part) for name, part in value.items() if name != "inbound_nodes")
    return within if nodes is None else max(len(nodes), 1) * (1 + within)


def check_work(model: keras.Model, shapes: Sequence[Sequence[int]]) -> None:
    """Finds the shape of every tensor of a call, so that none is computed that is too large.

    Args:
        model: of a file. One of a class of the user's that has no inputs is passed over: its code is theirs.
        shapes: of its inputs, one after the other.

    Raises:
        ValueError: for too large ones, and such as are not known before.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        if type(model).__module__.startswith("keras."):
            raise ValueError("it does not say what inputs it takes")
        return
    if len(inputs) != len(shapes):
        raise ValueError(f"it takes {len(inputs)} inputs, received {len(shapes)}")

    def call():
        # A model that was built for a number of images may take others all the same.
        given = [
            keras.KerasTensor((each.shape[0] or count, *sides), dtype=each.dtype)
            for (count, *sides), each in zip(shapes, inputs, strict=True)
        ]
        one = isinstance(model, keras.Sequential)
        model.compute_output_spec(
            given[0] if one else keras.tree.pack_sequence_as(model.input, given)
        )

    watched(call, known=True)


def watched(function: Callable[[], Any], known: bool = False) -> Any:
    """What a function returns that finds shapes, in a thread of its own in which each shape is looked at.

    Args:
        function: it.
        known: whether all sides are to be known.

    Raises:
        ValueError: at the first one that is too large, or if it takes too long.
        Exception: whatever the function raises.
    """
    watch = _Watch(known, min(8 * _MOST_VALUES, _backend.memory_free() // _BYTES))
    found: list[Any] = []

    def run():
        # Of this thread alone.
        sys.setprofile(watch)
        try:
            result = function()
        except Exception as error:  # For the thread that waits.
            found.append(error)
        else:
            found.append(result)
        finally:
            sys.setprofile(None)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if watch.refused is not None:
        raise watch.refused
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


_UNKNOWN = "it has a tensor whose size is not known before it is computed"


def _arguments(frame):
    """What a function was called with, by name."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    known = frame.f_locals
    return {name: known[name] for name in code.co_varnames[:count] if name in known}


def _tensors(nested):
    """The symbolic tensors in nested values."""
    return [each for each in keras.tree.flatten(nested) if isinstance(each, keras.KerasTensor)]


class _Watch:
    """Is called by Python at each call of a function, and raises `ValueError` if it is too much."""

    def __init__(self, known, most):
        self.known, self.left = known, most
        self.calls = self.tensors = 0
        self.refused = None

    def __call__(self, frame, event, argument):
        if event == "return" and frame.f_code.co_name == "compute_output_spec":
            self._compare(_arguments(frame), argument)
        if event != "call":
            return
        self.calls += 1
        if self.calls > _MOST_CALLS:
            self._refuse("it takes too long to find its shapes")
        if frame.f_code is _MADE:
            self._take(frame.f_locals["shape"])
        elif self.known and frame.f_code.co_name == "compute_output_spec":
            self._look_within(_arguments(frame))

    def _take(self, shape):
        self.tensors += 1
        if self.tensors > _MOST_TENSORS:
            self._refuse(f"it makes more than {_MOST_TENSORS} tensors")
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if self.known and None in shape:
            self._refuse(_UNKNOWN)
        values = math.prod(side for side in shape if side is not None)
        self.left -= values
        if values > _MOST_VALUES or self.left < 0:
            shown = "x".join("any" if side is None else str(side) for side in shape)
            self._refuse(f"it makes too large tensors, such as one of {shown[:80]} values")

    def _compare(self, arguments, result):
        """Refuses what makes a tensor of any size of such whose sizes are known."""
        given, made = ([each.shape for each in _tensors(some)] for some in (arguments, result))
        if (
            given
            and not any(None in shape for shape in given)
            and any(None in shape for shape in made)
        ):
            self._refuse(_UNKNOWN)

    def _look_within(self, arguments):
        """What some layers make that is not among their outputs."""
        layer = arguments.get("self")
        steps = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)
        # The last one is an operation, which has no public class.
        scores = isinstance(layer, _WITH_SCORES) or type(layer).__name__ == "DotProductAttention"
        if not scores and not isinstance(layer, steps):
            return
        shapes = [each.shape for each in _tensors(arguments)]
        if not shapes or None in shapes[0]:
            return
        if isinstance(layer, steps):
            self._take((shapes[0][1], _VALUES_OF_A_STEP))
            return
        heads = getattr(layer, "num_heads", None) or getattr(layer, "num_query_heads", 1)
        # Those of additive attention have a value for each channel.
        channels = shapes[0][-1] if isinstance(layer, keras.layers.AdditiveAttention) else heads
        # Of several axes, those of the heads are counted as places: rather too many than too few.
        places = [math.prod(shape[1:-1]) for shape in shapes[:2]]
        self._take((shapes[0][0], channels, places[0], places[-1]))

    def _refuse(self, reason):
        self.refused = ValueError(reason)
        raise self.refused
