"""PSNR curves of runs, against those of NumPy."""

import numpy as np

from keras_gahr.experiments.bases import measure_linear_curve
from keras_gahr.experiments.c_alpha.experiment import CAlphaRates
from keras_gahr.psnr import add_noise, psnr
from keras_gahr.reproduction.settings import replaced


def test_the_best_linear_denoiser_knows_the_level(pretend):
    settings = replaced(
        CAlphaRates.scales["smoke"], images=300, curve_images=16, size=8, slope_low=0.02
    )
    (run, *_) = pretend(CAlphaRates().trainings(settings))
    curve = measure_linear_curve(run, settings.bases, settings.network)
    train, test = (part.as_float().reshape(len(part), -1) for part in run.split())
    test = test[:16]
    mean, covariance = train.mean(axis=0), np.cov(train.T, bias=True)
    for sigma, found in zip(settings.bases.sigmas(), curve.after[:, 0], strict=True):
        noisy = add_noise(test.reshape(16, 8, 8, 1), sigma, settings.network.seed)
        gain = np.linalg.solve(covariance + sigma**2 * np.eye(64), covariance)
        denoised = mean + (noisy.reshape(16, -1) - mean) @ gain
        # The denoiser computes in float32.
        np.testing.assert_allclose(found, psnr(test, denoised), atol=2e-3)
    np.testing.assert_allclose(curve.sigmas, settings.bases.sigmas())
