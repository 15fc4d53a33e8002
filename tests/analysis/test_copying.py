"""Measures of copying, against loops over tiny sets in float64."""

import json
import math

import numpy as np
import pytest
from scipy import integrate, stats

from keras_gahr.analysis import (
    CopiesByDimension,
    copies_by_dimension,
    copying_report,
    intervals,
)
from keras_gahr.analysis.copying.neighbours import neighbours
from keras_gahr.analysis.copying.report import RULES
from keras_gahr.analysis.copying.score import copying_score
from keras_gahr.errors import InputError

pytestmark = pytest.mark.one_backend

DRAWS = np.random.default_rng(7)
TRAINING = DRAWS.random((8, 2, 4, 1)).astype(np.float32)
TEST = DRAWS.random((5, 2, 4, 1)).astype(np.float32)
SAMPLES = DRAWS.random((6, 2, 4, 1)).astype(np.float32)
# A copy; two that are alike; the others are by themselves.
SAMPLES[0] = TRAINING[3] + np.float32(1e-3)
SAMPLES[2] = SAMPLES[1] + np.float32(2e-3)
OTHERS = SAMPLES + DRAWS.normal(0, 0.2, SAMPLES.shape).astype(np.float32)


def distance(a, b):
    total = 0.0
    for x, y in zip(np.float64(a).ravel(), np.float64(b).ravel(), strict=True):
        total += (x - y) ** 2
    return math.sqrt(total / a.size)


def cosine(a, b):
    a, b = np.float64(a).ravel(), np.float64(b).ravel()
    return sum(a * b) / math.sqrt(sum(a * a)) / math.sqrt(sum(b * b))


def to_others(images, k):
    return min(distance(images[k], other) for j, other in enumerate(images) if j != k)


def by_loops(samples, training, test, threshold, quantile):
    """All measures but RP."""
    nearest = [min(range(len(training)), key=lambda j: distance(s, training[j])) for s in samples]
    sorted_ = [sorted(distance(s, x) for x in training) for s in samples]
    first = [pair[0] for pair in sorted_]
    own = [to_others(training, k) for k in range(len(training))]
    radius = np.quantile(own, quantile)
    classes = []
    for k in range(len(samples)):
        if first[k] <= radius:
            classes.append("memorized")
        elif to_others(samples, k) <= radius:
            classes.append("spurious")
        else:
            classes.append("generalized")
    of_test = [min(distance(t, x) for x in training) for t in test]
    above = sum((a > b) + (a == b) / 2 for a in first for b in of_test)
    n, t = len(samples), len(test)
    score = (above - n * t / 2) / math.sqrt(n * t * (n + t + 1) / 12)
    return {
        "M": np.mean([max(cosine(s, x) for x in training) <= threshold for s in samples]),
        "f_mem": np.mean([pair[0] < pair[1] / 3 for pair in sorted_]),
        "AuthPct": np.mean([first[k] > own[nearest[k]] for k in range(n)]),
        "C_T": score,
        **{name: classes.count(name) / n for name in ("memorized", "spurious", "generalized")},
    }


@pytest.mark.parametrize(("threshold", "quantile"), [(0.6, 0.05), (0.9, 0.5), (0.97, 1.0)])
def test_measures_are_those_of_loops(threshold, quantile):
    report = copying_report(
        SAMPLES, TRAINING, TEST, OTHERS, threshold=threshold, quantile=quantile, seed=3
    )
    expected = by_loops(SAMPLES, TRAINING, TEST, threshold, quantile)
    expected["RP"] = np.mean(
        [cosine(a, b) > threshold for a, b in zip(SAMPLES, OTHERS, strict=True)]
    )
    found = {name: measure.found.value for name, measure in report.measures.items()}
    assert list(found) == list(RULES)
    assert found == pytest.approx(expected, abs=1e-9)
    assert report.radius == pytest.approx(
        np.quantile([to_others(TRAINING, k) for k in range(8)], quantile), rel=1e-9
    )


@pytest.mark.parametrize("threshold", [0.6, 0.9])
def test_nulls_are_of_half_of_the_training_set(threshold):
    """Of 8 training images, all 4 of one half are drawn for 6 samples."""
    report = copying_report(SAMPLES, TRAINING, TEST, OTHERS, threshold=threshold)
    expected = by_loops(TRAINING[0::2], TRAINING[1::2], TEST, threshold, 0.05)
    strangers = [OTHERS[k - 1] for k in range(6)]
    expected["RP"] = np.mean(
        [cosine(a, b) > threshold for a, b in zip(SAMPLES, strangers, strict=True)]
    )
    found = {name: measure.null.value for name, measure in report.measures.items()}
    assert found == pytest.approx(expected, abs=1e-9)


