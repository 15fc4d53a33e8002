"""What `locality` measures, and whether the claims of arXiv 2412.20292 are seen in it."""

import dataclasses
import functools

import numpy as np

from keras_gahr.analysis.calibration import Calibration, correlations
from keras_gahr.analysis.intervals import mean_interval, median_interval
from keras_gahr.report.claim import Claim, all_of, in_words, is_above

from .machines import CONTROLS, ELS, LS

PUBLISHED = {ELS: 0.90, LS: 0.89}
"""Median r^2 on Fashion-MNIST of their ResNet without attention. A fork of the published code prints r and
calls it r^2, so that both are held against these."""

CLOSE = 0.05
"""How far below it a median may be."""

PUBLISHED_SIDES = (3, 3, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 13, 13, 15, 15, 15, 17, 17)
"""Of that network on Fashion-MNIST, from small to large noise."""

_SOURCE = "Table 1"


@dataclasses.dataclass(frozen=True, eq=False)
class LocalityResult:
    """What was found for one network.

    Attributes:
        label: of its training.
        calibration: `Calibration` along its samples.
        samples: float32 (M, H, W, C), what it drew.
        machines: what each rival drew from the same noise, as many, by name.
        known: training images that ELS knows.
    """

    label: str
    calibration: Calibration
    samples: np.ndarray
    machines: dict[str, np.ndarray]
    known: int

    @functools.cached_property
    def correlation(self):
        """r of the pixels of each sample and the rival's, float64 (M,), by rival."""
        return {name: correlations(self.samples, drawn) for name, drawn in self.machines.items()}

    @functools.cached_property
    def r_squared(self):
        """Its square, 0 where it is negative, (M,), by rival."""
        return {name: np.maximum(r, 0) ** 2 for name, r in self.correlation.items()}

    def median(self, name):
        """The median r^2 of a rival."""
        return float(np.median(self.r_squared[name]))

    def median_interval(self, name):
        """Its 95% interval over samples."""
        low, high = median_interval(self.r_squared[name])
        return max(low, 0.0), min(high, 1.0)

    def lead(self, name):
        """How much more of each sample ELS explains than a rival, the difference of r^2, (M,)."""
        return self.r_squared[ELS] - self.r_squared[name]


def claims_of(results):
    """The `Claim`s on `LocalityResult`s, of which the first is that of the CNN on the images."""
    first = results[0]
    return [
        *(_as_published(first, name) for name in PUBLISHED),
        *(_control_loses(results, name) for name in CONTROLS),
    ]


def _as_published(result, name):
    value, interval = result.median(name), result.median_interval(name)
    r = float(np.median(result.correlation[name]))
    published = PUBLISHED[name]
    # An interval that is so wide as to hold much less, too, decides nothing.
    near = is_above(interval, published - CLOSE)
    return Claim(
        f"From the same noise {name} draws what the network draws ({result.label}).",
        near if interval[1] >= published else False,
        f"median r^2 {in_words(value, interval)}; median r {r:.2f}",
        f"an interval of the median r^2 that holds {published:.2f} as published for Fashion-MNIST, or more, "
        f"and nothing less by {CLOSE:g}",
        _SOURCE,
    )


def _control_loses(results, name):
    leads = {result.label: result.lead(name) for result in results}
    return Claim(
        f"{name} explains less of each network than ELS.",
        all_of(*(is_above(mean_interval(lead), 0) for lead in leads.values())),
        "r^2 less by "
        + "; ".join(
            f"{in_words(float(lead.mean()), mean_interval(lead))} ({label})"
            for label, lead in leads.items()
        ),
        "a mean difference above 0 for every network",
        "a control",
    )
