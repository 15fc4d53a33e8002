"""The kernel distance between two laws of images."""

import itertools

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.analysis import kernel_distance

pytestmark = pytest.mark.one_backend


def test_the_definition():
    generator = np.random.default_rng(0)
    x, y = generator.random((2, 6, 3, 2))
    found = []
    for a, b in ((x[:3], y[:3]), (x[3:], y[3:])):
        kernel = lambda u, v: (np.sum(u * v) / 6 + 1) ** 3  # noqa: E731
        same = [
            kernel(of[i], of[j]) for of in (a, b) for i, j in itertools.permutations(range(3), 2)
        ]
        cross = [kernel(u, v) for u in a for v in b]
        found.append(sum(same) / 6 - 2 * np.mean(cross))
    distance, error = kernel_distance(x, y, splits=2)
    assert distance == pytest.approx(np.mean(found), abs=1e-6)
    assert error == pytest.approx(abs(found[0] - found[1]) / 2, abs=1e-6)


def test_one_law_is_at_no_distance_and_another_is():
    images = np.random.default_rng(1).random((400, 4, 4)).astype(np.float32)
    distance, error = kernel_distance(images[:200], images[200:])
    assert abs(distance) < 3 * error
    distance, error = kernel_distance(images[:200], 0.8 * images[200:])
    assert distance > 5 * error


def test_what_cannot_be_compared_is_refused():
    images = np.zeros((8, 4, 4), np.float32)
    with pytest.raises(InputError, match="one shape"):
        kernel_distance(images, images[:, :2], splits=2)
    with pytest.raises(InputError, match="two or more"):
        kernel_distance(images, images, splits=5)
    with pytest.raises(InputError, match="splits"):
        kernel_distance(images, images, splits=1)
