"""What every linear measurement must be, and what each one measures."""

import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from networks import nhwc, relative_difference

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.psnr import psnr
from keras_gahr.sampling import measurements as m

SHAPES = [
    (9, 15, 3),
    pytest.param((12, 18, 1), marks=pytest.mark.slow),
    pytest.param((15, 12, 3), marks=pytest.mark.slow),
]
"""Sides that a factor of 3 divides, even and odd."""


def asymmetric_kernel(height=4, width=3):
    return np.random.default_rng(5).random((height, width))


MEASUREMENTS = {
    "inpainting": lambda shape: m.Inpainting(shape, (5, 4), (6, 7)),
    "mask": lambda shape: m.KnownPixels(np.random.default_rng(3).random(shape) > 0.4, shape[2]),
    "random pixels": lambda shape: m.RandomPixels(shape, 0.3, seed=4),
    "super-resolution": lambda shape: m.SuperResolution(shape, 3),
    "random basis": lambda shape: m.RandomBasis(shape, 0.1, seed=4),
    "random transform": lambda shape: m.RandomTransform(shape, 0.2, seed=4),
    "spectral": lambda shape: m.SpectralSuperResolution(shape, m.low_frequencies(shape, 0.3)),
    "gaussian blur": lambda shape: m.Deblurring(shape, m.gaussian_kernel(0.9)),
    "other blur": lambda shape: m.Deblurring(shape, asymmetric_kernel(), 0.05),
    "synthesis": m.Synthesis,
    "super-resolution of known pixels": lambda shape: m.compose(
        m.SuperResolution(shape, 3), m.RandomPixels((shape[0] // 3, shape[1] // 3, shape[2]), 0.5)
    ),
    "blur at low resolution": lambda shape: m.compose(
        m.SuperResolution(shape, 3),
        m.Deblurring((shape[0] // 3, shape[1] // 3, shape[2]), asymmetric_kernel(3, 3)),
    ),
    "grey": lambda shape: m.Grey((*shape[:2], 3)),
    "grey at low resolution": lambda shape: m.compose(
        m.Grey((*shape[:2], 3)), m.SuperResolution((*shape[:2], 1), 3)
    ),
}


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture(scope="module", params=MEASUREMENTS)
def measurement(request, shape):
    return MEASUREMENTS[request.param](shape)


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def numpy(value):
    return ops.convert_to_numpy(value).astype(np.float64)


def images_of(shape, count=2, seed=0):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


def inner(a, b):
    """<a, b> for each of a batch, and |a| |b|."""
    a, b = (x.reshape(len(x), int(np.prod(x.shape[1:]))) for x in (a, b))
    return (a * b).sum(1), np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)


def assert_equal(found, expected):
    scale = max(1, np.abs(numpy(expected)).max(initial=0))
    assert numpy(found) == pytest.approx(numpy(expected), abs=tolerances.MEASUREMENT * scale)


def test_shapes(measurement):
    images = tensor(images_of(measurement.shape))
    measured = measurement.measure(images)
    assert tuple(measured.shape) == (2, *measurement.measured_shape)
    assert tuple(measurement.observe(images).shape) == tuple(measured.shape)
    for found in (measurement.back_project(measured), measurement.project(images)):
        assert tuple(found.shape) == (2, *measurement.shape)
    if measurement.gives_pictures:
        assert len(measurement.measured_shape) == 3
        assert measurement.measured_shape[2] in {1, 3}


def test_back_projection_is_the_adjoint(measurement):
    images = images_of(measurement.shape)
    measured = images_of(measurement.measured_shape, seed=1)
    left, norm = inner(numpy(measurement.measure(tensor(images))), measured.astype(np.float64))
    right, _ = inner(images.astype(np.float64), numpy(measurement.back_project(tensor(measured))))
    assert left == pytest.approx(right, abs=tolerances.MEASUREMENT * max(1, norm.max()))


def test_rows_are_orthonormal(measurement):
    """M M^T m = m for what can be measured, and M^T keeps its length."""
    measured = measurement.measure(tensor(images_of(measurement.shape)))
    back = measurement.back_project(measured)
    assert_equal(measurement.measure(back), measured)
    assert np.linalg.norm(numpy(back)) == pytest.approx(np.linalg.norm(numpy(measured)), rel=1e-5)


def test_p_is_a_projection(measurement):
    images = tensor(images_of(measurement.shape))
    once = measurement.project(images)
    assert_equal(once, measurement.back_project(measurement.measure(images)))
    assert_equal(measurement.project(once), once)


def test_what_is_observed_says_what_was_measured(measurement):
    images = tensor(images_of(measurement.shape))
    assert_equal(
        measurement.measured_from(measurement.observe(images)), measurement.measure(images)
    )


@pytest.fixture(scope="module")
def pictures(smooth_images):
    return smooth_images(4, 9, 15, channels=3)


@pytest.fixture(scope="module")
def wiener(pictures):
    return kg.baselines.Wiener.from_images(pictures)


@pytest.mark.parametrize("name", sorted({*MEASUREMENTS} - {"synthesis"}))
def test_samples_have_what_was_observed(wiener, pictures, name):
    """Of images that vary in three directions, any of these says which one it is."""
    measurement = MEASUREMENTS[name]((9, 15, 3))
    schedule = kg.sampling.MultistepSchedule(steps=40, sigma_end=0.003)
    options = {"sampler": "multistep", "schedule": schedule, "seed": 2}
    observed = measurement(pictures[1:2])
    found = kg.sample(wiener, (9, 15), measurement=measurement, measured=observed, **options)
    assert psnr(found.images.clip(0, 1), pictures[1:2])[0] > 32
    (restored,) = kg.restore(wiener, observed, measurement, **options)
    np.testing.assert_allclose(restored.samples, found.images, atol=1e-5)


def test_a_mask_serves_for_colour(wiener, pictures):
    mask = np.ones((9, 15), bool)
    mask[3:6, 4:9] = False
    hole = m.inpainting(mask)
    options = {"schedule": kg.sampling.AscentSchedule(beta=1, sigma_end=0.1), "measurement": hole}
    known = pictures * mask[..., None]
    found = kg.sample(wiener, (9, 15), count=4, measured=known, **options)
    expected = kg.sample(
        wiener, (9, 15), count=4, measured=known, **options | {"measurement": m.inpainting(mask, 3)}
    )
    np.testing.assert_array_equal(found.images, expected.images)
    with pytest.raises(InputError, match="of shape \\(4, 9, 15, 1\\), expected \\(4, 9, 15, 3\\)"):
        kg.sample(wiener, (9, 15), count=4, measured=known[..., :1], **options)


@settings(max_examples=5)
@given(
    st.integers(1, 6), st.integers(1, 6), st.integers(2, 4), st.sampled_from([1, 3]), st.integers(0)
)
def test_super_resolution_of_any_size(rows, columns, factor, channels, seed):
    measurement = m.SuperResolution((rows * factor, columns * factor, channels), factor)
    image = np.random.default_rng(seed % 2**32).random((1, *measurement.shape), np.float32)
    expected = image.reshape(1, rows, factor, columns, factor, channels).mean((2, 4))
    assert numpy(measurement.observe(tensor(image))) == pytest.approx(expected, abs=1e-6)
    assert numpy(measurement.measure(tensor(image))) == pytest.approx(factor * expected, abs=1e-5)


GOLDEN = {
    "synthesis": lambda arrays: m.Synthesis((24, 24, 1)),
    "inpainting": lambda arrays: m.Inpainting((24, 24, 1), (8, 8)),
    "random_pixels": lambda arrays: m.KnownPixels(nhwc(arrays["random_pixels/mask"]), 1),
    "super_resolution": lambda arrays: m.SuperResolution((24, 24, 1), 4),
    "random_basis": lambda arrays: m.RandomBasis.from_basis((24, 24, 1), arrays["random_basis/U"]),
    "spectral_super_resolution": lambda arrays: m.SpectralSuperResolution(
        (24, 24, 1), m.low_frequencies((24, 24, 1), 0.2, published=True)
    ),
}


@pytest.fixture(scope="module")
def arrays(golden):
    return np.load(golden / "measurements.npz")


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_measurements(arrays, name):
    measurement = GOLDEN[name](arrays)
    image = tensor(nhwc(arrays["image"])[None])
    measured = numpy(measurement.measure(image))
    expected = arrays[f"{name}/measurement"]
    if np.iscomplexobj(expected):
        expected = np.concatenate([expected.real, expected.imag])
    if name != "synthesis":
        expected = nhwc(expected) if expected.ndim == 3 else expected
        assert relative_difference(measured[0], expected) < tolerances.MEASUREMENT
    back = numpy(measurement.back_project(tensor(measured)))[0]
    golden_back = nhwc(arrays[f"{name}/back_projection"])
    assert back == pytest.approx(golden_back, abs=tolerances.MEASUREMENT)
    assert numpy(measurement.project(image))[0] == pytest.approx(
        golden_back, abs=tolerances.MEASUREMENT
    )


def test_the_published_masks(arrays):
    assert np.array_equal(
        m.low_frequencies((24, 24, 1), 0.2, published=True),
        arrays["spectral_super_resolution/mask"],
    )
    hole = m.Inpainting((24, 24, 1), np.array([8, 8]), np.array([12, 12]))
    assert np.array_equal(numpy(hole.mask), nhwc(arrays["inpainting/mask"]))


def test_the_published_spectral_mask_is_no_projection(arrays, smooth_images):
    """2% of the image are lost: the frequencies without an opposite are halved again."""
    image = tensor(nhwc(arrays["image"])[None])
    for published, bound in ((False, 1e-6), (True, 0.2)):
        mask = m.low_frequencies((24, 24, 1), 0.2, published)
        measurement = m.SpectralSuperResolution((24, 24, 1), mask)
        once = measurement.project(image)
        lost = relative_difference(numpy(measurement.project(once)), numpy(once))
        assert lost < bound
        assert published == (lost > 1e-3)


def test_random_measurements_come_from_their_seed():
    shape = (12, 12, 3)
    image = tensor(images_of(shape, 1))
    for cls in (m.RandomPixels, m.RandomBasis, m.RandomTransform):
        first, again, other = (numpy(cls(shape, 0.2, seed).measure(image)) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


def test_pixels_are_known_in_all_channels():
    mask = numpy(m.RandomPixels((10, 29, 3), 0.29).mask)
    assert mask.shape == (10, 29, 1)
    assert mask.sum() == 84


def test_a_random_transform_sees_every_pixel_a_little():
    """A single bright pixel is spread over the coefficients, so that part of it is measured."""
    image = np.zeros((3, 16, 16, 1), np.float32)
    image[0, 0, 0] = image[1, 7, 9] = 16
    image[2] = 1
    measurement = m.RandomTransform((16, 16, 1), 0.25, seed=0)
    energy = (numpy(measurement.measure(tensor(image))) ** 2).sum(1)
    assert energy == pytest.approx(64, abs=40)


def test_deblurring_undoes_what_it_can(smooth_images):
    """A smooth image is recovered from its blurred version, the minimum norm without the rest."""
    image = tensor(smooth_images(1, 24, 31))
    blur = m.Deblurring((24, 31, 1), m.gaussian_kernel(0.8), 0.001)
    blurred = blur.observe(image)
    assert numpy(blurred).sum() == pytest.approx(numpy(image).sum(), rel=1e-5)
    assert np.abs(numpy(blurred) - numpy(image)).max() > 0.01
    found = blur.back_project(blur.measured_from(blurred))
    assert numpy(found) == pytest.approx(numpy(image), abs=1e-4)
    centred = np.zeros((5, 5))
    centred[2, 2] = 1
    assert_equal(m.Deblurring((24, 31, 1), centred).observe(image), image)


def test_what_cannot_be_measured_is_refused():
    shape = (12, 12, 1)
    for make, words in (
        (lambda: m.SuperResolution(shape, 5), "multiples of 5"),
        (lambda: m.SuperResolution(shape, 1), "from 2"),
        (lambda: m.Inpainting(shape, (20, 4)), "does not lie"),
        (lambda: m.Inpainting(shape, (4, 4), (1, 6)), "does not lie"),
        (lambda: m.Inpainting(shape, (0, 4)), "does not lie"),
        (lambda: m.KnownPixels(np.full((12, 12), 0.5), 1), "0 and 1"),
        (lambda: m.KnownPixels(np.ones((12, 12, 2)), 1), "shape"),
        (lambda: m.RandomPixels(shape, 0), "fraction"),
        (lambda: m.RandomTransform(shape, 1.5), "fraction"),
        (lambda: m.RandomBasis((512, 512, 1), 0.1), "random transform"),
        (lambda: m.RandomBasis.from_basis(shape, np.ones((144, 2))), "orthonormal"),
        (lambda: m.RandomBasis.from_basis(shape, np.ones((100, 2))), "rows"),
        (lambda: m.low_frequencies(shape, float("nan")), "fraction"),
        (lambda: m.SpectralSuperResolution(shape, np.ones((3, 3))), "mask"),
        (lambda: m.Deblurring(shape, np.zeros((3, 3))), "zero"),
        (lambda: m.Deblurring(shape, np.ones((3, 30))), "larger images"),
        (lambda: m.Deblurring(shape, np.ones((3, 3)), 1), "threshold"),
        (lambda: m.gaussian_kernel(-1), "blur"),
        (lambda: m.Grey(shape), "colour"),
    ):
        with pytest.raises(InputError, match=words):
            make()


@pytest.mark.one_backend
def test_compositions_that_mix_known_and_unknown_are_refused():
    pixels = m.RandomPixels((12, 12, 3), 0.5)
    with pytest.raises(InputError, match="exchange"):
        m.compose(pixels, m.SuperResolution((12, 12, 3), 2))
    with pytest.raises(InputError, match="do not fit"):
        m.compose(m.Grey((12, 12, 3)), pixels)
    m.compose(pixels, m.Grey((12, 12, 3)))
    m.compose(pixels, m.Inpainting((12, 12, 3), (4, 4)))
