"""The claims of `eigenbasis`, which must fail for fixed and for dense bases, and whole runs."""

import dataclasses

import numpy as np
import pytest

from keras_gahr.errors import InputError
from keras_gahr.experiments.eigenbasis.experiment import FaceEigenbasis
from keras_gahr.experiments.eigenbasis.findings import (
    AdaptiveFindings,
    adaptive_claims,
    crowding,
    frequencies,
    remainder,
)
from keras_gahr.experiments.shuffled.experiment import Shuffled
from keras_gahr.experiments.transition.experiment import Transition
from keras_gahr.reproduction.settings import replaced

SPARSE, ADAPTS, RISES, FOLLOWS = range(4)
LITTLE = np.linspace(-0.01, 0.01, 8)

FOUND = AdaptiveFindings(0.1 + LITTLE, -11 + LITTLE, -8 + LITTLE, 0.9 + LITTLE, 2 + LITTLE)


def passed(**change):
    return [claim.passed for claim in adaptive_claims(dataclasses.replace(FOUND, **change))]


def test_a_basis_of_harmonics_that_adapt():
    assert passed() == [True] * 4


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (SPARSE, {"dimensions": 0.5 + LITTLE}),
        (ADAPTS, {"other": FOUND.own}),
        (ADAPTS, {"other": -12 + LITTLE}),
        (RISES, {"rising": 0.2 + LITTLE}),
        (FOLLOWS, {"crowding": 1 - np.abs(LITTLE)}),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, change):
    assert passed(**change)[claim] is False


def test_what_is_too_uncertain_is_not_decided():
    assert passed(other=-11 + 1000 * LITTLE)[ADAPTS] is None


def test_what_is_left_of_an_image_beyond_vectors():
    image = np.random.default_rng(0).random((4, 4, 1))
    every = np.eye(16).reshape(16, 4, 4, 1)
    assert remainder(image, every) < -100
    assert remainder(image, np.full((1, 4, 4, 1), 0.25)) == pytest.approx(0)


def test_frequencies_of_waves():
    at = 2 * np.pi * np.arange(32) / 32
    waves = np.stack([np.tile(np.sin(k * at), (32, 1)) for k in (1, 2, 4)])[..., None]
    assert np.all(np.diff(frequencies(waves)) > 0)
    assert frequencies(np.ones((1, 8, 8, 1))) == [0]
    assert frequencies(3 * waves) == pytest.approx(frequencies(waves))


def test_vectors_on_a_contour_crowd_there():
    image = np.zeros((16, 16, 1))
    image[8:] = 1
    on, off = np.full((2, 1, 16, 16, 1), 0.1)
    on[:, 7:9], off[:, :4] = 1, 1
    assert crowding(image, on) > 10
    assert crowding(image, off) < 0.5
    assert crowding(image, np.ones((1, 16, 16, 1))) == pytest.approx(1)


def test_settings_that_cannot_be_run_are_refused():
    settings = replaced(FaceEigenbasis.scales["smoke"], train_images=4000)
    with pytest.raises(InputError, match="images = 2112, expected at least 4064"):
        FaceEigenbasis().trainings(settings)


def test_networks_are_those_of_other_experiments():
    for scale, other in (("laptop", Shuffled()), ("paper", Transition())):
        known = {task.folder for task in other.trainings(other.scales[scale])}
        (task,) = FaceEigenbasis().trainings(FaceEigenbasis.scales[scale])
        assert task.folder in known


def test_a_network_that_was_not_trained_does_not_adapt(pretend):
    settings = replaced(
        FaceEigenbasis.scales["smoke"],
        images=300,
        train_images=200,
        basis_images=3,
        size=8,
        vectors=16,
    )
    runs = pretend(FaceEigenbasis().trainings(settings))
    document = FaceEigenbasis().analyse(settings, runs, lambda text, part: None)
    assert document.claims[ADAPTS].passed is not True
    names = {picture.name for picture in document.pictures()}
    assert names == {"factors", "vectors-1", "vectors-14"}
    assert "in their place" in document.sections[0].text[0]


@pytest.mark.long
@pytest.mark.slow
def test_a_network_shrinks_in_harmonics_that_adapt(finish):
    settings = FaceEigenbasis.scales["smoke"]
    runs = finish(FaceEigenbasis().trainings(settings))
    document = FaceEigenbasis().analyse(settings, runs, lambda text, part: None)
    assert [claim.passed for claim in document.claims] == [True] * 4