def test_what_the_samples_are_is_seen():
    report = copying_report(SAMPLES, TRAINING, quantile=0.05)
    assert report.index[0] == 3 and report.classes[0] == "memorized"
    assert report.classes[1:3].tolist() == ["spurious", "spurious"]
    assert not report.authentic[0] and report.ratio[0] < 0.01
    assert list(report.measures) == [name for name in RULES if name not in {"RP", "C_T"}]
    assert report.twins is None and report.num_test == 0


@pytest.mark.parametrize("space", ["pixels", "features"])
def test_ratios_near_copies_are_right(space):
    """At a distance of a thousandth, in pixels and in features: d1 / d2 to 1e-4."""
    draws = np.random.default_rng(1)
    training = draws.random((50, 8, 8)).astype(np.float32)
    training[1::2] = training[0::2] + 1e-3 * draws.normal(0, 1, (25, 8, 8)).astype(np.float32)
    samples = training[0::2] + 5e-4 * draws.normal(0, 1, (25, 8, 8)).astype(np.float32)
    mixing = np.eye(64) if space == "pixels" else draws.normal(0, 30, (64, 40))

    def mixed(images):
        return (np.clip(images, 0, 1).reshape(len(images), -1) @ mixing).astype(np.float32)

    samples = np.clip(samples, 0, 1)
    report = copying_report(samples, training, features="pixels" if space == "pixels" else mixed)
    a, b = (
        np.float64(x.reshape(len(x), -1) if space == "pixels" else mixed(x))
        for x in (samples, training)
    )
    d = np.sort(np.linalg.norm(a[:, None] - b, axis=2), axis=1)
    np.testing.assert_allclose(report.ratio, d[:, 0] / d[:, 1], rtol=1e-4)


def test_intervals_are_wilsons_and_newcombes():
    report = copying_report(SAMPLES, TRAINING, TEST, seed=5)
    measure = report.measures["f_mem"].found
    assert measure.interval == intervals.share_interval(report.ratio < 1 / 3)
    assert measure.count == 6
    low, high = report.measures["C_T"].found.interval
    assert low < report.measures["C_T"].found.value < high
    again = copying_report(SAMPLES, TRAINING, TEST, seed=5).measures["C_T"]
    assert again == report.measures["C_T"]
    # Of samples that are all closer, and of one test image, it is no more certain than the area is.
    n, scale = len(SAMPLES), math.sqrt(12 * 6 / 8)
    alone = copying_report(TRAINING[:n] + 1e-3, TRAINING, TEST[:1]).measures["C_T"].found
    assert alone.value == pytest.approx(-scale / 2) == alone.interval[0]
    assert alone.interval[1] == pytest.approx(scale * (intervals.area_interval(0, n, 1)[1] - 0.5))


def test_the_score_is_that_of_the_mann_whitney_test():
    draws = np.random.default_rng(2)
    samples, test = draws.random(30).round(1), draws.random(20).round(1)
    u = stats.mannwhitneyu(samples, test).statistic
    assert copying_score(samples, test) == pytest.approx((u - 300) / math.sqrt(600 * 51 / 12))
    assert copying_score(samples, samples) == 0
    assert copying_score(samples - 2, test) < -5


def test_repeats_in_the_training_set_have_themselves_as_neighbours():
    images = np.concatenate([TRAINING, TRAINING[:1], TRAINING[:1]]).reshape(10, -1)
    near = neighbours(images[[0, 9, 4]], images, None, 1.0, 0, lambda done, total: None)
    assert near.own[:2].tolist() == [0, 0]
    assert near.own[2] == pytest.approx(to_others(TRAINING, 4))
    assert near.ratio[:2].tolist() == [1, 1]


def test_samples_of_another_law_are_told_from_copies():
    draws = np.random.default_rng(4)
    images = draws.random((300, 4, 4))
    training, test, new = images[:120], images[120:200], images[200:260]
    fair = copying_report(new, training, test)
    copied = copying_report(training[:60] + draws.normal(0, 0.01, (60, 4, 4)), training, test)
    for name in ("f_mem", "AuthPct", "memorized"):
        low, high = fair.measures[name].null.interval
        assert low - 0.1 < fair.measures[name].found.value < high + 0.1
    assert abs(fair.measures["C_T"].found.value) < 3 < -copied.measures["C_T"].found.value
    assert copied.share_memorized > 0.9 and copied.share_authentic < 0.1
    # The null is of the training set, which knows no samples.
    assert copied.measures["f_mem"].null.value < 0.1


def test_it_is_saved_and_drawn(tmp_path):
    report = copying_report(SAMPLES, TRAINING, TEST, OTHERS)
    folder = report.save(tmp_path / "copying")
    assert sorted(path.name for path in folder.iterdir()) == [
        "copying.json",
        "copying.npz",
        "copying.png",
    ]
    numbers = json.loads((folder / "copying.json").read_text())
    assert numbers["measures"]["f_mem"]["value"] == report.share_memorized
    assert set(numbers["measures"]["C_T"]["null"]) == {"value", "interval_95", "count"}
    assert numbers["measures"]["RP"]["rule"] == RULES["RP"]
    with np.load(folder / "copying.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["classes"], report.classes)
        np.testing.assert_array_equal(arrays["distance"], report.distance)
    assert len(repr(report).splitlines()) <= 5
    assert [axes.get_xlabel() for axes in report.plot().axes] == ["share", "z-score"]
    assert len(copying_report(SAMPLES, TRAINING).plot().axes) == 1


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float16, np.float64])
def test_every_type_of_images(dtype):
    images = {np.uint8: (255 * TRAINING).astype(np.uint8), bool: TRAINING > 0.5}.get(
        dtype, TRAINING.astype(dtype)
    )
    assert copying_report(images[:3], images).ratio.tolist() == [0, 0, 0]


