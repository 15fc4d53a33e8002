"""The only place that imports JAX, TensorFlow or PyTorch.

Each module offers the same names for one backend; the ones of the backend Keras runs on are here.
"""

import importlib

import keras

from .memory import host_memory_free

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

FIXED_MEMORY = _module.FIXED_MEMORY
KERNEL_AXES = _module.KERNEL_AXES
TAKES_SEVERAL_STEPS = _module.TAKES_SEVERAL_STEPS
WORKSPACE = _module.WORKSPACE
average_pool = _module.average_pool
compile_inference = _module.compile_inference
compile_jvp = _module.compile_jvp
compile_vjp = _module.compile_vjp
convolve = _module.convolve
convolve_transposed = _module.convolve_transposed
devices = _module.devices
is_out_of_memory = _module.is_out_of_memory
jit_compile = _module.jit_compile
memory_available = _module.memory_available
run_convolution = _module.run_convolution
version = _module.version


def memory_free():
    """Bytes that are free: on the accelerator where the backend says how many, else in the machine."""
    of_accelerator = memory_available()
    return host_memory_free() if of_accelerator is None else of_accelerator
