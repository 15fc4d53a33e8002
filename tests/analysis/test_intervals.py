import numpy as np
import pytest
from scipy import stats

from keras_gahr.analysis.intervals import (
    area_interval,
    bootstrap_interval,
    correlation_interval,
    difference_interval,
    mean_interval,
    median_interval,
    share_difference_interval,
    share_interval,
)


@pytest.mark.one_backend
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    for interval, draw, truth, draws in (
        (lambda v: bootstrap_interval(v, draws=200), lambda: rng.random(60) < 0.3, 0.3, 150),
        (share_interval, lambda: rng.random(30) < 0.1, 0.1, 1000),
        (mean_interval, lambda: rng.standard_normal(5), 0, 1000),
        (
            lambda parts: share_difference_interval(*parts),
            lambda: (rng.random(30) < 0.8, rng.random(20) < 0.3),
            0.5,
            1000,
        ),
        (
            # Of pairs three in ten differ one way, five in ten the other.
            lambda drawn: share_difference_interval(drawn < 0.5, drawn > 0.3, paired=True),
            lambda: rng.random(40),
            -0.2,
            1000,
        ),
        (median_interval, lambda: rng.exponential(size=20), np.log(2), 400),
        (
            lambda parts: difference_interval(*parts),
            lambda: (rng.normal(3, 1, 20), rng.normal(1, 2, 30)),
            2,
            400,
        ),
    ):
        held = [low <= truth <= high for low, high in (interval(draw()) for _ in range(draws))]
        assert 0.9 < np.mean(held) < 0.985


@pytest.mark.one_backend
def test_areas_are_held_about_as_often_as_intervals_say():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        others, values = rng.normal(size=12), rng.normal(1.2, size=20)
        low, high = area_interval(np.mean(others[:, None] < values), 12, 20)
        # The difference has variance 2.
        held.append(low <= stats.norm.cdf(1.2 / np.sqrt(2)) <= high)
    assert 0.92 < np.mean(held) < 0.985


@pytest.mark.one_backend
def test_areas_of_sets_apart_have_a_width():
    low, high = area_interval(1.0, 20, 30)
    assert high == 1 and 0.88 < low < 0.97
    assert area_interval(0.0, 20, 30) == pytest.approx((0, 1 - low))
    assert area_interval(1.0, 2, 3)[0] < 0.6


@pytest.mark.one_backend
def test_intervals_where_all_values_are_equal():
    assert bootstrap_interval(np.ones(9)) == (1, 1)
    low, high = share_interval(np.ones(9, bool))
    assert high == 1
    assert low == pytest.approx(1 / (1 + 1.959964**2 / 9))
    assert mean_interval(np.full(4, 0.1)) == pytest.approx((0.1, 0.1))
    assert difference_interval([3, 3], [1, 1, 1]) == (2, 2)
    for paired in (False, True):
        low, high = share_difference_interval(np.ones(16), np.zeros(16), paired)
        assert 0.6 < low < 0.8 and high == 1
        low, high = share_difference_interval(np.zeros(4), np.zeros(4), paired)
        assert low == pytest.approx(-high) and 0.3 < high < 0.6
        assert share_difference_interval(np.ones(2), np.zeros(2), paired)[0] < 0


@pytest.mark.one_backend
@pytest.mark.parametrize(("count", "free"), [(4, np.inf), (6, np.inf), (64, 8)])
def test_correlations_are_held_as_often_as_intervals_say(count, free):
    """Also those near 1 of few pairs, and of pairs of which some lie far out."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        first, other = rng.standard_normal((2, count))
        far = np.sqrt(free / rng.chisquare(free, count)) if np.isfinite(free) else 1.0
        low, high = correlation_interval(
            first * far, (0.95 * first + np.sqrt(1 - 0.95**2) * other) * far, draws=200
        )
        held.append(low <= 0.95 <= high)
    assert 0.9 < np.mean(held) < 1


@pytest.mark.one_backend
def test_the_correlation_of_three_pairs_may_be_any():
    pair = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.1, 3.9])
    assert correlation_interval(*pair) == (-1, 1)
    low, high = correlation_interval(np.arange(9.0), np.ones(9))
    assert low < -0.6 and high > 0.6


@pytest.mark.one_backend
def test_medians_of_few_values():
    # All six are on one side of the median once in 32 times, five of them once in 16.
    assert median_interval([6, 1, 2, 5, 3, 4]) == (1, 6)
    assert median_interval([6, 1, 2, 5, 3]) == (-np.inf, np.inf)
    assert median_interval(range(1, 13)) == (3, 10)


@pytest.mark.one_backend
def test_single_values():
    assert np.isnan(mean_interval([3])).all()
    assert bootstrap_interval([3]) == (3, 3)
    for values, others in (([3.0], [1.0]), ([1, 2, 4], [1]), ([1], [1, 2, 4])):
        assert np.isnan(difference_interval(values, others)).all()
