"""A training whose images are on the device is the same as one that brings them batch by batch."""

import dataclasses
import signal

import numpy as np
import pytest
from keras import ops

from keras_gahr import BFCNN, InputError, ReceptiveFieldBFCNN, load_denoiser
from keras_gahr.training import TrainingSettings, conditions, run_training, session
from keras_gahr.training.blind_training import compiled_training
from keras_gahr.training.conditions import check_conditions, goes_on_device
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches
from keras_gahr.training.data.device_images import DeviceImages, bytes_on_device
from keras_gahr.training.estimate import estimate_memory, estimate_training
from keras_gahr.training.resume.state import read_state
from keras_gahr.training.resume.state_keeper import _state_variables

SETTINGS = TrainingSettings(
    epochs=2, images_per_epoch=20, batch_size=4, learning_rate=3e-3, rescale=True, ema=0.9
)


def small():
    return BFCNN(num_layers=3, num_kernels=2, seed=0)


def conditional():
    return ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False, seed=0)


def whole_bytes(images):
    return np.round(255 * images).astype(np.uint8)


def bands(images):
    """Something like them: a low band in [0, 1] and three of details in [-1, 1]."""
    return np.concatenate([images, *(images - np.roll(images, i, 1) for i in (1, 2, 3))], axis=-1)


KINDS = [
    pytest.param(small, whole_bytes, id="uint8"),
    pytest.param(small, lambda images: images, id="float32", marks=pytest.mark.slow),
    pytest.param(conditional, bands, id="bands", marks=pytest.mark.slow),
]


def fitted(denoiser, images, on_device):
    """The logs, and the arrays that a state would hold, after 10 steps."""
    batches = TiledBatches(images, 20, 4, seed=1, as_indices=on_device)
    held = DeviceImages(images) if on_device else None
    model = compiled_training(denoiser, SETTINGS, len(batches), held)
    condition = denoiser.input_channels - denoiser.output_channels
    tests = NoisyBatches(images[:4], SETTINGS.noise_law, 4, 0, condition)
    history = model.fit(batches, validation_data=tests, epochs=2, shuffle=False, verbose=0)
    arrays = [ops.convert_to_numpy(variable.value) for variable in _state_variables(model)]
    if on_device:
        assert np.array_equal(ops.convert_to_numpy(held.images.value), images)
    return history.history, arrays


@pytest.mark.parametrize(("build", "convert"), KINDS)
def test_the_training_is_the_same_bit_for_bit(smooth_images, build, convert):
    images = convert(smooth_images(20, 8, 8))
    logs, arrays = fitted(build(), images, on_device=False)
    device_logs, device_arrays = fitted(build(), images, on_device=True)
    assert logs == device_logs
    assert len(logs["loss"]) == 2
    assert len(arrays) == len(device_arrays)
    assert all(np.array_equal(*pair) for pair in zip(arrays, device_arrays, strict=True))


def test_all_bytes_become_the_same_numbers_as_on_the_host():
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
    found = DeviceImages(images)(np.array([3, 0, 3], np.int32))
    expected = TiledBatches(images, 4, 4, 0)
    expected._order = np.array([3, 0, 3])
    assert np.array_equal(ops.convert_to_numpy(found), expected[0])


@pytest.mark.one_backend
@pytest.mark.parametrize("first", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_goes_on_whichever_way_it_was_started(tmp_path, smooth_images, monkeypatch, first):
    """Stopped on one side and resumed on the other, it ends as one that was there all the time."""
    images = smooth_images(20, 8, 8)

    class StopAt(session.History):
        step = None

        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if self._steps == StopAt.step:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(session, "History", StopAt)

    def run(name, on_device, step=None, **options):
        StopAt.step = step
        arguments = images[:16], images[16:], SETTINGS, tmp_path / name
        return run_training(small(), *arguments, data_on_device=on_device, **options)

    run("whole", not first)
    assert run("run", first, step=3).state == "stopped"
    assert run("run", not first, resume=True).state == "finished"
    (expected, record), (arrays, other) = (
        read_state(tmp_path / name / "state.safetensors") for name in ("whole", "run")
    )
    assert other["identity"] == record["identity"]
    assert all(np.array_equal(*pair) for pair in zip(arrays, expected, strict=True))
    assert not any(array.shape == images[:16].shape for array in arrays)
    found, wanted = (
        load_denoiser(tmp_path / name / "model.keras").get_weights() for name in ("run", "whole")
    )
    assert all(np.array_equal(*pair) for pair in zip(found, wanted, strict=True))


@pytest.mark.one_backend
def test_images_on_the_device_are_counted(smooth_images, monkeypatch):
    images = smooth_images(6, 8, 8)
    assert bytes_on_device(images) == images.nbytes
    assert bytes_on_device(whole_bytes(images)) == images.size
    denoiser = small()
    without, with_images = (
        estimate_memory(denoiser, (8, 8, 1), 2, device_images=held) for held in (None, images)
    )
    assert with_images.on_device == without.on_device + images.nbytes
    settings = dataclasses.replace(SETTINGS, images_per_epoch=6)
    estimate = estimate_training(denoiser, images, settings, data_on_device=True)
    assert estimate.memory.device_images == images.nbytes

    monkeypatch.setattr(conditions._backend, "jit_compile", lambda: False)
    needed = estimate_memory(denoiser, (8, 8, 1), SETTINGS.batch_size).on_device
    monkeypatch.setattr(conditions._backend, "memory_available", lambda: needed)
    check_conditions(denoiser, images, images, SETTINGS)
    with pytest.raises(InputError, match="leave out --data-on-device"):
        check_conditions(denoiser, images, images, SETTINGS, data_on_device=True)


def test_images_go_on_an_accelerator_with_room(smooth_images, monkeypatch):
    denoiser, images = small(), smooth_images(64, 8, 8)
    network = estimate_memory(denoiser, (8, 8, 1), SETTINGS.batch_size).on_device
    monkeypatch.setattr(conditions._backend, "jit_compile", lambda: False)
    for free, fits in (
        (None, False),
        (4 * images.nbytes - 1, False),
        (max(4 * images.nbytes, network + images.nbytes), True),
        (network + images.nbytes - 1, False),
    ):
        monkeypatch.setattr(conditions._backend, "memory_available", lambda free=free: free)
        assert goes_on_device(denoiser, images, SETTINGS) is fits
        for asked in (True, False):
            assert goes_on_device(denoiser, images, SETTINGS, asked) is asked
