"""When a training generalized, and when it began to memorize, from its looks.

Bonnaire et al. (2025, arXiv 2505.17638) call these tau_gen, which does not depend on the number of
training images, and tau_mem, which is proportional to it.
"""

import math
from collections.abc import Sequence

from .look import GAP_ERRORS, SHARE, Look

NEAR_BEST = 0.05
"""A test error this share above the best one is as good."""


def generalization_time(looks: Sequence[Look]) -> int | None:
    """tau_gen: the step of the first look whose test error is within 5% of the run's best.

    Returns:
        None without test images.
    """
    errors = [look.test_error for look in looks]
    known = [error for error in errors if math.isfinite(error)]
    if not known:
        return None
    limit = (1 + NEAR_BEST) * min(known)
    return next(look.step for look, error in zip(looks, errors, strict=True) if error <= limit)


def first_memorizing(looks: Sequence[Look], gap_errors: float = GAP_ERRORS) -> Look | None:
    """The first look that shows memorization, by samples or by the gap; None if there is none."""
    return next((look for look in looks if look.memorizes(gap_errors)), None)


def memorization_time(looks: Sequence[Look]) -> int | None:
    """tau_mem: the step of the first look where the 95% interval of f_mem lies above 5%.

    Returns:
        None if there is none.
    """
    return next((look.step for look in looks if look.f_mem_low > SHARE), None)
