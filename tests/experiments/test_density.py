"""The claims of `density`, which must fail where networks do otherwise, and a whole run."""

import numpy as np
import pytest

from keras_gahr.analysis import LogDensity
from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.datasets import mixture_law
from keras_gahr.errors import InputError
from keras_gahr.experiments.density.experiment import Densities
from keras_gahr.experiments.density.findings import (
    AgreementResult,
    Teacher,
    TwinDensities,
    claims_of,
    teacher_claims,
)
from keras_gahr.experiments.density.report import answer
from keras_gahr.experiments.density.teacher import _best_gaussian
from keras_gahr.reproduction.settings import replaced

SIZE = 64
BITS = np.random.default_rng(0).normal(-2, 0.5, 40)


def density(bits):
    values = -np.asarray(bits) * SIZE * np.log(2)
    passes = np.full(len(values), 400)
    errors = np.full(len(values), 0.5)
    return LogDensity(values, errors, 2 * errors, passes, SIZE, "mmse", 0.0, (0.01, 1.0), 0)


def result(count, *, apart, advantage):
    noise = apart * np.random.default_rng(count).standard_normal(40)
    return AgreementResult(
        count, density(BITS), density(BITS + noise), density(BITS[::-1] - advantage)
    )


FEW, MANY = result(10, apart=3, advantage=5), result(1000, apart=0.05, advantage=0.1)


def passed(*results):
    return [claim.passed for claim in claims_of(results)]


def test_networks_that_come_to_agree():
    assert passed(FEW, MANY) == [True] * 4


def test_networks_that_do_not():
    assert passed(FEW, result(1000, apart=3, advantage=0.1))[:2] == [False, None]
    assert passed(MANY, FEW)[:2] == [False, False]


def test_an_image_is_compared_with_itself():
    # Images differ much more than a network with others has come nearer on each.
    apart = np.linspace(0.2, 6, 40) * np.where(np.arange(40) % 2, 1, -1)
    before, after = (
        AgreementResult(count, density(BITS), density(BITS + factor * apart), density(BITS))
        for count, factor in ((10, 1.0), (1000, 0.9))
    )
    claim = claims_of([before, after])[1]
    assert claim.passed is True
    low, high = mean_interval(np.abs(apart) / 10)
    assert claim.measured.startswith(f"{np.abs(apart).mean() / 10:.2f} bits per dimension less")
    assert claim.measured.endswith(f"(95%: {low:.2f} to {high:.2f})")
    assert claims_of([after, before])[1].passed is False


def test_networks_that_never_or_always_prefer_their_own():
    assert passed(result(10, apart=3, advantage=0), MANY)[2] is False
    assert passed(FEW, result(1000, apart=0.05, advantage=2))[3] is False


TRUTH = density(BITS).log_density
BITS_OF_NOISE = np.random.default_rng(2).standard_normal((2, 40))


def taught(count, *, apart, too_low):
    twins = (density(BITS + too_low + apart * noise) for noise in BITS_OF_NOISE)
    return TwinDensities(count, *twins)


def seen(first, last, gaussian=0.2):
    teacher = Teacher.of(density(BITS), TRUTH, density(BITS + gaussian).log_density)
    return [claim.passed for claim in teacher_claims(teacher, [first, last])]


STRANGERS, STUDENTS = taught(10, apart=2, too_low=1.5), taught(1000, apart=0.05, too_low=0.03)


def test_networks_that_learn_the_true_density():
    assert seen(STRANGERS, STUDENTS) == [True] * 4


def test_the_answer_says_on_which_side_of_the_true_density_they_are():
    teacher = Teacher.of(density(BITS), TRUTH, TRUTH)
    students = [taught(10, apart=0, too_low=1.5), taught(1000, apart=0, too_low=-0.25)]
    assert answer([FEW, MANY], teacher, students).endswith(
        "in bits per dimension: N = 10: 1.50 below; N = 1000: 0.25 above."
    )


def test_networks_that_learn_another_density_or_know_it_from_the_start():
    assert seen(STUDENTS, STRANGERS)[:3] == [False] * 3
    assert seen(STUDENTS, STUDENTS)[0] is False
    # Both agree, and find everything equally too improbable.
    assert seen(STRANGERS, taught(1000, apart=0.05, too_low=0.5)) == [True, True, True, False]
    assert seen(STRANGERS, STUDENTS, gaussian=0.0)[3] is False


def test_the_best_gaussian_has_the_mean_and_the_covariance_of_the_law():
    law = mixture_law(size=2, rank=1, spread=1.0, weights=[0.3, 0.7])
    classes = (np.arange(100_000) % 10 >= 3).astype(int)
    points = law.draw(classes, np.random.default_rng(0).standard_normal((100_000, 1)), None)
    flat = points.reshape(len(points), -1)
    one = _best_gaussian(law)
    np.testing.assert_allclose(one.means.ravel(), flat.mean(axis=0), atol=1e-3)
    covariance = (one.bases[0] * one.variances[0]) @ one.bases[0].T
    np.testing.assert_allclose(covariance, np.cov(flat.T), atol=2e-3 * np.abs(covariance).max())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"density_images": 2}, "density_images = 2, expected 3 or more"),
        ({"evaluations": 5}, "evaluations = 5, expected 12 or more"),
        ({"teacher_points": 2}, "teacher_points = 2, expected 3 or more"),
        ({"teacher_sizes": (8,)}, "set sizes 8"),
        ({"rate": 0.0}, "rate = 0"),
        ({"set_sizes": (8, 200)}, "images = 320, expected at least 432"),
    ],
)
def test_what_cannot_be_run(change, words):
    settings = replaced(Densities.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Densities().trainings(settings)


def test_a_whole_run_of_networks_that_were_not_trained(pretend):
    settings = replaced(
        Densities.scales["smoke"], size=8, images=20, set_sizes=(2, 6), density_images=4,
        test_size=4, evaluations=20, teacher_sizes=(2, 6), teacher_points=4, point_evaluations=12,
        steps=2, width=4,
    )  # fmt: skip
    runs = pretend(Densities().trainings(settings))
    told = []
    document = Densities().analyse(settings, runs, lambda text, part: told.append(part))
    assert [*document.numbers] == ["N=2", "N=6", "known law"] and len(document.claims) == 8
    # Both networks are one here.
    assert document.numbers["N=6"]["agreement"] == pytest.approx(1, abs=0.01)
    assert told == sorted(told) and 0 < told[-1] <= 1
    names = [section.items[0].name for section in document.sections[1:]]
    assert names == ["agreement", "known-law"]
    # However few the evaluations: the best denoiser is nearer to the truth than networks of 2 steps.
    known = document.numbers["known law"]
    assert abs(known["best denoiser"]["below"]) < 0.5 < known["N=6"]["first"]["below"]
