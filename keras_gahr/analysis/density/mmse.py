"""The density from errors of denoising (Kong, Brekelmans and Ver Steeg, arXiv 2302.03792, equation 9).

With g = 1 / sigma^2 and y = x + sigma z,

    -log p(x) = d/2 log(2 pi e) - 1/2 int_0^inf [ d / (1 + g) - E_z |x - D(y)|^2 ] dg.

Between two noise levels the integral is taken over log g by Gauss and Legendre's rule, since the integrand is
smooth there; beyond them it is closed. Every draw has noise of its own, and there are most draws at the nodes
that are least certain.
"""

import dataclasses
import functools

import numpy as np
from scipy import stats

from keras_gahr.noise import keyed_normal

from ..intervals import CONFIDENCE
from .levels import squared_lengths

NODES = 32
"""Of the rule; over 23 units of log g they leave an error of a millionth."""

_FIRST_DRAW = 2**33
"""The draw of the first noise: images and probes have those below."""

_PILOT, _FEWEST = 4, 2
"""Draws at each node before those are counted that are uncertain, and if there are few evaluations."""

_TOP_COST = 2
"""Evaluations of a draw at the highest level."""

_BETWEEN_LOOKS = 100
"""Evaluations of an image between two looks at its error."""


@dataclasses.dataclass(frozen=True, eq=False)
class Rule:
    """Noise levels and weights.

    Args:
        low, high: the lowest and the highest noise level.
        nodes: K.
    """

    low: float
    high: float
    nodes: int

    @classmethod
    def within(cls, low, high, evaluations):
        """The rule for so many evaluations."""
        return cls(low, high, int(np.clip(evaluations // (_FEWEST + 1) - _TOP_COST, 3, NODES)))

    @property
    def sigmas(self):
        """(K,), descending."""
        ends = np.log([self.high, self.low])
        places, _ = _gauss_legendre(self.nodes)
        return np.exp(ends.mean() + np.diff(ends) / 2 * places)

    @property
    def weights(self):
        """(K,), of values at the nodes, for the integral over log g."""
        _, weights = _gauss_legendre(self.nodes)
        return weights * np.log(self.high / self.low)

    @property
    def costs(self):
        """Evaluations of a draw at each node and at the top, (K + 1,)."""
        return np.append(np.ones(self.nodes), _TOP_COST)


@functools.cache
def _gauss_legendre(nodes):
    """Places within -1 and 1, and weights; each image asks for them again and again."""
    return np.polynomial.legendre.leggauss(nodes)


class DenoisingErrors:
    """Errors of denoising of one image.

    Args:
        rule: `Rule`.
        dimension: d.
    """

    def __init__(self, rule, dimension):
        self.rule = rule
        self.dimension = dimension
        self._draws = [np.empty((0, 2)) for _ in range(rule.nodes + 1)]

    def take(self, node, values):
        """What was found in some draws at a node, (draws, 2)."""
        self._draws[node] = np.vstack([self._draws[node], values])

    @property
    def counts(self):
        """Draws at each node and at the top, (K + 1,)."""
        return np.array([len(draws) for draws in self._draws])

    @property
    def evaluations(self):
        return int(self.counts @ self.rule.costs)

    def wanted(self, evaluations):
        """How many more draws at each node and at the top, (K + 1,), make best use of so many more."""
        costs = self.rule.costs
        if not self.evaluations:
            enough = evaluations >= 2 * _PILOT * costs.sum()
            return np.full(len(costs), _PILOT if enough else _FEWEST)
        counts = self.counts
        # Of few draws: a node is about as uncertain as its neighbours.
        spread = np.sqrt(_smooth(self._variances * counts) / costs)
        best = spread * (self.evaluations + evaluations) / max(spread @ costs, 1e-300)
        more = np.maximum(best - counts, 0)
        total = more @ costs
        return np.floor(more * min(1.0, evaluations / total) if total else more).astype(int)

    @property
    def _controlled(self):
        """|x - D(y)|^2 / sigma^2 less what |z|^2 says of it, an array for each node.

        At small noise D keeps n of the d directions of z, and |x - D(y)|^2 is about n / d of sigma^2 |z|^2,
        whose mean is known. n is that of the other draws at this node and its neighbours, so that it does not
        depend on this z.
        """
        draws = self._draws[:-1]
        found = []
        for node, (errors, powers) in enumerate(each.T for each in draws):
            near = np.concatenate([each[:, 0] for each in draws[max(node - 1, 0) : node + 2]])
            kept = (near.sum() - errors) / (len(near) - 1) / self.dimension
            found.append(errors - np.clip(kept, 0, 1) * (powers - self.dimension))
        return found

    @property
    def errors(self):
        """|x - D(y)|^2 / (d sigma^2) at each node, (K,)."""
        return np.array([each.mean() for each in self._controlled]) / self.dimension

    @property
    def log_density(self):
        """log p(x) in nats."""
        d, rule = self.dimension, self.rule
        values = d * self.errors
        # g d / (1 + g), for d log g.
        inner = float(rule.weights @ (d / (1 + rule.sigmas**2) - values))
        return (inner + self._above() + self._below(values[-1])) / 2 - d / 2 * np.log(
            2 * np.pi * np.e
        )

    def _above(self):
        """The integral over more noise, where images count as normal, of equal variance in all directions.

        Of that, D(y) = x' + c (y - x') around their mean x'; c = tr J / d.
        """
        d, g = self.dimension, self.rule.high**-2
        kept, distance = self._top
        return d * (np.log1p(g) + np.log1p(-kept) + kept) - g * distance / (1 - kept)

    @property
    def _top(self):
        kept, distance = self._draws[-1].mean(axis=0)
        return np.clip(kept, 0, 1 - 1e-9), distance

    def _below(self, last):
        """The integral over less noise: n grows to d as if all directions had one variance."""
        d, g = self.dimension, self.rule.low**-2
        return -d * (np.log1p(-self._lost(last)) + np.log1p(1 / g))

    def _lost(self, last):
        """The share of directions that is not kept at the end, from what is at the last node."""
        return np.clip((1 - last / self.dimension) * self._beyond_last, -1, 1 - 1e-9)

    @property
    def _beyond_last(self):
        """sigma^2 of the end over that of the last node."""
        return (self.rule.low / self.rule.sigmas[-1]) ** 2

    @property
    def _variances(self):
        """Of the parts of twice the log density: each node's, and that of what is above, (K + 1,)."""
        controlled = self._controlled
        at_nodes = [each.var(ddof=1) / len(each) for each in controlled]
        weights = self.rule.weights.copy()
        d, g = self.dimension, self.rule.high**-2
        # What is below follows from the last node, the more so the fewer directions are kept there.
        weights[-1] += self._beyond_last / (1 - self._lost(controlled[-1].mean()))
        kept, distance = self._top
        slope = [d * (1 - 1 / (1 - kept)) - g * distance / (1 - kept) ** 2, -g / (1 - kept)]
        spread = np.cov(self._draws[-1].T) / len(self._draws[-1])
        return np.append(weights**2 * at_nodes, max(slope @ spread @ slope, 0))

    @property
    def standard_error(self):
        """Of `log_density`, over noise."""
        return float(np.sqrt(self._variances.sum()) / 2)

    @property
    def reach(self):
        """Half of the 95% interval: Student's quantile, with Satterthwaite's number, times the error."""
        variances = self._variances
        doubtful = np.sum(variances**2 / (self.counts - 1))
        free = variances.sum() ** 2 / doubtful if doubtful else np.inf
        return float(stats.t.ppf((1 + CONFIDENCE) / 2, free)) * self.standard_error


def _smooth(values):
    """Means with the neighbours; the last value stands alone."""
    inner = np.pad(values[:-1], 1, mode="edge")
    return np.append((inner[:-2] + inner[1:-1] + inner[2:]) / 3, values[-1])


@dataclasses.dataclass(frozen=True)
class Effort:
    """Evaluations of each image, and the standard error in bits per dimension until which it goes on.

    Attributes:
        evaluations: before a look at the error.
        error: None for these alone.
        most: evaluations where it stops in any case.
    """

    evaluations: int
    error: float | None
    most: int


def by_errors(leveled, low, high, clean, effort, seed, first, tick):
    """Log densities from errors of denoising at noise levels from `low` to `high`.

    Args:
        leveled: `LeveledDenoiser`.
        clean: float32 (N, H, W, C).
        effort: `Effort`.
        seed: of the noise.
        first: the index of the first image.
        tick: called with the number of evaluations after each pass.

    Returns:
        Log densities in nats, standard errors, half of the 95% intervals, and evaluations, each (N,);
        |x - D(y)|^2 / (d sigma^2), (N, K), and the noise levels of these.
    """
    dimension = clean[0].size
    rule = Rule.within(low, high, effort.evaluations)
    errors = [DenoisingErrors(rule, dimension) for _ in clean]

    def give(some, evaluations):
        indices = [first + k for k in some]
        _measure(leveled, clean[some], indices, [errors[k] for k in some], evaluations, seed, tick)

    going = list(range(len(clean)))
    give(going, effort.evaluations)
    # The first draws are few, to see where more are needed.
    give(going, max(0, effort.evaluations - errors[0].evaluations))
    bound = np.inf if effort.error is None else effort.error * dimension * np.log(2)
    while going := [
        k
        for k in going
        if errors[k].standard_error > bound
        and errors[k].evaluations + _BETWEEN_LOOKS <= effort.most
    ]:
        give(going, _BETWEEN_LOOKS)
    names = ("log_density", "standard_error", "reach", "evaluations", "errors")
    return *(np.array([getattr(each, name) for each in errors]) for name in names), rule.sigmas


def _measure(leveled, clean, indices, errors, evaluations, seed, tick):
    """Gives some images as many more evaluations, each.

    Args:
        leveled: `LeveledDenoiser`.
        clean: x, float32 (N, H, W, C).
        indices: of the images, which their noise is keyed by.
        errors: `DenoisingErrors` of each, which take what is found.
        evaluations: of each image.
        seed: of the noise.
        tick: called with the number of evaluations after each pass.
    """
    rule = errors[0].rule
    begun, wanted = [each.counts for each in errors], [each.wanted(evaluations) for each in errors]
    for node in range(rule.nodes + 1):
        draws = [(k, begun[k][node] + r) for k in range(len(clean)) for r in range(wanted[k][node])]
        for some in _passes(draws, leveled.batch_size):
            images = [k for k, _ in some]
            z = np.concatenate(
                [
                    keyed_normal(
                        seed,
                        [indices[k]],
                        _FIRST_DRAW + int(draw) * (NODES + 1) + node,
                        clean.shape[1:],
                    )
                    for k, draw in some
                ]
            )
            if node < rule.nodes:
                found = _at_node(leveled, clean[images], z, float(rule.sigmas[node]))
            else:
                found = _at_top(leveled, clean[images], z, rule.high)
            for k in dict.fromkeys(images):
                errors[k].take(node, found[[k == image for image in images]])
            tick(len(some) * int(rule.costs[node]))


def _passes(draws, most):
    """Lists of draws, `most` each, and what is left by powers of two.

    So there are few sizes: JAX and TensorFlow compile the denoiser for each, which takes longer than a pass.
    """
    start = 0
    while left := len(draws) - start:
        size = most if left >= most else 2 ** (left.bit_length() - 1)
        yield draws[start : start + size]
        start += size


def _at_node(leveled, x, z, sigma):
    """|x - D(y)|^2 / sigma^2 and |z|^2, (count, 2)."""
    residual = leveled.residual(x + np.float32(sigma) * z, sigma)
    # x - D(y) = r(y) - sigma z.
    return np.stack([squared_lengths(residual / np.float32(sigma) - z), squared_lengths(z)], axis=1)


def _at_top(leveled, x, z, sigma):
    """<z, J z> / d and |x - D|^2, of noise and its negative, (count, 2)."""
    up, down = (y - leveled.residual(y, sigma) for y in (x + sigma * z, x - sigma * z))
    along = np.sum(z * (up - down), axis=(1, 2, 3), dtype=np.float64) / (2 * sigma)
    return np.stack([along / x[0].size, squared_lengths(x - (up + down) / 2)], axis=1)
