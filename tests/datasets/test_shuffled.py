import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets import (
    disk_parameters,
    disk_tangent,
    draw_disks,
    load,
    make_disks,
    make_shuffled,
    permutation,
    shuffle,
    unshuffle,
)
from keras_gahr.errors import InputError


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**64 - 1), st.sampled_from([1, 3]))
def test_shuffling_moves_pixels_and_the_inverse_puts_them_back(height, width, seed, channels):
    order = permutation(height, width, seed)
    np.testing.assert_array_equal(np.sort(order), np.arange(height * width))
    images = np.arange(2 * height * width * channels).reshape(2, height, width, channels)
    moved = shuffle(images, order)
    np.testing.assert_array_equal(unshuffle(moved, order), images)
    np.testing.assert_array_equal(
        moved[1].reshape(-1, channels)[0], images[1].reshape(-1, channels)[order[0]]
    )


def test_the_permutation_stays_the_same():
    np.testing.assert_array_equal(permutation(2, 4, 3), permutation(4, 2, 3))
    assert not np.array_equal(permutation(8, 8, 0), permutation(8, 8, 1))
    assert permutation(2, 3, 0).tolist() == [5, 4, 3, 0, 2, 1]


def test_the_best_basis_is_shuffled_with_the_images():
    parameters = disk_parameters(2, 8, 0)
    order = permutation(8, 8, 5)
    image, basis = (
        shuffle(array, order) for array in (draw_disks(parameters, 8), disk_tangent(parameters, 8))
    )
    along = (basis * image[:, None]).sum((2, 3, 4), keepdims=True)
    np.testing.assert_allclose((along * basis).sum(1), image, atol=1e-6)


def test_there_and_back(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.shuffled.BLOCK_BYTES", 4 * 100 * 3)
    original = make_disks(tmp_path / "disks", 8, 10, 0)
    seen = []
    shuffled = make_shuffled(
        tmp_path / "disks", tmp_path / "shuffled", 4, progress=lambda *numbers: seen.append(numbers)
    )
    assert seen == [(3, 8), (6, 8), (8, 8)]
    order = permutation(10, 10, 4)
    np.testing.assert_array_equal(shuffled.images, shuffle(original.images, order))
    parameters = load(tmp_path / "shuffled").manifest["parameters"]
    assert parameters["permutation"] == order.tolist()
    assert parameters["seed"] == 4
    assert parameters["source"] == {
        "name": "disks",
        "recipe": "disks",
        "sha256": original.manifest["sha256"],
    }
    back = make_shuffled(tmp_path / "shuffled", tmp_path / "back", inverse=True)
    np.testing.assert_array_equal(back.images, original.images)
    assert back.manifest["sha256"] == original.manifest["sha256"]


def test_arrays_keep_their_type_and_need_a_seed_to_go_back(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    shuffled = make_shuffled(tmp_path / "images.npy", tmp_path / "shuffled")
    assert shuffled.images.dtype == np.uint8
    np.save(tmp_path / "samples.npy", shuffled.images)
    with pytest.raises(InputError, match="--seed"):
        make_shuffled(tmp_path / "samples.npy", tmp_path / "back", inverse=True)
    back = make_shuffled(tmp_path / "samples.npy", tmp_path / "back", seed=0, inverse=True)
    np.testing.assert_array_equal(back.images, images)
    # What was put back is not shuffled any more.
    with pytest.raises(InputError, match="--seed"):
        make_shuffled(tmp_path / "back", tmp_path / "twice", inverse=True)


def test_what_is_refused(tmp_path):
    make_disks(tmp_path / "disks", 2, 4, 0)
    with pytest.raises(InputError, match="another name"):
        make_shuffled(tmp_path / "disks", tmp_path / "disks", overwrite=True)
    with pytest.raises(InputError, match="seed"):
        make_shuffled(tmp_path / "disks", tmp_path / "out", seed=-1)
    make_shuffled(tmp_path / "disks", tmp_path / "shuffled")
    manifest = tmp_path / "shuffled" / "manifest.json"
    content = json.loads(manifest.read_text())
    for wrong in ([0] * 16, [0, 1], "text"):
        content["parameters"]["permutation"] = wrong
        manifest.write_text(json.dumps(content))
        with pytest.raises(InputError, match="permutation in the manifest"):
            make_shuffled(tmp_path / "shuffled", tmp_path / "back", inverse=True)
