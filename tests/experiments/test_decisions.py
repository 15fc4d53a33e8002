import numpy as np
import pytest

from keras_gahr.experiments.decisions import (
    all_of,
    difference_interval,
    in_words,
    is_above,
    is_below,
)


@pytest.mark.parametrize(
    ("interval", "above", "below"),
    [((1.1, 2), True, False), ((0, 0.9), False, True), ((0.5, 1.5), None, None)],
)
def test_only_an_interval_on_one_side_decides(interval, above, below):
    assert is_above(interval, 1) is above
    assert is_below(interval, 1) is below


def test_one_failure_decides_whatever_else_is_not_known():
    assert all_of(True, True) is True
    assert all_of(None, False) is False
    assert all_of(True, None) is None


def test_the_interval_of_a_difference_holds_it_19_times_of_20():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        low, high = difference_interval(rng.normal(3, 1, 40), rng.normal(1, 2, 60))
        held += low < 2 < high
    assert 0.91 < held / 400 < 0.98


def test_single_values_are_exact():
    assert difference_interval([3.0], [1.0]) == (2, 2)
    assert in_words(2, (1, 3), " dB") == "2.00 dB (95%: 1.00 to 3.00)"
