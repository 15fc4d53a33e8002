"""Functions of a model's outputs that PyTorch runs without Keras, once they have been called often.

Keras's way through a UNet takes 5 ms in Python, which is a fifth of the time of an image of 80x80 pixels.
"""

import contextlib
import logging
import sys
import threading

import keras
import torch

from ..steps import steps_of
from . import torch_constant
from .switch import plain_convolutions

CALLS_BEFORE_EXPORT = 40
"""How often tensors of the same shapes are computed by Keras.

An export takes half a second, which is won again in 40 calls of the paper's UNet on an image of 80x80 and in
more of smaller networks. After as many calls it costs at most about as much again as was lost before.
"""

_CONSTANT = {
    torch.ops.keras_gahr.constant_convolution.default: torch_constant.compute,
    torch.ops.keras_gahr.constant_transposed_convolution.default: torch_constant.compute_transposed,
}
"""What operators compute, which can be called without asking PyTorch for them."""

_EXPORTING = threading.Lock()
"""Held by the thread that exports: it changes what all threads see, and two at once fail."""

_TELLING = "torch.export._trace", "torch.fx.experimental.symbolic_shapes"
"""Loggers that say why something cannot be exported."""

_CASTS = {torch.ops.aten.to.dtype, torch.ops.aten.to.dtype_layout}


class Program(torch.nn.Module):
    """`function(network, *tensors)` without gradients, where `network(x)` is a model's evaluation.

    The model's weights are read at each call.

    Args:
        model: a built Keras model.
        function: takes the network and tensors, returns tensors; it must be pure.
    """

    def __init__(self, model, function):
        super().__init__()
        self.model = model
        self.function = function
        self._steps = steps_of(model)
        self._calls = {}
        self._exported = {}
        self._not_exported = set()

    def forward(self, *tensors):
        return self.function(self._network, *tensors)

    def _network(self, x):
        if self._steps is None:
            return self.model(x, training=False)
        return self._steps.run(x)

    def run_eagerly(self, *tensors):
        """The function of tensors or arrays, by Keras."""
        with torch.no_grad():
            return self.forward(*_converted(tensors))

    def run(self, *tensors):
        """The function of tensors or arrays, without Keras once it has been called often."""
        if plain_convolutions():
            return self.run_eagerly(*tensors)
        tensors = _converted(tensors)
        shapes = tuple(
            (tensor.shape, tensor.dtype, tensor.device) for tensor in keras.tree.flatten(tensors)
        )
        with torch.no_grad():
            exported = self._exported.get(shapes)
            if exported is None:
                self._calls[shapes] = self._calls.get(shapes, 0) + 1
                if self._calls[shapes] > CALLS_BEFORE_EXPORT:
                    exported = self._export(shapes, tensors)
            elif not exported.is_of_now():
                # Other weights may come at each call, and an export is worth it after many.
                self._exported.clear()
                self._calls.clear()
                exported = None
            # Not by calling it, which looks at the shapes once more, for .6 ms, and which is another thing
            # while a thread exports.
            return (self if exported is None else exported.module).forward(*tensors)

    def _export(self, shapes, tensors):
        """The `_Exported` for tensors of these shapes; None while a thread exports, or where it cannot be."""
        if shapes in self._not_exported or not _EXPORTING.acquire(blocking=False):
            return None
        try:
            exported = self._exported.get(shapes)
            if exported is None:
                exported = self._exported[shapes] = _Exported(self, tensors)
            return exported
        except Exception:  # Of code of others, such as a measurement's; it runs as it did so far.
            self._not_exported.add(shapes)
            return None
        finally:
            _EXPORTING.release()


class _Exported:
    """A program for tensors of some shapes, with the weights that it was exported with.

    What is put into the memory of the weights, as Keras does, it sees; other memory it does not.
    """

    def __init__(self, program, tensors):
        self._weights = list(program.model.parameters())
        self._places = self._places_of_now()
        with _silence():
            exported = torch.export.export(program, tensors, strict=False)
        self.module = _rectified_at_once(_without_idle_nodes(exported.module()))

    def is_of_now(self):
        """Whether the weights are where they were; of 50 that takes 4 us."""
        return self._places_of_now() == self._places

    def _places_of_now(self):
        return [weight.data_ptr() for weight in self._weights]


@contextlib.contextmanager
def _silence():
    """Within it PyTorch does not say why something cannot be exported, which nobody asked for."""
    loggers = [logging.getLogger(name) for name in _TELLING]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        with contextlib.redirect_stderr(_OfOtherThreads(sys.stderr)):
            yield
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)


def _nothing(record):
    return False


class _OfOtherThreads:
    """A stream that writes what other threads than this one write."""

    def __init__(self, stream):
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text):
        if threading.get_ident() != self._thread:
            self._stream.write(text)
        return len(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


def _without_idle_nodes(module):
    """Without checks of what an export has just seen, and casts to the type that a tensor has.

    They take a fortieth of the time of an image of 80x80 pixels.
    """
    for node in reversed(module.graph.nodes):
        # The function is pure: what nobody takes the result of is a check, or a weight known by two names.
        if node.op not in {"placeholder", "output"} and not node.users:
            module.graph.erase_node(node)
        elif node.target in _CASTS:
            before, after = node.args[0].meta["val"], node.meta["val"]
            if (before.dtype, before.device) == (after.dtype, after.device):
                node.replace_all_uses_with(node.args[0])
                module.graph.erase_node(node)
    module.recompile()
    return module


def _rectified_at_once(module):
    """With convolutions that rectify their results in place, and are called directly.

    These are a twentieth of the time of an image of 40x40 pixels.
    """
    for node in module.graph.nodes:
        if node.target in _CONSTANT:
            node.target = _CONSTANT[node.target]
            (*others,) = node.users
            if [other.target for other in others] == [torch.ops.aten.relu.default]:
                node.update_kwarg("rectified", True)
                others[0].replace_all_uses_with(node)
                module.graph.erase_node(others[0])
    module.recompile()
    return module


def _converted(tensors):
    return keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
