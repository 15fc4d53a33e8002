"""The UNet of the lab's later code: what its options do, and what it computes of features."""

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import FLEXIBLE, from_checkpoint, nhwc, relative_difference

from keras_gahr import FlexibleUNet, Inference, InputError, _backend, save_denoiser
from keras_gahr.analysis import Linearizer, as_features
from keras_gahr.denoisers import DirectDenoiser, ImageNorm, build_denoiser, with_precision
from keras_gahr.denoisers.flexible_unet import NORMS
from keras_gahr.denoisers.properties import homogeneity_error, receptive_field
from keras_gahr.denoisers.reach import network_reach


def small(norm="layer", **options):
    """A network whose features do not vanish."""
    sizes = {"num_kernels": [3, 4], "num_mid_conv": 1, "num_dec_conv": 2, "seed": 1}
    denoiser = FlexibleUNet(norm=norm, **(sizes | options))
    generator = np.random.default_rng(0)
    for weight in denoiser.weights:
        if weight.name in ("gamma", "bias", "running_sd"):
            weight.assign(generator.uniform(0.5, 1.5, weight.shape))
    return denoiser


def noisy_images(*shape):
    return np.random.default_rng(1).normal(0.5, 0.3, shape).astype(np.float32)


@pytest.mark.parametrize("name", FLEXIBLE)
def test_features_are_those_of_the_published_code(golden, name):
    denoiser, _ = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    noisy = nhwc(arrays["noisy"])
    expected = [arrays[f"phi/{i}"] for i in range(len(denoiser.feature_sizes))]
    assert denoiser.feature_sizes == tuple(phi.shape[1] for phi in expected)
    assert f"phi/{len(expected)}" not in arrays
    for found in (
        denoiser.features(noisy),
        denoiser.features(noisy, batch_size=2),
        as_features(denoiser.features).of(noisy.clip(0, 1)),
    ):
        assert found.dtype == np.float32
        assert found.shape == (len(noisy), sum(denoiser.feature_sizes))
    parts = np.split(denoiser.features(noisy), np.cumsum(denoiser.feature_sizes)[:-1], axis=1)
    for part, phi in zip(parts, expected, strict=True):
        assert relative_difference(part, phi) < tolerances.OUTPUT


def test_features_of_tensors_can_be_differentiated():
    denoiser = small(bias=False)
    noisy = noisy_images(1, 8, 8, 1)
    direction = noisy_images(1, 8, 8, 1)[:, ::-1]
    product = _backend.compile_vjp(denoiser, lambda network, y: denoiser.features(y))
    cotangent = np.ones((1, sum(denoiser.feature_sizes)), np.float32)
    gradient = ops.convert_to_numpy(product(noisy)(cotangent))
    step = 1e-3
    change = denoiser.features(noisy + step * direction) - denoiser.features(
        noisy - step * direction
    )
    assert np.sum(gradient * direction) == pytest.approx(change.sum() / (2 * step), rel=2e-2)


@pytest.mark.one_backend
def test_features_follow_the_weights():
    denoiser = small()
    images = noisy_images(2, 8, 8, 1)
    before = denoiser.features(images)
    denoiser.get_layer("encoder_0_conv_0").kernel.assign(np.ones((3, 3, 1, 3), np.float32))
    assert relative_difference(denoiser.features(images), before) > 0.01


@pytest.mark.one_backend
def test_features_of_other_images():
    denoiser = small(num_channels=3)
    in_bytes = np.full((2, 8, 8, 3), 51, np.uint8)
    assert np.array_equal(denoiser.features(in_bytes), denoiser.features(in_bytes / 255))
    with pytest.raises(InputError, match="multiples of 2"):
        denoiser.features(np.zeros((1, 7, 8, 3)))


@pytest.mark.one_backend
def test_networks_and_their_files_are_features(tmp_path):
    denoiser = small(num_channels=3)
    images = noisy_images(2, 8, 8, 3).clip(0, 1)
    expected = denoiser.features(images)
    direct = DirectDenoiser(denoiser)
    save_denoiser(denoiser, tmp_path / "network.keras")
    save_denoiser(direct, tmp_path / "direct.keras")
    for given in (denoiser, direct, tmp_path / "network.keras", tmp_path / "direct.keras"):
        np.testing.assert_allclose(as_features(given).of(images), expected, rtol=1e-5)
        # Grey images are repeated.
        assert as_features(given).of(images[..., 0]).shape == expected.shape


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_with_biases_everywhere(norm):
    sizes = {"num_kernels": [3, 4, 5], "num_dec_conv": [2, 1]}
    denoiser = small(norm, num_channels=2, bias=True, upsample_bias=True, **sizes)
    noisy = noisy_images(3, 12, 8, 2)
    expected = denoiser.predict_on_batch(noisy)
    # With norms folded into weights and biases, if it has such.
    assert relative_difference(Inference(denoiser).residual(noisy), expected) < tolerances.OUTPUT
    # Images do not know of each other.
    assert relative_difference(Inference(denoiser).residual(noisy[1:2]), expected[1:2]) < 1e-5


