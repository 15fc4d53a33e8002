"""What `log_density` finds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..harm import warn_of_harm
from ..intervals import mean_interval
from ..saved_numbers import SavedNumbers, files_called

if TYPE_CHECKING:
    from keras_gahr.result import Figure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LogDensity(SavedNumbers):
    """log p(x) of N images of d values, of densities for values in [0, 1].

    Attributes:
        log_density: float64 (N,), in nats.
        standard_error: float64 (N,), in nats, over the noise that was drawn.
        reach: float64 (N,), half of the 95% intervals in nats.
        evaluations: int64 (N,), passes of the denoiser.
        dimension: d.
        method: one of `DENSITY_METHODS`.
        dequantization: level of the noise that was added to the images; 0 for none.
        sigmas: the lowest and the highest noise level that the denoiser was asked about; of "mmse" beside the
            noise that the images have, of "flow" with it.
        seed: of the noise.
        asymmetry: |J - J^T|_F / |J|_F of the denoiser's Jacobian at noisy images, their mean: 0 for the
            gradient of a density, which the best denoiser is; None where it was not measured.
        asymmetry_sigma: the noise level of these images.
        levels: noise levels of `errors`.
        errors: float64 (N, levels), |x - D(y)|^2 / (d sigma^2): the share of directions that are kept. "flow"
            has tr J / d in its place, which is the same in the mean for the best denoiser. Between it and
            1 / (1 + sigma^2), that of unit variance, is an area over log sigma that is log p(x) / d but for a
            constant.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import LogDensity
        >>> d = 100
        >>> options = (d, "mmse", 0.0, (0.001, 1.0), 0)
        >>> found = LogDensity(np.array([69.3]), np.array([0.7]), np.array([1.4]), np.array([400]), *options)
        >>> found.bits_per_dimension.round(2), found.bits_error.round(2)
        (array([-1.]), array([0.01]))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("density")
    SHOWN: ClassVar[tuple[str, ...]] = ("bits_per_dimension",)

    log_density: np.ndarray
    standard_error: np.ndarray
    reach: np.ndarray
    evaluations: np.ndarray
    dimension: int
    method: str
    dequantization: float
    sigmas: tuple[float, float]
    seed: int
    asymmetry: float | None = None
    asymmetry_sigma: float | None = None
    levels: tuple[float, ...] = ()
    errors: np.ndarray | None = None

    @property
    def bits_per_dimension(self) -> np.ndarray:
        """-log2 p / d, (N,); 8 more for values in 0 to 256."""
        return -self.log_density / (self.dimension * np.log(2))

    @property
    def bits_error(self) -> np.ndarray:
        """The standard error of `bits_per_dimension`, (N,)."""
        return self.standard_error / (self.dimension * np.log(2))

    @property
    def interval(self) -> np.ndarray:
        """95% intervals of `log_density` in nats, (N, 2)."""
        return self.log_density[:, None] + self.reach[:, None] * np.array([-1, 1])

    @property
    def order(self) -> np.ndarray:
        """Indices of the images, the most probable first."""
        return np.argsort(-self.log_density, kind="stable")

    def warn_of_harm(self, stacklevel: int = 1) -> None:
        """Warns if there are noise levels at which images had better be left as they are.

        Args:
            stacklevel: see `warnings.warn`, of the caller.
        """
        if self.errors is not None:
            what = "tr J / d" if self.method == "flow" else "|x - D(y)|^2 / (d sigma^2)"
            warn_of_harm(self.levels, self.errors, what, stacklevel + 1)

    def _curve(self) -> list[dict[str, float | None]]:
        """Means of `errors` over images with 95% intervals, at ascending noise levels."""
        if self.errors is None:
            return []
        rows = []
        for sigma, values in sorted(zip(self.levels, self.errors.T, strict=True)):
            ends = mean_interval(values)
            low, high = (None, None) if np.isnan(ends[0]) else ends
            rows.append({"sigma": sigma, "error": float(values.mean()), "low": low, "high": high})
        return rows

    def numbers(self) -> dict[str, Any]:
        """Means and all values, as JSON has them."""
        bits = self.bits_per_dimension
        low, high = mean_interval(bits)
        return {
            "method": self.method,
            "images": len(bits),
            "dimension": self.dimension,
            "dequantization": self.dequantization,
            "sigmas": list(self.sigmas),
            "seed": self.seed,
            "asymmetry": self.asymmetry,
            "asymmetry_sigma": self.asymmetry_sigma,
            "evaluations": self.evaluations.tolist(),
            "mean_bits_per_dimension": float(bits.mean()),
            "mean_bits_per_dimension_95": None if np.isnan(low) else [low, high],
            "bits_per_dimension": bits.tolist(),
            "bits_error": self.bits_error.tolist(),
            "log_density": self.log_density.tolist(),
            "standard_error": self.standard_error.tolist(),
            "errors_of_denoising": self._curve(),
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: bits per dimension of all images in order, with their intervals."""
        return self._figure(title=title)
