"""JAX: arrays of a batch are spread over devices and programs see them whole."""

import contextlib
import os

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils


def one_process_each():
    return False


def device_names():
    return [_name(device) for device in jax.local_devices()]


def join_hosts():
    if "JAX_COORDINATOR_ADDRESS" in os.environ and not jax.distributed.is_initialized():
        jax.distributed.initialize()


@contextlib.contextmanager
def data_parallel(count):
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
    return jax.process_index(), jax.process_count()


def replica():
    return 0, 1


def mean_over_replicas(x):
    return x


def replica_loss(loss):
    return loss


def share_gradients(variables):
    return lambda: None


def broadcast(variables):
    if jax.process_count() > 1:
        for variable in variables:
            variable.assign(multihost_utils.broadcast_one_to_all(np.asarray(variable.value)))


def any_process(flag):
    if jax.process_count() == 1:
        return bool(flag)
    return bool(np.any(multihost_utils.process_allgather(np.array(flag))))


def _name(device):
    return f"{device.platform}:{device.id}"
