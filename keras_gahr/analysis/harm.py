"""Whether a denoiser leaves images further from the clean ones than they were."""

import warnings

import numpy as np

from .intervals import mean_interval

DOES_HARM = "the denoiser does harm at"
"""How the warning begins."""

_LEAST = 1.1
"""What is more by less is no matter of being worse: best denoisers come close to 1 as the noise falls."""


def warn_of_harm(sigmas, shares, what, stacklevel):
    """Warns if there are noise levels at which the images had better be left as they are.

    Args:
        sigmas: the noise levels, (K,).
        shares: for each of N images what is 1 of one that is left as it is, (N, K).
        what: that is, such as a formula.
        stacklevel: see `warnings.warn`, of the caller.
    """
    means = np.mean(shares, axis=0)
    harmful = [k for k, mean in enumerate(means) if mean > _LEAST and _is_sure(shares[:, k])]
    if not harmful:
        return
    levels = [f"{level:.3g}" for level in sorted(sigmas[k] for k in harmful)]
    warnings.warn(
        f"{DOES_HARM} {len(harmful)} of {len(sigmas)} noise levels, sigma = "
        f"{' to '.join(dict.fromkeys((levels[0], levels[-1])))}: {what} is up to "
        f"{means[harmful].max():.3g} there, and 1 where images are left as they are; it is not the best "
        "denoiser of a law that has such images",
        stacklevel=stacklevel + 1,
    )


def _is_sure(values):
    """Whether the mean is above 1, and not by the chance of which images these are."""
    low, _ = mean_interval(values)
    return np.isnan(low) or low > 1
