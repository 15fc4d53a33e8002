"""What must hold before a training starts, checked before anything is computed."""

import os
from pathlib import Path

import keras

from keras_gahr import _backend
from keras_gahr.datasets.arrays import check_values, refuse_binary
from keras_gahr.denoisers.configuration import check_readable
from keras_gahr.errors import InputError

from .data.batches import TiledBatches
from .data.device_images import bytes_on_device
from .devices.data_parallel import devices_in_all, share_of_batch
from .estimate import estimate_memory

_SHARE_OF_DEVICE = 1 / 4
"""Of the free memory, what images may take unasked."""


def check_trainable(denoiser):
    """Refuses a network that cannot be trained, or not be read when it is trained.

    Args:
        denoiser: a `Denoiser`.

    Raises:
        InputError: for somebody else's, and those without weights to train or that `check_readable` refuses.
    """
    if denoiser.foreign:
        raise InputError(
            "received a network of somebody else's, which its own program trains: give one of this package"
        )
    if not denoiser.trainable_variables:
        raise InputError(
            f"received a {type(denoiser).__name__}, which has nothing to train: give a network"
        )
    check_readable(denoiser)


def check_conditions(
    denoiser, train_images, test_images, settings, data_on_device=None, clock=None
):
    """Refuses a training that cannot end well.

    Args:
        denoiser: a `Denoiser`.
        train_images: array `(count, height, width, channels)`, uint8 or floats on [0, 1].
        test_images: the same; may be empty, if it has no images for testing at all.
        settings: `TrainingSettings`.
        data_on_device: whether the training images are held on the device; None if
            `goes_on_device` is to say so, which leaves room for all else.
        clock: `ClockSettings`, or None.

    Raises:
        InputError: for a denoiser that `check_trainable` refuses; if there are no training images; if
            images do not fit the denoiser, are not finite or leave [0, 1]; if a batch is larger than all
            images of an epoch; if the backend or the images cannot do what the settings ask for; or if the
            memory cannot be enough.
    """
    check_trainable(denoiser)
    if len(train_images) == 0:
        raise InputError("received no training images, expected at least one: check --train-size")
    # The details of a scale, which only a conditional network takes, lie about zero.
    limits = (0, 1) if denoiser.input_channels == denoiser.output_channels else (-1, 1)
    for images, name in ((train_images, "training"), (test_images, "test")):
        if len(images):
            denoiser.check_shape(images.shape)
            check_values(images, f"the array of {name} images", limits)
            refuse_binary(images, f"the array of {name} images")
    if settings.patience is not None and len(test_images) == 0:
        raise InputError("received patience but no test images, expected some to judge by")
    if settings.steps_per_execution > 1 and not _backend.TAKES_SEVERAL_STEPS:
        raise InputError(
            f"received steps_per_execution = {settings.steps_per_execution}, but Keras takes one step "
            f"at a time on {keras.backend.backend()}: leave it out"
        )
    if settings.clip_norm and settings.devices > 1 and keras.backend.backend() == "tensorflow":
        raise InputError(
            "received clip_norm on several devices, where Keras on TensorFlow limits the gradients of each "
            "before their sum: leave one of both out, or train on JAX or PyTorch"
        )
    check_batch_size(len(train_images), settings)
    devices = devices_in_all(settings.devices)
    if 0 < len(test_images) < devices:
        raise InputError(
            f"received {len(test_images)} test images for {devices} devices, expected at least one for each: "
            "choose a larger --test-size, or 0, or fewer devices"
        )
    if clock is not None:
        plan_of(clock, denoiser, train_images, settings)
    check_memory(_memory_of(denoiser, (train_images, test_images), settings, data_on_device))


def batches_of(train_images, settings):
    """The `TiledBatches` of a training; arguments as for `check_conditions`."""
    return TiledBatches(
        train_images,
        settings.images_per_epoch,
        settings.batch_size,
        settings.seed,
        shares=devices_in_all(settings.devices),
    )


def plan_of(clock, denoiser, train_images, settings):
    """The `ClockPlan` of a training; arguments as for `check_conditions`."""
    batches = batches_of(train_images, settings)
    return clock.plan(denoiser, batches, settings)


def goes_on_device(denoiser, train_images, settings, data_on_device=None):
    """Whether the training images are held on the device.

    If they are not asked for or refused, they are held on an accelerator that says how much memory is
    free (TensorFlow's do not), if they take at most a quarter of it and the training fits beside them.

    Args:
        denoiser, train_images, settings: as for `check_conditions`, which must have passed.
        data_on_device: what was asked for, or None.
    """
    if data_on_device is not None:
        return data_on_device
    free = _backend.memory_available()
    if free is None or bytes_on_device(train_images) > _SHARE_OF_DEVICE * free:
        return False
    return _shortage(_memory_of(denoiser, (train_images,), settings, True)) is None


def _memory_of(denoiser, images, settings, data_on_device):
    """The `MemoryEstimate` of a training on the first of some arrays of images."""
    return estimate_memory(
        denoiser,
        images[0].shape[1:],
        share_of_batch(settings.batch_size, settings.devices),
        images,
        images[0] if data_on_device else None,
        settings.devices,
        settings.precision,
    )


def check_batch_size(count, settings):
    """Raises `InputError` if a batch is larger than the images of an epoch, repetitions included."""
    repeated = count * max(1, settings.images_per_epoch // count)
    if settings.batch_size > repeated:
        raise InputError(
            f"received a batch size of {settings.batch_size}, but an epoch has only {repeated} "
            f"images ({count}, repeated {repeated // count} times): choose a smaller --batch-size "
            "or a larger --images-per-epoch"
        )


def check_memory(estimate):
    """Raises `InputError` if a `MemoryEstimate` exceeds what a device or the machine has.

    Where that is not known, nothing is checked.
    """
    shortage = _shortage(estimate)
    if shortage is not None:
        needed, available, place = shortage
        raise InputError(
            f"the training needs at least {needed / 1e9:.1f} GB, but {place} has "
            f"{available / 1e9:.1f} GB: choose a smaller --batch-size, a smaller network or "
            "smaller images" + (", or leave out --data-on-device" if estimate.device_images else "")
        )


def _shortage(estimate):
    """The first memory that is not enough: bytes needed, bytes available, its name; or None.

    Of activations in a step compiled by XLA, which may compute all but the convolutions again, only a
    third is counted. Images on their way to a device are in memory once.
    """
    on_device = estimate.on_device
    if _backend.jit_compile():
        on_device -= estimate.activations * 2 // 3
    free = _backend.memory_available()
    in_memory = estimate.images
    # Several devices may be parts of the processor.
    in_memory += (
        estimate.devices * on_device if _backend.in_main_memory() else estimate.device_images
    )
    for needed, available, place in (
        (on_device, free, "the device"),
        (in_memory, machine_memory(), "this machine"),
    ):
        if available is not None and needed > available:
            return needed, available, place
    return None


def machine_memory(limit="/sys/fs/cgroup/memory.max"):
    """Bytes of memory that this process may use at most, or None if that is not known.

    Args:
        limit: the file in which Linux keeps the limit of a container.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(memory, int(Path(limit).read_text()))
    except (OSError, ValueError):  # There is no such file, or it says "max".
        return memory
