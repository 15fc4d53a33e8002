"""What a training will take, and what is refused before it starts."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from keras_gahr import BFCNN, InputError, UNet, build_denoiser
from keras_gahr._backend import parallel
from keras_gahr.denoisers import DirectDenoiser, with_precision
from keras_gahr.training import TrainingSettings, conditions, estimate
from keras_gahr.training.conditions import check_conditions, goes_on_device, machine_memory
from keras_gahr.training.devices.data_parallel import share_of_batch
from keras_gahr.training.estimate import MemoryEstimate, estimate_memory, estimate_training

SETTINGS = TrainingSettings(epochs=3, images_per_epoch=20, batch_size=4)


def test_memory_counts_the_layers_of_a_batch():
    denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
    estimate = estimate_memory(denoiser, (10, 12, 1), 5)
    assert estimate.gradients == 4 * denoiser.num_parameters
    assert estimate.moments == 8 * denoiser.num_parameters
    # The middle layer has a norm with 4 running deviations.
    assert estimate.parameters == 4 * (denoiser.num_parameters + 4)
    # Images, convolution, convolution with norm and ReLU, convolution; four times the largest.
    assert estimate.activations == 4 * 5 * 10 * 12 * (1 + 4 * 4 + 1 + 4 * 4)
    assert estimate.total == estimate.on_device


@pytest.mark.parametrize(
    "denoiser",
    [
        BFCNN(num_layers=3, num_kernels=4, seed=0),
        UNet(num_blocks=1, num_kernels=2, seed=0),
        DirectDenoiser(BFCNN(num_layers=3, num_kernels=4, seed=0)),
    ],
    ids=["bf-cnn", "unet", "direct"],
)
def test_layers_in_bfloat16_take_half(denoiser):
    """As the layers of a copy in that say of their outputs; all else stays in float32."""
    whole, mixed = (
        estimate_memory(denoiser, (8, 12, 1), 5, precision=name)
        for name in ("float32", "mixed_bfloat16")
    )
    assert dataclasses.replace(mixed, activations=whole.activations) == whole
    copy = with_precision(getattr(denoiser, "network", denoiser), "mixed_bfloat16")
    layers = keras.Model(copy.inputs, [layer.output for layer in copy.layers])
    outputs = layers.compute_output_spec(keras.KerasTensor((5, 8, 12, 1)))
    sizes = [math.prod(one.shape) * {"float32": 4, "bfloat16": 2}[one.dtype] for one in outputs]
    assert mixed.activations == sum(sizes) + 4 * max(sizes) < 0.6 * whole.activations


def test_each_of_several_devices_has_a_share_of_the_batch(smooth_images, monkeypatch):
    images = smooth_images(16, 8, 8)
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    one = TrainingSettings(epochs=1, images_per_epoch=16, batch_size=16)
    four = dataclasses.replace(one, devices=4)
    share = estimate_memory(denoiser, (8, 8, 1), 4, (images,), images, devices=4)
    assert share.total == 4 * share.on_device + images.nbytes
    monkeypatch.setattr(conditions._backend, "jit_compile", lambda: False)
    monkeypatch.setattr(conditions._backend, "in_main_memory", lambda: False)
    monkeypatch.setattr(conditions._backend, "memory_available", lambda: share.on_device)
    check_conditions(denoiser, images, images, four, data_on_device=True)
    monkeypatch.setattr(conditions, "_SHARE_OF_DEVICE", 1)
    assert goes_on_device(denoiser, images, four) and not goes_on_device(denoiser, images, one)
    with pytest.raises(InputError, match="the device has"):
        check_conditions(denoiser, images, images, one, data_on_device=True)
    # Parts of a processor have the memory of the machine together.
    monkeypatch.setattr(conditions._backend, "in_main_memory", lambda: True)
    monkeypatch.setattr(conditions._backend, "memory_available", lambda: None)
    monkeypatch.setattr(conditions, "machine_memory", lambda: share.total + images.nbytes)
    check_conditions(denoiser, images, images, four, data_on_device=True)
    monkeypatch.setattr(conditions, "machine_memory", lambda: share.total + images.nbytes - 1)
    with pytest.raises(InputError, match="this machine has"):
        check_conditions(denoiser, images, images, four, data_on_device=True)


def test_the_share_of_a_device_among_hosts(monkeypatch):
    assert [share_of_batch(16, devices) for devices in (1, 2, 3)] == [16, 8, 6]
    # On PyTorch each device has a process, elsewhere each host.
    for one_process_each, share in ((True, 4), (False, 2)):
        monkeypatch.setattr(parallel, "process", lambda: (0, 4))
        monkeypatch.setattr(parallel, "one_process_each", lambda each=one_process_each: each)
        assert share_of_batch(16, 2) == share


@pytest.mark.parametrize(("accelerator", "images"), [(True, 2), (False, 8)])
def test_one_of_several_accelerators_is_measured_with_its_share(
    monkeypatch, smooth_images, accelerator, images
):
    """The whole batch may be more than one of them can hold; parts of a processor have it in all."""
    seen = []

    class Model:
        def reset_metrics(self):
            pass

        def train_on_batch(self, batch, return_dict):
            seen.append(len(batch))
            return {"loss": 1.0}

    monkeypatch.setattr(estimate, "compiled_training", lambda *arguments: Model())
    monkeypatch.setattr(estimate._backend, "in_main_memory", lambda: not accelerator)
    denoiser = BFCNN(num_layers=2, num_kernels=2, seed=0)
    settings = TrainingSettings(images_per_epoch=16, batch_size=8, devices=4)
    estimate_training(denoiser, smooth_images(16, 8, 8), settings)
    assert set(seen) == {images}


def test_images_count_only_in_memory(tmp_path, smooth_images):
    images = smooth_images(4, 8, 8)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    assert estimate_memory(denoiser, (8, 8, 1), 2, (images, mapped[1:])).images == images.nbytes


def test_a_training_is_estimated_without_touching_the_denoiser(smooth_images):
    images = smooth_images(9, 8, 8)
    denoiser = BFCNN(num_layers=3, num_kernels=2, seed=0)
    before = denoiser.get_weights()
    estimate = estimate_training(
        denoiser, images, SETTINGS, test_images=images, extra_evaluations=7
    )
    assert all(np.array_equal(*pair) for pair in zip(before, denoiser.get_weights(), strict=True))
    # Nine images twice, in batches of three and four.
    assert (estimate.steps_per_epoch, estimate.steps) == (5, 15)
    assert estimate.parameters == denoiser.num_parameters
    assert 0 < estimate.seconds_per_step <= estimate.seconds_to_start * 10
    assert estimate.seconds_per_epoch == pytest.approx(estimate.seconds_per_step * (5 + 4 / 3))
    assert estimate.images_per_second == pytest.approx(3.6 / estimate.seconds_per_step)
    assert estimate.seconds == estimate.seconds_to_start + 3 * estimate.seconds_per_epoch


@pytest.mark.one_backend
def test_the_passes_for_averaged_weights_are_counted(smooth_images):
    """A third of a step each: of 32 batches, or of 2048 images where an epoch has so many."""
    images = smooth_images(9, 8, 8)
    denoiser = BFCNN(num_layers=3, num_kernels=2, seed=0)
    plain = estimate_training(denoiser, images, SETTINGS)
    averaged = dataclasses.replace(SETTINGS, ema=0.9)

    def more_steps(denoiser, **changes):
        estimates = (
            estimate_training(
                denoiser, images, dataclasses.replace(settings, **changes), measured=plain
            )
            for settings in (SETTINGS, averaged)
        )
        without, with_average = (estimate.seconds_per_epoch for estimate in estimates)
        return (with_average - without) / plain.seconds_per_step

    assert more_steps(denoiser) == pytest.approx(32 / 3)
    assert more_steps(denoiser, images_per_epoch=400) == pytest.approx(99 / 3)
    assert more_steps(denoiser, images_per_epoch=9000) == pytest.approx(512 / 3)
    unnormed = build_denoiser("unet-flex", num_blocks=1, num_kernels=2, norm="none", num_channels=1)
    assert more_steps(unnormed) == 0


def test_good_conditions_pass(smooth_images):
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    images = smooth_images(3, 8, 8)
    check_conditions(denoiser, images, images[:0], SETTINGS)
    check_conditions(denoiser, np.uint8(255 * images), images, SETTINGS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda images: images[:0], "no training images"),
        (lambda images: images[:, :7], "multiples of 2"),
        (lambda images: np.repeat(images, 3, axis=-1), "3 channel"),
        (lambda images: images * np.nan, "NaN"),
        (lambda images: images * np.inf, "NaN|values from"),
        (lambda images: images * 255, "values from"),
        (lambda images: images.astype(np.int32), "int32"),
    ],
)
def test_bad_images_are_refused(smooth_images, change, says):
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    images = smooth_images(3, 8, 8)
    with np.errstate(invalid="ignore"):
        bad = change(images)
    with pytest.raises(InputError, match=says):
        check_conditions(denoiser, bad, images, SETTINGS)
    if len(bad):
        with pytest.raises(InputError, match=says):
            check_conditions(denoiser, images, bad, SETTINGS)


def test_a_batch_larger_than_an_epoch_is_refused(smooth_images):
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    images = smooth_images(7, 8, 8)
    for images_per_epoch, says in ((20, "only 14 images"), (3, "only 7 images")):
        settings = TrainingSettings(images_per_epoch=images_per_epoch, batch_size=15)
        with pytest.raises(InputError, match=says):
            check_conditions(denoiser, images, images, settings)
    check_conditions(denoiser, images, images, TrainingSettings(images_per_epoch=21, batch_size=15))


def test_memory_that_is_not_there_is_refused(monkeypatch, tmp_path):
    estimate = MemoryEstimate(10**9, 10**9, 2 * 10**9, 6 * 10**9, 5 * 10**9)
    monkeypatch.setattr(conditions, "machine_memory", lambda: 16 * 10**9)
    monkeypatch.setattr(conditions._backend, "memory_available", lambda: None)
    monkeypatch.setattr(conditions._backend, "in_main_memory", lambda: True)
    for compiled, limit in ((False, 15), (True, 11)):
        monkeypatch.setattr(conditions._backend, "jit_compile", lambda compiled=compiled: compiled)
        conditions.check_memory(estimate)
        monkeypatch.setattr(
            conditions, "machine_memory", lambda limit=limit: int((limit - 0.1) * 1e9)
        )
        with pytest.raises(InputError, match=rf"{limit}\.0 GB, but this machine has .*batch-size"):
            conditions.check_memory(estimate)
        # On a device the images are all that the machine must hold.
        monkeypatch.setattr(conditions._backend, "in_main_memory", lambda: False)
        monkeypatch.setattr(conditions._backend, "memory_available", lambda: 11 * 10**9)
        conditions.check_memory(estimate)
        monkeypatch.setattr(conditions._backend, "memory_available", lambda: 10**9)
        with pytest.raises(InputError, match="the device has 1"):
            conditions.check_memory(estimate)
        # Nor is the memory of a device that does not say how much there is the machine's.
        monkeypatch.setattr(conditions._backend, "memory_available", lambda: None)
        conditions.check_memory(estimate)
        monkeypatch.setattr(conditions._backend, "in_main_memory", lambda: True)
        monkeypatch.setattr(conditions, "machine_memory", lambda: 16 * 10**9)
    limit = tmp_path / "memory.max"
    assert machine_memory(limit) > 2**28
    limit.write_text("max\n")
    assert machine_memory(limit) > 2**28
    limit.write_text("1234\n")
    assert machine_memory(limit) == 1234


def test_the_backend_says_how_much_memory_is_free_or_nothing():
    from keras_gahr import _backend

    free = _backend.memory_available()
    assert free is None or free > 0
