"""Functions of a model's outputs that PyTorch runs without Keras, once they have been called often.

Keras's way through a UNet takes 5 ms in Python, which is a fifth of the time of an image of 80x80 pixels.
"""

import keras
import torch

CALLS_BEFORE_EXPORT = 8
"""How often tensors of the same shapes are computed by Keras; an export costs as much as some 100 calls."""


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
        self._calls = {}
        self._exported = {}

    def forward(self, *tensors):
        return self.function(lambda x: self.model(x, training=False), *tensors)

    def run_eagerly(self, *tensors):
        """The function of tensors or arrays, by Keras."""
        with torch.no_grad():
            return self(*_converted(tensors))

    def run(self, *tensors):
        """The function of tensors or arrays, without Keras once it has been called often."""
        tensors = _converted(tensors)
        shapes = tuple(
            (tensor.shape, tensor.dtype, tensor.device) for tensor in keras.tree.flatten(tensors)
        )
        with torch.no_grad():
            if shapes not in self._exported:
                self._calls[shapes] = self._calls.get(shapes, 0) + 1
                if self._calls[shapes] <= CALLS_BEFORE_EXPORT:
                    return self(*tensors)
                program = torch.export.export(self, tensors, strict=False)
                self._exported[shapes] = program.module()
            return self._exported[shapes](*tensors)


def _converted(tensors):
    return keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
