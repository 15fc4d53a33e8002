import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets import disk_images, load, make_disks
from keras_gahr.datasets.disks import coverage
from keras_gahr.errors import InputError


def one_disk(size, x, y, radius):
    x, y, radius = (np.full((1, 1, 1), value, np.float64) for value in (x, y, radius))
    return coverage(size, x, y, radius)[0]


@given(st.floats(0.5, 9.9), st.floats(0, 1), st.floats(0, 1))
def test_area_inside_the_image(radius, across, down):
    room = 20 - 2 * radius
    disk = one_disk(20, radius + room * across, radius + room * down, radius)
    assert disk.sum() == pytest.approx(np.pi * radius**2, rel=1e-12)
    assert disk.min() > -1e-12
    assert disk.max() < 1 + 1e-12


@pytest.mark.parametrize("centre", [(9.3, 10.8), (10, 10), (1.2, 18.9)])
def test_pixels_are_what_supersampling_tends_to(centre):
    x, y = centre
    at = (np.arange(20 * 50) + 0.5) / 50
    inside = (at - x) ** 2 + (at[:, None] - y) ** 2 < 6.4**2
    sampled = inside.reshape(20, 50, 20, 50).mean((1, 3))
    np.testing.assert_allclose(one_disk(20, x, y, 6.4), sampled, atol=5e-3)


def test_edges_are_partial_and_only_there():
    disk = one_disk(40, 20.3, 19.6, 10)
    at = np.arange(40) + 0.5
    distance = np.hypot(at - 20.3, at[:, None] - 19.6)
    np.testing.assert_allclose(disk[distance < 10 - 0.71], 1, atol=1e-12)
    np.testing.assert_allclose(disk[distance > 10 + 0.71], 0, atol=1e-12)
    assert ((disk > 0.01) & (disk < 0.99)).sum() > 40


def test_an_image_is_differentiable_in_the_centre():
    steps = [
        (one_disk(20, 9.7 + step, 10.2, 5) - one_disk(20, 9.7 - step, 10.2, 5)) / (2 * step)
        for step in (1e-3, 1e-4)
    ]
    np.testing.assert_allclose(*steps, atol=5e-2)


@given(
    st.integers(0, 2**64 - 1), st.integers(1, 40), st.integers(0, 60), st.sampled_from([5, 8, 12])
)
def test_image_depends_on_seed_and_index_only(seed, count, start, size):
    whole = disk_images(start + count, size, seed)
    part = disk_images(count, size, seed, start)
    np.testing.assert_array_equal(part, whole[start:])


def test_disks_lie_inside_and_fill_the_range():
    images = disk_images(2000, 20, 0)[..., 0].astype(np.float64)
    assert images.shape == (2000, 20, 20)
    assert images.min() >= 0
    assert images.max() <= 1
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    # A disk that touches two sides may reach into the corner pixel between them, never into more.
    background = np.median(corners, 1)
    assert ((corners == background[:, None]).sum(1) >= 3).all()
    # The middle of a disk is the foreground: it has the largest distance from the background.
    distance = np.abs(images - background[:, None, None]).max((1, 2))
    area = np.abs((images - background[:, None, None]).sum((1, 2))) / np.maximum(distance, 1e-9)
    radius = np.sqrt(area / np.pi)[distance > 0.01] / 20
    assert 0.099 < radius.min() < 0.105
    assert 0.295 < radius.max() < 0.301
    assert abs(background.mean() - 0.5) < 0.03
    assert abs(radius.mean() - 0.2) < 0.01


def test_dataset_is_the_sequence_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.disks.BLOCK", 7)
    seen = []
    make_disks(tmp_path / "out", 17, 8, 3, progress=lambda *at: seen.append(at))
    dataset = load(tmp_path / "out")
    np.testing.assert_array_equal(dataset.images, disk_images(17, 8, 3))
    assert seen == [(7, 17), (14, 17), (17, 17)]
    assert dataset.manifest["parameters"] == {
        "count": 17,
        "size": 8,
        "seed": 3,
        "radii": [0.1, 0.3],
    }
    with pytest.raises(InputError, match="--overwrite"):
        make_disks(tmp_path / "out", 3, 8, 3)
    assert len(make_disks(tmp_path / "out", 3, 8, 3, overwrite=True)) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 0},
        {"size": 1},
        {"seed": -1},
        {"seed": 2**64},
        {"radii": (0, 0.3)},
        {"radii": (0.3, 0.2)},
        {"radii": (0.1, 0.6)},
        {"start": -1},
    ],
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(InputError, match="expected"):
        disk_images(**{"count": 2, "size": 8, "seed": 0} | arguments)
