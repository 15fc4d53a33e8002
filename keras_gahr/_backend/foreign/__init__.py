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


def call_module(module, images, *told, rounded=False, options=None):
    """What a module returns in evaluation mode; it is left in the mode that it was in.

    Args:
        module: see `is_module`.
        images: a float tensor, which is given in the number type and on the device of its weights.
        told: tensors that are given on that device.
        rounded: whether these too are in the number type of the weights if that has fewer digits than they
            have; else they stay as they are.
        options: named arguments, a dictionary; as they are.

    Returns:
        A float tensor where and as the images are, which can be differentiated.
    """
    return _module.call_module(module, images, *told, rounded=rounded, options=options)


def is_coarser(module, tensor):
    """Whether the weights of a module are of a number type with fewer digits than that of a tensor."""
    return _module.is_coarser(module, tensor)


def apart(tensor):
    """The tensor, in memory of its own where whoever is given it could change it in place.

    It can be differentiated as the tensor can.
    """
    return _module.apart(tensor)


def state_of(module):
    """The arrays of a module by name: weights and all else that a file of its weights has. NumPy.

    Raises:
        InputError: for such as are no plain arrays of numbers.
    """
    return _module.state_of(module)


def unsaved_of(module):
    """The tensors that a module computes with and no file of its weights has, by name.

    They are its buffers that are not persistent, and the tensors among its plain attributes.
    """
    return _module.unsaved_of(module)


def arrays_of(tensors):
    """Tensors by name as NumPy has them.

    Raises:
        InputError: as `state_of`.
    """
    return _module.arrays_of(tensors)


def taken_by(function, *tensors):
    """What a function takes, found by trying it: `DERIVATIVES`, `TENSORS` or `ARRAYS`.

    Args:
        function: takes as many tensors, returns one.
        tensors: the first one is what it is differentiated in.
    """
    return _module.taken_by(function, *tensors)


def number_types(function, *tensors):
    """The names of the number types of all floats that a function computes, found by trying it.

    Such as "float32" and "bfloat16", wherever they are in it. What it raises is not raised.

    Args:
        function, tensors: see `taken_by`.
    """
    return _module.number_types(function, *tensors)


def product_type():
    """What factors of products of float32 numbers are rounded to: "float32", "tfloat32" or "bfloat16"."""
    return _module.product_type()


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
