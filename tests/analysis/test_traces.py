"""Traces of Jacobians from products, where they are known."""

import numpy as np
import pytest
import tolerances
from keras import ops
from known_networks import shrinking
from networks import with_unit_gammas
from scipy import stats

import keras_gahr as kg
from keras_gahr.analysis import Linearizer, trace
from keras_gahr.denoisers.footprint import derivative_footprint

SIGMA = 0.3


def wiener_of(images):
    """A Wiener denoiser, and tr J and |J|_F^2 of it."""
    denoiser = kg.baselines.Wiener.from_images(images, sigma=SIGMA)
    variances = np.float64(ops.convert_to_numpy(denoiser.residual_layer.variances))
    factors = variances / (variances + SIGMA**2)
    return denoiser, factors.sum(), np.sum(factors**2)


def random_images(count, *shape):
    return np.random.default_rng(0).random((count, *shape)).astype(np.float32)


@pytest.fixture(scope="module")
def wiener():
    denoiser, *numbers = wiener_of(random_images(80, 8, 8))
    return Linearizer(denoiser), *numbers


@pytest.mark.parametrize("shape", [(6, 5), (4, 4, 3)], ids=["grey", "colour"])
def test_exact_traces(shape):
    images = random_images(60, *shape)
    denoiser, expected, power = wiener_of(images)
    found = trace(denoiser, images[:3], method="exact")
    np.testing.assert_allclose(found.value, [expected] * 3, rtol=1e-5)
    np.testing.assert_allclose(found.effective_dimension, [power] * 3, rtol=1e-5)
    assert found.products.tolist() == [images[0].size] * 3
    assert not found.standard_error.any() and not found.probes.any()
    np.testing.assert_allclose(found.interval, found.value[:, None].repeat(2, axis=1))


@pytest.mark.parametrize("method", ["hutchinson", "hutch++"])
def test_intervals_hold_the_trace_as_often_as_they_say(wiener, method):
    """Of 200 images with probes of their own, whose traces are all the same."""
    linearizer, expected, power = wiener
    found = trace(linearizer, np.full((200, 8, 8), 0.5), method=method, probes=24)
    low, high = stats.binom.interval(0.999, 200, 0.95)
    held = (found.interval[:, 0] <= expected) & (expected <= found.interval[:, 1])
    assert low <= np.count_nonzero(held) <= high
    spread = found.value.std() / np.sqrt(200)
    assert abs(found.value.mean() - expected) < 4 * spread
    assert found.effective_dimension.mean() == pytest.approx(power, rel=0.02)
    # Half as wide they do not.
    narrow = np.abs(found.value - expected) <= np.diff(found.interval)[:, 0] / 4
    assert np.count_nonzero(narrow) < low


def test_no_trace_depends_on_what_is_computed_with_it(wiener):
    linearizer, *_ = wiener
    images = random_images(7, 8, 8)
    whole = trace(linearizer, images, seed=3, error=0.8)
    for batch_size in (1, 3):
        smaller = trace(Linearizer(linearizer.denoiser, batch_size), images, seed=3, error=0.8)
        np.testing.assert_allclose(smaller.value, whole.value, rtol=1e-5)
        np.testing.assert_array_equal(smaller.products, whole.products)
    alone = trace(linearizer, images[4], seed=3, error=0.8, first=4)
    np.testing.assert_allclose(alone.value, whole.value[4:5], rtol=1e-5)
    other = trace(linearizer, images, seed=4, error=0.8)
    assert np.abs(other.value - whole.value).max() > 0.1


def test_probes_until_the_error_is_reached(wiener):
    linearizer, expected, _ = wiener
    images = random_images(12, 8, 8)
    found = trace(linearizer, images, error=0.55, most=200)
    assert found.standard_error.max() <= 0.55
    assert len(set(found.products.tolist())) > 1 and not np.any(found.products % 16)
    assert np.abs(found.value - expected).max() < 4 * 0.55
    with pytest.warns(UserWarning, match=r"of 12 of 12 traces is above 0.01 after 20 products"):
        found = trace(linearizer, images, error=0.01, most=20)
    assert found.products.tolist() == [20] * 12


