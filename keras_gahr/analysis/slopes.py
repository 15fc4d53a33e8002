"""How fast the PSNR of denoised images grows with that of noisy ones (arXiv 2310.02557, figure 4)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, level_of

from .intervals import mean_interval

if TYPE_CHECKING:
    from .psnr_curves import PSNRCurve


def optimal_slope(alpha: float) -> float:
    """alpha / (alpha + 1): the slope of the optimal denoiser of C^alpha images for small noise.

    Its mean squared error falls as sigma^(2 alpha / (alpha + 1)).

    Raises:
        InputError: unless alpha is above 0.

    Examples:
        >>> from keras_gahr.analysis import optimal_slope
        >>> optimal_slope(1.0)
        0.5
    """
    if (alpha := check_number(alpha, "alpha")) <= 0:
        raise InputError(f"received alpha = {alpha}, expected a regularity above 0")
    return alpha / (alpha + 1)


@dataclasses.dataclass(frozen=True)
class Slope:
    """The line of least squares through output PSNR against input PSNR -20 log10(sigma).

    Attributes:
        slope: dB per dB.
        interval: its 95% interval over images, (low, high); NaN for one image.
        intercept: of the line, dB at sigma = 1.
        low, high: the lowest and the highest noise level fitted.
        levels: how many noise levels were fitted.

    Examples:
        >>> from keras_gahr.analysis import Slope
        >>> slope = Slope(0.5, (0.4, 0.6), intercept=20.0, low=0.01, high=0.1, levels=4)
        >>> slope.interval
        (0.4, 0.6)
    """

    slope: float
    interval: tuple[float, float]
    intercept: float
    low: float
    high: float
    levels: int


def fit_slope(curve: PSNRCurve, low: float = 0.0, high: float = np.inf) -> Slope:
    """Fits the levels of a `PSNRCurve` from `low` to `high`.

    The slope is linear in the curve, so that the slope of the mean curve is the mean over images of
    each one's slope, whose interval is Student's.

    Raises:
        InputError: for fewer than two levels in that range.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import PSNRCurve, fit_slope
        >>> sigmas = np.array([0.01, 0.1, 1])
        >>> after = (20 - 10 * np.log10(sigmas))[:, None, None] * np.ones((3, 1, 4))
        >>> round(fit_slope(PSNRCurve(sigmas, after, after)).slope, 3)
        0.5
    """
    # A level that was written as 25/255 and one that was computed may differ by rounding.
    low = level_of(low, "low")
    high = high if high == np.inf else level_of(high, "high")
    chosen = (curve.sigmas >= low * (1 - 1e-9)) & (curve.sigmas <= high * (1 + 1e-9))
    if chosen.sum() < 2:
        raise InputError(
            f"{chosen.sum()} noise level(s) lie between {low:.4g} and {high:.4g}, expected at least "
            "two to fit a slope: widen the range or choose more levels"
        )
    before, after = curve.input_psnr[chosen], curve.after[chosen].mean(axis=1)
    slopes = _slopes(before, after)
    slope = float(slopes.mean())
    return Slope(
        slope=slope,
        interval=mean_interval(slopes),
        intercept=float(after.mean() - slope * before.mean()),
        low=float(curve.sigmas[chosen].min()),
        high=float(curve.sigmas[chosen].max()),
        levels=int(chosen.sum()),
    )


def image_slopes(curve):
    """The slope of each image of a `PSNRCurve` over all its levels, dB per dB, (N,)."""
    return _slopes(curve.input_psnr, curve.after.mean(axis=1))


def _slopes(before, after):
    """Of the lines of least squares through (S,) and each column of (S, N)."""
    centred = before - before.mean()
    return centred @ after / np.sum(centred**2)
