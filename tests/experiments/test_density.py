"""The claims of `density`, which must fail where networks do otherwise, and a whole run."""

import numpy as np
import pytest

from keras_gahr.analysis import LogDensity
from keras_gahr.errors import InputError
from keras_gahr.experiments.density.experiment import Densities
from keras_gahr.experiments.density.findings import AgreementResult, claims_of
from keras_gahr.reproduction.settings import replaced

SIZE = 64
BITS = np.random.default_rng(0).normal(-2, 0.5, 40)


def density(bits):
    values = -np.asarray(bits) * SIZE * np.log(2)
    passes = np.full(len(values), 400)
    errors = np.full(len(values), 0.5)
    return LogDensity(values, errors, 2 * errors, passes, SIZE, "mmse", 0.0, (0.01, 1.0), 0)


def result(count, *, apart, advantage):
    noise = apart * np.random.default_rng(1).standard_normal(40)
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


def test_networks_that_never_or_always_prefer_their_own():
    assert passed(result(10, apart=3, advantage=0), MANY)[2] is False
    assert passed(FEW, result(1000, apart=0.05, advantage=2))[3] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"density_images": 2}, "density_images = 2, expected 3 or more"),
        ({"evaluations": 5}, "evaluations = 5, expected 12 or more"),
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
        test_size=4, evaluations=20,
    )  # fmt: skip
    runs = pretend(Densities().trainings(settings))
    told = []
    document = Densities().analyse(settings, runs, lambda text, part: told.append(part))
    assert [*document.numbers] == ["N=2", "N=6"] and len(document.claims) == 4
    # Both networks are one here.
    assert document.numbers["N=6"]["agreement"] == pytest.approx(1, abs=0.01)
    assert told == sorted(told) and 0 < told[-1] <= 1
    names = [item.name for item in document.sections[1].items[:1]]
    assert names == ["agreement"]
