"""The claims of `molrg`, which must fail where networks do otherwise, what these are given, and a run."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_gahr.denoisers import EDM, wrap
from keras_gahr.errors import InputError
from keras_gahr.experiments.molrg.experiment import MoLRG
from keras_gahr.experiments.molrg.findings import (
    COPIER,
    OTHER,
    SAME,
    TEACHER,
    MoLRGResult,
    claims_of,
)
from keras_gahr.experiments.molrg.report import answer, numbers, sections_of
from keras_gahr.experiments.points import noisy_batches
from keras_gahr.experiments.students import DEVIATION, LAW, SHAPE, UNIT, _preconditioned
from keras_gahr.reproduction.settings import replaced

SAMPLES = 100
FIRST = {SAME: 0.9, OTHER: 0.0, TEACHER: 0.0, COPIER: 0.9}
LAST = {SAME: 1.0, OTHER: 1.0, TEACHER: 1.0, COPIER: 0.0}


def result(count, shares, copied=0.0):
    """Of each kind, such a share of the pairs is alike, and near each other."""
    places = np.arange(SAMPLES)
    alike = {name: places < share * SAMPLES for name, share in shares.items()}
    distance = {
        name: np.where(yes, 0.1, 1.3) + 0.01 * np.sin(places) for name, yes in alike.items()
    }
    return MoLRGResult(
        count,
        correlation={name: np.where(yes, 0.99, 0.2) for name, yes in alike.items()},
        by_chance=np.zeros(SAMPLES),
        distance=distance,
        memorized=places < copied * SAMPLES,
        train_error=1 + places / SAMPLES,
        test_error=2 + places / SAMPLES,
    )


def passed(first=None, last=None, copied=0.0):
    results = [result(8, FIRST | (first or {})), result(512, LAST | (last or {}), copied)]
    return [claim.passed for claim in claims_of(results)]


def test_a_transition_as_published_passes():
    assert passed() == [True] * 7


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"first": {OTHER: 1.0}}, {0, 1, 3}),
        ({"first": {SAME: 0.0, OTHER: 0.2}}, {1}),
        ({"last": {OTHER: 0.0}}, {2, 3}),
        ({"last": {TEACHER: 0.0, COPIER: 1.0}}, {4, 5}),
        ({"first": {COPIER: 0.0, TEACHER: 0.9}}, {5}),
        ({"copied": 0.5}, {6}),
    ],
)
def test_each_claim_fails_where_it_is_not_so(change, failing):
    assert {k for k, found in enumerate(passed(**change)) if found is not True} == failing
    assert passed(**change)[min(failing)] is False


def test_what_is_too_uncertain_is_not_decided():
    assert passed(last={OTHER: 0.92})[2] is None
    # As few as none of a hundred.
    assert passed(first={SAME: 0.0})[1] is None
    assert passed(last={OTHER: 0.0})[3] is None


def test_the_report_says_what_was_found():
    results = [result(8, FIRST), result(512, LAST)]
    assert "0% of the samples were alike at N = 8 and 100% at N = 512" in answer(results)
    assert numbers(results)["N=512"]["alike"][TEACHER]["share"] == 1
    sections = sections_of(results, MoLRG.scales["smoke"])
    assert [len(section.items) for section in sections] == [0, 3, 3]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"set_sizes": (8,)}, "set sizes 8"),
        ({"set_sizes": (1, 8)}, "set_sizes = 1"),
        ({"steps": 0}, "steps = 0"),
        ({"samples": 1}, "samples = 1"),
        ({"rate": 0.0}, "rate = 0"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        MoLRG().trainings(replaced(MoLRG.scales["smoke"], **change))


def test_batches_take_each_point_as_often_and_may_be_larger_than_the_set():
    points = np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1)
    generator = np.random.default_rng(0)
    for noisy, levels, noise in itertools.islice(noisy_batches(points, 6, (0.1, 1), generator), 2):
        clean = np.sort((noisy - levels[:, None, None, None] * noise).ravel())
        np.testing.assert_allclose(clean, [0, 0, 1, 1, 2, 2], atol=1e-6)
        assert levels.min() >= 0.1 and levels.max() <= 1


def test_a_network_that_finds_what_it_should_returns_the_points():
    # Points of deviation 1, so that the network's units are those of [0, 1] but for the grey.
    points = np.random.default_rng(0).normal(0, DEVIATION, (4, *SHAPE)).astype(np.float32)
    generator = np.random.default_rng(1)
    noisy, levels, noise = next(noisy_batches(points, 4, (0.5, 0.5), generator))
    given, told, found = _preconditioned((noisy, levels, noise))
    assert given.std() == pytest.approx(1, abs=0.2) and found.std() == pytest.approx(1, abs=0.2)
    np.testing.assert_allclose(told, np.log(0.5) / 4, rtol=1e-5)

    def network(z, c):
        """What should be found of the image that each one is the closest to."""
        squares = ops.sum(ops.square(z[:, None] - given), axis=(2, 3, 4))
        return ops.take(found, ops.argmin(squares, axis=1), axis=0)

    denoiser = wrap(
        network,
        "edm",
        EDM(DEVIATION),
        channels=SHAPE[-1],
        size=SHAPE[:2],
        layout="NHWC",
    )
    clean = noisy - levels[:, None, None, None] * noise
    np.testing.assert_allclose(denoiser.denoise(noisy, 0.5), clean, atol=1e-5)


def test_the_unit_is_that_of_the_law():
    assert pytest.approx(7) == LAW.variances.sum(axis=1).mean() / UNIT**2
    assert pytest.approx(np.sqrt(7 / 48)) == DEVIATION


@pytest.mark.long
@pytest.mark.slow
def test_networks_are_trained_and_compared():
    settings = MoLRG.scales["smoke"]
    assert MoLRG().trainings(settings) == []
    said = []
    document = MoLRG().analyse(settings, [], lambda text, part: said.append(part))
    assert said == sorted(said)
    assert len(document.claims) == 7
    few, many = document.numbers["N=2"], document.numbers["N=64"]
    assert few["alike"][SAME]["share"] > few["alike"][OTHER]["share"]
    # Two points are known, of which the law has many.
    assert few["train_error"] < few["test_error"]
    assert many["test_error"] < few["test_error"]
