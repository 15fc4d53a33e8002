"""Training on several devices, each of which computes a share of every batch."""

import contextlib
import os

import keras

from keras_gahr._backend import parallel
from keras_gahr.denoisers import with_precision
from keras_gahr.errors import InputError


def is_first():
    """Whether this is the one of the processes of a training that prints and writes files."""
    return parallel.process()[0] == 0


class DataParallel:
    """How a training is spread; made by `data_parallel`.

    Args:
        count: devices in all.

    Attributes:
        count: devices in all, over all processes.
        rank: the number of this process.
        world: processes, all of which run the same training on their shares.
    """

    def __init__(self, count):
        self.count = count
        self.rank, self.world = parallel.process()
        self._undo = []

    @property
    def is_first(self):
        """Whether this is the one process that writes files and shows progress."""
        return self.rank == 0

    def replicate(self, denoiser, precision="float32"):
        """A copy of a denoiser on all devices, with the weights it has in the first process.

        The training objective must be made of this copy; when it ends, `set_weights` of the original
        takes the copy's `get_weights`.

        Args:
            denoiser: a `Denoiser`; it is not changed.
            precision: see `with_precision`.
        """
        copy = with_precision(denoiser, precision)
        parallel.broadcast(copy.variables)
        self._undo.append(parallel.share_gradients(copy.trainable_variables))
        return copy

    def any_process(self, flag):
        """Whether the flag is true in any process; all of them must ask, and wait for each other."""
        return bool(flag) if self.world == 1 else parallel.any_process(flag)

    def share(self, batches):
        """This process's part of each batch of a `PyDataset`, see `SharedBatches`."""
        return batches if self.count == 1 else SharedBatches(batches, self)

    def close(self):
        """Takes back what was done to the copies."""
        for undo in self._undo:
            undo()


def check_count(count):
    """Raises `InputError` if this host does not have so many devices."""
    available = parallel.device_names()
    if not 1 <= count <= len(available):
        raise InputError(
            f"received {count} devices, but there are {len(available)} ({', '.join(available[:8])}): "
            f"choose fewer{_how_to_get_more()}"
        )


def check_shares(batch_size, count):
    """Raises `InputError` unless batches of this size can be shared equally among so many devices."""
    if batch_size % count:
        next_one = -(-batch_size // count) * count
        raise InputError(
            f"received a batch size of {batch_size} for {count} devices, expected a multiple of {count}: "
            f"choose {next_one}"
        )


def devices_in_all(count):
    """How many devices share a batch, for `count` of each host."""
    world = parallel.process()[1]
    # Before the processes are started there is one.
    return max(count, world) if parallel.one_process_each() else count * world


def share_of_batch(batch_size, count):
    """How many images of a batch each device has, for `count` devices of each host."""
    return -(-batch_size // devices_in_all(count))


@contextlib.contextmanager
def data_parallel(count=1):
    """Yields a `DataParallel` for `count` devices of each host; nothing of it is left afterwards.

    Whatever is trained must be made and trained within it: the copy of the denoiser, the objective,
    and the optimizer. On PyTorch this must be one of the processes that `processes.relaunch` or
    torchrun starts.

    Args:
        count: devices, at least 1.

    Raises:
        InputError: if there are fewer devices, or not as many processes on PyTorch.
    """
    check_count(count)
    world = parallel.process()[1]
    if parallel.one_process_each():
        here = int(os.environ.get("LOCAL_WORLD_SIZE") or world)
        if here != count:
            raise InputError(
                f"received {count} devices in one of {here} processes on this host, expected one "
                f"process a device: run it under torchrun --nproc-per-node {count}"
            )
        count = world
    else:
        count *= world
    with contextlib.ExitStack() as stack:
        if count > 1:
            stack.enter_context(parallel.data_parallel(count // world))
        shared = DataParallel(count)
        stack.callback(shared.close)
        yield shared


class SharedBatches(keras.utils.PyDataset):
    """The part of each batch that one process computes.

    All devices get equally many images: up to `count` - 1 images of a batch that does not divide (only
    an epoch's last one, see `check_shares`) are left out. So is a smaller last batch
    with less than two images for each device: PyTorch's convolutions fail on a single small image.

    Args:
        batches: a `PyDataset` of arrays or of dictionaries of arrays, the same in every process.
        shared: a `DataParallel`.

    Raises:
        InputError: if nothing is left.
    """

    def __init__(self, batches, shared):
        super().__init__()
        self.batches = batches
        self.shared = shared
        self._length = len(batches)
        first, last = (_size(batches[index]) for index in (0, self._length - 1))
        if last < first and last < 2 * shared.count:
            self._length -= 1
        if first < shared.count:
            raise InputError(
                f"received fewer images than {shared.count} devices, expected at least one for each"
            )

    def __len__(self):
        return self._length

    def __getitem__(self, index):
        batch = self.batches[index]
        used = _size(batch) // self.shared.count * self.shared.count
        part = used // self.shared.world
        start = self.shared.rank * part
        return keras.tree.map_structure(lambda array: array[start : start + part], batch)


def _size(batch):
    return len(keras.tree.flatten(batch)[0])


def _how_to_get_more():
    return {
        "jax": ", or divide the CPU by XLA_FLAGS=--xla_force_host_platform_device_count=N",
        "tensorflow": ", or divide the CPU by tf.config.set_logical_device_configuration",
    }.get(keras.backend.backend(), "")
