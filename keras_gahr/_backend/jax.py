"""JAX."""

import contextlib

import jax

from . import processor

FIXED_MEMORY = 2**28

MEMORY_AT_HAND = 2**25
"""The largest block that glibc does not get for itself alone: XLA takes one for all of a program."""

RUNS_ANY_SHAPE = False

TAKES_SEVERAL_STEPS = True


def compile_inference(model, function):
    """See `keras_gahr._backend`."""
    return _compile(model, function)


def compile_jvp(model, function):
    """See `keras_gahr._backend`."""

    def forward(network, directions, x, *tensors):
        _, products = jax.jvp(lambda x: function(network, x, *tensors), (x,), (directions,))
        return products

    def transposed_backwards(network, directions, x, *tensors):
        outputs, pull_back = jax.vjp(lambda x: function(network, x, *tensors), x)
        (products,) = jax.linear_transpose(pull_back, outputs)((directions,))
        return products

    ways = [_compile(model, way) for way in (forward, transposed_backwards)]

    def run(*tensors):
        try:
            return ways[0](*tensors)
        except (TypeError, ValueError):
            # A function with a derivative of its own (`jax.custom_vjp`) has none forwards.
            if len(ways) == 1:
                raise
        del ways[0]
        return ways[0](*tensors)

    return lambda x, *tensors: lambda directions: run(directions, x, *tensors)


def compile_vjp(model, function):
    """See `keras_gahr._backend`."""

    def derivative(network, directions, x, *tensors):
        _, pull_back = jax.vjp(lambda x: function(network, x, *tensors), x)
        return pull_back(directions)[0]

    compiled = _compile(model, derivative)
    return lambda x, *tensors: lambda directions: compiled(directions, x, *tensors)


def fold(step, tensors, carry, count):
    """See `keras_gahr._backend`."""
    step = jax.checkpoint(step)
    carry, _ = jax.lax.scan(
        lambda carry, index: (step(index, tensors, carry), None), carry, jax.numpy.arange(count)
    )
    return carry


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


def float32_products():
    """See `keras_gahr._backend`."""
    return jax.default_matmul_precision("float32")


def compile_training_pass(model):
    """See `keras_gahr._backend`."""

    @jax.jit
    def compiled(trainable, non_trainable, x):
        _, changed = model.stateless_call(trainable, non_trainable, x, training=True)
        return changed

    def run(x):
        variables = model.non_trainable_variables
        values = compiled(
            [variable.value for variable in model.trainable_variables],
            [variable.value for variable in variables],
            x,
        )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return run


def with_gradients(*models):
    # Nobody can turn them off.
    return contextlib.nullcontext()


def adam_step(*tensors, **settings):
    """See `keras_gahr._backend`; XLA puts that of Keras together."""
    return False


def fed(batches):
    """See `keras_gahr._backend`."""
    return batches


def devices():
    """The devices JAX would use, one name each."""
    return [f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()]


def jit_compile():
    """Whether a training step is faster compiled by XLA; JAX knows no other way."""
    return True


def memory_available():
    """See `keras_gahr._backend`; of the part that JAX takes ahead, or would if it is told not to."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    # A device may leave either out, or say -1.
    limit = statistics.get("bytes_limit", -1)
    return None if limit < 0 else limit - max(0, statistics.get("bytes_in_use", 0))


def in_main_memory():
    """See `keras_gahr._backend`."""
    return jax.local_devices()[0].platform == "cpu"


def is_out_of_memory(error):
    """See `keras_gahr._backend`."""
    if isinstance(error, MemoryError):
        return True
    told = "RESOURCE_EXHAUSTED", "Out of memory", "out of memory", "bad_alloc"
    return isinstance(error, jax.errors.JaxRuntimeError) and any(
        words in str(error) for words in told
    )


def threads():
    """See `keras_gahr._backend`."""
    return processor.cores()


def version():
    """See `keras_gahr._backend`."""
    return jax.__version__
