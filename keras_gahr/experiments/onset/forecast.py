"""When a run will begin to memorize, from its first tenth and from other runs of its sweep."""

import dataclasses
import math

import numpy as np
from scipy import stats

from keras_gahr.analysis.intervals import CONFIDENCE

EARLY = 0.1
"""The part of a run that is seen when the forecast is made."""


def number_alone(curve):
    """What is known before a run: log N."""
    return (math.log(curve.count),)


def early_gap(curve):
    """And after its first tenth: the gap (dB) at the last look of that time."""
    return math.log(curve.count), curve.at("gap", EARLY * curve.length)


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A forecast of one run, made without it.

    Attributes:
        count: its N.
        tau_mem: what came, in steps.
        predicted: what was forecast, in steps.
        interval: of 95%, in steps.
    """

    count: int
    tau_mem: float
    predicted: float
    interval: tuple[float, float]

    @property
    def holds(self):
        """Whether what came lies in the interval."""
        low, high = self.interval
        return low <= self.tau_mem <= high

    @property
    def error(self):
        """The factor between forecast and truth, 1 or more."""
        return math.exp(abs(math.log(self.predicted / self.tau_mem)))


@dataclasses.dataclass(frozen=True)
class Forecast:
    """How well one way to forecast did on runs it had not seen.

    Attributes:
        predictions: `Prediction`s.
        early: runs that memorized already in their first tenth: there is nothing to forecast.
        censored: runs that ended before they memorized: there is nothing to compare with.
        unpredicted: runs for which too few others were left.
    """

    predictions: tuple[Prediction, ...]
    early: int
    censored: int
    unpredicted: int

    @property
    def error(self):
        """The factor by which forecasts miss, geometric mean; NaN if there are none."""
        if not self.predictions:
            return math.nan
        return float(stats.gmean([each.error for each in self.predictions]))

    @property
    def held(self):
        """How many intervals hold the truth."""
        return sum(each.holds for each in self.predictions)

    @property
    def width(self):
        """The factor between the ends of an interval, geometric mean; NaN if there are none."""
        if not self.predictions:
            return math.nan
        return float(
            stats.gmean([high / low for low, high in (p.interval for p in self.predictions)])
        )


def score_forecast(curves, features, whole_count):
    """Forecasts each run from the others: log tau_mem is a line in some features.

    Args:
        curves: `Curve`s of one sweep.
        features: a function of a `Curve`: numbers that are known after its first tenth.
        whole_count: whether all runs of a run's N are held out with it, so that it is extrapolated.

    Returns:
        A `Forecast`.
    """
    times = np.array([curve.tau_mem for curve in curves])
    counts = np.array([curve.count for curve in curves])
    known = np.array([[1.0, *features(curve)] for curve in curves])
    early = times <= [EARLY * curve.length for curve in curves]
    usable = np.isfinite(times) & ~early & np.isfinite(known).all(axis=1)
    spacing = max(curve.spacing for curve in curves)
    predictions = []
    for place in np.flatnonzero(usable):
        others = usable & (counts != counts[place])
        if not whole_count:
            others = usable & (np.arange(len(curves)) != place)
        line = _predict(known[others], np.log(times[others]), known[place], spacing)
        if line is not None:
            middle, half = line
            ends = math.exp(middle - half), math.exp(middle + half)
            predictions.append(
                Prediction(int(counts[place]), float(times[place]), math.exp(middle), ends)
            )
    return Forecast(
        tuple(predictions),
        int(early.sum()),
        int(np.isnan(times).sum()),
        int(usable.sum()) - len(predictions),
    )


def _predict(known, values, new, spacing):
    """The mean of a linear regression at a new place, and half of Student's prediction interval."""
    free = len(known) - known.shape[1]
    if free < 1 or np.linalg.matrix_rank(known) < known.shape[1]:
        return None
    weights, *_ = np.linalg.lstsq(known, values)
    scatter = math.sqrt(np.square(values - known @ weights).sum() / free)
    # A time is known to within the distance of two looks.
    scatter = max(scatter, math.log(spacing) / math.sqrt(12))
    leverage = new @ np.linalg.pinv(known.T @ known) @ new
    half = stats.t.ppf((1 + CONFIDENCE) / 2, free) * scatter * math.sqrt(1 + leverage)
    return float(new @ weights), float(half)
