"""The closest image of another dataset."""

import numpy as np
import pytest

from keras_gahr.datasets.overlap import find_overlap
from keras_gahr.errors import InputError


def test_golden(golden):
    """At full resolution these are the correlations of the published code."""
    with np.load(golden / "similarity.npz") as data:
        a, b = (data[name].transpose(0, 2, 3, 1) for name in "ab")
        expected = data["im_set_corr"]
    found = find_overlap(a, b, side=40)
    np.testing.assert_allclose(found.correlation, expected.max(axis=1), atol=2e-6)
    np.testing.assert_array_equal(found.index, expected.argmax(axis=1))


def test_blocks_make_no_difference(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.random((50, 8, 8, 3), np.float32), rng.random((70, 8, 8, 3), np.float32)
    whole = find_overlap(a, b)
    monkeypatch.setattr("keras_gahr.datasets.correlation.BLOCK", 16)
    seen = []
    parts = find_overlap(a, b, progress=lambda *at: seen.append(at))
    np.testing.assert_array_equal(parts.index, whole.index)
    np.testing.assert_allclose(parts.correlation, whole.correlation, atol=1e-6)
    assert seen[-1] == (50, 50)


def test_the_closest_of_near_copies():
    """Correlations that differ by less than the rounding of float32 products."""
    rng = np.random.default_rng(2)
    image = rng.random((1, 20, 20, 1))
    noise = np.geomspace(1e-4, 1e-3, 30)[:, None, None, None] * rng.standard_normal((30, 20, 20, 1))
    others = np.concatenate([image + noise, rng.random((30, 20, 20, 1))]).clip(0, 1)[::-1]
    found = find_overlap(image, others)
    flat = [np.float64(x).reshape(len(x), -1) for x in (image, others)]
    a, b = (x - x.mean(axis=1, keepdims=True) for x in flat)
    expected = b @ a[0] / np.linalg.norm(a) / np.linalg.norm(b, axis=1)
    assert found.index[0] == expected.argmax() == 59
    assert found.correlation[0] == pytest.approx(expected.max(), abs=1e-7)
    blank = find_overlap(np.zeros_like(image), others)
    assert blank.index[0] == blank.correlation[0] == 0


def test_a_negative_is_not_close_and_sizes_may_differ():
    image = np.random.default_rng(1).random((1, 20, 20, 1), np.float32)
    other = np.concatenate([1 - image, np.full_like(image, 0.5), image]).repeat(2, 1).repeat(2, 2)
    found = find_overlap(image, other)
    assert found.index.tolist() == [2]
    assert found.correlation[0] == pytest.approx(1)
    assert find_overlap(image, other[:1]).correlation[0] == pytest.approx(-1)


def test_blank_images_are_close_to_identical_ones_only():
    black, grey = np.zeros((20, 20, 1), np.uint8), np.full((20, 20, 1), 51, np.uint8)
    others = np.stack([grey, black, black]).astype(np.float32) / np.float32(255)
    found = find_overlap(np.stack([black, grey, grey + 1]), others)
    assert found.correlation.tolist() == [1, 1, 0]
    assert found.index.tolist() == [1, 0, 0]
    assert find_overlap(black[None], others.repeat(2, 1).repeat(2, 2)).correlation.tolist() == [0]


def test_numbers():
    rng = np.random.default_rng(0)
    a = rng.random((30, 6, 6, 1), np.float32)
    b = np.concatenate([rng.random((9, 6, 6, 1), np.float32), a[4:6]])
    found = find_overlap(a, b)
    numbers = found.numbers(0.95)
    assert numbers["num_above_threshold"] == 2
    assert sum(numbers["histogram"]["counts"]) == 30
    assert numbers["quantiles"]["0.5"] == pytest.approx(np.median(found.correlation))
    assert set(found.most(2)) == {4, 5}


@pytest.mark.parametrize("shapes", [((16, 16, 1), (32, 32, 1)), ((32, 32, 1), (32, 32, 3))])
def test_images_that_cannot_be_compared(shapes):
    a, b = (np.zeros((2, *shape), np.uint8) for shape in shapes)
    with pytest.raises(InputError, match="cannot be compared"):
        find_overlap(a, b)
