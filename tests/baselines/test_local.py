"""The local baselines against loops in float64."""

import itertools

import numpy as np
import pytest
import tolerances
from keras import ops

import keras_gahr as kg
from keras_gahr import InputError, load_denoiser, save_denoiser
from keras_gahr.analysis import Linearizer
from keras_gahr.baselines import EmpiricalBayes, LocalBayes, MaskedBayes
from keras_gahr.baselines.local_bayes import LOCAL_RULES
from keras_gahr.sampling import AscentSchedule, sample


@pytest.fixture
def in_small_blocks(monkeypatch):
    monkeypatch.setattr("keras_gahr.baselines.posterior_means.BLOCK_VALUES", 2000)


def pictures(count, height=8, width=8, channels=1, seed=0):
    """Smooth random images, uint8, some of them nearly equal."""
    rng = np.random.default_rng(seed)
    images = np.cumsum(rng.standard_normal((count, height, width, channels)), axis=2)
    images = 128 + 40 * images / images.std()
    images[1::7] = images[::7][: len(images[1::7])] + rng.integers(2, size=images[1::7].shape)
    return np.clip(images, 0, 255).astype(np.uint8)


def noisy_of(images, sigma, seed=1):
    noise = np.random.default_rng(seed).standard_normal(images.shape)
    return (images / 255 + sigma * noise).astype(np.float32)


def posterior(squares, values, sigma):
    """The mean of values by their squared distances."""
    logits = -np.array(squares) / (2 * sigma**2)
    weights = np.exp(logits - logits.max())
    return np.tensordot(weights / weights.sum(), np.array(values), 1)