@pytest.mark.one_backend
def test_an_offset_of_every_convolution_counts():
    denoiser = small("batch", num_kernels=[3, 4, 5], num_dec_conv=[2, 1], upsample_bias=True)
    noisy = noisy_images(1, 8, 8, 1)
    before = denoiser.predict_on_batch(noisy)
    biases = [weight for weight in denoiser.weights if weight.name == "bias"]
    # The outermost transposed convolution has none.
    assert len(biases) == 2 + 2 + 1 + (1 + 1) + 2
    for bias in biases:
        kept = ops.convert_to_numpy(bias)
        bias.assign(kept + 1)
        assert relative_difference(denoiser.predict_on_batch(noisy), before) > 1e-4, bias.path
        bias.assign(kept)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("norm", "bias", "homogeneous"),
    [
        ("batch", False, True),
        ("none", False, True),
        ("batch", True, False),
        ("layer", False, False),
        ("instance", False, False),
    ],
)
def test_which_options_leave_it_homogeneous(norm, bias, homogeneous):
    error = homogeneity_error(small(norm, bias=bias))
    assert error < tolerances.HOMOGENEITY if homogeneous else error > 0.1


@pytest.mark.parametrize("norm", [pytest.param("layer", marks=pytest.mark.slow), "instance"])
def test_the_jacobian_is_that_of_finite_differences(norm):
    denoiser = small(norm, bias=False)
    noisy = noisy_images(8, 8, 1)
    jacobian = Linearizer(denoiser).at(noisy)
    direction = noisy_images(8, 8, 1)[::-1]
    near = np.stack([noisy + sign * np.float32(1e-3) * direction for sign in (1, -1)])
    above, below = Inference(denoiser).denoise(near)
    expected = (above - below) / 2e-3
    assert relative_difference(jacobian.apply(direction[None])[0], expected) < 2e-2
    assert jacobian.linearity_error() > 0.1


def test_norms_of_constant_images_have_derivatives():
    for across_channels in (True, False):
        norm = ImageNorm(across_channels)
        norm.build((None, None, None, 2))
        product = _backend.compile_vjp(
            denoiser := small("layer" if across_channels else "instance", bias=False),
            lambda network, y: network(y),
        )
        flat = np.zeros((1, 8, 8, 1), np.float32)
        gradient = ops.convert_to_numpy(product(flat)(flat + 1))
        assert np.all(np.isfinite(gradient))
        assert not denoiser.predict_on_batch(flat).any()


def test_norms_divide_by_the_deviation_of_each_image():
    x = np.random.default_rng(0).normal(2, 3, (4, 5, 6, 2)).astype(np.float32)
    for across_channels, axes in ((True, (1, 2, 3)), (False, (1, 2))):
        norm = ImageNorm(across_channels)
        for training in (True, False):
            found = ops.convert_to_numpy(ops.stop_gradient(norm(x, training=training)))
            expected = x / (x.std(axis=axes, keepdims=True) + 1e-5)
            np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.one_backend
def test_what_sees_the_whole_image_has_no_receptive_field():
    field, margin = receptive_field(small("none")), network_reach(small("none")).margin
    assert all(0 <= 2 * m + 1 - side <= 3 for m, side in zip(margin, field, strict=True))
    for norm in ("layer", "instance"):
        assert network_reach(small(norm)) is None
        with pytest.raises(InputError, match="whole image"):
            receptive_field(small(norm))


def test_bfloat16_is_near_float32():
    denoiser = small()
    noisy = noisy_images(2, 8, 8, 1)
    mixed = with_precision(denoiser, "mixed_bfloat16")
    found = Inference(mixed).residual(noisy)
    assert relative_difference(found, denoiser.predict_on_batch(noisy)) < 0.1
    assert mixed.features(noisy).dtype == np.float32


@pytest.mark.one_backend
def test_the_published_size():
    """As its trainer builds it by default."""
    denoiser = FlexibleUNet(num_channels=3)
    assert denoiser.num_kernels == (64, 128, 256, 512)
    assert (denoiser.num_enc_conv, denoiser.num_mid_conv) == ((2, 2, 2), 3)
    assert denoiser.num_dec_conv == (6, 6, 6)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"norm": "group"}, "layer, instance, batch, none"),
        ({"num_kernels": [4]}, "received 1 num_kernels"),
        ({"num_kernels": [2] * 14}, "1 to 12"),
        ({"num_kernels": "4,4"}, "num_kernels '4,4'"),
        ({"num_kernels": [4, 0]}, "num_kernels 0"),
        ({"num_kernels": [4, 2.5]}, "num_kernels 2.5"),
        ({"num_kernels": [4, 8], "num_blocks": 2}, "num_blocks = 2 and 2 num_kernels"),
        ({"num_blocks": 13}, "num_blocks 13"),
        ({"num_enc_conv": [2, 2]}, "num_enc_conv of 2 blocks"),
        ({"num_dec_conv": [2, 2, 0]}, "num_dec_conv 0"),
        ({"num_mid_conv": 0}, "num_mid_conv = 0"),
        ({"num_kernels": 10**6}, "billion"),
        ({"num_mid_conv": 10**6, "num_kernels": 1}, "thousand layers"),
        ({"num_layers": 4}, "num_layers for the architecture unet-flex"),
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(InputError, match=says) as caught:
        build_denoiser("unet-flex", **options)
    assert "\n" not in str(caught.value)
