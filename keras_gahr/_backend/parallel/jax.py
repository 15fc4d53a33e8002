"""JAX: arrays of a batch are spread over devices and programs see them whole."""

import contextlib
import os

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils


def one_process_each():
    """Whether each device needs a process of its own."""
    return False


def device_names():
    """The devices of this process that a batch can be spread over."""
    return [_name(device) for device in jax.local_devices()]


def join_hosts():
    """Joins the processes of other hosts, if JAX' environment variables name them.

    It must come before anything is computed.
    """
    if "JAX_COORDINATOR_ADDRESS" in os.environ and not jax.distributed.is_initialized():
        jax.distributed.initialize()


@contextlib.contextmanager
def data_parallel(count):
    """Within it, variables are made on `count` devices of each process and batches spread over them."""
    devices = [
        _name(device)
        for process in range(jax.process_count())
        for device in jax.local_devices(process)[:count]
    ]
    # Batches come with each process's own share already.
    distribution = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    with distribution.scope():
        yield


def process():
    """The number of this process and how many there are."""
    return jax.process_index(), jax.process_count()


def replica():
    """The number of the replica that is being computed and how many share its batch."""
    return 0, 1


def mean_over_replicas(x):
    """The mean of a tensor over the replicas, differentiable."""
    return x


def replica_loss(loss):
    """What a replica must return as its loss, given the loss of its share of a batch."""
    return loss


def share_gradients(variables):
    """Makes the gradients of these variables the mean over replicas; returns a function to undo it."""
    return lambda: None


def broadcast(variables):
    """Gives the variables the values they have in the first process."""
    if jax.process_count() > 1:
        for variable in variables:
            variable.assign(multihost_utils.broadcast_one_to_all(np.asarray(variable.value)))


def any_process(flag):
    """Whether the flag is true in any process; all must ask."""
    if jax.process_count() == 1:
        return bool(flag)
    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def _name(device):
    return f"{device.platform}:{device.id}"