def test_hutch_is_exact_for_few_dimensions():
    images = random_images(5, 8, 8)
    denoiser, expected, power = wiener_of(images)
    found = trace(denoiser, images, method="hutch++", probes=15)
    np.testing.assert_allclose(found.value, [expected] * 5, rtol=1e-5)
    np.testing.assert_allclose(found.effective_dimension, [power] * 5, rtol=1e-5)
    assert found.standard_error.max() < 1e-5 and found.products.tolist() == [15] * 5
    assert trace(denoiser, images, probes=15).standard_error.min() > 1e-3


def test_a_network_that_is_told_the_level():
    denoiser = kg.wrap(shrinking, "image", "sigma", channels=1, layout="NHWC")
    levels = np.array([0.5, 1.0, 2.0])
    for method, probes in (("exact", 2), ("hutchinson", 2)):
        found = trace(denoiser, random_images(3, 4, 4), sigma=levels, method=method, probes=probes)
        np.testing.assert_allclose(found.value, 16 / (1 + levels**2), rtol=1e-5)
    with pytest.raises(kg.InputError, match="told the noise level"):
        trace(denoiser, random_images(3, 4, 4))


def identity(count, shape):
    size = int(np.prod(shape))
    return np.eye(size, dtype=np.float32).reshape(1, size, *shape).repeat(count, axis=0)


def matrices(products):
    """Of products with all columns: (b, d, d)."""
    return products.reshape(*products.shape[:2], -1).transpose(0, 2, 1)


def test_sides_that_a_network_cannot_take(smooth_images):
    denoiser = with_unit_gammas(kg.UNet(num_blocks=1, num_kernels=2, seed=1))
    images = smooth_images(2, 5, 6)
    linearizer = Linearizer(denoiser, 2)
    ((_, jacobians),) = linearizer.blocks(images)
    np.testing.assert_allclose(jacobians.denoised, kg.denoise(denoiser, images), atol=1e-6)
    columns = identity(2, (5, 6, 1))
    forward, back, both = (
        matrices(product(columns))
        for product in (jacobians.apply, jacobians.apply_transposed, jacobians.apply_symmetric)
    )
    np.testing.assert_allclose(back, forward.transpose(0, 2, 1), atol=tolerances.JACOBIAN)
    np.testing.assert_allclose(both, (forward + back) / 2, atol=tolerances.JACOBIAN)
    # Bias-free: D(y) = J y.
    of_noisy = jacobians.apply(images[:, None])[:, 0]
    np.testing.assert_allclose(of_noisy, jacobians.denoised, atol=tolerances.JACOBIAN)
    found = trace(linearizer, images, method="exact")
    np.testing.assert_allclose(found.value, np.trace(forward, axis1=1, axis2=2), rtol=1e-4)
    assert jacobians.products == 2 * 30 * 4 + 2


def test_tiles_have_the_products_of_the_whole_image(smooth_images):
    denoiser = with_unit_gammas(kg.build_denoiser("bf-cnn", num_layers=4, num_kernels=4, seed=1))
    (image,) = smooth_images(1, 40, 44)
    noisy = (image + np.random.default_rng(0).normal(0, 0.2, image.shape))[None]
    memory = derivative_footprint(denoiser).bytes(1000) + 16 * noisy.size
    passes = []
    network = Linearizer(denoiser, memory=memory)
    linearize = network._derivatives.at
    network._derivatives.at = lambda part: passes.append(part.shape) or linearize(part)
    directions = np.random.default_rng(1).standard_normal((1, 2, *image.shape))
    (((_, tiles),), ((_, whole),)) = (
        each.blocks(noisy) for each in (network, Linearizer(denoiser))
    )
    for name in ("apply", "apply_transposed"):
        found, expected = (getattr(each, name)(directions) for each in (tiles, whole))
        np.testing.assert_allclose(
            found, expected, atol=tolerances.JACOBIAN * np.abs(expected).max()
        )
    np.testing.assert_allclose(tiles.denoised, whole.denoised, atol=1e-5)
    assert len(passes) > 3 and passes[0] < (1, 40, 44, 1)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"method": "lanczos"}, "expected one of hutchinson, hutch.., exact"),
        ({"probes": 1}, "at least 2"),
        ({"method": "hutch++", "probes": 3}, "at least 4"),
        ({"error": 0}, "above 0"),
        ({"most": 0}, "at least 2"),
    ],
)
def test_mistakes(wiener, options, reason):
    with pytest.raises(kg.InputError, match=reason):
        trace(wiener[0], random_images(1, 8, 8), **options)
