"""JAX."""

import jax
import keras

from . import jax_convolution

KERNEL_AXES = (0, 1, 2, 3)
"""How `convolve` wants the axes of a Keras kernel, (height, width, in, out), permuted."""

FIXED_MEMORY = 2**28
"""Bytes that a pass of a network takes whatever the size of its images."""

WORKSPACE = {
    "winograd": (1, 1),
    "convolution": (1, 0),
    "keras_convolution": (1, 1),
    "transposed": (1, 1),
    "keras_transposed": (1, 4),
}
"""How often the bytes of its images and of its results a convolution takes beside these, at most, as
measured: "convolution" is `convolve`, "transposed" is `convolve_transposed`, the others are Keras' layers.
Of a transposed convolution of 4x4 pixels and stride 2 the products with each of its taps take four times its
result."""

TAKES_SEVERAL_STEPS = True
"""Whether `fit` can take several training steps at a time."""


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
    return _compile(model, function)


def compile_jvp(model, function):
    """Compiles the derivative of `function(network, x, *tensors)` in x, along directions.

    Args:
        model, function: as for `compile_inference`; the function returns one tensor.

    Returns:
        A function of directions (shaped as x), x and the tensors: the Jacobian at x times the
        directions, shaped as the function's result.
    """

    def derivative(network, directions, x, *tensors):
        _, products = jax.jvp(lambda x: function(network, x, *tensors), (x,), (directions,))
        return products

    return _compile(model, derivative)


def compile_vjp(model, function):
    """Compiles the transposed derivative of `function(network, x, *tensors)` in x.

    Args:
        model, function: as for `compile_jvp`.

    Returns:
        A function of x and the tensors that returns a function of directions (shaped as the
        function's result): the transposed Jacobian at x times the directions, shaped as x. Call the
        latter often for one x: what depends on x alone may be computed once.
    """

    def derivative(network, directions, x, *tensors):
        _, pull_back = jax.vjp(lambda x: function(network, x, *tensors), x)
        return pull_back(directions)[0]

    compiled = _compile(model, derivative)
    return lambda x, *tensors: lambda directions: compiled(directions, x, *tensors)


def _compile(model, function):
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
    if jax.default_backend() == "cpu" and jax.device_count() == 1:
        return jax_convolution.convolve(images, kernel)
    return keras.ops.conv(images, kernel, padding="same", data_format="channels_last")


def convolve_transposed(images, kernel):
    """A transposed convolution without bias whose stride is the kernel's size.

    Args:
        images: `(batch, height, width, in)`.
        kernel: `(rows, columns, out, in)`, as Keras has it.

    Returns:
        `(batch, rows * height, columns * width, out)`.
    """
    # As a product of matrices: in a convolution XLA takes 60 times as long on a CPU for the gradient of
    # these kernels, which would be two thirds of a training step.
    batch, height, width, _ = images.shape
    rows, columns, out, _ = kernel.shape
    blocks = jax.numpy.einsum("bhwi,rcoi->bhrwco", images, kernel)
    return blocks.reshape(batch, rows * height, columns * width, out)


def run_convolution(convolution, images, kernel):
    """`convolution(images, kernel)`, in float32 if the processor computes that much faster.

    Args:
        convolution: any kind of convolution, or another function that is linear in both.
        images, kernel: of one number type, which is that of the result.
    """
    return convolution(images, kernel)


def average_pool(images, size):
    """Means over blocks of images `(batch, height, width, channels)`, whose sides they divide.

    Args:
        images: the images.
        size: (rows, columns) of a block.
    """
    return keras.ops.average_pool(images, size, strides=size, data_format="channels_last")


def devices():
    """The devices JAX would use, one name each."""
    return [f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()]


def jit_compile():
    """Whether a training step is faster compiled by XLA; JAX knows no other way."""
    return True


def memory_available():
    """Bytes that are free on the accelerator, or None if there is none or it does not say."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" not in statistics:
        return None
    return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)


def is_out_of_memory(error):
    """Whether an exception says that there was not enough memory."""
    if isinstance(error, MemoryError):
        return True
    told = "RESOURCE_EXHAUSTED", "Out of memory", "out of memory", "bad_alloc"
    return isinstance(error, jax.errors.JaxRuntimeError) and any(
        words in str(error) for words in told
    )


def version():
    """The version of the backend."""
    return jax.__version__
