"""Times that grow as a power of the number of training images, some of which were not waited for."""

import dataclasses
import math

import numpy as np
from scipy import optimize, stats

from keras_gahr.analysis.intervals import CONFIDENCE

DRAWS = 500
"""Of the bootstrap."""

LEAST_TIMES = 3
"""From which the uncertainty of a power is known: it passes exactly through any two."""

_TRIES = 20
"""Of each of these draws, before it is given up."""


@dataclasses.dataclass(frozen=True)
class PowerLaw:
    """tau = a N^b.

    Attributes:
        factor: a, in steps.
        exponent: b.
        scatter: standard deviation of log tau about it.
    """

    factor: float
    exponent: float
    scatter: float

    def at(self, counts):
        """tau of some N, in steps."""
        return self.factor * np.asarray(counts, np.float64) ** self.exponent


def fit_power_law(counts, times, lengths, spacing):
    """The most likely power law, if log tau is scattered normally about it.

    A time that was not reached is only known to be above the length of its run (a censored one, as in
    Tobin's regression).

    Args:
        counts: N of each run, (R,).
        times: in steps, (R,); NaN where a run ended before.
        lengths: steps of each run, (R,).
        spacing: the factor between two looks: no scatter below that of a time anywhere between two is
            believed.

    Returns:
        A `PowerLaw`; None unless times of at least two N were reached.
    """
    counts, times, lengths = (np.asarray(each, np.float64) for each in (counts, times, lengths))
    seen = np.isfinite(times)
    if len(np.unique(counts[seen])) < 2:
        return None
    x, least = np.log(counts), max(math.log(spacing) / math.sqrt(12), 1e-6)
    y = np.log(np.where(seen, times, lengths))
    # Counted from the middle, a and b are hardly correlated.
    middle = x[seen].mean()
    x = x - middle
    b, a = np.polyfit(x[seen], y[seen], 1)
    if seen.all():
        scatter = max(least, float(np.std(y - a - b * x)))
        return PowerLaw(math.exp(a - b * middle), float(b), scatter)

    def surprise(parameters):
        a, b, log_scatter = parameters
        distance = (y - a - b * x) / math.exp(log_scatter)
        likely = np.where(
            seen, stats.norm.logpdf(distance) - log_scatter, stats.norm.logsf(distance)
        )
        return -likely.sum()

    found = optimize.minimize(
        surprise,
        [a, b, math.log(max(2 * least, 0.1))],
        method="L-BFGS-B",
        bounds=[(None, None), (None, None), (math.log(least), math.log(10))],
    )
    a, b, log_scatter = found.x
    return PowerLaw(math.exp(a - b * middle), float(b), math.exp(log_scatter))


@dataclasses.dataclass(frozen=True, eq=False)
class FittedTimes:
    """Times of runs and their power law.

    Attributes:
        counts: N of each run, (R,).
        times: in steps, (R,); NaN where the run ended before.
        lengths: of the runs, (R,).
        law: `PowerLaw`, or None.
        factors, exponents: of the bootstrap's draws, (D,), spread out as `fit_times` says.
    """

    counts: np.ndarray
    times: np.ndarray
    lengths: np.ndarray
    law: PowerLaw | None
    factors: np.ndarray
    exponents: np.ndarray

    @property
    def censored(self):
        """How many runs ended before their time came."""
        return int(np.isnan(self.times).sum())

    @property
    def exponent(self):
        return math.nan if self.law is None else self.law.exponent

    @property
    def exponent_interval(self):
        """95%, of the bootstrap; without a bound where there were too few times, see `LEAST_TIMES`."""
        return interval_of(self.exponents)

    @property
    def factor_interval(self):
        return interval_of(self.factors)

    def change(self, growth):
        """By which factor times change, up or down, while N grows by a factor; and its 95% interval."""
        with np.errstate(over="ignore"):
            draws = growth ** np.abs(self.exponents)
        return float(growth ** abs(self.exponent)), interval_of(draws)


def fit_times(curves, time, resampled=None, *, draws=DRAWS, seed=0):
    """Fits a power law to a time of some runs, with a bootstrap over runs and samples.

    Times are known to within the distance of two looks, and anywhere within it in each draw. Draws are spread
    out around the fit, in logarithms, as much as Student's quantile is beyond the normal one: those of few
    runs are not as far from it as the truth may be.

    Args:
        curves: `Curve`s.
        time: a function of a `Curve`: its time in steps, NaN if it did not come.
        resampled: a function of a `Curve` and a NumPy generator: the time if other samples had been
            drawn. Default: `time`.
        draws: of the bootstrap. Runs are drawn from all runs, those that were censored stay so; draws
            in which fewer than two N have times are drawn again.
        seed: of it.

    Returns:
        `FittedTimes`.
    """
    generator = np.random.default_rng(seed)
    counts = np.array([curve.count for curve in curves])
    lengths = np.array([curve.length for curve in curves])
    times = np.array([time(curve) for curve in curves])
    spacings = np.array([curve.spacing for curve in curves])
    spacing, reached = spacings.max(), np.isfinite(times).sum()
    law = fit_power_law(counts, times, lengths, spacing)
    if law is None or reached < LEAST_TIMES:
        return FittedTimes(counts, times, lengths, law, np.empty(0), np.empty(0))
    found = []
    for _ in range(_TRIES * draws):
        drawn = generator.integers(len(curves), size=len(curves))
        again = times[drawn]
        if resampled is not None:
            again = np.array([resampled(curves[place], generator) for place in drawn])
        again = again * spacings[drawn] ** generator.uniform(-0.5, 0.5, len(drawn))
        fitted = fit_power_law(counts[drawn], again, lengths[drawn], spacing)
        if fitted is not None:
            found.append((fitted.factor, fitted.exponent))
        if len(found) == draws:
            break
    factors, exponents = np.array(found).reshape(-1, 2).T
    wider = stats.t.ppf((1 + CONFIDENCE) / 2, reached - 2) / stats.norm.ppf((1 + CONFIDENCE) / 2)
    with np.errstate(over="ignore"):
        factors = law.factor * (factors / law.factor) ** wider
    exponents = law.exponent + wider * (exponents - law.exponent)
    return FittedTimes(counts, times, lengths, law, factors, exponents)


def interval_of(draws):
    """The middle 95% of some draws; everything if there are none."""
    if not len(draws):
        return -math.inf, math.inf
    # Some may be infinite, between which nothing can be interpolated.
    return tuple(map(float, np.percentile(draws, [2.5, 97.5], method="inverted_cdf")))
