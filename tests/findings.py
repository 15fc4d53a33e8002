"""Made-up findings of experiments."""

import numpy as np

from keras_gahr.analysis.psnr_curves import PSNRCurve
from keras_gahr.experiments.gap import Gap

SIGMAS = np.array([0.01, 0.1, 1.0])


def curve(slope, offset, images=50, spread=0.1):
    """A `PSNRCurve` of a slope, with an offset in dB at sigma = 1, and images that differ a little."""
    before = -20 * np.log10(SIGMAS)[:, None, None] + np.zeros((1, 2, images))
    after = offset + slope * before + spread * np.linspace(-1, 1, images)
    return PSNRCurve(SIGMAS, before, after)


def gap(width, spread=0.1, images=50):
    """A `Gap` of so many dB at all noise levels."""
    return Gap(curve(0.5, 20 + width, images, spread), curve(0.5, 20, images, spread))
