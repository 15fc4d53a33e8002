"""PyTorch: a process for each device, as torchrun starts them."""

import contextlib
import functools
import itertools
import os

import torch
import torch.distributed as dist

_trainings = itertools.count()


def one_process_each():
    return True


def device_names():
    if torch.cuda.is_available():
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    # Processes share the cores.
    return [f"cpu:{index}" for index in range(os.cpu_count() or 1)]


def name_processes(rank, world, local_rank, local_world, address):
    host, port = address.rsplit(":", 1)
    variables = {
        "MASTER_ADDR": host,
        "MASTER_PORT": port,
        "RANK": rank,
        "WORLD_SIZE": world,
        "LOCAL_RANK": local_rank,
        "LOCAL_WORLD_SIZE": local_world,
    }
    for name, value in variables.items():
        os.environ.setdefault(name, str(value))


def join_hosts():
    """Chooses this process's device; torchrun has told it of the others."""
    if torch.cuda.is_available() and "LOCAL_RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


@contextlib.contextmanager
def data_parallel(count):
    join_hosts()
    store, rank, world = _meeting()
    # A place of its own: an earlier training of these processes has left its addresses.
    store = dist.PrefixStore(f"training {next(_trainings)}", store)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=world)
    try:
        yield
    finally:
        dist.destroy_process_group()


@functools.cache
def _meeting():
    """Where the processes find each other, the number of this one, and how many there are."""
    return next(dist.rendezvous("env://"))


def process():
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def replica():
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


class _Mean(torch.autograd.Function):
    """The mean over processes. Each one's loss depends on it, so the gradient is a mean as well."""

    @staticmethod
    def forward(context, x):
        return _mean(x.contiguous().clone())

    @staticmethod
    def backward(context, gradient):
        return _mean(gradient.contiguous().clone())


def _mean(x):
    dist.all_reduce(x)
    return x.div_(dist.get_world_size())


def mean_over_replicas(x):
    return x if replica()[1] == 1 else _Mean.apply(x)


def replica_loss(loss):
    # The mean for what is reported; the gradients of the shares are averaged by `share_gradients`.
    return mean_over_replicas(loss)


def _average_gradient(value):
    _mean(value.grad)


def share_gradients(variables):
    if replica()[1] == 1:
        return lambda: None
    # All processes go backward through the same graph, so that their reductions meet in order.
    handles = [
        variable.value.register_post_accumulate_grad_hook(_average_gradient)
        for variable in variables
    ]

    def undo():
        for handle in handles:
            handle.remove()

    return undo


def broadcast(variables):
    if replica()[1] > 1:
        for variable in variables:
            dist.broadcast(variable.value.data, src=0)


def any_process(flag):
    if replica()[1] == 1:
        return bool(flag)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    flags = torch.tensor(float(flag), device=device)
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return bool(flags)
