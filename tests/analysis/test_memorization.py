"""Memorized or generalized."""

import json

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis.memorization import (
    memorization_report,
    memorized_in_a_way,
    twins_closer,
    verdict,
)
from keras_gahr.errors import InputError
from keras_gahr.ssim import ssim


@pytest.fixture
def images():
    return np.random.default_rng(0).random((40, 12, 12, 1), np.float32)


def noisy(images, sigma, seed=1):
    noise = np.random.default_rng(seed).standard_normal(images.shape, np.float32)
    return images + np.float32(sigma) * noise


def test_copies_are_memorized(images):
    train, other = images[:20], images[20:]
    samples = noisy(train[[3, 7, 7, 11]], 0.02)
    report = memorization_report(samples, train, noisy(other[:4], 0.02))
    assert report.verdict == "memorized"
    assert report.share_memorized == 1
    for best in report.closest.values():
        assert best.index[:, 0].tolist() == [3, 7, 7, 11]
    distances = np.sqrt(np.mean((samples[:, None] - train) ** 2, axis=(2, 3, 4)))
    nearest = np.sort(distances, axis=1)
    np.testing.assert_allclose(report.ratio, nearest[:, 0] / nearest[:, 1], rtol=1e-5)
    np.testing.assert_allclose(report.ssim, ssim(samples, train[[3, 7, 7, 11]]))
    np.testing.assert_allclose(report.twin_ssim, ssim(samples, noisy(other[:4], 0.02)))


def test_training_images_beyond_black_and_white_are_those_compared(images):
    train = 2 * images - 0.5
    report = memorization_report(train[:3], train)
    np.testing.assert_allclose(report.ssim, 1)
    wiener = kg.baselines.Wiener.from_images(train)
    schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
    twins = kg.compare([wiener, wiener], [train, train], count=2, schedule=schedule)
    best = twins.reports[0].closest["correlation"].index[:, 0]
    np.testing.assert_array_equal(twins.closest[0], train[best])


def test_equal_twins_unlike_the_training_images_have_generalized(images):
    fresh = np.random.default_rng(5).random((6, 12, 12, 1), np.float32)
    a, b = noisy(fresh, 0.02, 2), noisy(fresh, 0.02, 3)
    reports = [memorization_report(a, images[:20], b), memorization_report(b, images[20:], a)]
    assert verdict(memorized_in_a_way(reports), twins_closer(reports)) == "generalized"
    assert twins_closer(reports).all()
    assert reports[0].share_memorized == 0
    np.testing.assert_allclose(reports[0].twins["cosine"], reports[1].twins["cosine"])
    assert memorization_report(a, images).verdict == "neither"
    unlike = memorization_report(a, images, b[::-1].copy())
    assert unlike.verdict == "neither"


def test_one_training_image_and_repeated_ones(images):
    one = memorization_report(noisy(images[:2], 0.01), images[:1])
    assert one.memorized.tolist() == [True, False]
    assert np.isnan(one.ratio).all()
    assert one.numbers()["distance_ratio"] == [None, None]
    # An exact copy of an image that is there twice is as close to the second as to the first.
    twice = memorization_report(images[:1], images[[0, 0, 1]])
    assert twice.ratio.tolist() == [1]
    assert twice.closest["distance"].value[0].tolist() == [0, 0]


def test_multiples_of_images_are_memorized_up_to_a_factor(images):
    report = memorization_report(0.4 * noisy(images[:6], 0.02), images[:20])
    assert not report.memorized.any()
    assert report.memorized_up_to_a_factor.all()
    assert report.verdict == "memorized"
    fresh = memorization_report(images[20:], images[:20])
    assert not fresh.memorized_up_to_a_factor.any()
    repeated = memorization_report(images[:1], images[[0, 0, 1]])
    assert not repeated.memorized_up_to_a_factor.any()
    assert memorization_report(0.4 * images[:1], images[:1]).memorized_up_to_a_factor.all()


@pytest.mark.parametrize("distance", [1e-5, 1e-4, 1e-3, 1e-2])
def test_the_ratio_of_near_copies(images, distance):
    """Ten near copies of one image; the sample is closer to one of them, and then it is not."""
    rng = np.random.default_rng(6)
    signs = np.sign(rng.standard_normal((10, *images.shape[1:]))).astype(np.float32)
    train = np.concatenate([0.4 + 0.2 * images[:1] + distance * np.float32(signs), images[1:]])
    for towards, memorized in ((0.9, True), (0.5, False)):
        sample = (towards * train[:1].astype(np.float64) + (1 - towards) * train[4]).astype(
            np.float32
        )
        report = memorization_report(sample, train)
        distances = np.sqrt(np.mean((np.float64(sample) - train[:10]) ** 2, axis=(1, 2, 3)))
        first, second = np.sort(distances)[:2]
        assert report.ratio[0] == pytest.approx(first / second, rel=1e-9)
        assert report.memorized.tolist() == [memorized]


def test_multiples_of_one_image_are_equally_close(images):
    """What is left of their angles is rounding."""
    multiples = images[:1] * np.float32([1, 0.5, 0.3, 0.7])[:, None, None, None]
    report = memorization_report(images[:1] * np.float32(0.25), np.concatenate([multiples, images]))
    assert not report.memorized_up_to_a_factor.any()


def test_a_sample_is_memorized_in_one_way_or_the_other(images):
    """The second of two training images is a multiple of the first."""
    train = images[:1] * np.float32([0.25, 1])[:, None, None, None]
    copy, multiple = (
        memorization_report(train, train),
        memorization_report(0.4 * images[2:4], images),
    )
    assert copy.memorized.all() and not copy.memorized_up_to_a_factor.any()
    assert multiple.memorized_up_to_a_factor.all() and not multiple.memorized.any()
    assert memorized_in_a_way([copy, multiple]).all()
    assert memorized_in_a_way([copy, multiple]).shape == (2, 2)
    fresh = memorization_report(images[2:4], train)
    assert not memorized_in_a_way([fresh]).any()


@pytest.mark.parametrize(
    ("memorized", "closer", "expected"),
    [
        ([True, True, False], [True, True], "memorized"),
        ([True, False], [True, True, False], "generalized"),
        ([True, False], [True, False], "neither"),
        ([False, False], None, "neither"),
    ],
)
def test_a_verdict_is_that_of_more_than_half(memorized, closer, expected):
    assert verdict(memorized, closer) == expected


def test_numbers_are_json(images):
    report = memorization_report(noisy(images[:5], 0.3), images, noisy(images[:5], 0.1))
    numbers = json.loads(json.dumps(report.numbers(), allow_nan=False))
    assert numbers["training_images"] == 40
    assert sum(numbers["closest_summary"]["cosine"]["histogram"]["counts"]) == 5
    small = memorization_report(images[:2, :8], images[:, :8], images[2:4, :8])
    assert small.numbers()["closest_ssim"] is None
    with pytest.raises(InputError, match="one shape"):
        memorization_report(images[:5], images, images[:4])
