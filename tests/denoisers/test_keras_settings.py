"""Networks and trainings are in float32 and channels-last, whatever Keras is set to."""

import keras
import numpy as np
import pytest

from keras_gahr import build_denoiser, load_denoiser, save_denoiser
from keras_gahr.analysis import Linearizer
from keras_gahr.baselines import EmpiricalBayes, LocalBayes, MaskedBayes, Wiener
from keras_gahr.denoisers import (
    BFCNN,
    DilatedUNet,
    DirectDenoiser,
    FlexibleUNet,
    Inference,
    MultiScaleDenoiser,
    ReceptiveFieldBFCNN,
    UNet,
    with_precision,
)
from keras_gahr.noise import NoiseLaw
from keras_gahr.sampling import AscentSchedule, sample
from keras_gahr.training import TrainingSettings, run_training
from weights_convert import convert

SETTINGS = {
    "float16": {"floatx": "float16", "policy": "float16", "data_format": "channels_first"},
    "float64": {"floatx": "float64", "policy": "float64"},
    "mixed_float16": {"policy": "mixed_float16"},
    "int8": {"policy": "int8_from_float32"},
}


def apply(floatx="float32", policy="float32", data_format="channels_last"):
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format(data_format)


@pytest.fixture(
    params=[
        name if name == "float16" else pytest.param(name, marks=pytest.mark.slow)
        for name in SETTINGS
    ]
)
def set_keras(request):
    """A function that changes Keras' settings until the test ends."""
    yield lambda: apply(**SETTINGS[request.param])
    apply()


NETWORKS = {
    "unet": lambda: UNet(num_blocks=1, num_kernels=2, seed=0),
    "bf-cnn": lambda: BFCNN(2, num_layers=3, num_kernels=3, seed=0),
    "dilated-unet": lambda: DilatedUNet(num_kernels=2, seed=0),
    "unet-flex": lambda: FlexibleUNet(num_kernels=[2, 2], num_mid_conv=1, num_dec_conv=1, seed=0),
    "direct": lambda: DirectDenoiser(BFCNN(num_layers=2, num_kernels=2, seed=0)),
    "multi-scale": lambda: MultiScaleDenoiser(
        BFCNN(num_layers=2, num_kernels=2, seed=0),
        [ReceptiveFieldBFCNN(receptive_field=3, num_kernels=2, coarse=False, seed=1)],
    ),
    "wiener": lambda: Wiener.from_images(np.random.default_rng(0).random((3, 8, 8, 1))),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of denoisers that were built under Keras' own settings, with what they make of images."""
    folder = tmp_path_factory.mktemp("saved")
    found = {}
    for name, build in NETWORKS.items():
        denoiser = build()
        height, width = (side or 8 for side in denoiser.input_shape[1:3])
        noisy = np.random.default_rng(1).random((2, height, width, denoiser.input_channels))
        noisy = noisy.astype(np.float32)
        save_denoiser(denoiser, folder / f"{name}.keras")
        found[name] = folder / f"{name}.keras", noisy, Inference(denoiser).denoise(noisy)
    return found


def test_denoisers_are_the_same(saved, set_keras, tmp_path):
    set_keras()
    for path, noisy, expected in saved.values():
        denoiser = load_denoiser(path)
        assert {weight.dtype for weight in denoiser.weights} == {"float32"}
        np.testing.assert_array_equal(Inference(denoiser).denoise(noisy), expected)
        residual = np.asarray(denoiser.predict_on_batch(noisy))
        assert residual.dtype == np.float32
        copy = with_precision(denoiser)
        np.testing.assert_array_equal(np.asarray(copy.predict_on_batch(noisy)), residual)
        save_denoiser(denoiser, tmp_path / "again.keras")
        assert load_denoiser(tmp_path / "again.keras").get_config() == denoiser.get_config()


def trained(folder):
    images = np.random.default_rng(0).random((8, 8, 8, 1)).astype(np.float32)
    settings = TrainingSettings(
        epochs=2, images_per_epoch=6, batch_size=3, ema=0.9, noise_law=NoiseLaw()
    )
    denoiser = build_denoiser("unet", num_blocks=1, num_kernels=2, seed=0)
    result = run_training(denoiser, images[:6], images[6:], settings, folder)
    return result.history, load_denoiser(folder / "model.keras").get_weights()


@pytest.fixture(scope="module")
def plain_training(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("plain") / "run")


@pytest.mark.one_backend
def test_a_training_is_the_same(plain_training, set_keras, tmp_path):
    set_keras()
    before = keras.config.floatx(), keras.config.dtype_policy().name
    history, weights = trained(tmp_path / "run")
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == before
    for row, expected in zip(history, plain_training[0], strict=True):
        for name in ("train_loss", "train_psnr", "test_loss", "test_psnr"):
            assert row[name] == expected[name]
    for found, expected in zip(weights, plain_training[1], strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def computed(saved):
    return samples_and_jacobian(saved)


def samples_and_jacobian(saved):
    path, noisy, _ = saved["bf-cnn"]
    denoiser = load_denoiser(path)
    samples = sample(denoiser, (8, 8, 2), count=2, seed=0, schedule=AscentSchedule(max_steps=5))
    return samples.images, Linearizer(denoiser).at(noisy[0]).matrix()


def test_samples_and_jacobians_are_the_same(computed, saved, set_keras):
    set_keras()
    for found, expected in zip(samples_and_jacobian(saved), computed, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_formula_is_the_same(set_keras):
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype(np.float32)

    def denoised():
        local = [LocalBayes(images, 3, rule, sigma=0.1) for rule in ("local", "equivariant")]
        formulas = [*local, MaskedBayes(images, sigma=0.1), EmpiricalBayes(images, sigma=0.1)]
        return [denoiser.denoise(images) for denoiser in formulas]

    expected = denoised()
    set_keras()
    np.testing.assert_array_equal(denoised(), expected)


def test_checkpoints_are_converted_alike(golden, set_keras, tmp_path):
    set_keras()
    for name in ("unet_1block", "bf_cnn_rf9"):
        conversion = convert(golden / f"{name}.pt", tmp_path / f"{name}.keras")
        assert conversion.max_relative_difference < 1e-5
        loaded = load_denoiser(tmp_path / f"{name}.keras")
        assert {weight.dtype for weight in loaded.weights} == {"float32"}
