"""Repeated images: the decisions of comparing every pair, however they are computed."""

import json

import numpy as np
import pytest

from keras_gahr.datasets import Dataset, load, make_faces
from keras_gahr.datasets.correlation import coarse, coarse_set, rounding, triangle
from keras_gahr.datasets.duplicates import drop_repeats, find_repeats
from keras_gahr.datasets.statistics import intensities
from keras_gahr.errors import InputError


def every_pair(images, threshold, side=20):
    """The pairs (i, j), i < j, whose correlation exceeds the threshold, in float64 one by one."""
    vectors = []
    for image in images:
        rows, columns = (np.array_split(np.arange(n), side) for n in image.shape[:2])
        small = np.array([[image[r][:, c].mean(axis=(0, 1)) for c in columns] for r in rows])
        small = (small - small.mean(axis=(0, 1))).ravel()
        norm = np.linalg.norm(small)
        vectors.append(small / norm if norm > 1e-7 else 0 * small)
    gram = np.array(vectors) @ np.array(vectors).T
    return [tuple(pair) for pair in np.argwhere(np.triu(np.abs(gram), 1) > threshold)]


def related(count, height=40, width=40, channels=1, seed=0):
    """Images of which many are alike: noise on a few smooth patterns."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((6, 5, 5, channels)).repeat(height // 5, 1).repeat(width // 5, 2)
    noise = rng.random((count, height, width, channels))
    level = rng.uniform(0, 2.5, (count, 1, 1, 1))
    mixed = patterns[rng.integers(6, size=count)] + level * (noise - 0.5)
    return np.clip((mixed + 1.5) / 4, 0, 1).astype(np.float32)


def test_golden(golden):
    with np.load(golden / "similarity.npz") as data:
        whole = np.concatenate([data["a"], data["b"]]).transpose(0, 2, 3, 1)
        expected = data["deduplicated"].transpose(0, 2, 3, 1)
    repeats = find_repeats(whole)
    np.testing.assert_array_equal(np.delete(whole, repeats.dropped, axis=0), expected)
    assert [pair[:2] for pair in repeats.pairs] == [(3, 27), (4, 28), (5, 29), (7, 30)]


@pytest.mark.parametrize("shape", [(40, 40, 1), (80, 40, 3), (20, 20, 1)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_decisions_are_those_of_every_pair(shape, dtype, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.correlation.BLOCK", 16)
    images = related(150, *shape)
    if dtype == "uint8":
        images = np.rint(255 * images).astype(np.uint8)
    expected = every_pair(images / (255 if dtype == "uint8" else 1), 0.95)
    assert len(expected) >= 40
    repeats = find_repeats(images)
    assert repeats.dropped.tolist() == sorted({j for _, j in expected})
    assert [pair[:2] for pair in repeats.pairs] == sorted(expected, key=lambda pair: pair[::-1])
    assert repeats.count == len(expected)
    for j in repeats.dropped:
        assert repeats.first[j] == min(i for i, later in expected if later == j)


def test_pairs_at_the_threshold_are_decided_in_float64():
    """Thresholds on both sides of every correlation, closer than float32 resolves."""
    images = related(24)
    vectors = coarse(images)
    gram = np.abs(np.triu(vectors @ vectors.T, 1))
    values = gram[gram > 0.5]
    assert len(values) > 20
    for value in values:
        for threshold in (value - 1e-12, value + 1e-12):
            dropped = np.flatnonzero((gram > threshold).any(axis=0))
            np.testing.assert_array_equal(find_repeats(images, threshold).dropped, dropped)


def test_an_image_that_is_dropped_still_drops_later_ones():
    """a ~ b and b ~ c, but a and c are farther apart: both b and c go."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20, 20, 1))
    angles = np.array([0, 0.25, 0.5])[:, None, None, None]
    images = (0.5 + 0.1 * (np.cos(angles) * a + np.sin(angles) * b)).astype(np.float32).clip(0, 1)
    repeats = find_repeats(images, 0.95)
    assert [pair[:2] for pair in repeats.pairs] == [(0, 1), (1, 2)]
    assert repeats.dropped.tolist() == [1, 2]


def test_negatives_repeat_and_constants_only_their_like():
    image = related(1)[0]
    constants = [np.full_like(image, value) for value in (0, 0.3, 0.3, 1)]
    images = np.stack([image, 1 - image, *constants])
    repeats = find_repeats(images)
    assert repeats.dropped.tolist() == [1, 4]
    assert repeats.pairs[0][2] == pytest.approx(-1)
    assert repeats.pairs[1] == (3, 4, 1)


def test_a_tint_makes_no_repeats():
    """All images of a set may have one, as under water; flat ones of one hue are not alike either."""
    tint = np.array([0.2, 0.45, 0.65], np.float32)
    textures = np.random.default_rng(0).standard_normal((30, 20, 20, 1)).astype(np.float32)
    flat = np.stack([np.full((20, 20, 3), level) for level in (0.5, 1)]).astype(np.float32)
    images = tint * np.concatenate([1 + 0.05 * textures.repeat(3, -1), flat])
    assert find_repeats(images).dropped.size == 0


