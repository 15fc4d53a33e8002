"""What a training will take, before it starts."""

import dataclasses
import itertools
import math
import statistics
import time

import keras
import numpy as np

from keras_gahr import _backend
from keras_gahr.denoisers import Denoiser, with_precision
from keras_gahr.denoisers.precision import layers_of_precision

from .blind_training import compiled_training
from .data.batches import TiledBatches
from .data.device_images import DeviceImages, bytes_on_device
from .devices.data_parallel import share_of_batch
from .keras_settings import keras_in_float32
from .running_values import passes_to_measure

_FLOAT_BYTES = 4
_LOWER_BYTES = {"mixed_bfloat16": 2}
_MEASURED_STEPS = 3
# A step without gradients, against one with: the backward pass costs two forward passes.
_EVALUATION_COST = 1 / 3


@dataclasses.dataclass(frozen=True)
class MemoryEstimate:
    """Memory of a training in bytes, by what it is for.

    Args:
        parameters: the denoiser's weights, trained or not; these and all else that a device needs are those
            of one device.
        gradients: one number for each trained weight.
        moments: Adam's two numbers for each trained weight.
        activations: layer outputs kept for the backward pass.
        images: those held in memory; none of a memory map.
        device_images: those held on the device.
        devices: of this machine, each of which has a share of the batch and all else.
    """

    parameters: int
    gradients: int
    moments: int
    activations: int
    images: int
    device_images: int = 0
    devices: int = 1

    @property
    def on_device(self) -> int:
        """What a device needs: all but the images in memory."""
        network = self.parameters + self.gradients + self.moments + self.activations
        return network + self.device_images

    @property
    def total(self) -> int:
        """Of all devices of this machine, and the images in memory."""
        return self.devices * self.on_device + self.images


@dataclasses.dataclass(frozen=True)
class TrainingEstimate:
    """What a training will take.

    Args:
        parameters: how many are trained.
        images_per_epoch, steps_per_epoch, epochs: of the training.
        memory: a `MemoryEstimate`.
        seconds_to_start: of the first step, in which JAX and TensorFlow compile.
        seconds_per_step: of a training step.
        seconds_per_epoch: of its steps and of the evaluation after them, with what measures the running
            values of averaged weights.
        clock_share: of the time of all steps, what the looks of the clock take.
    """

    parameters: int
    images_per_epoch: int
    steps_per_epoch: int
    epochs: int
    memory: MemoryEstimate
    seconds_to_start: float
    seconds_per_step: float
    seconds_per_epoch: float
    clock_share: float = 0.0

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @property
    def images_per_second(self) -> float:
        """In training steps, whose batches may be smaller than the largest ones allowed."""
        return self.images_per_epoch / (self.steps_per_epoch * self.seconds_per_step)

    @property
    def seconds(self) -> float:
        """Of the whole training."""
        return self.seconds_to_start + self.epochs * self.seconds_per_epoch + self.clock_seconds

    @property
    def clock_seconds(self) -> float:
        """Of all looks of the clock, as far as they are passes of the network."""
        return self.clock_share * self.steps * self.seconds_per_step


def estimate_memory(
    denoiser, image_shape, batch_size, images=(), device_images=None, devices=1, precision="float32"
):
    """The memory of a training, as far as it can be known beforehand.

    Activations are the outputs of all layers for one batch, and four times the largest of them for
    gradients on their way and their copies. Not in it is what the backend takes itself: libraries
    (0.5 to 1 GB), the rest of its work space, and a copy of the weights while they are saved. For the
    UNet with 64 kernels and batches of 16 images of 40x40 it says 0.33 GB, while the peak of the
    process rose by 0.45 GB on PyTorch (1.0 and 1.5 GB for batches of 64, 0.54 and 0.78 GB in
    bfloat16) and by 0.34 GB on TensorFlow. A step compiled by XLA may keep less, since XLA computes cheap
    layers again.

    Args:
        denoiser: a `Denoiser`.
        image_shape: `(height, width, channels)`.
        batch_size: images in a step, of one device.
        images: arrays of images.
        device_images: the one that is held on the device too, or None.
        devices: of this machine.
        precision: that the training computes in; weights, gradients and moments are in float32.

    Returns:
        A `MemoryEstimate`.
    """
    activations = _activations(denoiser, (batch_size, *image_shape), precision)
    trained = _FLOAT_BYTES * denoiser.num_parameters
    return MemoryEstimate(
        parameters=_FLOAT_BYTES * sum(math.prod(weight.shape) for weight in denoiser.variables),
        gradients=trained,
        moments=2 * trained,
        activations=sum(activations) + 4 * max(activations),
        images=sum(array.nbytes for array in images if not _is_mapped(array)),
        device_images=0 if device_images is None else bytes_on_device(device_images),
        devices=devices,
    )


