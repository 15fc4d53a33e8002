"""Training on several devices that share each batch; one module per backend, the same names in each.

A *replica* is a copy of the network with its share of a batch. On JAX the arrays of a step are global,
so that there is one replica whatever the devices; on TensorFlow there is one for each device of the
process; on PyTorch there is one process, with one device, for each.
"""

import importlib

import keras

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")


def one_process_each():
    """Whether each device needs a process of its own."""
    return _module.one_process_each()


def device_names():
    """The devices of this process that a batch can be spread over."""
    return _module.device_names()


def name_processes(rank, world, local_rank, local_world, address):
    """Sets the variables by which `join_hosts` knows processes that another program has started.

    What is set already stays as it is.

    Args:
        rank, world: the number of this process and how many there are.
        local_rank, local_world: the same among those on this host.
        address: of the first one, as "host:port".

    Raises:
        InputError: on a backend that trains in one process only.
    """
    _module.name_processes(rank, world, local_rank, local_world, address)


def join_hosts():
    """Joins the processes of other hosts, if the backend's environment variables name them.

    It must come before anything is computed.
    """
    _module.join_hosts()


def data_parallel(count):
    """A context: within it, variables are made on several devices and batches are spread over them.

    Args:
        count: of devices of each process.
    """
    return _module.data_parallel(count)


def process():
    """The number of this process and how many there are."""
    return _module.process()


def replica():
    """The number of the replica that is being computed and how many share its batch."""
    return _module.replica()


def mean_over_replicas(x):
    """The mean of a tensor over the replicas, differentiable."""
    return _module.mean_over_replicas(x)


def replica_loss(loss):
    """What a replica must return as its loss, given the loss of its share of a batch."""
    return _module.replica_loss(loss)


def share_gradients(variables):
    """Makes the gradients of these variables the mean over replicas; returns a function to undo it."""
    return _module.share_gradients(variables)


def broadcast(variables):
    """Gives the variables the values they have in the first process."""
    _module.broadcast(variables)


def any_process(flag):
    """Whether the flag is true in any process; all must ask."""
    return _module.any_process(flag)
