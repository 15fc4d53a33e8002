"""The only place that imports JAX, TensorFlow or PyTorch.

Each module offers the same names for one backend; the ones of the backend Keras runs on are here.
"""

import importlib

import keras

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

KERNEL_AXES = _module.KERNEL_AXES
TAKES_SEVERAL_STEPS = _module.TAKES_SEVERAL_STEPS
average_pool = _module.average_pool
compile_inference = _module.compile_inference
compile_jvp = _module.compile_jvp
compile_vjp = _module.compile_vjp
convolve = _module.convolve
convolve_transposed = _module.convolve_transposed
devices = _module.devices
jit_compile = _module.jit_compile
memory_available = _module.memory_available
version = _module.version
