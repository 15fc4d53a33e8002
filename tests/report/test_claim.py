import numpy as np
import pytest

from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below


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


def test_a_claim_about_a_mean_says_what_was_measured():
    words = {"statement": "It grows.", "expected": "more than 0", "source": "Fig. 1", "unit": " dB"}
    claim = Claim.about_mean(np.array([1.9, 2.0, 2.1]), is_above, 0, **words)
    assert claim.passed is True
    assert claim.measured == "2.00 dB (95%: 1.75 to 2.25)"
    assert Claim.about_mean(np.array([-1.0, 2.0]), is_above, 0, **words).passed is None
    assert Claim.about_mean(np.array([-1.0, -1.1]), is_above, 0, **words).passed is False


def test_one_value_decides_nothing():
    words = {"statement": "It grows.", "expected": "more than 0", "source": "Fig. 1"}
    claim = Claim.about_mean(np.array([2.0]), is_above, 0, **words)
    assert claim.passed is None
    assert claim.measured == "2.00 (too few for an interval)"


def test_numbers_in_words():
    assert in_words(2, (1, 3), " dB") == "2.00 dB (95%: 1.00 to 3.00)"
    assert in_words(2, (-np.inf, np.inf), " dB") == "2.00 dB (too few for an interval)"
    assert in_words(2, (1, np.inf)) == "2.00 (95%: 1.00 to inf)"
