"""Whether products of float32 numbers may round them to TF32, which GPUs compute faster."""

import contextlib

import keras

from keras_gahr import _backend


@contextlib.contextmanager
def computing_in(precision):
    """Allows TF32 inside if that is the precision, and else forbids it; without a GPU, does nothing."""
    with contextlib.ExitStack() as stack:
        if has_gpu():
            stack.enter_context(_WAYS[keras.backend.backend()](precision == "TF32"))
        yield


def has_gpu():
    """Whether the backend sees more than processors."""
    return not all(name.lower().startswith("cpu") for name in _backend.devices())


@contextlib.contextmanager
def _torch(allowed):
    import torch

    parts = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [part.allow_tf32 for part in parts]
    try:
        for part in parts:
            part.allow_tf32 = allowed
        yield
    finally:
        for part, old in zip(parts, before, strict=True):
            part.allow_tf32 = old


@contextlib.contextmanager
def _tensorflow(allowed):
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        tf.config.experimental.enable_tensor_float_32_execution(allowed)
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _jax(allowed):
    import jax

    return jax.default_matmul_precision("tensorfloat32" if allowed else "float32")


_WAYS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
