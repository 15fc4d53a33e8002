"""The claims of `duplicates`, which must fail where repeats do no harm, and a whole run."""

import dataclasses

import numpy as np
import pytest
from findings import gap
from scipy import stats

from keras_gahr.datasets import Repeats
from keras_gahr.denoisers import Inference
from keras_gahr.errors import InputError
from keras_gahr.experiments.duplicates.experiment import SETS, Duplicates
from keras_gahr.experiments.duplicates.findings import DuplicatesResult, claims_of
from keras_gahr.experiments.duplicates.report import answer
from keras_gahr.experiments.gap import measure_gap
from keras_gahr.psnr import psnr_at
from keras_gahr.reproduction.settings import replaced

FOUND, WIDER, AS_FEW, MEMORIZED = range(4)


def repeats(*dropped, total=20):
    first = np.full(total, -1)
    first[list(dropped)] = 0
    return Repeats(first, np.zeros(total), len(dropped), [])


def gaps(distinct, repeated, few, spread=0.1):
    return dict(zip(SETS, (gap(g, spread) for g in (distinct, repeated, few)), strict=True))


def memorized(distinct, repeated):
    return dict(zip(SETS, (np.arange(40) < 40 * m for m in (distinct, repeated, 1)), strict=True))


RESULT = DuplicatesResult(2, 20, repeats(*range(2, 20)), gaps(0.1, 5, 6), memorized(0, 0.9), 0.0)


def passed(**change):
    return [claim.passed for claim in claims_of(dataclasses.replace(RESULT, **change))]


def test_repeats_that_do_harm_and_are_found():
    assert passed() == [True] * 4


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (FOUND, {"repeats": repeats(*range(3, 20))}),
        (FOUND, {"repeats": repeats(*range(1, 20))}),
        (WIDER, {"gaps": gaps(0.1, 0.2, 6)}),
        # Wider by as much as anybody likes, and distinct images are denoised better than others, too.
        (WIDER, {"gaps": gaps(3, 8, 9)}),
        (AS_FEW, {"gaps": gaps(0.1, 1, 6)}),
        (MEMORIZED, {"memorized": memorized(0.9, 0.1)}),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, change):
    assert passed(**change)[claim] is False


def test_what_is_too_uncertain_is_not_decided():
    assert passed(gaps=gaps(0.1, 1.3, 6, spread=5))[WIDER] is None
    assert passed(gaps=gaps(0.8, 5, 6, spread=5))[WIDER] is None
    assert passed(memorized=memorized(0.1, 0.15))[MEMORIZED] is None
    assert passed(memorized=memorized(0, 0))[MEMORIZED] is None
    two = dict(zip(SETS, np.array([[False] * 2, [True] * 2, [True] * 2]), strict=True))
    assert passed(memorized=two)[MEMORIZED] is None
    alone = dict(zip(SETS, np.array([[False], [True], [True]]), strict=True))
    assert passed(memorized=alone)[MEMORIZED] is None


def test_the_answer_says_to_which_gap_that_with_repeats_is_nearer():
    said = answer(RESULT)
    assert "was 5.0 dB, nearer to that with these 2 alone (6.0 dB) than to that with 20" in said
    said = answer(dataclasses.replace(RESULT, gaps=gaps(0.1, 1, 6)))
    assert "was 1.0 dB, no nearer to that with these 2 alone (6.0 dB) than to that with 20" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"few": 1}, "received 1 images"),
        ({"repeats": 1}, "1 repeats"),
        ({"few": 20}, "images = 1032, expected at least 5632"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    settings = replaced(Duplicates.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Duplicates().trainings(settings)


def test_distinct_images_are_those_of_the_transition():
    from keras_gahr.experiments.transition.experiment import Transition

    known = {t.folder for t in Transition().trainings(Transition.scales["laptop"])}
    distinct, repeated, few = Duplicates().trainings(Duplicates.scales["laptop"])
    assert {distinct.folder, few.folder} < known
    assert repeated.folder not in known


def test_repeats_of_an_image_are_no_other_images(pretend):
    settings = replaced(Duplicates.scales["smoke"], few=4, repeats=8, curve_images=18)
    run = pretend(Duplicates().trainings(settings))[1]
    network, sigmas = settings.network, [0.1, 0.5]
    found = measure_gap(run, network, sigmas, distinct=4)
    # 16 of the 32, each image 4 times, and 18 others.
    inference, images = Inference(run.denoiser()), run.split()[0].as_float()[:16]
    psnr = [psnr_at(inference, images, sigma, network.seed)[1] for sigma in sigmas]
    each = np.mean(psnr, axis=0).reshape(4, 4).mean(axis=0)
    others = found.test.after.mean(axis=(0, 1))
    assert len(others) == 18
    assert found.train.mean == pytest.approx(np.mean(psnr, axis=1))
    assert found.mean == pytest.approx(each.mean() - others.mean())
    expected = stats.ttest_ind(each, others, equal_var=False).confidence_interval()
    assert found.mean_interval == pytest.approx((expected.low, expected.high))
    # Of fewer than there are distinct images none is a repeat.
    few = dataclasses.replace(network, curve_images=3)
    assert measure_gap(run, few, sigmas, distinct=4).train.after.shape == (2, 1, 3)


def test_a_network_that_was_not_trained_does_not_care(pretend):
    settings = replaced(Duplicates.scales["smoke"], samples=4, curve_images=16)
    runs = pretend(Duplicates().trainings(settings))
    document = Duplicates().analyse(settings, runs, lambda text, part: None)
    assert document.claims[FOUND].passed is True
    # Of so few samples none is a copy in either set.
    assert document.claims[MEMORIZED].passed is None
    assert document.numbers["repeats_found"] == 510
    widths = [np.ptp(document.numbers[name]["mean_gap_95"]) for name in ("repeated", "few")]
    assert 0.2 < widths[0] / widths[1] < 5
    assert len(document.sections) == 3


@pytest.mark.long
@pytest.mark.slow
def test_repeats_make_a_network_memorize(finish):
    settings = Duplicates.scales["smoke"]
    runs = finish(Duplicates().trainings(settings))
    document = Duplicates().analyse(settings, runs, lambda text, part: None)
    assert [claim.passed for claim in document.claims] == [True] * 4
