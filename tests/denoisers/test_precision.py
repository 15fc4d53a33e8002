"""Denoisers that compute in bfloat16."""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import with_unit_gammas

from keras_gahr import BFCNN, DilatedUNet, InputError, _backend, load_denoiser, save_denoiser
from keras_gahr.denoisers import DirectDenoiser, with_precision
from keras_gahr.denoisers.properties import normalizations
from keras_gahr.training import Adam, BlindTraining


@pytest.fixture(scope="module")
def denoiser():
    return with_unit_gammas(BFCNN(num_layers=4, num_kernels=8, seed=0))


def trained(denoiser, images, steps=10):
    """The losses of a few steps with the same noise."""
    noise = np.random.default_rng(1).standard_normal((steps, *images.shape)).astype(np.float32)
    model = BlindTraining(denoiser)
    model.compile(Adam(1e-3), jit_compile=_backend.jit_compile())
    losses = []
    for step in noise:
        model.reset_metrics()
        logs = model.train_on_batch({"clean": images, "noise": 0.2 * step}, return_dict=True)
        losses.append(float(logs["loss"]))
    return np.array(losses)


def test_training_in_bfloat16_follows_float32(denoiser, smooth_images):
    images = smooth_images(8, 16, 16)
    mixed = with_precision(denoiser, "mixed_bfloat16")
    assert {layer.compute_dtype for layer in mixed.layers if layer.weights} == {"bfloat16"}
    expected = trained(with_precision(denoiser), images)
    losses = trained(mixed, images)
    assert expected[-1] < 0.9 * expected[0]
    assert losses == pytest.approx(expected, rel=tolerances.BFLOAT16_LOSS)
    assert not np.array_equal(losses, expected)
    for norm in normalizations(mixed):
        assert norm.running_sd.dtype == norm.gamma.dtype == "float32"
        values = ops.convert_to_numpy(norm.running_sd.value)
        # With the 8 bits of bfloat16 the lower half of each float32 would be zero.
        assert np.any(values.view(np.uint32) & 0xFFFF)


def test_a_copy_is_saved_and_loaded_in_float32(tmp_path, denoiser, smooth_images):
    images = smooth_images(2, 8, 8)
    save_denoiser(with_precision(denoiser, "mixed_bfloat16"), tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    assert all(layer.compute_dtype == "float32" for layer in loaded.layers)
    assert np.array_equal(loaded.predict_on_batch(images), denoiser.predict_on_batch(images))
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize(
    "make",
    [
        lambda: DilatedUNet(num_kernels=4, seed=0),
        lambda: DirectDenoiser(with_unit_gammas(BFCNN(num_layers=3, num_kernels=4, seed=0))),
    ],
)
def test_the_residual_is_a_difference_in_float32(make, smooth_images):
    """The noise must not be lost in the 8 bits that bfloat16 has for an image."""
    denoiser, images = make(), smooth_images(1, 8, 8)
    mixed = with_precision(denoiser, "mixed_bfloat16")
    found = mixed.predict_on_batch(images)
    assert found.dtype == np.float32
    # The network's own output is in bfloat16; the image is not.
    shown = (images - found).view(np.uint32) & 0xFFFF
    assert np.mean(shown == 0) < 1
    assert np.any(np.asarray(found).view(np.uint32) & 0xFFFF)


def test_other_precisions_are_refused(denoiser):
    with pytest.raises(InputError, match="float16"):
        with_precision(denoiser, "float16")
