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


def name_processes(rank, world, local_rank, local_world, address):
    os.environ.setdefault("JAX_COORDINATOR_ADDRESS", address)
    os.environ.setdefault("JAX_NUM_PROCESSES", str(world))
    os.environ.setdefault("JAX_PROCESS_ID", str(rank))
    if local_world > 1:
        os.environ.setdefault("JAX_LOCAL_DEVICE_IDS", str(local_rank))


def join_hosts():
    if "JAX_COORDINATOR_ADDRESS" not in os.environ or jax.distributed.is_initialized():
        return
    # It reads the address itself, but not these.
    world, rank = (os.environ.get(name) for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID"))
    if world is None or rank is None:
        jax.distributed.initialize()
    else:
        # What it would find out on a cluster is one device for each process.
        jax.distributed.initialize(
            num_processes=int(world), process_id=int(rank), cluster_detection_method="deactivate"
        )


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
