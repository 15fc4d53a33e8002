"""The arrays of a safetensors file, where the backend has no reader of its own."""

import numpy as np
import safetensors.numpy


def read_safetensors(path):
    """See `keras_gahr._backend.foreign`."""
    arrays = safetensors.numpy.load_file(path)
    others = ("bfloat16", "float8")
    return {
        name: array.astype(np.float32) if array.dtype.name.startswith(others) else array
        for name, array in arrays.items()
    }