def estimate_training(
    denoiser,
    train_images,
    settings,
    *,
    test_images=(),
    extra_evaluations=0,
    data_on_device=False,
    measured=None,
    clock=None,
):
    """Measures some steps of a training on a copy of the denoiser; nothing of the caller's changes.

    The step is the compiled one that `fit` runs, on real images. The first one, which compiles, is
    counted apart; of three more the median is taken. Of several accelerators one is measured, with its
    share of a batch; parts of the processor are measured together. Evaluated images are counted as a
    third of trained ones, since two thirds of a step are the backward pass.

    Args:
        denoiser: a `Denoiser`.
        train_images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1].
        settings: `TrainingSettings`.
        test_images: the same, evaluated after each epoch.
        extra_evaluations: further images denoised after each epoch, such as 10 for each image of
            `LevelRecorder`.
        data_on_device: whether the training images are held on the device.
        measured: the `TrainingEstimate` of a training with the same step, which is then not measured
            again; or None.
        clock: the `ClockPlan`, or None.

    Returns:
        A `TrainingEstimate`.
    """
    batches = TiledBatches(
        train_images,
        settings.images_per_epoch,
        settings.batch_size,
        settings.seed,
        shares=settings.devices,
        as_indices=data_on_device,
    )
    device_images = train_images if data_on_device else None
    if measured is None:
        first, step = _measure(denoiser, batches, settings, device_images)
    else:
        first, step = measured.seconds_to_start, measured.seconds_per_step
    evaluated = (len(test_images) + extra_evaluations) / settings.batch_size
    if settings.ema is not None:
        evaluated += passes_to_measure(denoiser, batches)
    return TrainingEstimate(
        parameters=denoiser.num_parameters,
        images_per_epoch=batches.images_per_epoch,
        steps_per_epoch=len(batches),
        epochs=settings.epochs,
        memory=estimate_memory(
            denoiser,
            train_images.shape[1:],
            share_of_batch(min(settings.batch_size, batches.images_per_epoch), settings.devices),
            (train_images, test_images) if len(test_images) else (train_images,),
            device_images,
            settings.devices,
            settings.precision,
        ),
        seconds_to_start=first,
        seconds_per_step=step,
        seconds_per_epoch=step * (len(batches) + _EVALUATION_COST * evaluated),
        clock_share=0.0 if clock is None else clock.share,
    )


@keras_in_float32()
def _measure(denoiser, batches, settings, device_images):
    """Seconds of the first training step and of a later one, on a copy of the denoiser."""
    held = None if device_images is None else DeviceImages(device_images)
    most = None
    if not _backend.in_main_memory():
        # The whole batch may be more than one of them can hold.
        most = share_of_batch(settings.batch_size, settings.devices)
    steps = timed_steps(denoiser, batches, settings, held, most)
    first, *later = (seconds for seconds, _ in itertools.islice(steps, 1 + _MEASURED_STEPS))
    return first, statistics.median(later)


def timed_steps(denoiser, batches, settings, held=None, most=None):
    """Yields the seconds and the loss of one training step after the other, on a copy of a denoiser.

    The first step compiles.

    Args:
        denoiser: with the weights of its first step.
        batches: `TiledBatches`.
        settings: `TrainingSettings`.
        held: `DeviceImages`, or None.
        most: images of a batch that are taken; default: all.
    """
    # Times depend on the weights: those of a fresh network underflow, which is slow on some CPUs.
    copy = with_precision(denoiser, settings.precision)
    one_by_one = dataclasses.replace(settings, steps_per_execution=1)
    model = compiled_training(copy, one_by_one, len(batches), held)
    # Always the first batch: another size would compile again.
    batch = batches[0][:most]
    while True:
        model.reset_metrics()
        start = time.perf_counter()
        # The loss comes back as a number, so that the step is over when the clock is read.
        loss = float(model.train_on_batch(batch, return_dict=True)["loss"])
        yield time.perf_counter() - start, loss


def _activations(denoiser, shape, precision):
    """Bytes of the output of each layer, for an input of this shape."""
    parts = [layer for layer in denoiser.layers if isinstance(layer, Denoiser)]
    if parts:
        return [size for part in parts for size in _activations(part, shape, precision)]
    outputs = keras.Model(denoiser.inputs, [layer.output for layer in denoiser.layers])
    specs = outputs.compute_output_spec(keras.KerasTensor(shape))
    lower = {id(layer) for layer in layers_of_precision(denoiser)}
    few_bytes = _LOWER_BYTES.get(precision, _FLOAT_BYTES)
    return [
        (few_bytes if id(layer) in lower else _FLOAT_BYTES) * math.prod(spec.shape)
        for layer, found in zip(denoiser.layers, specs, strict=True)
        for spec in keras.tree.flatten(found)
    ]


def _is_mapped(array):
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)
