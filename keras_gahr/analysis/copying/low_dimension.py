"""Whether copies of training images are told by a low dimension around them.

A network that has learned an image by heart keeps few directions around it: of a copy the dimension is
lower than that of the images (Ross et al., arXiv 2411.00113). That needs no training set, while d1 / d2 <
1/3 does.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.datasets.arrays import NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.errors import InputError
from keras_gahr.progress import Progress, shows_progress

from ..intervals import area_interval
from ..memorization import copies, copies_up_to_a_factor, distance_ratio, sines
from ..saved_numbers import SavedNumbers, files_called
from ..similarity import closest

if TYPE_CHECKING:
    from keras_gahr.result import Figure

_FEW = 8
"""Samples, of which all orders are looked at: so few ranks are not nearly normal."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CopiesByDimension(SavedNumbers):
    """The dimension around N samples, and which of them are copies.

    Attributes:
        dimension: float64 (N,).
        ratio: float64 (N,): the distance to the closest training image over that to the second closest;
            NaN if there is one. Where images could be multiplied, the ratio of the sines of the angles to
            them.
        copies: bool (N,): whether that is below 1/3; of a single training image, whether the correlation
            with it is above 0.95.
        num_training: number of training images.
        up_to_a_factor: whether each training image could be multiplied by a number first.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import CopiesByDimension
        >>> dimension, ratio = np.array([[2.0, 3.0, 8.0, 9.0], [0.1, 0.2, 0.9, 0.8]])
        >>> found = CopiesByDimension(dimension, ratio, ratio < 1 / 3, 10)
        >>> found.told_apart[0], found.share_copies
        (1.0, 0.5)
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("copies")
    SHOWN: ClassVar[tuple[str, ...]] = ("told_apart", "share_copies")

    dimension: np.ndarray
    ratio: np.ndarray
    copies: np.ndarray
    num_training: int
    up_to_a_factor: bool = False

    @property
    def share_copies(self) -> float:
        """The share of samples that are copies."""
        return float(self.copies.mean())

    @property
    def told_apart(self) -> tuple[float, tuple[float, float]] | None:
        """How often a copy has a lower dimension than another sample, which is the area below `curve`, and
        its 95% interval; 1/2 by chance. None if all or none are copies."""
        low, others = self.dimension[self.copies], self.dimension[~self.copies]
        if not len(low) or not len(others):
            return None
        above = stats.mannwhitneyu(others, low).statistic
        area = float(above / (len(low) * len(others)))
        return area, area_interval(area, len(low), len(others))

    @property
    def curve(self) -> np.ndarray:
        """The receiver operating characteristic (K, 3): the share of other samples whose dimension is at
        most a threshold, the share of copies, and the threshold, ascending from below all; NaN without
        copies or others.
        """
        thresholds = np.append(-np.inf, np.unique(self.dimension))
        rates = []
        for wanted in (~self.copies, self.copies):
            values = np.sort(self.dimension[wanted])
            at_most = np.searchsorted(values, thresholds, side="right")
            rates.append(at_most / len(values) if len(values) else np.full(len(thresholds), np.nan))
        return np.stack([*rates, thresholds], axis=1)

    @property
    def correlation(self) -> tuple[float, float]:
        """Spearman's rank correlation of dimension and `ratio`, for which no threshold is needed, and its
        p-value, of up to eight samples by all their orders; NaN of fewer than three samples, where either is
        the same for all, and of a single training image."""
        count = len(self.ratio)
        if (
            count < 3
            or np.isnan(self.ratio).any()
            or not (np.ptp(self.dimension) and np.ptp(self.ratio))
        ):
            return np.nan, np.nan
        found = stats.spearmanr(self.dimension, self.ratio)
        if count > _FEW:
            return float(found.statistic), float(found.pvalue)
        ranks, others = (stats.rankdata(each) for each in (self.dimension, self.ratio))
        orders = others[np.array([*itertools.permutations(range(count))])]
        products = np.abs((orders - others.mean()) @ (ranks - ranks.mean()))
        # The first order is that of the samples; ranks are multiples of 1/2.
        return float(found.statistic), float(np.mean(products > products[0] - 0.1))

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        apart, (correlation, p_value) = self.told_apart, self.correlation
        return {
            "samples": len(self.copies),
            "training_images": self.num_training,
            "up_to_a_factor": self.up_to_a_factor,
            "share_copies": self.share_copies,
            "told_apart": None
            if apart is None
            else {"value": apart[0], "interval_95": list(apart[1])},
            "rank_correlation": None
            if np.isnan(correlation)
            else {"value": correlation, "p_value": p_value},
            "dimension": self.dimension.tolist(),
            "distance_ratio": [None if np.isnan(ratio) else float(ratio) for ratio in self.ratio],
            "copies": self.copies.tolist(),
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: the receiver operating characteristic, and dimension over d1 / d2."""
        return self._figure(title=title)


@shows_progress("comparing")
def copies_by_dimension(
    dimension: ArrayLike,
    samples: ArrayLike,
    training_set: ArrayLike,
    *,
    up_to_a_factor: bool = False,
    progress: Progress = None,
) -> CopiesByDimension:
    """Does a low dimension tell which samples are copies of training images?

    Args:
        dimension: (N,), of each sample, such as `LocalDimension.value`.
        samples: (N, H, W, C) or (N, H, W), uint8 or floats, which need not lie in [0, 1].
        training_set: (M, H, W, C) or (M, H, W), uint8 or floats in [0, 1].
        up_to_a_factor: whether each training image may be multiplied by a number first. Without biases a
            network that knows an image knows all its multiples, of which the dimension is as low.
        progress: called with (done, total).

    Returns:
        The `CopiesByDimension`.

    Raises:
        InputError: for images that cannot be compared, or dimensions that are not as many.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> rng = np.random.default_rng(0)
        >>> images = rng.random((8, 8, 8))
        >>> samples = np.concatenate([images[:4] + 0.001, rng.random((4, 8, 8))])
        >>> copier = kg.baselines.EmpiricalBayes(images)
        >>> found = kg.analysis.local_dimension(copier, samples, [0.1, 0.2, 0.3])
        >>> kg.analysis.copies_by_dimension(found.value, samples, images).copies.tolist()
        [True, True, True, True, False, False, False, False]
    """
    samples, training_set = as_stack(samples), as_stack(training_set, limits=NEARLY_CLEAN)
    values = np.asarray(dimension, np.float64)
    if values.shape != (len(samples),) or not np.isfinite(values).all():
        raise InputError(
            f"received dimensions of shape {values.shape}, expected {len(samples)} finite ones, one for each "
            "sample"
        )
    found = closest(samples, training_set, progress=progress)
    alone = len(training_set) == 1
    if alone:
        ratio = np.full(len(samples), np.nan)
    elif up_to_a_factor:
        ratio = distance_ratio(sines(found))
    else:
        ratio = distance_ratio(found["distance"].value)
    flagged = (copies_up_to_a_factor if up_to_a_factor else copies)(found)
    return CopiesByDimension(values, ratio, flagged, len(training_set), up_to_a_factor)
