"""PSNR curves of runs."""

import numpy as np

from keras_gahr.analysis import psnr_curve
from keras_gahr.baselines import Wiener
from keras_gahr.experiments.bases import measure_linear_curve
from keras_gahr.experiments.c_alpha.experiment import CAlphaRates
from keras_gahr.reproduction.settings import replaced


def test_the_best_linear_denoiser_knows_the_level(pretend):
    settings = replaced(
        CAlphaRates.scales["smoke"], images=300, curve_images=16, size=8, slope_low=0.02
    )
    (run, *_) = pretend(CAlphaRates().trainings(settings))
    curve = measure_linear_curve(run, settings.bases, settings.network)
    train, test = run.split()
    for place, sigma in enumerate(settings.bases.sigmas()):
        known = Wiener.from_images(train.images, sigma=sigma)
        expected = psnr_curve(known, test.subset(16), [sigma], seed=settings.network.seed)
        np.testing.assert_allclose(curve.after[place], expected.after[0], rtol=1e-6)