def test_what_cannot_be_compared():
    for arguments, message in [
        ((SAMPLES[:, :, :3], TRAINING), "samples of 2x3x1 and training images of 2x4x1"),
        ((SAMPLES, TRAINING, TEST[:, :1]), "test images of 1x4x1"),
        ((SAMPLES[:1], TRAINING), "received 1 samples, expected at least 2"),
        ((SAMPLES, TRAINING[:3]), "received 3 training images, expected at least 4"),
        ((SAMPLES, TRAINING, None, OTHERS[:3]), "6 samples and 3 others"),
        ((SAMPLES, TRAINING, None, None, "x.pt"), "features 'x.pt'"),
        ((SAMPLES, TRAINING, None, None, "pixels", 1.5), "threshold = 1.5"),
    ]:
        with pytest.raises(InputError, match=message):
            copying_report(*arguments)
    with pytest.raises(InputError, match="quantile = -1"):
        copying_report(SAMPLES, TRAINING, quantile=-1)


def test_copies_by_dimension(tmp_path):
    """The area counts pairs; equal dimensions count half."""
    dimension = np.array([2.0, 5.0, 5.0, 3.0, 9.0, 7.0])
    samples = np.concatenate([TRAINING[:2] + np.float32(1e-3), SAMPLES[3:6], TRAINING[2:3]])
    found = copies_by_dimension(dimension, samples, TRAINING)
    expected = [True, True, False, False, False, True]
    assert found.copies.tolist() == expected
    area, (low, high) = found.told_apart
    pairs = [(a < b) + 0.5 * (a == b) for a in (2, 5, 7) for b in (5, 3, 9)]
    assert area == pytest.approx(np.mean(pairs)) and low < area < high
    others, copies, _ = found.curve.T
    assert integrate.trapezoid(copies, others) == pytest.approx(area)
    assert found.correlation[0] == pytest.approx(stats.spearmanr(dimension, found.ratio).statistic)
    found.save(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "copies.json").read_text())["copies"] == expected


def test_the_p_value_of_few_samples_is_that_of_their_orders():
    def found(dimension):
        ratio = np.arange(1.0, 1 + len(dimension)) / 20
        return CopiesByDimension(np.asarray(dimension, float), ratio, ratio < 1 / 3, 10).correlation

    # Two of six orders of three.
    assert found([2, 3, 4]) == pytest.approx((1, 1 / 3))
    assert found([4, 3, 2]) == pytest.approx((-1, 1 / 3))
    # One of three places for the other one, of which two are at an end.
    assert found([1, 2, 2])[1] == pytest.approx(2 / 3)
    dimension = [3, 1, 4, 1, 5, 9, 2]
    exact = stats.permutation_test(
        (stats.rankdata(dimension),),
        lambda x, axis: np.sum((x - 4) * np.arange(-3, 4), axis=axis),
        permutation_type="pairings",
        n_resamples=5040,
        vectorized=True,
    )
    assert found(dimension)[1] == pytest.approx(exact.pvalue)
    assert np.isnan(found([2, 2, 2, 2])).all()
    many = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    assert found(many)[1] == stats.spearmanr(many, range(10)).pvalue


def test_where_all_are_copies_nothing_is_told_apart():
    found = copies_by_dimension([1, 2], TRAINING[:2], TRAINING)
    assert found.told_apart is None and found.share_copies == 1
    assert found.numbers()["rank_correlation"] is None
    found.plot()
    alone = copies_by_dimension([1, 2, 3], SAMPLES[:3], TRAINING[:1])
    assert np.isnan(alone.ratio).all() and np.isnan(alone.correlation).all()
    with pytest.raises(InputError, match="received dimensions of shape"):
        copies_by_dimension([1, 2, 3], TRAINING[:2], TRAINING)


def test_multiples_of_training_images_are_copies_if_asked_for():
    samples = np.concatenate([3 * TRAINING[:2], SAMPLES[3:5]])
    found = copies_by_dimension([1, 2, 3, 4], samples, TRAINING, up_to_a_factor=True)
    assert found.copies.tolist() == [True, True, False, False] and found.up_to_a_factor
    assert found.ratio[:2].max() < 1e-3 and found.told_apart[0] == 1
    assert not copies_by_dimension([1, 2, 3, 4], samples, TRAINING).copies[:2].any()
