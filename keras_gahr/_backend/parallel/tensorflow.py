"""TensorFlow: a mirrored strategy, with a replica for each device of one process."""

import functools

import tensorflow as tf

from keras_gahr.errors import InputError


def one_process_each():
    return False


def device_names():
    kind = "GPU" if tf.config.get_visible_devices("GPU") else "CPU"
    return [f"{kind}:{index}" for index in range(len(tf.config.list_logical_devices(kind)))]


def name_processes(rank, world, local_rank, local_world, address):
    raise InputError(
        f"received {world} processes, but TensorFlow trains in one: start one, or choose --backend "
        "torch or jax"
    )


def join_hosts():
    """TensorFlow trains on the devices of one host."""


def data_parallel(count):
    return _strategy(*device_names()[:count]).scope()


@functools.cache
def _strategy(*devices):
    """One for all trainings on these devices.

    Each numbers its sums over devices from the start, and TensorFlow remembers the shapes by number.
    """
    return tf.distribute.MirroredStrategy(devices)


def process():
    return 0, 1


def replica():
    context = tf.distribute.get_replica_context()
    if context is None:
        # A model is being built, which belongs to all replicas.
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def mean_over_replicas(x):
    if replica()[1] == 1:
        return x
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, x)


def replica_loss(loss):
    # The optimizer adds the gradients of the replicas up, and Keras multiplies what it reports.
    return loss / tf.distribute.get_strategy().num_replicas_in_sync


def share_gradients(variables):
    return lambda: None


def broadcast(variables):
    pass


def any_process(flag):
    return bool(flag)
