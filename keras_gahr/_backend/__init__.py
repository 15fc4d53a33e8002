"""The only place that imports JAX, TensorFlow or PyTorch.

Each module offers the same names for one backend; what they promise stands here, once. The rooms
`convolution` and `parallel` are made alike.
"""

import keras_gahr.before_keras  # noqa: F401

# isort: split
import importlib

import keras

from .memory import host_memory_free

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

FIXED_MEMORY = _module.FIXED_MEMORY
"""Bytes that a pass of a network takes whatever the size of its images."""

RUNS_ANY_SHAPE = _module.RUNS_ANY_SHAPE
"""Whether an operation runs at once, so that it may have tensors of other shapes at each call."""

TAKES_SEVERAL_STEPS = _module.TAKES_SEVERAL_STEPS
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
    return _module.compile_inference(model, function)


def compile_jvp(model, function):
    """Compiles the derivative of `function(network, x, *tensors)` in x, along directions.

    Args:
        model, function: as for `compile_inference`; the function returns one tensor.

    Returns:
        A function of x and the tensors that returns a function of directions (shaped as x): the
        Jacobian at x times the directions, shaped as the function's result. Call the latter often for
        one x: what depends on x alone may be computed once.
    """
    return _module.compile_jvp(model, function)


def compile_vjp(model, function):
    """Compiles the transposed derivative of `function(network, x, *tensors)` in x.

    Args:
        model, function: as for `compile_jvp`.

    Returns:
        A function of x and the tensors that returns a function of directions (shaped as the
        function's result): the transposed Jacobian at x times the directions, shaped as x. Call the
        latter often for one x: what depends on x alone may be computed once.
    """
    return _module.compile_vjp(model, function)


def fold(step, tensors, carry, count):
    """`carry = step(index, tensors, carry)` for each index from 0, of which nothing is kept but the carry.

    Nor is it for derivatives: those backwards compute each step again. A function that is made of such folds
    is said to be `Denoiser.streams`.

    Args:
        step: a pure function of an index, a tuple of tensors and a tuple of tensors. Tensors that it takes
            besides are constants.
        tensors: what it may be differentiated in, besides the carry.
        carry: a tuple of tensors of static shapes.
        count: how many steps.

    Returns:
        The last carry.
    """
    return _module.fold(step, tensors, carry, count)


def float32_products():
    """A context in which products of float32 matrices are computed in float32, as far as one can say so.

    On an accelerator they may be rounded to TF32, which has three digits: JAX does so by default, PyTorch
    if it is told to, and TensorFlow by one switch for the whole process, which is left as it is.
    """
    return _module.float32_products()


def compile_training_pass(model):
    """Compiles a pass of a model in training mode, of which nothing is kept but what changes in the model.

    Args:
        model: a built Keras model. What it reads besides variables and its input must stay the same.

    Returns:
        A function of an input, without a result.
    """
    return _module.compile_training_pass(model)


def with_gradients(*models):
    """A context in which gradients can be asked for, whatever the caller has turned off.

    Raises:
        InputError: for Keras models whose weights can have none.
    """
    return _module.with_gradients(*models)


def adam_step(variable, gradient, momentum, velocity, *, rate, betas, epsilon, steps):
    """A step of Adam (Kingma and Ba, Algorithm 1) in one pass over memory, where the backend has one.

    Args:
        variable, momentum, velocity: Keras variables, which are changed in place.
        gradient: a tensor.
        rate: the learning rate, a number or a tensor.
        betas: beta_1 and beta_2.
        epsilon: added to the corrected root.
        steps: a Keras variable, the number of steps before this one.

    Returns:
        Whether it was done.
    """
    return _module.adam_step(
        variable,
        gradient,
        momentum,
        velocity,
        rate=rate,
        betas=betas,
        epsilon=epsilon,
        steps=steps,
    )


def fed(batches):
    """What `fit` takes in place of batches so that it does not wait for them, nor for what reads them.

    Args:
        batches: a `keras.utils.PyDataset` whose length is that of each epoch, and which need not be told of
            their ends.
    """
    return _module.fed(batches)


def devices():
    """The devices that the backend would use, one name each."""
    return _module.devices()


def jit_compile():
    """Whether a training step is faster compiled by XLA, or what the backend has in its place."""
    return _module.jit_compile()


def memory_available():
    """Bytes that are free on the accelerator, or None if there is none or it does not say."""
    return _module.memory_available()


def in_main_memory():
    """Whether tensors lie in the machine's memory, and not in that of an accelerator."""
    return _module.in_main_memory()


def memory_free():
    """Bytes that are free: on the accelerator where the backend says how many, else in the machine."""
    of_accelerator = memory_available()
    return host_memory_free() if of_accelerator is None else of_accelerator


def memory_at_hand():
    """Bytes of tensors up to which a pass finds memory that the one before has left, or None: any number.

    More a process with glibc gets from the system in every pass, page by page and filled with zeros: that
    took a tenth of the time of 16 images of 80x80 pixels.
    """
    return _module.MEMORY_AT_HAND if in_main_memory() else None


def is_out_of_memory(error):
    """Whether an exception says that there was not enough memory."""
    return _module.is_out_of_memory(error)


def threads():
    """How many threads compute one operation on a CPU."""
    return _module.threads()


def version():
    """The version of the backend."""
    return _module.version()
