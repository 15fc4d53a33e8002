"""Whether a denoiser leaves images no closer to the clean ones than they were."""

import warnings

import numpy as np

from .intervals import mean_interval

NO_GOOD = "the denoiser does no good at"
"""How the warning begins."""

_LARGE = 0.2
"""A noise level from which on the best share of any images in [0, 1] is at most 1 / (1 + 4 sigma^2) = .86."""

_LEAST, _LEAST_OF_LARGE = 1.1, 0.99
"""Shares that are too large; as the noise falls those of the best denoisers, too, come close to 1."""

_SURE = 0.98
"""What the 95% interval of a share that is too large lies above."""


def warn_of_harm(sigmas, shares, what, stacklevel):
    """Warns if there are noise levels at which the images might as well be left as they are.

    Args:
        sigmas: the noise levels, (K,).
        shares: for each of N images what is 1 of one that is left as it is, (N, K).
        what: that is, such as a formula.
        stacklevel: see `warnings.warn`, of the caller.
    """
    means = np.mean(shares, axis=0)
    least = np.where(np.asarray(sigmas) < _LARGE, _LEAST, _LEAST_OF_LARGE)
    harmful = [k for k in np.flatnonzero(means > least) if _is_sure(shares[:, k])]
    if not harmful:
        return
    levels = [f"{level:.3g}" for level in sorted(sigmas[k] for k in harmful)]
    warnings.warn(
        f"{NO_GOOD} {len(harmful)} of {len(sigmas)} noise levels, sigma = "
        f"{' to '.join(dict.fromkeys((levels[0], levels[-1])))}: {what} is up to "
        f"{means[harmful].max():.3g} there, and 1 where images are left as they are; it is not the best "
        "denoiser of a law that has such images",
        stacklevel=stacklevel + 1,
    )


def _is_sure(values):
    """Whether the mean is not that high by the chance of which images these are."""
    low, _ = mean_interval(values)
    return np.isnan(low) or low > _SURE
