"""Sizes, options and files of the networks."""

import keras
import numpy as np
import pytest
from keras import ops
from networks import relative_difference, with_unit_gammas

import keras_gahr
from keras_gahr import (
    BFCNN,
    DilatedUNet,
    FlexibleUNet,
    InputError,
    ReceptiveFieldBFCNN,
    UNet,
    load_denoiser,
    save_denoiser,
)
from keras_gahr.denoisers import RECEPTIVE_FIELDS, BiasFreeNorm, build_denoiser
from keras_gahr.denoisers.receptive_field_bf_cnn import receptive_field_kernel_sizes

SMALL = [
    lambda: UNet(num_blocks=2, num_kernels=4, seed=3),
    lambda: UNet(3, num_blocks=1, num_kernels=4, num_enc_conv=1, num_mid_conv=3, num_dec_conv=2),
    lambda: BFCNN(num_layers=4, num_kernels=5, first_layer_linear=False),
    lambda: ReceptiveFieldBFCNN(receptive_field=9, num_kernels=4),
    lambda: ReceptiveFieldBFCNN(3, receptive_field=5, num_kernels=4, coarse=False),
    lambda: DilatedUNet(num_kernels=4),
    lambda: FlexibleUNet(3, [2, 3], num_mid_conv=1, num_dec_conv=2, norm="instance"),
]


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (lambda: UNet(num_blocks=1), 366_080),
        (lambda: UNet(num_blocks=2), 1_825_024),
        (lambda: UNet(), 7_659_264),
        (lambda: UNet(num_channels=3), 7_661_568),
        (lambda: BFCNN(num_layers=20), 665_856),
        (lambda: BFCNN(), 702_784),
        (lambda: BFCNN(3, num_layers=20), 668_160),
        (lambda: ReceptiveFieldBFCNN(receptive_field=5), 80_192),
        (lambda: ReceptiveFieldBFCNN(receptive_field=9), 145_728),
        (lambda: ReceptiveFieldBFCNN(receptive_field=13), 211_264),
        (lambda: ReceptiveFieldBFCNN(receptive_field=23), 375_104),
        (lambda: ReceptiveFieldBFCNN(receptive_field=43), 702_784),
    ],
)
def test_published_numbers_of_parameters(build, parameters):
    assert build().num_parameters == parameters


@pytest.mark.slow
def test_the_largest_published_unet():
    assert UNet(num_blocks=4).num_parameters == 30_993_152


@pytest.mark.parametrize("receptive_field", [3, 5, 7, 9, 13, 23, 41, 43])
def test_the_receptive_field_is_what_its_name_says(receptive_field):
    denoiser = with_unit_gammas(
        ReceptiveFieldBFCNN(receptive_field=receptive_field, num_kernels=16, seed=1)
    )
    size = receptive_field + 8
    # One pixel of either sign: without biases, what it does not reach stays exactly zero.
    images = np.zeros((2, size, size, 1), np.float32)
    images[:, size // 2, size // 2, 0] = 1, -1
    reached = np.any(denoiser.predict_on_batch(images), axis=(0, 3))
    for sides in (np.flatnonzero(reached.any(axis=0)), np.flatnonzero(reached.any(axis=1))):
        assert sides[-1] - sides[0] + 1 == receptive_field


@pytest.mark.parametrize("build", SMALL)
def test_a_saved_denoiser_is_the_same(build, tmp_path):
    denoiser = build()
    denoiser.provenance = {"source": "a test", "image_shape": [8, 8, 1]}
    noisy = np.random.default_rng(0).random((2, 8, 12, denoiser.input_channels), np.float32)
    save_denoiser(denoiser, tmp_path / "x.keras")
    for loaded in (
        load_denoiser(tmp_path / "x.keras"),
        keras.saving.load_model(tmp_path / "x.keras"),
    ):
        assert type(loaded) is type(denoiser)
        assert loaded.get_config() == denoiser.get_config()
        assert np.array_equal(loaded.predict_on_batch(noisy), denoiser.predict_on_batch(noisy))


def test_denoise_subtracts_the_residual_from_the_noisy_channels():
    for denoiser in (SMALL[0](), SMALL[4]()):
        noisy = np.random.default_rng(0).random((1, 8, 8, denoiser.input_channels), np.float32)
        expected = noisy[..., -denoiser.output_channels :] - denoiser.predict_on_batch(noisy)
        found = denoiser.denoise(noisy)
        assert relative_difference(found, expected) < 1e-6


def test_initial_weights_depend_on_the_seed_alone():
    first, again, other = (UNet(num_blocks=1, num_kernels=8, seed=s) for s in (5, 5, 6))
    kernels = [ops.convert_to_numpy(d.get_layer("middle_conv_1").kernel) for d in (first, again)]
    assert np.array_equal(*kernels)
    assert not np.array_equal(
        kernels[0], ops.convert_to_numpy(other.get_layer("middle_conv_1").kernel)
    )
    # Layers of one shape must not share their draws.
    decoder = ops.convert_to_numpy(first.get_layer("decoder_0_norm_0").gamma)
    encoder = ops.convert_to_numpy(first.get_layer("encoder_0_norm_1").gamma)
    assert not np.array_equal(decoder, encoder)


def test_initial_weights_follow_the_published_laws():
    denoiser = UNet(num_blocks=2, seed=0)
    kernel = ops.convert_to_numpy(denoiser.get_layer("encoder_1_conv_1").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 128)), rel=0.02)
    # Not truncated: 147,456 normal draws pass four standard deviations.
    assert np.abs(kernel).max() > 4 * kernel.std()
    upsample = ops.convert_to_numpy(denoiser.get_layer("upsample_0").kernel)
    assert upsample.std() == pytest.approx(np.sqrt(2 / (4 * 64)), rel=0.02)
    gamma = ops.convert_to_numpy(denoiser.get_layer("middle_norm_0").gamma)
    assert gamma.std() == pytest.approx(2 / 576, rel=0.15)
    assert gamma.min() < 0 < gamma.max()
    assert np.all(ops.convert_to_numpy(denoiser.get_layer("middle_norm_0").running_sd) == 1)