def lines_around(pixel, side, size, wrap):
    """The rows (or columns) of the square around a pixel, without those beyond the border."""
    reach = range(pixel - side // 2, pixel + side // 2 + 1)
    if not wrap:
        return [place for place in reach if 0 <= place < size]
    # A ring holds none twice.
    before = min(side - 1, size - 1) // 2
    return [(pixel - before + step) % size for step in range(min(side, size))]


def moved(lines, by, size, wrap):
    """The same lines elsewhere, or None where they do not fit."""
    found = [line + by for line in lines]
    if wrap:
        return [line % size for line in found]
    return found if found[0] >= 0 and found[-1] < size else None


def by_loops(images, noisy, sigma, side, rule, wrap=False):
    """The definitions, for one noisy image, in float64."""
    x = images / 255 if images.dtype == np.uint8 else np.float64(images)
    y = np.float64(noisy)
    sizes = y.shape[:2]
    denoised = np.zeros(y.shape)
    for pixel in np.ndindex(*sizes):
        lines = [lines_around(at, side, size, wrap) for at, size in zip(pixel, sizes, strict=True)]
        here = y[np.ix_(*lines)]
        squares, values = [], []
        for place in [pixel] if rule == "local" else np.ndindex(*sizes):
            others = [
                moved(own, to - at, size, wrap)
                for own, to, at, size in zip(lines, place, pixel, sizes, strict=True)
            ]
            if None in others:
                continue
            alike = [
                other == lines_around(at, side, size, wrap)
                for other, at, size in zip(others, place, sizes, strict=True)
            ]
            if rule == "bordered" and not all(alike):
                continue
            there = x[:, others[0]][:, :, others[1]]
            squares.extend(np.sum((here - there) ** 2, axis=(1, 2, 3)))
            values.extend(x[:, *place])
        denoised[pixel] = posterior(squares, values, sigma)
    return denoised


def patches_by_loops(images, noisy, sigma, side, wrap=False):
    """Posterior means of whole squares, averaged where they overlap."""
    x, y = images / 255, np.float64(noisy)
    sizes = y.shape[:2]
    starts = [range(size if wrap else max(1, size - side + 1)) for size in sizes]
    total, counts = np.zeros(y.shape), np.zeros((*sizes, 1))
    for corner in itertools.product(*starts):
        square = np.ix_(
            *(
                (start + np.arange(min(side, size))) % size
                for start, size in zip(corner, sizes, strict=True)
            )
        )
        known = np.stack([image[square] for image in x])
        squares = np.sum((y[square] - known) ** 2, axis=(1, 2, 3))
        total[square] += posterior(squares, known, sigma)
        counts[square] += 1
    return total / counts


def expected_of(images, noisy, sigma, side, rule, wrap=False):
    if rule == "patches":
        return np.stack([patches_by_loops(images, image, sigma, side, wrap) for image in noisy])
    return np.stack([by_loops(images, image, sigma, side, rule, wrap) for image in noisy])


def check_against_loops(rule, side, boundary, channels, sigmas):
    images = pictures(5, 7, 6, channels)
    denoiser = LocalBayes(images, side, rule, boundary, sigma=2)
    # Compiled once: the noise level is read at each call.
    inference = kg.Inference(denoiser)
    clean = np.concatenate([images[:1], pictures(1, 7, 6, channels, seed=5)])
    for sigma in sigmas:
        noisy = noisy_of(clean, sigma)
        denoiser.set_sigma(sigma)
        np.testing.assert_allclose(
            inference.denoise(noisy),
            expected_of(images, noisy, sigma, side, rule, boundary == "wrap"),
            atol=tolerances.EMPIRICAL_BAYES,
        )


@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_against_loops(rule, in_small_blocks):
    check_against_loops(rule, 3, "cut", 1, (0.01, 0.1, 1))


@pytest.mark.one_backend
@pytest.mark.parametrize("rule", LOCAL_RULES)
@pytest.mark.parametrize(
    ("side", "boundary", "channels"),
    [(1, "cut", 1), (3, "cut", 3), (5, "wrap", 1), (9, "wrap", 1), (5, "cut", 1), (11, "cut", 1)],
)
def test_squares_of_any_side(rule, side, boundary, channels, in_small_blocks):
    if (rule, boundary) != ("bordered", "wrap"):
        check_against_loops(rule, side, boundary, channels, (0.01,))


@pytest.mark.one_backend
def test_training_images_in_floats():
    """Which are no multiples of 1/255."""
    rng = np.random.default_rng(3)
    images = (pictures(6, 8, 6) / 255 + 0.01 * rng.random((6, 8, 6, 1))).astype(np.float32)
    for rule in LOCAL_RULES[:3]:
        denoiser = LocalBayes(images, 5, rule, sigma=0.01)
        assert denoiser.images_dtype == "float32"
        noisy = noisy_of(255 * images[:2], 0.01)
        expected = expected_of(images, noisy, 0.01, 5, rule)
        np.testing.assert_allclose(
            denoiser.denoise(noisy), expected, atol=tolerances.EMPIRICAL_BAYES
        )
    in_bytes = (pictures(6) / 255).astype(np.float32)
    assert LocalBayes(in_bytes, 5).images_dtype == "uint8"


@pytest.mark.one_backend
def test_the_whole_image_is_empirical_bayes():
    images = pictures(20, 8, 6, 3)
    for sigma in (0.03, 0.3):
        noisy = noisy_of(images[:3], sigma)
        expected = EmpiricalBayes(images, sigma).denoise(noisy)
        for rule, boundary in itertools.product(LOCAL_RULES, ("cut", "wrap")):
            if boundary == "wrap" and rule in {"equivariant", "bordered"}:
                continue
            found = LocalBayes(images, 15, rule, boundary, sigma).denoise(noisy)
            np.testing.assert_allclose(found, expected, atol=tolerances.EMPIRICAL_BAYES)


@pytest.mark.one_backend
def test_a_pixel_alone_is_a_histogram_of_pixels():
    images = pictures(5)
    values, counts = np.unique(images, return_counts=True)
    noisy = noisy_of(images[:1], 0.1)
    logits = -((noisy[..., None] - values / 255) ** 2) / (2 * 0.1**2) + np.log(counts)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    expected = weights @ (values / 255) / weights.sum(axis=-1)
    found = LocalBayes(images, 1, "equivariant", sigma=0.1).denoise(noisy)
    np.testing.assert_allclose(found, expected, atol=tolerances.EMPIRICAL_BAYES)


@pytest.mark.one_backend
@pytest.mark.parametrize("side", [3, 9])
def test_images_that_wrap_may_be_shifted(side):
    images = pictures(6)
    noisy = noisy_of(images[:2], 0.1)
    denoiser = LocalBayes(images, side, "equivariant", "wrap", 0.1)
    shifted = denoiser.denoise(np.roll(noisy, (3, -2), axis=(1, 2)))
    expected = np.roll(denoiser.denoise(noisy), (3, -2), axis=(1, 2))
    np.testing.assert_allclose(shifted, expected, atol=tolerances.EMPIRICAL_BAYES)
    other = LocalBayes(images, side, "local", "wrap", 0.1)
    shifted = other.denoise(np.roll(noisy, (3, -2), axis=(1, 2)))
    assert np.abs(shifted - np.roll(other.denoise(noisy), (3, -2), axis=(1, 2))).max() > 0.01


def masked_by_loops(images, noisy, sigma, threshold):
    x = images.reshape(len(images), -1) / 255
    covariance = np.cov(x.T, bias=True)
    weights = abs(covariance @ np.linalg.inv(covariance + sigma**2 * np.eye(x.shape[1])))
    mask = weights > threshold * weights.max(axis=1, keepdims=True)
    found = np.empty((len(noisy), x.shape[1]))
    for at, y in enumerate(np.float64(noisy.reshape(len(noisy), -1))):
        for pixel, judges in enumerate(mask):
            squares = np.sum((y[judges] - x[:, judges]) ** 2, axis=1)
            found[at, pixel] = posterior(squares, x[:, pixel], sigma)
    return found.reshape(noisy.shape), mask


@pytest.mark.parametrize(("count", "channels"), [(40, 1), (20, 3)])
def test_the_masked_optimum(count, channels, in_small_blocks):
    images = pictures(count, 5, 4, channels)
    denoiser = MaskedBayes(images, 1.0, threshold=0.1)
    inference = kg.Inference(denoiser)
    for sigma in (0.05, 0.3):
        noisy = noisy_of(images[:2], sigma)
        denoiser.set_sigma(sigma)
        expected, mask = masked_by_loops(images, noisy, sigma, 0.1)
        np.testing.assert_array_equal(denoiser.mask(sigma), mask)
        assert 0.01 < mask.mean() < 0.99
        np.testing.assert_allclose(
            inference.denoise(noisy), expected, atol=tolerances.EMPIRICAL_BAYES
        )


@pytest.mark.one_backend
def test_a_mask_of_training_images_beyond_black_and_white():
    images = (2 * pictures(20, 5, 4) / 255 - 0.5).astype(np.float32)
    denoiser = MaskedBayes(images, 0.3, threshold=0.1)
    noisy = noisy_of(255 * images[:2], 0.3)
    expected, mask = masked_by_loops(255 * images, noisy, 0.3, 0.1)
    np.testing.assert_array_equal(denoiser.mask(0.3), mask)
    np.testing.assert_allclose(denoiser.denoise(noisy), expected, atol=tolerances.EMPIRICAL_BAYES)


@pytest.mark.one_backend
def test_a_mask_of_everything_is_empirical_bayes():
    images = pictures(40, 6, 5)
    noisy = noisy_of(images[:2], 0.2)
    found = MaskedBayes(images, 0.2, threshold=0).denoise(noisy)
    expected = EmpiricalBayes(images, 0.2).denoise(noisy)
    np.testing.assert_allclose(found, expected, atol=tolerances.EMPIRICAL_BAYES)


def denoisers_of(images, sigma):
    for rule in LOCAL_RULES:
        yield LocalBayes(images, 3, rule, sigma=sigma), f"{rule}"
    yield MaskedBayes(images, sigma, threshold=0.1), "masked"


@pytest.mark.parametrize(
    "kind",
    [
        "equivariant",
        *(pytest.param(kind, marks=pytest.mark.one_backend) for kind in ("patches", "masked")),
    ],
)
def test_jacobians(kind, in_small_blocks):
    """Both ways, against finite differences in float64."""
    sigma, images = 0.2, pictures(6, 4, 3)
    denoiser = {name: made for made, name in denoisers_of(images, sigma)}[kind]
    noisy = noisy_of(images[:1], sigma)[0]

    def denoise(y):
        if kind == "masked":
            return masked_by_loops(images, y[None], sigma, 0.1)[0][0]
        return expected_of(images, y[None], sigma, 3, kind)[0]

    jacobian = Linearizer(denoiser, batch_size=6).at(noisy)
    size, step = noisy.size, 1e-5
    expected = np.stack(
        [
            (denoise(noisy + e) - denoise(noisy - e)).ravel() / (2 * step)
            for e in np.float64(step) * np.eye(size).reshape(size, *noisy.shape)
        ],
        axis=1,
    )
    np.testing.assert_allclose(jacobian.matrix(), expected, atol=tolerances.LOCAL_JACOBIAN)
    directions = np.eye(size, dtype=np.float32).reshape(size, *noisy.shape)
    found = jacobian.apply(directions).reshape(size, size).T
    np.testing.assert_allclose(found, expected, atol=tolerances.LOCAL_JACOBIAN)


@pytest.mark.one_backend
def test_a_table_of_sides():
    """By which the nearest in log sigma is taken, of each image where the level is estimated."""
    images = pictures(5, 12, 10)
    table = [(1.0, 7), (0.01, 1), (0.1, 3)]
    denoiser = LocalBayes(images, table, "equivariant", sigma=0.5)
    assert denoiser.patch == [(0.01, 1), (0.1, 3), (1.0, 7)]
    blind = LocalBayes(images, table)
    noisy = np.concatenate([noisy_of(images[:1], sigma) for sigma in (0.012, 0.05, 0.7)])
    levels = ops.convert_to_numpy(blind.estimate_sigma(noisy))
    blind_sides = [blind.residual_layer.sides.of(level) for level in levels]
    assert len({*blind_sides}) > 1
    denoised = kg.denoise(blind, noisy)
    for at, (sigma, side) in enumerate([(0.012, 1), (0.05, 3), (0.7, 7)]):
        image, level = noisy[at : at + 1], levels[at].item()
        denoiser.set_sigma(sigma)
        expected = LocalBayes(images, side, "equivariant", sigma=sigma).denoise(image)
        np.testing.assert_allclose(denoiser.denoise(image), expected, atol=1e-6)
        expected = LocalBayes(images, blind_sides[at], sigma=level).denoise(image)
        np.testing.assert_allclose(denoised[at : at + 1], expected, atol=1e-6)


@pytest.mark.one_backend
def test_derivatives_at_a_table_of_sides():
    """Which is looked into when the level is known: while it is computed."""
    images = pictures(3, 3, 3)
    noisy = noisy_of(images[:2], 0.1)
    known = LocalBayes(images, [(0.1, 3), (1, 1)], sigma=0.1)
    same = LocalBayes(images, 3, sigma=0.1)
    given, expected = (Linearizer(denoiser).at(noisy[1]) for denoiser in (known, same))
    for name in ("apply", "apply_transposed"):
        products = [getattr(jacobian, name)(noisy) for jacobian in (given, expected)]
        np.testing.assert_allclose(*products, atol=1e-5)


@pytest.mark.one_backend
def test_the_estimated_noise_level():
    images = pictures(4, 33, 40, 3)
    blind = LocalBayes(images, 3)
    for sigma in (0.1, 0.5):
        found = ops.convert_to_numpy(blind.estimate_sigma(noisy_of(images, sigma)))
        np.testing.assert_allclose(found, sigma, rtol=0.1)
    # Of what has no noise there is none, and the nearest are taken.
    np.testing.assert_allclose(kg.denoise(blind, np.full((1, 33, 40, 3), 0.5)) >= 0, True)
    with pytest.raises(InputError, match="give sigma"):
        LocalBayes(images[:, :1], 3)


@pytest.mark.one_backend
def test_they_go_where_networks_go(tmp_path):
    images = pictures(10)
    noisy = noisy_of(images[:2], 0.1)
    schedule = AscentSchedule(beta=1, sigma_end=0.05)
    for denoiser, kind in [*denoisers_of(images, None), *denoisers_of(images, 0.1)]:
        save_denoiser(denoiser, tmp_path / "x.keras")
        loaded = load_denoiser(tmp_path / "x.keras")
        assert loaded.get_config() == denoiser.get_config()
        np.testing.assert_array_equal(kg.denoise(loaded, noisy), kg.denoise(denoiser, noisy))
        with pytest.raises(InputError, match="made for 8x8"):
            kg.denoise(loaded, noisy[:, :4])
        if loaded.residual_layer.sigma is None and kind in {"equivariant", "masked"}:
            samples = sample(loaded, (8, 8, 1), count=2, schedule=schedule)
            assert np.isfinite(samples.images).all()
        elif loaded.residual_layer.sigma is not None:
            other = type(loaded).from_config(loaded.at(0.3).get_config())
            assert other.get_config() == loaded.get_config()
            assert np.abs(loaded.at(1).denoise(noisy) - loaded.denoise(noisy)).max() > 0.01
    table = LocalBayes(images, [(0.1, 3), (1, 5)], sigma=0.1)
    save_denoiser(table, tmp_path / "table.keras")
    assert load_denoiser(tmp_path / "table.keras").get_config() == table.get_config()
    assert kg.eigenbasis(table, noisy[0], count=4).shrinkage.shape == (4,)


@pytest.mark.one_backend
def test_what_makes_none():
    images = pictures(3)
    for options, expected in (
        ({"patch": 4}, "odd number of pixels"),
        ({"patch": 0}, "odd number of pixels"),
        ({"patch": 3.0}, "odd number of pixels"),
        ({"patch": "3"}, "odd number of pixels"),
        ({"patch": []}, "a table of 0"),
        ({"patch": [3, 5]}, "no table of sides"),
        ({"patch": [(0.1, 2)]}, "odd number of pixels"),
        ({"patch": [(0, 3)]}, "a level above 0"),
        ({"patch": [(0.1, 3), (0.1, 5)]}, "twice"),
        ({"patch": 3, "rule": "global"}, "local or equivariant"),
        ({"patch": 3, "boundary": "mirror"}, "cut or wrap"),
        ({"patch": 3, "rule": "bordered", "boundary": "wrap"}, "no border"),
        ({"patch": 3, "sigma": 0}, "above 0"),
    ):
        with pytest.raises(InputError, match=expected):
            LocalBayes(images, **options)
    with pytest.raises(InputError, match="from 0 to below 1"):
        MaskedBayes(images, threshold=1)
