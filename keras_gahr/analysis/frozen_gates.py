"""Bias-free networks as the linear maps that they are around one image.

A network of convolutions without biases, norms that only scale, and ReLUs is piecewise linear: while
the ReLUs let through what they let through at y, it is its own Jacobian at y. So the Jacobian times a
batch of directions is one forward pass of the network with the ReLUs replaced by products with the
gates seen at y, 1 or 0. (Mohan, Kadkhodaie, Simoncelli, Fernandez-Granda: Robust and interpretable
blind image denoising via bias-free convolutional neural networks, ICLR 2020, section 5.)
"""

import collections

import keras
import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr._backend.steps import steps_of
from keras_gahr.denoisers import BiasFreeNorm, FoldedNetwork

from .jacobian_rows import LocalRows, has_local_rows


class FrozenGates:
    """Linearizes a network by freezing its gates; a product with its Jacobian costs one pass.

    Compiled once, for all images. The weights are those that the network has when it is linearized. Forwards
    its norms are folded into kernels, which are then constant, and computed with faster; backwards and for
    rows they are its own.

    Args:
        network: a functional model of one input and one output. Its ReLUs are `keras.layers.ReLU`
            layers, its own or those of models inside it.
    """

    def __init__(self, network):
        def apply(gated, directions, *gates):
            # A network in bfloat16 leaves its outputs in that, and directions are in float32.
            return ops.cast(gated([directions, *gates]), "float32")

        self._network = network
        self._folded = FoldedNetwork(network)
        self._places = _places(network, self._folded)
        recorder = _GateRecorder(network, name="gates")
        self._record = _backend.compile_inference(recorder, lambda model, noisy: model(noisy))
        folded = _GatedNetwork(self._folded.network, name="gated_folded", scaled=False)
        self._apply = _backend.compile_inference(folded, apply)
        gated = _GatedNetwork(network, name="gated", scaled=True)
        self._transposed = _backend.compile_vjp(gated, apply)

    def at(self, noisy):
        """What is linear around a float32 image `(1, height, width, channels)`.

        Returns:
            See `jacobian_products.Linearize`.
        """
        self._folded.refold()
        outputs, *gates = self._record(noisy)
        chosen = [gates[place] for place in self._places]
        passed = [ops.cast(ops.not_equal(gate, 0), gate.dtype) for gate in chosen]
        origin = np.zeros(noisy.shape[1:], np.float32)
        return (
            lambda: outputs,
            lambda count: lambda directions: self._apply(directions, *passed),
            lambda count: self._transposed(np.stack([origin] * count), *gates),
        )

    def rows_at(self, noisy, at_once):
        """The rows of what is linear around an image as for `at`: `LocalRows`, or None.

        None for a network with layers that these do not know, and where a backend would compile for each size
        of their windows.
        """
        steps = steps_of(self._network, noisy.shape)
        if not _backend.RUNS_ANY_SHAPE or not has_local_rows(steps):
            return None
        _, *gates = self._record(noisy)
        return LocalRows(steps, gates, at_once)


def _places(network, folded):
    """Which gate of a network each ReLU of its `FoldedNetwork` has.

    Without norms those of parallel branches may come in another order.
    """
    sources = {id(copy): source for source, copy in folded.copies()}
    places = collections.defaultdict(list)
    for place, layer in enumerate(_relus(network)):
        places[id(layer)].append(place)
    return [places[id(sources.get(id(layer), layer))].pop(0) for layer in _relus(folded.network)]


def _relus(network):
    """Its ReLUs, as often as they are called."""
    steps = steps_of(network)
    assert steps is not None  # A denoiser of ours is a functional model.
    operations = (step.operation for step in steps.steps)
    return [layer for layer in operations if isinstance(layer, keras.layers.ReLU)]


class _Twin(keras.Model):
    """The layers of a network, called in its order, but for the ReLUs."""

    def __init__(self, network, name):
        super().__init__(name=name, dtype="float32")
        self.network = network
        steps = steps_of(network)
        assert steps is not None  # A folded network is a functional model.
        self._steps = steps
        self.build()

    def build(self, input_shape=None):
        """Its layers are those of the network, which is built."""

    def run(self, x, relu):
        """The network's output, with `relu(layer, x, before, norm)` in the place of its ReLUs.

        If x is the output of a `BiasFreeNorm`, `norm` is that layer and `before` its input, else
        None and x.
        """
        normalized = {}

        def call(layer, *args, **kwargs):
            if isinstance(layer, keras.layers.ReLU):
                before, norm, _ = normalized.get(id(args[0]), (args[0], None, None))
                return relu(layer, args[0], before, norm)
            outputs = layer(*args, **kwargs)
            if isinstance(layer, BiasFreeNorm):
                # The output is kept as well, so that no other tensor can have its id.
                normalized[id(outputs)] = args[0], layer, outputs
            return outputs

        return self._steps.run(x, call)


class _GateRecorder(_Twin):
    """From images to [outputs, *gates], with a gate for each ReLU.

    A `BiasFreeNorm` before a ReLU is left to the gate, which is then the channel's scale or 0.
    """

    def call(self, noisy, training=None):
        gates = []

        def relu(layer, x, before, norm):
            outputs = layer(x)
            passed = ops.cast(ops.greater(outputs, 0), outputs.dtype)
            gates.append(passed if norm is None else norm(passed))
            return outputs

        return [self.run(noisy, relu), *gates]


class _GatedNetwork(_Twin):
    """From [directions, *gates], those of one image, to the outputs, linear in the directions.

    Args:
        scaled: whether a gate has the scale of a `BiasFreeNorm` before it, as `_GateRecorder` leaves it;
            else gates are 0 and 1, and norms that are left are computed.
    """

    def __init__(self, network, name, scaled):
        super().__init__(network, name)
        self._scaled = scaled

    def call(self, inputs, training=None):
        directions, *gates = inputs
        remaining = iter(gates)

        def relu(layer, x, before, norm):
            given = before if self._scaled else x
            return given * ops.cast(next(remaining), given.dtype)

        return self.run(directions, relu)
