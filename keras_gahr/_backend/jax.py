"""JAX."""

import jax
import keras

KERNEL_AXES = (0, 1, 2, 3)
"""How `convolve` wants the axes of a Keras kernel, (height, width, in, out), permuted."""


def compile_inference(model, function):
    """Compiles `function(network, *tensors)`, where `network(x)` is the model in evaluation mode.

    No gradients are kept. The model's weights are read at each call, so that the compiled function
    stays right when they change.

    Args:
        model: a built Keras model.
        function: takes the network and tensors, returns tensors; it must be pure.

    Returns:
        A function of the tensors (or arrays).
    """

    @jax.jit
    def compiled(trainable, non_trainable, *tensors):
        def network(x):
            # Passed in, not closed over: jit would freeze closed-over weights into the program.
            outputs, _ = model.stateless_call(trainable, non_trainable, x, training=False)
            return outputs

        return function(network, *tensors)

    def run(*tensors):
        return compiled(
            [variable.value for variable in model.trainable_variables],
            [variable.value for variable in model.non_trainable_variables],
            *tensors,
        )

    return run


def convolve(images, kernel):
    """A convolution of stride 1 without bias, for inference.

    Args:
        images: `(batch, height, width, in)`.
        kernel: of odd sides, its axes permuted by `KERNEL_AXES`.

    Returns:
        Images of the same size, `(batch, height, width, out)`; what lies outside counts as 0.
    """
    return keras.ops.conv(images, kernel, padding="same", data_format="channels_last")


def devices():
    """The devices JAX would use, one name each."""
    return [f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()]


def jit_compile():
    """Whether a training step is faster compiled by XLA; JAX knows no other way."""
    return True


def version():
    """The version of the backend."""
    return jax.__version__
