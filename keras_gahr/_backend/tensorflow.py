"""TensorFlow."""

import contextlib
import contextvars
import os

import keras
import tensorflow as tf

from keras_gahr.within import within

from . import processor
from .steps import is_foreign

FIXED_MEMORY = 2**28

MEMORY_AT_HAND = None

RUNS_ANY_SHAPE = True

TAKES_SEVERAL_STEPS = True

_BATCHES_AHEAD = 2
"""Read while a step is computed."""

_BACKWARDS = contextvars.ContextVar("backwards", default=False)
"""Whether what is being traced is differentiated backwards."""


def compile_inference(model, function):
    """See `keras_gahr._backend`."""

    def network(x):
        return model(x, training=False)

    # What somebody else's code calls XLA may not know.
    compiled = tf.function(
        lambda *tensors: function(network, *tensors),
        jit_compile=jit_compile() and not is_foreign(model),
        autograph=False,
    )

    def run(*tensors):
        # Python numbers would be traced anew for every value.
        return compiled(*keras.tree.map_structure(tf.convert_to_tensor, tensors))

    return run


def compile_jvp(model, function):
    """See `keras_gahr._backend`."""

    def derivative(network, directions, x, *tensors):
        with tf.autodiff.ForwardAccumulator(x, directions) as accumulator:
            outputs = function(network, x, *tensors)
        return accumulator.jvp(outputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    compiled = compile_inference(model, derivative)
    return lambda x, *tensors: lambda directions: compiled(directions, x, *tensors)


def compile_vjp(model, function):
    """See `keras_gahr._backend`."""

    def derivative(network, directions, x, *tensors):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            with within(_BACKWARDS, True):
                outputs = function(network, x, *tensors)
        return tape.gradient(
            outputs, x, directions, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    compiled = compile_inference(model, derivative)
    return lambda x, *tensors: lambda directions: compiled(directions, x, *tensors)


def fold(step, tensors, carry, count):
    """See `keras_gahr._backend`; of the derivatives, those that `compile_vjp` makes keep nothing."""
    if _BACKWARDS.get():
        # Neither a derivative forwards nor one of a loop can be made of what computes itself again.
        for index in range(count):
            again = _recomputed(step, index, len(tensors))
            with tf.control_dependencies(carry):
                carry = again(*map(tf.identity, tensors), *carry)
        return tuple(carry)
    _, *carry = tf.while_loop(
        lambda index, *carry: index < count,
        lambda index, *carry: (index + 1, *step(index, tensors, carry)),
        (tf.constant(0), *carry),
        # Several blocks at once would take their memory at once.
        parallel_iterations=1,
        maximum_iterations=count,
    )
    return tuple(carry)


def _recomputed(step, index, count):
    """A step of a fold, of so many tensors and of the carry, which is computed again for its derivative."""

    def one(*values):
        return step(index, values[:count], values[count:])

    return tf.recompute_grad(one)


def float32_products():
    """See `keras_gahr._backend`."""
    return contextlib.nullcontext()


def compile_training_pass(model):
    """See `keras_gahr._backend`."""
    compiled = tf.function(lambda x: model(x, training=True), autograph=False)

    def run(x):
        compiled(keras.tree.map_structure(tf.convert_to_tensor, x))

    return run


def with_gradients(*models):
    # Nobody can turn them off.
    return contextlib.nullcontext()


def adam_step(variable, gradient, momentum, velocity, *, rate, betas, epsilon, steps):
    """See `keras_gahr._backend`; not for a part of the devices, nor for a part of the rows."""
    # Keras hands over its own variables for the others only.
    variable = variable if isinstance(variable, tf.Variable) else variable.value
    tensors = variable, momentum.value, velocity.value
    alike = len({t.dtype for t in (gradient, *tensors)}) == 1
    if not alike or not isinstance(gradient, tf.Tensor) or tf.distribute.has_strategy():
        return False
    number = gradient.dtype
    beta_1, beta_2 = (tf.constant(beta, number) for beta in betas)
    taken = tf.cast(steps.value + 1, number)
    powers = tf.pow(beta_1, taken), tf.pow(beta_2, taken)
    tf.raw_ops.ResourceApplyAdam(
        **{name: t.handle for name, t in zip(("var", "m", "v"), tensors, strict=True)},
        beta1_power=powers[0],
        beta2_power=powers[1],
        lr=tf.cast(rate, number),
        beta1=beta_1,
        beta2=beta_2,
        # It is added to the uncorrected root there.
        epsilon=epsilon * tf.sqrt(1 - powers[1]),
        grad=gradient,
    )
    return True


def fed(batches):
    """See `keras_gahr._backend`.

    Keras has TensorFlow tune how batches are read. Its thread for that looks after 10 ms, and then each time
    after twice as long, up to a minute; at the end of an epoch it is mostly waited for. Epochs of 3.4 s then
    take 5.2 s.
    """
    signature = keras.tree.map_structure(
        lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batches[0]
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: ((batches[index],) for index in range(len(batches))), output_signature=(signature,)
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(_BATCHES_AHEAD).with_options(options)


def devices():
    """The devices TensorFlow would use, one name each."""
    return [
        f"{device.device_type}:{index}"
        for index, device in enumerate(tf.config.get_visible_devices())
    ]


def jit_compile():
    """Whether a training step is faster compiled by XLA: on a GPU yes, on a CPU it takes twice as long.

    XLA cannot compile what replicas tell each other.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return replicas == 1 and bool(tf.config.get_visible_devices("GPU"))


def memory_available():
    """See `keras_gahr._backend`; TensorFlow never says how much there is, and takes all of it ahead."""
    return


def in_main_memory():
    """See `keras_gahr._backend`."""
    return not tf.config.get_visible_devices("GPU")


def is_out_of_memory(error):
    """See `keras_gahr._backend`."""
    if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError):
        return True
    told = "bad_alloc", "out of memory", "OOM when allocating"
    return isinstance(error, tf.errors.OpError) and any(words in str(error) for words in told)


def threads():
    """See `keras_gahr._backend`."""
    told = tf.config.threading.get_intra_op_parallelism_threads()
    # TensorFlow reads it without telling.
    named = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return told or (int(named) if named.isdecimal() else 0) or processor.cores()


def version():
    """See `keras_gahr._backend`."""
    return tf.__version__
