"""What the clock saw of one training."""

import bisect
import dataclasses
import functools
import math

import numpy as np
from scipy import stats

from keras_gahr.analysis.intervals import share_interval
from keras_gahr.training.clock import Look, generalization_time
from keras_gahr.training.clock.look import SHARE


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """The looks at one training.

    Args:
        count: of its training images, N.
        looks: `Look`s, in the order of their steps.
        up_to_a_factor: whether a multiple of a training image is a copy, too: a network without
            biases knows all multiples of what it knows.
    """

    count: int
    looks: tuple[Look, ...]
    up_to_a_factor: bool = False

    @functools.cached_property
    def steps(self):
        """int64 (L,)."""
        return np.array([look.step for look in self.looks])

    @functools.cached_property
    def memorized(self):
        """f_mem at each look, float64 (L,)."""
        name = "f_mem_up_to_a_factor" if self.up_to_a_factor else "f_mem"
        return np.array([getattr(look, name) for look in self.looks])

    @property
    def length(self):
        """The last step that was looked at."""
        return int(self.steps[-1])

    @property
    def spacing(self):
        """The factor between the steps of two looks, in the middle of all."""
        if len(self.steps) < 2:
            return 1.0
        return float(np.exp(np.median(np.diff(np.log(self.steps)))))

    @property
    def tau_gen(self):
        """The first look whose test error is within 5% of the best; NaN without test images."""
        return _time(generalization_time(self.looks))

    @property
    def tau_mem(self):
        """The first look where the lower 95% bound of f_mem is above 5%; NaN if there is none."""
        return self._first_above(self._counts())

    def resampled_tau_mem(self, generator):
        """`tau_mem` if other samples had been drawn.

        Samples of all looks start from the same noise, so that their numbers of copies move together:
        they are drawn at one quantile of their binomial distributions.
        """
        samples = np.array([look.samples for look in self.looks])
        return self._first_above(
            stats.binom.ppf(generator.uniform(), samples, self.memorized).astype(int)
        )

    def at(self, name, step):
        """A number of the last look that was no later than a step; NaN if there is none."""
        place = int(np.searchsorted(self.steps, step, side="right")) - 1
        return math.nan if place < 0 else float(getattr(self.looks[place], name))

    def _counts(self):
        samples = [look.samples for look in self.looks]
        return np.rint(self.memorized * samples).astype(int)

    def _first_above(self, counts):
        above = (
            look.step
            for look, count in zip(self.looks, counts, strict=True)
            if count >= least_count(look.samples)
        )
        return _time(next(above, None))


@functools.cache
def least_count(samples):
    """How many of some samples must be copies until the lower 95% bound of their share is above 5%."""
    numbers = np.arange(samples)
    return bisect.bisect_right(
        range(samples + 1), SHARE, key=lambda count: share_interval(numbers < count)[0]
    )


def _time(step):
    return math.nan if step is None else float(step)
