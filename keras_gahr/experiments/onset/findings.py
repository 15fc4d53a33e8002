"""What `onset` measures, and whether the claims about it are seen."""

import dataclasses
import math

import numpy as np

from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

from .collapse import Collapse, collapse_of
from .curve import Curve
from .forecast import Forecast, early_gap, number_alone, score_forecast
from .power_law import DRAWS, LEAST_TIMES, FittedTimes, fit_times, interval_of

GROWTH = 16
"""Of N, over which tau_gen should change by less than `MOST_CHANGE`."""

MOST_CHANGE = 2.0

PUBLISHED = 1.0
"""The exponent of tau_mem in Bonnaire et al. 2505.17638."""

CLOSE = math.log(MOST_CHANGE, GROWTH)
"""How far an exponent may be from it: tau_mem is then another one by `MOST_CHANGE` after as much `GROWTH`."""

PAPER = "arXiv 2505.17638"


@dataclasses.dataclass(frozen=True, eq=False)
class OnsetResult:
    """What was found with one kind of data.

    Attributes:
        name: of the data, for people: "mixture", "C^alpha images".
        curves: `Curve`s of all runs, in ascending order of N.
        tau_mem, tau_gen: `FittedTimes`.
        collapse: `Collapse`.
        collapse_interval: 95% of its score, over runs.
        forecasts: by name, `Forecast`s.
    """

    name: str
    curves: tuple[Curve, ...]
    tau_mem: FittedTimes
    tau_gen: FittedTimes
    collapse: Collapse
    collapse_interval: tuple[float, float]
    forecasts: dict[str, Forecast]

    @property
    def counts(self):
        """The N, ascending."""
        return sorted({curve.count for curve in self.curves})

    def of(self, count):
        """The curves of an N."""
        return [curve for curve in self.curves if curve.count == count]


FORECASTS = {
    "N alone, another run": (number_alone, False),
    "N and early gap, another run": (early_gap, False),
    "N alone, another N": (number_alone, True),
    "N and early gap, another N": (early_gap, True),
}
"""From what, and what is held out."""


def find_onset(name, curves, *, draws=DRAWS, seed=0):
    """The `OnsetResult` of the runs of one kind of data.

    Args:
        name: of the data.
        curves: `Curve`s.
        draws: of the bootstraps.
        seed: of them.
    """
    how = {"draws": draws, "seed": seed}
    curves = tuple(sorted(curves, key=lambda curve: curve.count))
    return OnsetResult(
        name,
        curves,
        fit_times(curves, lambda c: c.tau_mem, lambda c, g: c.resampled_tau_mem(g), **how),
        fit_times(curves, lambda c: c.tau_gen, **how),
        collapse_of(curves),
        _collapse_interval(curves, **how),
        {key: score_forecast(curves, *way) for key, way in FORECASTS.items()},
    )


def _collapse_interval(curves, draws, seed):
    """Runs are drawn within each N, so that no N is lost; where one has a single run, without a bound."""
    generator = np.random.default_rng(seed)
    groups = [[c for c in curves if c.count == n] for n in {curve.count for curve in curves}]
    if min(map(len, groups)) < 2:
        return -math.inf, math.inf
    scores = []
    for _ in range(draws):
        drawn = [
            group[k] for group in groups for k in generator.integers(len(group), size=len(group))
        ]
        scores.append(collapse_of(drawn).score)
    return interval_of([score for score in scores if not math.isnan(score)])


def claims_of(result):
    """What is said of such runs, a list of `Claim`."""
    mem, gen, of_data = result.tau_mem, result.tau_gen, f" ({result.name})"
    counts = result.counts
    waited = f"{mem.censored} of {len(result.curves)} runs ended before they memorized"
    return [
        Claim(
            f"The more training images, the later memorization begins{of_data}.",
            None if mem.law is None else is_above(mem.exponent_interval, 0),
            _exponent_in_words(mem, "tau_mem") + f"; {waited}",
            "an exponent above 0",
            PAPER,
        ),
        _published(mem, of_data),
        Claim(
            f"When it generalizes hardly depends on their number{of_data}.",
            None if gen.law is None else is_below(gen.change(GROWTH)[1], MOST_CHANGE),
            f"{_exponent_in_words(gen, 'tau_gen')}: over a {GROWTH}-fold N a factor of "
            + in_words(*gen.change(GROWTH))
            + ("" if counts[-1] >= GROWTH * counts[0] else f", by the law of N = {_range(counts)}"),
            f"less than a factor {MOST_CHANGE:g} while N grows {GROWTH}-fold",
            PAPER,
        ),
        Claim(
            f"Curves of f_mem fall on one another when time is counted in steps per image{of_data}.",
            None if math.isnan(result.collapse.score) else is_below(result.collapse_interval, 1),
            _score_in_words(result) + f", N = {_range(counts)}",
            "a collapse score below 1",
            PAPER,
        ),
    ]


def _range(counts):
    return f"{counts[0]} to {counts[-1]}"


def _published(mem, of_data):
    low, high = interval = mem.exponent_interval
    # An interval that is so wide as to hold other laws, too, decides nothing.
    near = all_of(is_above(interval, PUBLISHED - CLOSE), is_below(interval, PUBLISHED + CLOSE))
    return Claim(
        f"Memorization begins at a time that is proportional to their number, with an exponent of "
        f"{PUBLISHED:g}{of_data}.",
        near if low <= PUBLISHED <= high else False,
        _exponent_in_words(mem, "tau_mem"),
        f"an interval that holds {PUBLISHED:g} and nothing farther from it than {CLOSE:g}; small models need "
        "not have this exponent: one of random features had 1.65 to 1.79",
        PAPER,
    )


def _exponent_in_words(times, name):
    if times.law is None:
        return f"fewer than two N have a {name}, so that no power can be fitted"
    text = f"{name} grows as N to the power {in_words(times.exponent, times.exponent_interval)}"
    if not len(times.exponents):
        text += f": fewer than {LEAST_TIMES} runs have a {name}, and a power passes through any two"
    return text


def _score_in_words(result):
    if math.isnan(result.collapse.score):
        return "f_mem does not vary, or curves have no times in common"
    text = f"score {in_words(result.collapse.score, result.collapse_interval)}"
    if min(len(result.of(count)) for count in result.counts) < 2:
        text += ": a single run of an N does not tell how much runs differ"
    return text
