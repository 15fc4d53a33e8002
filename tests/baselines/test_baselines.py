"""The baselines against NumPy in float64."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import pywt
import tolerances
from keras import ops

from keras_gahr import InputError, load_denoiser, save_denoiser
from keras_gahr.analysis.psnr_curves import psnr_curve
from keras_gahr.baselines import (
    EmpiricalBayes,
    LocalBayes,
    OracleThresholding,
    Wiener,
    empirical_bayes,
)
from keras_gahr.baselines.bases import separable_basis, wavelet_coefficients
from keras_gahr.datasets import band_arrays
from keras_gahr.denoisers import Inference
from keras_gahr.sampling import AscentSchedule, sample


def faces(count, height=8, width=10, channels=1, seed=0):
    """Smooth random images, uint8, some of them nearly equal."""
    rng = np.random.default_rng(seed)
    images = np.cumsum(rng.standard_normal((count, height, width, channels)), axis=2)
    images = 128 + 40 * images / images.std()
    images[1::7] = images[::7][: len(images[1::7])] + rng.integers(2, size=images[1::7].shape)
    return np.clip(images, 0, 255).astype(np.uint8)


def noisy_of(images, sigma, seed=1):
    noise = np.random.default_rng(seed).standard_normal(images.shape)
    return (images / 255 + sigma * noise).astype(np.float32)


def posterior_mean(images, noisy, sigma):
    x, y = (np.float64(a.reshape(len(a), -1)) for a in (images, noisy))
    x = x / 255 if images.dtype == np.uint8 else x
    logits = -np.sum((y[:, None] - x) ** 2, axis=2) / (2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True) @ x).reshape(noisy.shape)


def test_the_empirical_bayes_optimum(monkeypatch):
    images = faces(90, channels=3)
    monkeypatch.setattr(empirical_bayes, "_BLOCK_VALUES", 20 * images[0].size)
    denoiser = EmpiricalBayes(images, sigma=2)
    assert len(denoiser.residual_layer.blocks) == 5
    # Compiled once: the noise level is read at each call.
    inference = Inference(denoiser, batch_size=6)
    clean = np.concatenate([images[:9], faces(3, channels=3, seed=5)])
    for sigma in (0.01, 0.05, 0.3, 1.0):
        denoiser.set_sigma(sigma)
        noisy = noisy_of(clean, sigma)
        np.testing.assert_allclose(
            inference.denoise(noisy),
            posterior_mean(images, noisy, sigma),
            atol=tolerances.EMPIRICAL_BAYES,
        )


def test_the_optimum_among_many_near_copies():
    """Of which only some have their distances from differences."""
    rng = np.random.default_rng(4)
    image, noise = rng.random((1, 24, 24, 1)), rng.standard_normal((100, 24, 24, 1))
    copies = (image + np.geomspace(1e-4, 1e-2, 100)[:, None, None, None] * noise).clip(0, 1)
    images = np.concatenate([copies, rng.random((50, 24, 24, 1))]).astype(np.float32)
    for sigma in (0.003, 0.02):
        noisy = (images[[10, 60]] + sigma * rng.standard_normal((2, 24, 24, 1))).astype(np.float32)
        np.testing.assert_allclose(
            Inference(EmpiricalBayes(images, sigma=sigma)).denoise(noisy),
            posterior_mean(images, noisy, sigma),
            atol=tolerances.EMPIRICAL_BAYES,
        )


def test_the_most_likely_noise_level():
    images = faces(60)
    blind = EmpiricalBayes(images.astype(np.float32) / 255)
    for sigma in (0.02, 0.2):
        noisy = noisy_of(images[:4], sigma)
        levels = np.geomspace(sigma / 2, sigma * 2, 2000)
        estimated = ops.convert_to_numpy(blind.estimate_sigma(noisy))
        x, y = images.reshape(60, -1) / 255, np.float64(noisy.reshape(4, -1))
        squares = np.sum((y[:, None] - x) ** 2, axis=2)
        likelihood = [
            np.logaddexp.reduce(-squares / (2 * level**2), axis=1) - x.shape[1] * np.log(level)
            for level in levels
        ]
        np.testing.assert_allclose(estimated, levels[np.argmax(likelihood, axis=0)], rtol=5e-3)
    with pytest.raises(InputError, match="estimates"):
        blind.set_sigma(0.1)


@pytest.mark.parametrize(("count", "sigma"), [(40, 0.1), (300, 0.03), (300, 0.4)])
def test_the_wiener_filter(count, sigma):
    images = faces(count, height=6, width=10)
    x = images.reshape(count, -1) / 255
    mean, covariance = x.mean(axis=0), np.cov(x.T, bias=True)
    noisy = noisy_of(faces(5, height=6, width=10, seed=3), sigma)
    deviations = noisy.reshape(5, -1) - mean
    gain = covariance @ np.linalg.inv(covariance + sigma**2 * np.eye(60))
    expected = (mean + deviations @ gain.T).reshape(noisy.shape)
    found = Inference(Wiener.from_images(images, sigma=sigma)).denoise(noisy)
    np.testing.assert_allclose(found, expected, atol=tolerances.WIENER)

    blind = Wiener.from_images(images)
    levels = np.geomspace(sigma / 3, 3 * sigma, 1000)
    variances, vectors = np.linalg.eigh(covariance)
    powers = (deviations @ vectors) ** 2
    spread = np.maximum(variances, 0) + levels[:, None] ** 2
    cost = powers @ (1 / spread).T + np.log(spread).sum(axis=1)
    expected = levels[cost.argmin(axis=1)]
    estimated = ops.convert_to_numpy(blind.estimate_sigma(noisy))
    np.testing.assert_allclose(estimated, expected, rtol=1e-2)


@pytest.mark.one_backend
@pytest.mark.parametrize("count", [20, 200])
def test_training_images_beyond_black_and_white(count):
    """Such as details of wavelets, half of which are negative."""
    bands = band_arrays(faces(count, height=6, width=8))
    assert bands.min() < -0.1
    sigma = 0.1
    noise = np.random.default_rng(2).standard_normal((3, *bands.shape[1:]))
    noisy = (bands[:3] + sigma * noise).astype(np.float32)
    optimum = EmpiricalBayes(bands, sigma=sigma).denoise(noisy)
    np.testing.assert_allclose(
        optimum, posterior_mean(bands, noisy, sigma), atol=tolerances.EMPIRICAL_BAYES
    )
    x = np.float64(bands.reshape(count, -1))
    mean, covariance = x.mean(axis=0), np.cov(x.T, bias=True)
    gain = covariance @ np.linalg.inv(covariance + sigma**2 * np.eye(x.shape[1]))
    expected = (mean + (noisy.reshape(3, -1) - mean) @ gain.T).reshape(noisy.shape)
    found = Wiener.from_images(bands, sigma=sigma).denoise(noisy)
    np.testing.assert_allclose(found, expected, atol=tolerances.WIENER)


@pytest.mark.parametrize("basis", ["dct", "haar", "db3"])
def test_bases_are_orthonormal(basis):
    found = separable_basis(basis, 16, 24)
    images = np.random.default_rng(0).standard_normal((3, 16, 24, 2)).astype(np.float32)
    coefficients = found.analysis(images)
    back = ops.convert_to_numpy(found.synthesis(coefficients))
    coefficients = ops.convert_to_numpy(coefficients)
    np.testing.assert_allclose(back, images, atol=1e-5)
    power = [np.sum(np.float64(a) ** 2) for a in (images, coefficients)]
    assert power[0] == pytest.approx(power[1], rel=1e-5)
    if basis == "haar":
        low, (horizontal, *_), *_ = pywt.wavedec2(
            images[0, ..., 0], "haar", "periodization", level=3
        )
        np.testing.assert_allclose(coefficients[0, :2, :3, 0], low, atol=1e-5)
        np.testing.assert_allclose(coefficients[0, 2:4, :3, 0], horizontal, atol=1e-5)


@pytest.mark.one_backend
@pytest.mark.parametrize("side", [6, 16, 40, 48, 80, 81])
def test_wavelets_take_as_many_levels_as_they_say(side):
    """A flat image has coefficients in the low band alone. It is halved to 5 at most if one filter of
    db4, of 8 numbers, fits into 10, and to 10 if two must.
    """
    halvings = sum(side % 2**k == 0 for k in (1, 2, 3, 4))
    levels = min(halvings, pywt.dwt_max_level(side, "db4"))
    found = wavelet_coefficients(np.ones((side, side, 1)), "db4")
    assert np.count_nonzero(abs(found) > 1e-9) == (side >> levels) ** 2
    levels = sum(side % 2**k == 0 and side >> (k - 1) >= 8 for k in (1, 2, 3, 4))
    if levels:
        assert len(separable_basis("db4", side, side).levels) == levels
    else:
        with pytest.raises(InputError, match="at least 8"):
            separable_basis("db4", side, side)


@pytest.mark.parametrize("rule", ["threshold", "shrinkage"])
def test_an_oracle_in_the_cosine_basis(rule):
    images, sigma = faces(3), 0.1
    noisy = noisy_of(images, sigma)
    clean = np.float32(images / 255)
    from scipy.fft import dctn, idctn

    known, found = (dctn(x, axes=(1, 2), norm="ortho") for x in (np.float64(clean), noisy))
    gain = known**2 > sigma**2 if rule == "threshold" else known**2 / (known**2 + sigma**2)
    expected = idctn(gain * found, axes=(1, 2), norm="ortho")
    oracle = OracleThresholding(clean.shape[1:], rule=rule, sigma=sigma)
    result = Inference(oracle).denoise(np.concatenate([clean, noisy], axis=-1))
    np.testing.assert_allclose(result, expected, atol=tolerances.WIENER)
    blind = OracleThresholding(clean.shape[1:], rule=rule, clean=clean[1])
    level = np.sqrt(np.mean((noisy[1] - clean[1]) ** 2))
    assert float(blind.estimate_sigma(noisy[1:2])[0]) == pytest.approx(level, rel=1e-5)
    assert Inference(blind).denoise(noisy[1:2]).shape == (1, 8, 10, 1)


@pytest.mark.one_backend
def test_they_are_sampled_from_and_measured_as_networks_are():
    images = faces(20, height=8, width=8)
    schedule = AscentSchedule(beta=0.5, sigma_end=0.02)
    memorizer = EmpiricalBayes(images)
    samples = sample(memorizer, (8, 8, 1), count=3, schedule=schedule)
    assert samples.status == ("converged",) * 3
    distance = np.abs(samples.images[:, None] - images / 255).max(axis=(2, 3, 4)).min(axis=1)
    # Some training images are nearly equal, and then it ends between them.
    assert distance.max() < 2 / 255
    gaussian = sample(Wiener.from_images(images), (8, 8, 1), count=2, schedule=schedule)
    assert np.isfinite(gaussian.images).all()
    clean = np.float32(images[:4] / 255)
    curve = psnr_curve(Inference(memorizer), clean, (0.02, 0.05))
    assert (curve.mean > curve.input_psnr + 10).all()


def test_files(tmp_path):
    images = faces(12)
    noisy = noisy_of(images[:2], 0.1)
    clean = np.float32(images[0] / 255)
    for denoiser in (
        EmpiricalBayes(images, sigma=0.1, provenance={"source": "a test"}),
        Wiener.from_images(images),
        OracleThresholding(clean.shape, "haar", clean=clean),
    ):
        save_denoiser(denoiser, tmp_path / "x.keras")
        loaded = load_denoiser(tmp_path / "x.keras")
        assert loaded.provenance == denoiser.provenance
        np.testing.assert_array_equal(
            Inference(loaded).denoise(noisy), Inference(denoiser).denoise(noisy)
        )
        with pytest.raises(InputError, match="made for 8x10"):
            Inference(loaded).denoise(noisy[:, :4])


@pytest.mark.one_backend
def test_the_command_line_loads_them(tmp_path):
    """It imports no more than it needs, and so knows no baseline before it meets one."""
    save_denoiser(Wiener.from_images(faces(12)), tmp_path / "x.keras")
    np.save(tmp_path / "noisy.npy", noisy_of(faces(1), 0.1))
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, root / "cli.py", "denoise", "x.keras", "noisy.npy", "--out", "y.npy"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "y.npy").shape == (1, 8, 10, 1)


@pytest.mark.one_backend
def test_what_makes_no_baseline():
    images = faces(3)
    with pytest.raises(InputError, match=r"expected \(H, W\)"):
        EmpiricalBayes(images[0, 0, 0])
    with pytest.raises(InputError, match="above 0"):
        EmpiricalBayes(images, sigma=0)
    with pytest.raises(InputError, match="one column"):
        Wiener(np.zeros((4, 4, 1)), np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(InputError, match="haar or db4"):
        OracleThresholding((8, 8, 1), "bior2.2")
    with pytest.raises(InputError, match="even sides"):
        OracleThresholding((9, 8, 1), "haar")
    with pytest.raises(InputError, match="threshold or shrinkage"):
        OracleThresholding((8, 8, 1), rule="hard")
    with pytest.raises(InputError, match="clean image"):
        OracleThresholding((8, 8, 1), clean=np.zeros((8, 9)))


def test_a_baseline_of_another_level():
    images = faces(5)
    noisy = noisy_of(images, 0.1)
    known, blind = (Wiener.from_images(images, sigma=sigma) for sigma in (0.1, None))
    other = known.at(0.3)
    expected = Wiener.from_images(images, sigma=0.3).denoise(noisy)
    np.testing.assert_allclose(other.denoise(noisy), expected, atol=1e-6)
    assert np.abs(known.denoise(noisy) - expected).max() > 0.01
    assert blind.at(0.3) is blind


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone says so for each product")
@pytest.mark.parametrize("local", [False, True])
def test_no_product_of_matrices_may_be_rounded_to_tf32(local):
    import jax

    images = np.random.default_rng(0).integers(256, size=(6, 8, 8, 1), dtype=np.uint8)
    denoiser = (
        LocalBayes(images, 3, "equivariant", sigma=0.1)
        if local
        else Wiener.from_images(images, sigma=0.1)
    )
    program = str(jax.make_jaxpr(lambda noisy: denoiser(noisy))(np.zeros((2, 8, 8, 1), np.float32)))
    exact = program.count("precision=(Precision.HIGHEST, Precision.HIGHEST)")
    assert exact == program.count("dot_general[") > 0