def test_the_norm_averages_standard_deviations():
    norm = BiasFreeNorm()
    x = np.random.default_rng(0).normal(2, 3, (4, 5, 6, 2)).astype(np.float32)
    y = ops.convert_to_numpy(ops.stop_gradient(norm(x, training=True)))
    sd = np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(y, x / sd, rtol=1e-5)
    running = ops.convert_to_numpy(norm.running_sd)
    np.testing.assert_allclose(running, 0.9 + 0.1 * sd, rtol=1e-6)
    y = ops.convert_to_numpy(ops.stop_gradient(norm(x, training=False)))
    np.testing.assert_allclose(y, x / running, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((1, 10, 8, 1), "multiples of 4"),
        ((1, 8, 6, 1), "multiples of 4"),
        ((1, 8, 8, 3), "3 channel"),
        ((8, 8, 1), "shape"),
    ],
)
def test_images_that_do_not_fit_are_named(shape, says):
    with pytest.raises(InputError, match=says):
        SMALL[0]().check_shape(shape)


def test_calling_with_an_odd_size_is_refused():
    with pytest.raises(ValueError, match="multiples of 4"):
        SMALL[0]()(np.zeros((1, 10, 8, 1), np.float32))


def test_unknown_architectures_and_options_are_refused():
    with pytest.raises(InputError, match="unet, bf-cnn, bf-cnn-rf"):
        build_denoiser("resnet")
    with pytest.raises(InputError, match="num_layers"):
        build_denoiser("unet", num_layers=3)
    with pytest.raises(InputError, match="5, 9, 13, 23, 43"):
        build_denoiser("bf-cnn-rf", receptive_field=8)


def test_files_that_are_not_denoisers_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_denoiser(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(InputError, match="not a \\.keras file"):
        load_denoiser(tmp_path / "text.keras")
    (tmp_path / "x.pt").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a PyTorch checkpoint"):
        load_denoiser(tmp_path / "x.pt")
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="Sequential"):
        load_denoiser(tmp_path / "other.keras")
    save_denoiser(SMALL[0](), tmp_path / "whole.keras")
    data = (tmp_path / "whole.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cut"):
        load_denoiser(tmp_path / "cut.keras")


def test_the_public_names_exist():
    for name in keras_gahr.__all__:
        assert getattr(keras_gahr, name) is not None
    assert keras.config.image_data_format() == "channels_last"


def test_networks_that_would_fill_the_memory_are_refused():
    for build, says in (
        (lambda: UNet(num_blocks=40), "num_blocks = 40"),
        (lambda: UNet(num_blocks=0), "num_blocks = 0"),
        (lambda: BFCNN(num_kernels=10**6), "num_kernels = 1000000"),
        (lambda: ReceptiveFieldBFCNN(num_kernels=10**6), "num_kernels = 1000000"),
    ):
        with pytest.raises(InputError, match=says):
            build()


def test_channels_are_last_whatever_keras_is_configured_to():
    keras.config.set_image_data_format("channels_first")
    try:
        denoisers = [build() for build in SMALL]
    finally:
        keras.config.set_image_data_format("channels_last")
    for denoiser in denoisers:
        noisy = np.zeros((1, 8, 12, denoiser.input_channels), np.float32)
        assert denoiser.predict_on_batch(noisy).shape == (1, 8, 12, denoiser.output_channels)


def test_layers_of_every_receptive_field():
    """The published ones are as the published rule makes them."""
    for field in RECEPTIVE_FIELDS:
        sides = receptive_field_kernel_sizes(field)
        assert len(sides) == 21
        assert sum(side - 1 for side in sides) + 1 == field
    for field, period in ((5, 20), (9, 8), (13, 4), (23, 2), (43, 1)):
        wide = [i for i, side in enumerate(receptive_field_kernel_sizes(field)) if side == 3]
        assert wide == sorted({*range(0, 21, period), 20})
    for field in (1, 4, 45):
        with pytest.raises(InputError, match="odd number of pixels from 3 to 43"):
            receptive_field_kernel_sizes(field)
