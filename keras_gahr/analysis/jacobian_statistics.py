"""What the whole spectrum of a denoiser's Jacobian says: dimension, trace, symmetry.

For the best denoiser J is the posterior's covariance divided by sigma^2: symmetric, with no negative
eigenvalue, and with MSE = sigma^2 E tr J. (arXiv 2310.02557, equations 5 and 6.)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from keras_gahr.noise import check_seed, check_whole, parse_sigma

from .intervals import standard_error
from .traces import PROBES, probe_signs

if TYPE_CHECKING:
    from .jacobian import Jacobian


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Numbers of a Jacobian J.

    Attributes:
        trace: tr J; sigma^2 tr J / d is an unbiased estimate of the best denoiser's mean squared
            error.
        effective_dimension: the sum of the squared singular values, |J|_F^2.
        asymmetry: |J - J^T|_F / |J|_F; 0 for a symmetric matrix, 2 for a skew one.
        trace_error, effective_dimension_error, asymmetry_error: standard errors, 0 where exact.
        products: with J or its transpose that were needed, beyond the matrix.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import matrix_statistics
        >>> found = matrix_statistics(np.diag([2.0, 1.0]))
        >>> found.trace, found.effective_dimension, found.asymmetry
        (3.0, 5.0, 0.0)
    """

    trace: float
    effective_dimension: float
    asymmetry: float
    trace_error: float = 0.0
    effective_dimension_error: float = 0.0
    asymmetry_error: float = 0.0
    products: int = 0


def matrix_statistics(matrix: np.ndarray) -> Statistics:
    """Exact `Statistics` of a matrix (d, d).

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import matrix_statistics
        >>> matrix_statistics(np.eye(4, dtype=np.float32)).trace
        4.0
    """
    power = float(np.sum(np.square(matrix), dtype=np.float64))
    difference = float(np.sum(np.square(matrix - matrix.T), dtype=np.float64))
    asymmetry = np.sqrt(difference / power) if power else 0.0
    return Statistics(float(np.trace(matrix, dtype=np.float64)), power, float(asymmetry))


def probe_statistics(jacobian: Jacobian, probes: int = PROBES, seed: int = 0) -> Statistics:
    """`Statistics` estimated from products with random signs z, by Hutchinson's method.

    E <z, J z> = tr J, E |J z|^2 = E |J^T z|^2 = |J|_F^2, E |J z - J^T z|^2 = |J - J^T|_F^2.

    Args:
        jacobian: a `Jacobian`.
        probes: number of z, at least 2; twice as many products.
        seed: of z.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> jacobian = kg.analysis.Linearizer(denoiser).at(np.full((8, 8), 0.5))
        >>> kg.analysis.probe_statistics(jacobian, probes=4).products
        8
    """
    probes = check_whole(probes, "probes", 2)
    signs = probe_signs(check_seed(seed), 0, range(probes), jacobian.shape)
    forward, back = (
        products.reshape(probes, -1).astype(np.float64)
        for products in (jacobian.apply(signs), jacobian.apply_transposed(signs))
    )
    traces = np.sum(signs.reshape(probes, -1) * forward, axis=1)
    powers, differences = _powers(forward, back)
    power = powers.mean() or 1.0
    asymmetry = np.sqrt(differences.mean() / power)
    # The first-order error of a ratio's root.
    spread = standard_error(differences - asymmetry**2 * powers)
    return Statistics(
        float(traces.mean()),
        float(powers.mean()),
        float(asymmetry),
        float(standard_error(traces)),
        float(standard_error(powers)),
        float(spread / (2 * power * asymmetry)) if asymmetry else 0.0,
        2 * probes,
    )


def asymmetry_of_products(forward: np.ndarray, back: np.ndarray) -> float:
    """`Statistics.asymmetry` from products with J and its transpose, (probes, H, W, C)."""
    products = (each.reshape(len(each), -1).astype(np.float64) for each in (forward, back))
    powers, differences = _powers(*products)
    return float(np.sqrt(differences.mean() / (powers.mean() or 1.0)))


def _powers(forward, back):
    """|J z|^2, of both products the mean, and |J z - J^T z|^2, (probes,) each."""
    powers = (np.sum(forward**2, axis=1) + np.sum(back**2, axis=1)) / 2
    return powers, np.sum((forward - back) ** 2, axis=1)


def oracle_shrinkage(coefficients: np.ndarray, sigma: float) -> np.ndarray:
    """The best factors for noisy coefficients whose clean values are known.

    <x, e>^2 / (<x, e>^2 + sigma^2) (arXiv 2310.02557, section 3), between 0 and 1.

    Args:
        coefficients: of the clean image in an orthonormal basis.
        sigma: noise level of a coefficient, in the same units.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import oracle_shrinkage
        >>> oracle_shrinkage(np.array([1.0, 3.0]), 1.0)
        array([0.5, 0.9])
    """
    power, noise = np.square(np.asarray(coefficients, np.float64)), parse_sigma(sigma) ** 2
    return np.divide(power, power + noise, out=np.ones_like(power), where=power + noise > 0)
