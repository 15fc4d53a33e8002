"""Networks that are not Keras models, called from within one.

Each module offers the same names for one backend; what they promise stands here, once.
"""

import importlib

import keras

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

CHANNELS_FIRST = _module.CHANNELS_FIRST
"""Whether the backend's own networks take images as `(batch, channels, height, width)`."""

INDEX = _module.INDEX
"""The number type of indices in a table."""

DERIVATIVES, TENSORS, ARRAYS = "derivatives", "tensors", "arrays"
"""What a function takes: tensors through which it can be differentiated, tensors from which its result is cut
off, or arrays only."""


def is_module(network):
    """Whether a network is of the class that the backend has for networks, PyTorch's `torch.nn.Module`."""
    return _module.is_module(network)


def first_channels(module):
    """The channels that the first convolution of a module takes; None if it has none."""
    return _module.first_channels(module)


def call_module(module, *tensors, **options):
    """What a module returns in evaluation mode; it is left in the mode that it was in.

    Args:
        module: see `is_module`.
        tensors: float tensors are given in the number type and on the device of its weights.
        options: named arguments, as they are.

    Returns:
        A float tensor where and as the first of the tensors is, which can be differentiated.
    """
    return _module.call_module(module, *tensors, **options)


def apart(tensor):
    """The tensor, in memory of its own where whoever is given it could change it in place.

    It can be differentiated as the tensor can.
    """
    return _module.apart(tensor)


def state_of(module):
    """The arrays of a module by name: weights and all else that it keeps. NumPy."""
    return _module.state_of(module)


def taken_by(function, *tensors):
    """What a function takes, found by trying it: `DERIVATIVES`, `TENSORS` or `ARRAYS`.

    Args:
        function: takes as many tensors, returns one.
        tensors: the first one is what it is differentiated in.
    """
    return _module.taken_by(function, *tensors)


def call_with_arrays(function, shape, *tensors):
    """What a function of NumPy arrays returns, as a tensor without derivatives, float32.

    Args:
        function: takes arrays, which it may change, returns one.
        shape: of its result, where the tensors' values are not known yet.
        tensors: what it takes.
    """
    return _module.call_with_arrays(function, shape, *tensors)


def leaves_of(parameters):
    """The arrays in nested parameters, and a function that nests others in their place."""
    return _module.leaves_of(parameters)


def load_state(module, arrays):
    """Puts arrays into a module in the place of those of `state_of`, of which they have names and shapes."""
    _module.load_state(module, arrays)


def read_safetensors(path):
    """The arrays in a safetensors file by name, NumPy; PyTorch's bfloat16 becomes float32."""
    return _module.read_safetensors(path)
