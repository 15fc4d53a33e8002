"""The order of training images and the noise of test images."""

import keras
import numpy as np
import pytest

from keras_gahr import _backend
from keras_gahr.noise import NoiseLaw
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches


def values(batches):
    return np.concatenate([batches[i] for i in range(len(batches))]).ravel()


@pytest.mark.parametrize(("count", "budget", "tiles"), [(7, 30, 4), (10, 10, 1), (10, 3, 1)])
def test_an_epoch_holds_each_image_equally_often(count, budget, tiles):
    images = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1) / 100
    batches = TiledBatches(images, budget, batch_size=4, seed=0)
    assert batches.images_per_epoch == tiles * count
    assert np.array_equal(np.sort(values(batches)), np.sort(np.tile(images.ravel(), tiles)))


def test_the_order_changes_from_epoch_to_epoch_and_is_reproducible():
    images = np.arange(20, dtype=np.float32).reshape(-1, 1, 1, 1) / 100
    runs = []
    for seed in (0, 0, 1):
        batches = TiledBatches(images, 20, 4, seed)
        first = values(batches)
        batches.begin(1)
        runs.append((first, values(batches)))
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0][0], runs[0][1])
    assert not np.array_equal(runs[0][0], runs[2][0])


def test_bytes_become_numbers_from_0_to_1():
    images = np.full((3, 2, 2, 1), 255, np.uint8)
    batch = TiledBatches(images, 3, 3, 0)[0]
    assert batch.dtype == np.float32
    assert np.all(batch == 1)


def test_test_noise_does_not_depend_on_the_batch_size():
    images = np.random.default_rng(0).random((5, 4, 6, 1), np.float32)
    law = NoiseLaw()
    whole = NoisyBatches(images, law, 5, seed=3)[0]["noise"]
    parts = NoisyBatches(images, law, 2, seed=3)
    assert len(parts) == 3
    assert np.array_equal(np.concatenate([parts[i]["noise"] for i in range(3)]), whole)
    assert not np.array_equal(NoisyBatches(images, law, 5, seed=4)[0]["noise"], whole)


@pytest.mark.parametrize(
    ("count", "batch_size", "shares", "sizes"),
    [
        (8, 4, 1, [4, 4]),
        (9, 4, 1, [3, 3, 3]),
        (10, 4, 1, [3, 3, 4]),
        (34, 32, 1, [17, 17]),
        (1, 4, 1, [1]),
        (3, 1, 1, [1, 1, 1]),
        # A single image joins others.
        (3, 2, 1, [3]),
        (7, 2, 1, [2, 2, 3]),
        # Equally many for each device.
        (11, 4, 2, [4, 6]),
        (21, 8, 2, [6, 6, 8]),
        (5, 2, 2, [2, 2]),
    ],
)
def test_all_batches_of_an_epoch_are_of_one_size(count, batch_size, shares, sizes):
    """A norm's running deviation counts a batch of two images as much as one of thirty."""
    images = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1) / 100
    batches = TiledBatches(images, count, batch_size, 0, shares)
    assert [len(batches[i]) for i in range(len(batches))] == sizes
    assert len(np.unique(values(batches))) == sum(sizes)


def test_an_epoch_can_go_on_where_it_stopped():
    images = np.arange(11, dtype=np.float32).reshape(-1, 1, 1, 1) / 100
    batches = TiledBatches(images, 33, 4, seed=0)
    batches.begin(2)
    whole = [batches[i] for i in range(len(batches))]
    batches.begin(2, first_batch=3)
    assert batches.steps_per_epoch == len(whole) == len(batches) + 3
    for i in range(len(batches)):
        assert np.array_equal(batches[i], whole[i + 3])


def test_no_more_steps_are_done_than_there_are():
    """With four steps at a time `fit` ends an epoch of eleven by saying that the twelfth is done."""
    batches = TiledBatches(np.zeros((22, 2, 2, 1), np.float32), 66, 6, seed=0)
    assert [batches.done(batch) for batch in (3, 7, 11)] == [4, 8, 11]
    batches.begin(0, first_batch=8)
    assert [batches.done(batch) for batch in (2, 3)] == [11, 11]


@pytest.mark.parametrize("as_indices", [False, True])
def test_what_fit_takes_is_the_batches(as_indices):
    """Each epoch's, with its last one, and what is left of an epoch that was stopped."""
    images = np.random.default_rng(0).random((7, 4, 6, 1), np.float32)
    batches = TiledBatches(images, 7, batch_size=3, seed=0, as_indices=as_indices)
    given = {}
    for epoch, first in ((0, 1), (1, 0)):
        batches.begin(epoch, first)
        taken = _backend.fed(batches)
        given[epoch] = [batches[index] for index in range(len(batches))]
        assert len(taken) == len(given[epoch]) == 3 - first
        parts = (taken[index] for index in range(len(taken))) if taken is batches else taken
        for part, expected in zip(parts, given[epoch], strict=True):
            found = part[0] if isinstance(part, tuple) else part
            np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's data")
def test_an_epoch_does_not_wait_for_the_tuning_of_its_batches():
    """It would up to as long as it has taken."""
    images = np.zeros((4, 4, 4, 1), np.float32)
    taken = _backend.fed(NoisyBatches(images, NoiseLaw(), 2, seed=0))
    assert taken.options().autotune.enabled is False
    clean_and_noise = next(iter(taken))[0]
    assert {*clean_and_noise} == {"clean", "noise"}
