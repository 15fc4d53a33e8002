"""Similarity of images and the closest ones of a set."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gahr.analysis import similarity
from keras_gahr.analysis.nearest_patches import patch_slices, patch_sources
from keras_gahr.analysis.similarity import (
    MEASURES,
    closest,
    closest_features,
    paired_similarity,
    similarity_matrix,
)
from keras_gahr.datasets import disk_images
from keras_gahr.errors import InputError

# Of distances, of themselves: differences of float32 images of gray levels k / 255 are rounded.
DIFFERENCE = 3e-5

ROOT = Path(__file__).resolve().parents[2]
QUARTERS = patch_slices(40, 40)


@pytest.fixture(scope="module")
def published(golden):
    """The golden arrays, images with channels last."""
    with np.load(golden / "similarity.npz") as data:
        arrays = dict(data)
    return arrays | {name: arrays[name].transpose(0, 2, 3, 1) for name in "ab"}


def brute_force(images, others, measure):
    """The measures as they are defined, in float64."""
    a, b = (np.float64(x.reshape(len(x), 1, -1)) for x in (images, others))
    a, b = (
        x / 255 if original.dtype == np.uint8 else x for x, original in ((a, images), (b, others))
    )
    b = b.transpose(1, 0, 2)
    if measure == "distance":
        return np.sqrt(np.mean((a - b) ** 2, axis=-1))
    if measure == "correlation":
        a, b = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    a, b = (
        x / np.where((n := np.linalg.norm(x, axis=-1)) < 1e-9, 1e-3, n)[..., None] for x in (a, b)
    )
    return np.sum(a * b, axis=-1)


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("correlation", "im_set_corr"),
        ("cosine", "im_set_corr_no_mean_removal"),
        ("cosine", "cos_similarity"),
    ],
)
def test_golden_matrices(published, measure, name):
    found = similarity_matrix(published["a"], published["b"], measure)
    np.testing.assert_allclose(found, published[name], atol=1e-6)
    best = closest(published["a"], published["b"])[measure]
    np.testing.assert_array_equal(best.index[:, 0], published[name].argmax(axis=1))
    np.testing.assert_allclose(best.value[:, 0], published[name].max(axis=1), atol=1e-6)


def test_golden_patch_sources(published):
    found = patch_sources(published["a"], published["b"])
    np.testing.assert_array_equal(found.index, published["patch_source"])
    np.testing.assert_allclose(found.correlation, published["patch_corr"], atol=1e-6)
    table = np.concatenate([np.arange(12)[:, None], found.index], axis=1)
    np.testing.assert_array_equal(table[found.agree], published["same_source"])
    np.testing.assert_array_equal(table[~found.agree], published["diff_source"])


@pytest.mark.parametrize(("noise", "least"), [(0, 0.0), (0.005, 0.5)])
def test_copies_with_flat_areas_are_no_patchworks(noise, least):
    """A patch without contrast is like no image, and has no source."""
    images = disk_images(200, 40, 0)
    copies = images[:30] + noise * np.random.default_rng(0).standard_normal((30, 40, 40, 1))
    found = patch_sources(copies, images, least=least)
    assert found.agree.all()
    deviations = [images[:30, rows, columns].std(axis=(1, 2, 3)) for rows, columns in QUARTERS]
    # Those with less contrast than noise may be lost in it.
    flat, clear = (np.stack(deviations, 1) < 1e-6, np.stack(deviations, 1) > max(noise, 1e-6))
    assert flat.sum() > 20 and clear.sum() > 60
    assert np.all(found.index[flat] == -1)
    expected = np.broadcast_to(np.arange(30)[:, None], (30, 4))
    np.testing.assert_array_equal(found.index[clear], expected[clear])
    assert found.numbers()["patches_without_source"] == np.sum(found.index == -1)
    # Of two copies the upper and the lower half: still a patchwork.
    one, other = np.flatnonzero(clear.all(axis=1))[:2]
    halves = np.concatenate([copies[[one], :20], copies[[other], 20:]], axis=1)
    assert patch_sources(halves, images, least=least).agree.tolist() == [False]


def test_a_blank_sample_has_no_source():
    images = np.random.default_rng(0).random((5, 8, 8))
    found = patch_sources(np.stack([np.full((8, 8), 0.5), images[2]]), images, side=4)
    assert found.index.tolist() == [[-1] * 4, [2] * 4]
    assert found.agree.tolist() == [False, True]
    assert found.numbers()["patches_without_source"] == 4
    assert patch_sources(images, images, 4, least=2).without_source == 20
    with pytest.raises(InputError, match="least = nan"):
        patch_sources(images, images, 4, least=np.nan)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_measures_are_what_they_say(monkeypatch, measure, dtype):
    rng = np.random.default_rng(0)
    a, b = rng.random((30, 6, 5, 3), np.float32), rng.random((70, 6, 5, 3), np.float32)
    b[40] = a[7] + np.float32(1e-3)
    b[3] = 0.1
    b[4] = 0
    if dtype == np.uint8:
        a, b = (np.round(255 * np.clip(x, 0, 1)).astype(dtype) for x in (a, b))
    expected = brute_force(a, b, measure)
    monkeypatch.setattr("keras_gahr.datasets.arrays.BLOCK_BYTES", 16 * a[:1].nbytes)
    monkeypatch.setattr(similarity, "_ROWS", 9)
    found = similarity_matrix(a, b, measure)
    if measure == "distance":
        np.testing.assert_allclose(found**2, expected**2, atol=1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-5 if measure == "distance" else 1e-6)
    np.testing.assert_allclose(
        paired_similarity(a, b[:30], measure), expected[:, :30].diagonal(), atol=1e-7
    )
    seen = []
    found = closest(a, b, [measure], count=5, progress=lambda *at: seen.append(at))[measure]
    order = np.argsort(expected if measure == "distance" else -expected, axis=1)[:, :5]
    np.testing.assert_array_equal(found.index, order)
    np.testing.assert_allclose(found.value, np.take_along_axis(expected, order, 1), atol=1e-7)
    assert seen[-1] == (70, 70)


def test_distances_far_below_the_rounding_of_products():
    """Float32 products of these images could not tell them apart."""
    rng = np.random.default_rng(1)
    image = rng.random((1, 40, 40, 1), np.float32)
    images = np.concatenate([image + np.float32(d) for d in (4e-5, 2e-5, -1e-5, 3e-5, 0.5)])
    found = closest(image, images)["distance"]
    assert found.index.tolist() == [[2, 1]]
    assert found.value == pytest.approx(np.array([[1e-5, 2e-5]]), rel=1e-2)


def near_copies(dtype, count=40, distances=(1e-5, 1e-2)):
    """A sample, and a shuffled set of its near copies among other images; floats, or 0..255."""
    rng = np.random.default_rng(3)
    image = rng.uniform(0.3, 0.7, (1, 24, 24, 1)).astype(np.float32)
    noise = rng.standard_normal((count, *image.shape[1:]), np.float32)
    copies = image + np.geomspace(*distances, count, dtype=np.float32)[:, None, None, None] * noise
    others = rng.random((100, *image.shape[1:]), np.float32)
    if dtype == np.uint8:
        image, others = (np.round(255 * x).astype(np.uint8) for x in (image, others))
        copies = image.repeat(count, axis=0)
        for k in range(count):
            # One gray level in k + 1 pixels: distances of 1.6e-4 and more.
            copies.reshape(count, -1)[k, 7 : 8 + k] += 1
    images = np.concatenate([copies, others])
    return image, images[rng.permutation(len(images))]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_near_copies_are_told_apart(dtype):
    """More of them than a float32 product has digits for; d1 / d2 is that of the definition."""
    image, images = near_copies(dtype)
    expected = brute_force(image, images, "distance")[0]
    found = closest(image, images, ["distance"])["distance"]
    np.testing.assert_array_equal(found.index[0], np.argsort(expected)[:2])
    np.testing.assert_allclose(found.value[0], np.sort(expected)[:2], rtol=DIFFERENCE)
    np.testing.assert_allclose(
        similarity_matrix(image, images, "distance")[0], expected, rtol=DIFFERENCE
    )
    for measure in ("cosine", "correlation"):
        expected = brute_force(image, images, measure)[0]
        found = closest(image, images, [measure], count=20)[measure]
        np.testing.assert_allclose(found.value[0], -np.sort(-expected)[:20], atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e-3])
def test_ratios_of_features_are_right_near_copies(scale):
    """Two copies of each vector at distances of about a thousandth of its length."""
    draws = np.random.default_rng(5)
    others = scale * draws.normal(3, 1, (64, 2, 512)).astype(np.float32)
    others[:, 1] = others[:, 0] + scale * 1e-3 * draws.normal(0, 1, (64, 512))
    vectors = others[:, 0] + np.float32(scale * 4e-4) * draws.normal(0, 1, (64, 512))
    vectors = vectors.astype(np.float32)
    columns = others.reshape(128, 512)
    found = closest_features(vectors, columns)["distance"]
    expected = np.linalg.norm(np.float64(vectors)[:, None] - others, axis=2)
    np.testing.assert_array_equal(found.index, 2 * np.arange(64)[:, None] + [0, 1])
    np.testing.assert_allclose(found.value * np.sqrt(512), expected, rtol=1e-12)


def test_features_that_cannot_be_compared():
    vectors = np.zeros((3, 4))
    for wrong, message in [
        (np.zeros((3, 4, 1)), "expected floats"),
        (np.zeros((3, 4), np.int32), "expected floats"),
        (np.zeros((3, 5)), "vectors of 5 and of 4 numbers"),
        (np.full((3, 4), np.nan), "not finite"),
    ]:
        with pytest.raises(InputError, match=message):
            closest_features(wrong, vectors)
    with pytest.raises(InputError, match="'angle'"):
        closest_features(vectors, vectors, ["angle"])


def test_float32_products_alone_do_not_tell_near_copies_apart():
    """The negative control of the test above."""
    image, images = near_copies(np.float32)
    a, b = (x.reshape(len(x), -1) for x in (image, images))
    products = np.sum(a**2) + np.sum(b**2, axis=1) - 2 * (b @ a[0])
    expected = brute_force(image, images, "distance")[0]
    assert np.argsort(products)[:2].tolist() != np.argsort(expected)[:2].tolist()


@pytest.mark.parametrize("measure", MEASURES)
def test_the_rounding_of_products_decides_nothing(monkeypatch, measure):
    """Whatever kernel a processor has for products, within the bound on its errors."""
    image, images = near_copies(np.float32)
    expected = closest(image, images, [measure], count=5)[measure]
    rng, scores = np.random.default_rng(4), similarity._Vectors.scores

    def perturbed(self, measure, others, products, rows):
        error = (
            rng.choice([-0.99, 0.99], products.shape) * self.margin(measure, others, rows)[:, None]
        )
        return scores(self, measure, others, products, rows) + error.astype(np.float32)

    monkeypatch.setattr(similarity._Vectors, "scores", perturbed)
    found = closest(image, images, [measure], count=5)[measure]
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.value, expected.value)


def test_many_equal_images_are_compared_once(monkeypatch):
    images = np.zeros((3000, 4, 4, 1), np.uint8)
    images[2000] = 3
    compared = []
    pairs = similarity._measure_pairs
    monkeypatch.setattr(
        similarity, "_measure_pairs", lambda *a: compared.append(len(a[3])) or pairs(*a)
    )
    found = closest(images[:2], images, ["distance"], count=3)["distance"]
    assert found.index.tolist() == [[0, 1, 2]] * 2
    assert sum(compared) <= 8


def test_of_equal_images_the_first_is_closest_and_small_sets_have_no_second():
    images = np.tile(np.random.default_rng(2).random((1, 4, 4, 1), np.float32), (20, 1, 1, 1))
    one = closest(images[:2], images[:1])
    assert all(found.index.shape == (2, 1) for found in one.values())
    assert closest(images[:1], images[:5])["distance"].index.tolist() == [[0, 1]]


def test_patches_are_the_quarters_of_the_centre():
    slices = patch_slices(80, 41, 20)
    assert slices[0] == (slice(20, 40), slice(0, 20))
    assert slices[3] == (slice(40, 60), slice(20, 40))
    with pytest.raises(InputError, match="no more than half"):
        patch_slices(38, 40)


def test_what_cannot_be_compared():
    a, b = np.zeros((2, 4, 4, 1), np.float32), np.zeros((3, 4, 5, 1), np.float32)
    with pytest.raises(InputError, match="4x4x1 and of 4x5x1"):
        closest(a, b)
    with pytest.raises(InputError, match="correlation, cosine, distance"):
        similarity_matrix(a, a, "angle")
    with pytest.raises(InputError, match="as many of each"):
        paired_similarity(a, a[:1])
    with pytest.raises(InputError, match="not finite"):
        closest(a + np.nan, a)
    with pytest.raises(InputError, match=r"expected \(H, W\)"):
        closest(a[0, 0, 0], a)


SCRIPT = """
import re, sys, numpy as np
from keras_gahr.analysis.similarity import closest
from keras_gahr.datasets import load

def peak(samples, images):
    closest(samples, images)
    # Not ru_maxrss, which a process inherits from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

images = load(sys.argv[1]).images
samples = np.random.default_rng(0).random((10_000, *images.shape[1:]), np.float32)
# What is the highest so far: a later one that takes no more is no higher.
print(peak(samples[:1000], images[:4000]), peak(samples[:1000], images), peak(samples, images[:4000]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_ten_thousand_samples_against_a_hundred_thousand_images(tmp_path):
    """At 80 x 80 the samples take 16 times the 16 MB they take here, and so does a copy of them.

    A thousand samples against all images, and all samples against some images, of which either has a
    matrix of similarities of more than is allowed.
    """
    path, side = tmp_path / "images.npy", 20
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (100_000, side, side, 1))
    images[::10] = np.random.default_rng(0).integers(256, size=images[::10].shape, dtype=np.uint8)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    few, many_images, many_samples = map(int, done.stdout.split())
    samples = 10_000 * side**2 * 4
    assert many_images - few < 32e6
    assert many_samples - few < 2 * samples + 64e6
    assert many_samples + 2 * 16 * samples < 2e9
