"""PyTorch."""

import keras
import torch

TAKES_SEVERAL_STEPS = False
"""Whether `fit` can take several training steps at a time."""


def compile_inference(model, function):
    """See `keras_gahr._backend.jax.compile_inference`; PyTorch runs it eagerly."""

    def network(x):
        return model(x, training=False)

    def run(*tensors):
        with torch.no_grad():
            return function(
                network, *keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
            )

    return run


def devices():
    """The devices PyTorch would use, one name each."""
    if torch.cuda.is_available():
        return [
            f"cuda:{index} ({torch.cuda.get_device_name(index)})"
            for index in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        return ["mps"]
    return ["cpu"]


def jit_compile():
    """Whether to compile a training step; tracing these networks costs more than it saves."""
    return False


def memory_available():
    """See `keras_gahr._backend.jax.memory_available`."""
    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info()
    return free


def version():
    """The version of the backend."""
    return torch.__version__
