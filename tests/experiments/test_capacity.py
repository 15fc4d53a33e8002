"""The claims of `capacity`, which must fail where networks do otherwise, and a whole run."""

import dataclasses
import math

import pytest
from findings import gap

from keras_gahr.errors import InputError
from keras_gahr.experiments.capacity.experiment import Capacity
from keras_gahr.experiments.capacity.findings import CapacityResult, claims_of
from keras_gahr.experiments.capacity.report import answer
from keras_gahr.experiments.gap import Gap
from keras_gahr.reproduction.settings import replaced


def result(size, *gaps, spread=0.1):
    counts = (10, 100, 1000)
    return CapacityResult(size, size // 20, 1000, counts, tuple(gap(g, spread) for g in gaps))


SMALL, LARGE = result(20, 5, 0.5, 0.1), result(40, 6, 2, 0.3)


def passed(*results):
    return [claim.passed for claim in claims_of(results)]


def test_the_gap_closes_and_later_for_larger_images():
    assert passed(SMALL, LARGE) == [True, True, True]
    assert SMALL.enough == pytest.approx(10 * 10 ** (4 / 4.5))
    assert LARGE.enough > 100


def test_a_gap_that_stays_or_never_was_is_none_that_closes():
    assert passed(result(20, 5, 3, 2), LARGE)[0] is False
    assert passed(result(20, 0.1, 0.1, 0.1), LARGE)[0] is False
    assert passed(result(20, 5, 3, 0.9, spread=3), LARGE)[0] is None


def test_larger_images_that_need_fewer_fail():
    assert passed(LARGE, SMALL)[2] is False
    assert passed(result(20, 5, 3, 2), LARGE)[2] is False
    assert passed(SMALL, result(40, 5, 3, 2))[2] is True
    assert passed(result(20, 5, 3, 2), result(40, 5, 3, 2))[2] is None


def test_enough_is_after_the_last_wide_gap():
    assert result(20, 0.5, 3, 0.5).enough > 100
    assert result(20, 0.5, 0.2, 0.1).enough == 10
    assert result(20, 0.5, 0.2, 2).enough == math.inf


def test_what_is_too_uncertain_is_not_decided():
    assert passed(result(20, 5, 1.1, 0.1, spread=2), result(40, 5, 1.3, 0.1, spread=2))[2] is None


def test_the_answer_says_what_became_of_the_gap():
    assert answer([SMALL, result(40, 0.1, 2, 0.3), result(60, 0.1, 2, 0.1)]) == (
        "20x20, 1 block: from 10 to 1000 images the mean gap fell from 5.0 to 0.1 dB. "
        "40x40, 2 blocks: from 10 to 1000 images the mean gap rose from 0.1 to 0.3 dB. "
        "60x60, 3 blocks: from 10 to 1000 images the mean gap stayed at 0.1 dB."
    )


def test_one_image_of_each_set_decides_nothing():
    def alone(size, *gaps):
        parts = [gap(g, images=1) for g in gaps]
        once = (Gap(_first_draw(part.train), _first_draw(part.test)) for part in parts)
        return CapacityResult(size, 1, 1000, (10, 100, 1000), tuple(once))

    small, large = alone(20, 5, 0.5, 0.1), alone(40, 6, 2, 0.3)
    assert passed(small, large) == [None] * 3
    measured = claims_of([small, large])[2].measured
    assert measured.count("10 to more than 1000") == 2


def _first_draw(curve):
    return dataclasses.replace(curve, before=curve.before[:, :1], after=curve.after[:, :1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"blocks": (1,)}, "as many blocks"),
        ({"sizes": (16, 8)}, "ascending sizes"),
        ({"set_sizes": (2, 300)}, "images = 512, expected at least 556"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    settings = replaced(Capacity.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Capacity().trainings(settings)


def test_all_scales_can_be_planned():
    for settings in Capacity.scales.values():
        tasks = Capacity().trainings(settings)
        assert len({t.folder for t in tasks}) == len(settings.sizes) * len(settings.set_sizes)


def test_a_network_that_was_not_trained_has_no_gap_that_closes(pretend):
    settings = replaced(Capacity.scales["smoke"], curve_images=16)
    runs = pretend(Capacity().trainings(settings))
    document = Capacity().analyse(settings, runs, lambda text, part: None)
    assert [claim.passed for claim in document.claims] != [True, True, True]
    assert document.numbers["8px"]["parameters"] < document.numbers["16px"]["parameters"]
    assert document.numbers["16px"]["N=256"]["mean_gap"] == pytest.approx(0, abs=2)


@pytest.mark.long
@pytest.mark.slow
def test_gaps_close(finish):
    settings = Capacity.scales["smoke"]
    runs = finish(Capacity().trainings(settings))
    document = Capacity().analyse(settings, runs, lambda text, part: None)
    assert [claim.passed for claim in document.claims[:2]] == [True, True]