def checked(height, cell):
    """A pattern of black and white cells, which has no contrast on a coarse grid."""
    rows, columns = np.mgrid[:height, :height] // cell
    return ((rows + columns) % 2)[..., None].astype(np.float32)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_identical_images_repeat_each_other_whatever_their_contrast(dtype):
    black, grey, fine, finer = (
        np.zeros((40, 40, 1)),
        np.full((40, 40, 1), 0.5),
        *(checked(40, cell) for cell in (2, 1)),
    )
    order = [black, fine, grey, black, finer, fine, black, related(1)[0]]
    images = np.stack(order)
    images = np.rint(255 * images).astype(dtype) if dtype == "uint8" else images.astype(dtype)
    repeats = find_repeats(images, side=10)
    assert repeats.first.tolist() == [-1, -1, -1, 0, -1, 1, 0, -1]
    assert repeats.correlation.tolist() == [0, 0, 0, 1, 0, 1, 1, 0]
    assert repeats.pairs == [(0, 3, 1), (1, 5, 1), (0, 6, 1), (3, 6, 1)]
    assert repeats.count == 4
    assert len(repeats.dropped) == intensities(images).num_repeated


def test_many_blank_images_list_no_more_pairs_than_a_manifest_can_hold(monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.duplicates.LISTED", 10)
    repeats = find_repeats(np.zeros((500, 4, 4, 1), np.uint8))
    assert repeats.count == 500 * 499 // 2
    assert len(repeats.pairs) == 10
    assert repeats.dropped.tolist() == list(range(1, 500))


@pytest.mark.parametrize("side", [30, 31, 70, 17])
def test_averages_where_20_does_not_divide(side):
    """Areas are shared in proportion: averaging what was repeated 20 times gives the same."""
    images = related(3, 70, 70)[:, :side, :side]
    if side < 20:
        plain = images.reshape(3, -1) - images.reshape(3, -1).mean(axis=1, keepdims=True)
    else:
        fine = images.astype(np.float64).repeat(20, 1).repeat(20, 2)
        plain = fine.reshape(3, 20, side, 20, side).mean((2, 4)).reshape(3, -1)
        plain -= plain.mean(axis=1, keepdims=True)
    plain = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(coarse(images), plain, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_each_pair_has_its_place_in_the_triangle(count):
    seen = np.zeros((count, count), int)
    for rows, columns in triangle(count, 4):
        seen[rows, columns] += 1
    assert np.all(seen[np.triu_indices(count, 1)] == 1)


@pytest.mark.parametrize("count", [100, 9_000, 200_000])
def test_the_arithmetic_is_that_of_a_triangle(count):
    done = sum(
        len(range(count)[rows]) * len(range(count)[columns]) for rows, columns in triangle(count)
    )
    assert done <= 1.2 * count * (count - 1) / 2


def test_float32_is_within_the_bound():
    images = related(200)
    vectors, exact = coarse_set(images), coarse(images)
    error = np.abs(vectors @ vectors.T - exact @ exact.T).max()
    assert 0 < error < rounding(vectors.shape[1]) / 2


def test_many_alike_list_no_more_pairs_than_a_manifest_can_hold(monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.duplicates.LISTED", 10)
    images = np.repeat(related(1), 40, axis=0)
    repeats = find_repeats(images)
    assert repeats.count == 40 * 39 // 2
    assert len(repeats.pairs) == 10
    assert repeats.dropped.tolist() == list(range(1, 40))
    assert np.all(repeats.first[1:] == 0)
    assert np.all(repeats.correlation[1:] > 0.999)


def test_a_dataset_without_repeats(half_files, folder_of, tmp_path):
    files = {**half_files, "celebA/000006.jpg": half_files["celebA/000002.jpg"]}
    whole = make_faces(folder_of(files), tmp_path / "whole", 40)
    made, repeats = drop_repeats(whole, tmp_path / "out")
    np.testing.assert_array_equal(made.images, whole.images[:5])
    assert [file["name"] for file in made.manifest["sources"]] == list(half_files)
    [dropped] = made.manifest["skipped"]
    assert dropped["name"] == "celebA/000006.jpg"
    assert dropped["index"] == 5
    assert dropped["repeats"] == 1
    assert dropped["correlation"] == pytest.approx(1)
    assert "celebA/000002.jpg" in dropped["reason"]
    assert made.manifest["repeats"] == [[1, 5, repeats.pairs[0][2]]]
    assert made.manifest["parameters"] == {"threshold": 0.95, "side": 20}
    assert made.manifest["origin"]["sha256"] == whole.manifest["sha256"]
    assert "sources" not in made.manifest["origin"]
    assert load(tmp_path / "out", verify=True).manifest == json.loads(
        (tmp_path / "out" / "manifest.json").read_text()
    )


def test_arrays_and_parts_have_no_names(tmp_path):
    images = np.repeat(np.rint(255 * related(4)).astype(np.uint8), 2, axis=0)
    part = Dataset(images, {"sources": [{"name": "of the whole"}]})
    made, _ = drop_repeats(part, tmp_path / "out")
    assert made.images.dtype == np.uint8
    assert made.manifest["sources"] == []
    assert made.manifest["skipped"][0]["name"] == "image 1"


@pytest.mark.parametrize("threshold", [0, 1, -0.5, 2, np.nan])
def test_thresholds_out_of_range(threshold, tmp_path):
    with pytest.raises(InputError, match="threshold"):
        drop_repeats(Dataset(related(3), {}), tmp_path / "out", threshold)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_9000_real_faces(shared, tmp_path):
    """The published rule drops 23; if dropped images dropped no others, it would be 22."""
    source = shared / "data" / "celeba_half_jpg_000001-009000.tar"
    faces = make_faces(source, tmp_path / "faces")
    repeats = find_repeats(faces.images)
    assert len(repeats.dropped) == 23
    vectors = coarse(faces.images)
    gram = np.triu(np.abs(vectors @ vectors.T), 1)
    np.testing.assert_array_equal(repeats.dropped, np.flatnonzero((gram > 0.95).any(axis=0)))
