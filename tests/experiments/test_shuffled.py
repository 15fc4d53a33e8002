"""The claims of `shuffled`, which must fail where shuffling does no harm, and whole runs."""

import pytest
from findings import curve

from keras_gahr.experiments.eigenbasis.experiment import FaceEigenbasis
from keras_gahr.experiments.shuffled.experiment import Shuffled
from keras_gahr.experiments.shuffled.findings import ShuffledFindings, shuffled_claims
from keras_gahr.experiments.shuffled.report import answer, denoising_section
from keras_gahr.reproduction.settings import replaced

WORSE, FLATTER = range(2)


def passed(plain, shuffled):
    found = ShuffledFindings(curve(*plain), curve(*shuffled), curve(0.5, 12))
    return [claim.passed for claim in shuffled_claims(found)]


def test_shuffled_images_are_denoised_worse():
    assert passed((0.7, 15), (0.5, 12)) == [True, True]


@pytest.mark.parametrize(
    ("claim", "plain", "shuffled"),
    [
        (WORSE, (0.7, 15), (0.7, 15)),
        (WORSE, (0.7, 15), (0.7, 14.5)),
        (WORSE, (0.7, 15), (0.7, 18)),
        (FLATTER, (0.7, 15), (0.7, 12)),
        (FLATTER, (0.7, 15), (0.8, 12)),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, plain, shuffled):
    assert passed(plain, shuffled)[claim] is not True


def test_what_is_too_uncertain_is_not_decided():
    assert passed((0.7, 15, 50, 0.1), (0.7, 14, 50, 20))[WORSE] is None


def test_the_report_says_what_is_better_and_what_is_worse():
    worse = ShuffledFindings(curve(0.7, 15), curve(0.5, 12), curve(0.5, 12))
    assert answer(worse) == (
        "7.0 dB worse on average than the same images unshuffled; the slope of the PSNR is 0.50, "
        "unshuffled 0.70."
    )
    assert denoising_section(worse).text[0].endswith("unshuffled images is 7.0 dB better.")
    better = ShuffledFindings(curve(0.5, 12), curve(0.5, 12.5), curve(0.5, 13))
    assert answer(better).startswith("0.5 dB better on average than")
    assert denoising_section(better).text[0].endswith("unshuffled images is 1.0 dB worse.")


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_unshuffled_images_are_those_of_the_eigenbasis(scale):
    plain, shuffled = Shuffled().trainings(Shuffled.scales[scale])
    (known,) = FaceEigenbasis().trainings(FaceEigenbasis.scales[scale])
    assert plain.folder == known.folder != shuffled.folder
    assert shuffled.dataset.parameters["dataset"] == plain.dataset


def test_the_report_on_a_network_that_was_not_trained(pretend):
    settings = replaced(
        Shuffled.scales["smoke"],
        images=300,
        train_images=200,
        curve_images=8,
        basis_images=2,
        size=8,
        vectors=16,
    )
    runs = pretend(Shuffled().trainings(settings))
    document = Shuffled().analyse(settings, runs, lambda text, part: None)
    assert len(document.claims) == 2
    names = {picture.name for picture in document.pictures()}
    assert names == {"psnr", "factors", "vectors-1", "vectors-14"}
    assert set(document.numbers["slopes"]) == {"plain", "shuffled"}


@pytest.mark.long
@pytest.mark.slow
def test_shuffling_does_harm(finish):
    settings = Shuffled.scales["smoke"]
    runs = finish(Shuffled().trainings(settings))
    document = Shuffled().analyse(settings, runs, lambda text, part: None)
    # After so short a training both curves level off where there is little noise.
    assert document.claims[WORSE].passed is True
