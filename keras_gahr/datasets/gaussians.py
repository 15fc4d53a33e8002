"""Mixtures of Gaussians as laws of images, in float64.

Class k has a mean, some orthonormal directions with variances of their own, and one variance, the floor,
in all other directions:

    C_k = V_k diag(v_k) V_k^T + f_k (I - V_k V_k^T).

A floor of 0 makes a class of low rank, any other one a full covariance. With noise of level sigma each
variance grows by sigma^2, so that densities, posterior means and their derivatives are known.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError
from keras_gahr.noise import check_units, level_of
from keras_gahr.result import Result

from .stacks import as_one_exact, as_stack, exact_values


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MixtureOfGaussians(Result):
    """A law of images whose density and best denoiser are known.

    Attributes:
        weights: (K,), probabilities of the classes; they are divided by their sum.
        means: (K, H, W, C), of the classes, in units of [0, 1].
        bases: (K, d, R), d = H W C: orthonormal columns for each class. Columns of zeros fill up where a
            class has fewer than R.
        variances: (K, R), of the coefficients along them.
        floors: (K,), the variance in every other direction of each class; one number for all.

    All are float64.

    Raises:
        InputError: for shapes that do not fit, weights that are not above 0, negative variances, and
            columns of another norm.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import MixtureOfGaussians
        >>> means = np.stack([np.full((4, 4, 1), 0.3), np.full((4, 4, 1), 0.7)])
        >>> law = MixtureOfGaussians([0.5, 0.5], means, np.zeros((2, 16, 1)), np.zeros((2, 1)), [0.01, 0.01])
        >>> law.log_density(means, sigma=0.1).round(2)
        array([15.9, 15.9])
    """

    weights: np.ndarray
    means: np.ndarray
    bases: np.ndarray
    variances: np.ndarray
    floors: Any = 0.0

    def __post_init__(self) -> None:
        weights, means, bases, variances = (
            _numbers(getattr(self, name), name)
            for name in ("weights", "means", "bases", "variances")
        )
        floors = _numbers(self.floors, "floors")
        floors = np.full(weights.shape, floors) if floors.ndim == 0 else floors
        shapes = means.shape[:1], (*means.shape[:1], math.prod(means.shape[1:]), *bases.shape[2:])
        if (
            means.ndim != 4
            or bases.ndim != 3
            or not means.size
            or (weights.shape, bases.shape) != shapes
        ):
            raise InputError(
                f"received weights of shape {weights.shape}, means of {means.shape} and bases of "
                f"{bases.shape}, expected (classes,), (classes, height, width, channels) and (classes, "
                "pixel values, directions)"
            )
        if variances.shape != (len(means), bases.shape[2]) or floors.shape != weights.shape:
            raise InputError(
                f"received variances of shape {variances.shape} and floors of {floors.shape}, expected "
                f"{(len(means), bases.shape[2])} and {weights.shape}"
            )
        if weights.min() <= 0 or min(variances.min(initial=0), floors.min()) < 0:
            raise InputError("expected weights above 0 and variances of at least 0")
        if not bases.shape[2]:
            bases, variances = np.zeros((*bases.shape[:2], 1)), np.zeros((len(means), 1))
        norms = np.sum(bases**2, axis=1)
        filled = norms != 0
        if np.abs(norms - filled).max(initial=0) > 1e-3:
            raise InputError(
                "the columns of the bases have other norms than 1 (or 0): divide by them"
            )
        values = {
            "weights": weights / weights.sum(),
            "means": means,
            "bases": bases,
            # Then a column of zeros is one of the other directions in a sum over all columns.
            "variances": np.where(filled, variances, floors[:, None]),
            "floors": floors,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_covariances(
        cls, means: ArrayLike, covariances: ArrayLike, weights: ArrayLike | None = None
    ) -> Self:
        """The law of classes with any covariances.

        Args:
            means: (K, H, W, C) or (K, H, W), in units of [0, 1].
            covariances: (K, d, d), symmetric and not negative, d = H W C.
            weights: (K,); by default equal.

        Raises:
            InputError: for other shapes.

        Examples:
            >>> import numpy as np
            >>> from keras_gahr.datasets import MixtureOfGaussians
            >>> law = MixtureOfGaussians.from_covariances(np.full((1, 2, 2), 0.5), [0.01 * np.eye(4)])
            >>> law.bases.shape, law.variances.round(3).tolist()
            ((1, 4, 4), [[0.01, 0.01, 0.01, 0.01]])
        """
        means, covariances = _numbers(means, "means"), _numbers(covariances, "covariances")
        means = means[..., None] if means.ndim == 3 else means
        size = math.prod(means.shape[1:])
        if covariances.shape != (len(means), size, size):
            raise InputError(
                f"received means of shape {means.shape} and covariances of {covariances.shape}, "
                f"expected {(len(means), size, size)} for them"
            )
        variances, bases = np.linalg.eigh(covariances)
        equal = np.ones(len(means))
        # What is left of a variance of 0 after rounding may be negative.
        return cls(
            np.asarray(equal if weights is None else weights),
            means,
            bases,
            np.maximum(variances, 0),
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.means.shape[1:]

    @property
    def ranks(self) -> list[int]:
        """Directions of each class with variances of their own."""
        return np.any(self.bases != 0, axis=1).sum(axis=1).tolist()

    def log_density(self, images: ArrayLike, sigma: float = 0.0) -> np.ndarray:
        """log p(y) in nats, with respect to volume in units of [0, 1].

        Args:
            images: noisy ones, (N, H, W, C), or as `as_stack` takes them.
            sigma: the noise level, at least 0: p is the law of x + sigma z.

        Returns:
            float64 (N,).

        Raises:
            InputError: for images of another shape, and for sigma = 0 where a class has no density, as
                its covariance is not of full rank.
        """
        stack = self._check(as_stack(images, self.image_shape[-1], limits=None))
        flat = exact_values(stack).reshape(len(stack), -1)
        return np.logaddexp.reduce(self._log_joint(flat, self._power(sigma)), axis=1)

    def jacobian(self, image: ArrayLike, sigma: float) -> np.ndarray:
        """The derivative of the posterior mean E[x | y] in y, the posterior covariance over sigma^2.

        Args:
            image: y, (H, W, C), or (H, W) of one channel.
            sigma: the noise level, above 0.

        Returns:
            float64 (d, d), symmetric and not negative, d = H W C; 8 d^2 bytes.

        Raises:
            InputError: for an image of another shape, or sigma = 0.
        """
        flat = self._check(as_one_exact(image).reshape(1, *np.shape(image)[:2], -1)).reshape(1, -1)
        power = self._power(sigma)
        if power == 0:
            raise InputError("received sigma = 0, expected a noise level above 0")
        log_joint = self._log_joint(flat, power)[0]
        weights = np.exp(log_joint - np.logaddexp.reduce(log_joint))
        outside = self.floors / (self.floors + power)
        kept = self.variances / (self.variances + power) - outside[:, None]
        means = np.empty((len(weights), flat.size))
        jacobian = np.diag(np.full(flat.size, weights @ outside))
        for k, basis in enumerate(self.bases):
            deviation = flat[0] - self.means[k].reshape(-1)
            shrunk = outside[k] * deviation + basis @ (kept[k] * (deviation @ basis))
            means[k] = self.means[k].reshape(-1) + shrunk
            jacobian += (basis * (weights[k] * kept[k])) @ basis.T
        spread = (means - weights @ means) * np.sqrt(weights[:, None] / power)
        return jacobian + spread.T @ spread

    def draw(self, classes: np.ndarray, normals: np.ndarray, rest: np.ndarray | None) -> np.ndarray:
        """Images from standard normal numbers.

        Args:
            classes: (N,), from 0.
            normals: (N, R), coefficients along the directions of the class.
            rest: (N, d), for all other directions; None where no class has any variance there.

        Returns:
            float64 (N, H, W, C), not cut off at 0 and 1.
        """
        images = np.empty((len(classes), math.prod(self.image_shape)))
        for k, basis in enumerate(self.bases):
            own = classes == k
            coefficients = normals[own] * np.sqrt(self.variances[k])
            images[own] = self.means[k].reshape(-1) + coefficients @ basis.T
            if rest is not None:
                other = rest[own] - (rest[own] @ basis) @ basis.T
                images[own] += np.sqrt(self.floors[k]) * other
        return images.reshape(-1, *self.image_shape)

    def _check(self, stack):
        if stack.shape[1:] != self.image_shape:
            raise InputError(
                f"received images of shape {stack.shape[1:]}, expected {self.image_shape}, as the law has"
            )
        return stack

    def _power(self, sigma):
        if (sigma := check_units(level_of(sigma, "sigma"))) < 0:
            raise InputError(f"received sigma = {sigma}, expected a noise level of at least 0")
        return sigma**2

    def _log_joint(self, flat, power):
        """log of weight and density of each class at vectors (N, d): (N, K)."""
        size, found = flat.shape[1], np.empty((len(flat), len(self.weights)))
        for k, whole in enumerate(self.bases):
            filled = np.any(whole != 0, axis=0)
            basis, along = whole[:, filled], self.variances[k, filled] + power
            free, outside = size - basis.shape[1], self.floors[k] + power
            if along.min(initial=np.inf) <= 0 or (free and outside <= 0):
                raise InputError(
                    f"class {k} has no density without noise, as its covariance is not of full rank: "
                    "give a sigma above 0"
                )
            deviation = flat - self.means[k].reshape(-1)
            coefficients = deviation @ basis
            squares = np.sum(coefficients**2 / along, axis=1)
            logarithms = np.log(along).sum()
            if free:
                other = deviation - coefficients @ basis.T
                squares += np.sum(other**2, axis=1) / outside
                logarithms += free * np.log(outside)
            found[:, k] = np.log(self.weights[k]) - (squares + logarithms) / 2
        return found - size / 2 * np.log(2 * np.pi)


def _numbers(values, name):
    """Finite numbers, float64; whole ones mean what they are."""
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"received {name} {values!r:.80}, expected an array of numbers") from None
    if not np.isfinite(numbers).all():
        raise InputError(f"received {name} that are not finite, expected numbers")
    return numbers
