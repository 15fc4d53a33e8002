import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets import (
    disk_images,
    disk_parameters,
    disk_tangent,
    draw_disks,
    load,
    make_disks,
)
from keras_gahr.datasets.disk_geometry import coverage, coverage_gradient, wrapped
from keras_gahr.datasets.disks import PARAMETERS
from keras_gahr.errors import InputError


def one_disk(size, x, y, radius):
    return coverage(size, *at(x, y, radius))[0]


def at(*values):
    return [np.full((1, 1, 1), value, np.float64) for value in values]


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
    points = (np.arange(20 * 50) + 0.5) / 50
    inside = (points - x) ** 2 + (points[:, None] - y) ** 2 < 6.4**2
    sampled = inside.reshape(20, 50, 20, 50).mean((1, 3))
    np.testing.assert_allclose(one_disk(20, x, y, 6.4), sampled, atol=5e-3)


def test_edges_are_partial_and_only_there():
    disk = one_disk(40, 20.3, 19.6, 10)
    centres = np.arange(40) + 0.5
    distance = np.hypot(centres - 20.3, centres[:, None] - 19.6)
    np.testing.assert_allclose(disk[distance < 10 - 0.71], 1, atol=1e-12)
    np.testing.assert_allclose(disk[distance > 10 + 0.71], 0, atol=1e-12)
    assert ((disk > 0.01) & (disk < 0.99)).sum() > 40


@pytest.mark.parametrize("disk", [(9.7, 10.2, 5.0), (12.3, 8.0, 7.9), (3.1, 16.2, 2.6)])
def test_the_gradient_is_that_of_finite_differences(disk):
    step = 1e-5
    differences = [
        (one_disk(20, *np.add(disk, move)) - one_disk(20, *np.subtract(disk, move))) / (2 * step)
        for move in step * np.eye(3)
    ]
    np.testing.assert_allclose(coverage_gradient(20, *at(*disk))[0], differences, atol=1e-4)


def test_the_gradient_counts_the_edge():
    """A disk loses on one side what it gains on the other, and grows by its circumference."""
    gradient = coverage_gradient(20, *at(9.3, 10.1, 6.2))[0].sum((1, 2))
    np.testing.assert_allclose(gradient, [0, 0, 2 * np.pi * 6.2], atol=1e-12)


@given(st.floats(0, 19.99), st.floats(0, 19.99), st.floats(0.5, 10))
def test_disks_on_a_torus(x, y, radius):
    disk = wrapped(coverage, 20, *at(x, y, radius))[0]
    assert disk.sum() == pytest.approx(np.pi * radius**2, rel=1e-12)
    # Moved to the middle of an image that is large enough, and folded.
    rows, columns = int(y) - 20, int(x) - 20
    large = one_disk(40, x - columns, y - rows, radius)
    folded = large.reshape(2, 20, 2, 20).sum((0, 2))
    np.testing.assert_allclose(disk, np.roll(folded, (rows, columns), (0, 1)), atol=1e-11)


def test_wrapping_draws_centres_anywhere():
    parameters = disk_parameters(500, 20, 0, wrap=True)
    assert parameters[:, :2].min() < 0.2
    assert parameters[:, :2].max() > 19.8
    images = disk_images(500, 20, 0, wrap=True)
    np.testing.assert_array_equal(images, draw_disks(parameters, 20, wrap=True))
    inside = disk_parameters(500, 20, 0)
    np.testing.assert_array_equal(parameters[:, 2:], inside[:, 2:])


def test_parameters_can_be_fixed_one_by_one():
    free = disk_parameters(50, 20, 1)
    for options, columns, value in [
        ({"centre": (0.5, 0.4)}, [0, 1], [10, 8]),
        ({"radii": (0.2, 0.2)}, [2], [4]),
        ({"foreground": 1}, [3], [1]),
        ({"background": 0.25}, [4], [0.25]),
    ]:
        fixed = disk_parameters(50, 20, 1, **options)
        np.testing.assert_array_equal(fixed[:, columns], np.tile(value, (50, 1)))
        # The centre has its range from the radius.
        others = [3, 4] if columns == [2] else [k for k in range(5) if k not in columns]
        np.testing.assert_array_equal(fixed[:, others], free[:, others])


@pytest.mark.parametrize("wrap", [False, True])
def test_the_tangent_space_is_that_of_finite_differences(wrap):
    parameters = disk_parameters(6, 20, 2, wrap=wrap)
    basis = disk_tangent(parameters, 20, wrap)
    assert basis.shape == (6, 5, 20, 20, 1)
    flat = basis.reshape(6, 5, -1)
    np.testing.assert_allclose(
        flat @ flat.swapaxes(1, 2), np.tile(np.eye(5), (6, 1, 1)), atol=1e-12
    )
    step = 1e-2
    for move in step * np.eye(5):
        ahead, behind = (
            draw_disks(parameters + sign * move * [1, 1, 1, 0.1, 0.1], 20, wrap).astype(float)
            for sign in (1, -1)
        )
        change = (ahead - behind).reshape(6, -1, 1)
        outside = change - flat.swapaxes(1, 2) @ (flat @ change)
        share = np.linalg.norm(outside, axis=1) / np.linalg.norm(change, axis=1)
        assert share.max() < 0.02


def test_the_tangent_space_of_what_varies():
    parameters = disk_parameters(3, 16, 4, centre=(0.5, 0.5))
    whole = disk_tangent(parameters, 16)
    part = disk_tangent(parameters, 16, varying=("foreground", "background"))
    assert part.shape == (3, 2, 16, 16, 1)
    # The image itself lies in it, since the family holds all its multiples.
    image = draw_disks(parameters, 16).reshape(3, -1, 1)
    for basis in (whole, part):
        flat = basis.reshape(3, len(basis[0]), -1)
        np.testing.assert_allclose(flat.swapaxes(1, 2) @ (flat @ image), image, atol=1e-6)
    for wrong in [("x", "colour"), ()]:
        with pytest.raises(InputError, match=", ".join(PARAMETERS)):
            disk_tangent(parameters, 16, varying=wrong)


def test_the_sequence_stays_the_same():
    """Datasets made by earlier versions can be made again."""
    expected = [[5.317707, 1.987166, 1.848345, 0.409426, 0.551229]]
    np.testing.assert_allclose(disk_parameters(1, 8, 3), expected, atol=1e-6)


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
    monkeypatch.setattr("keras_gahr.datasets.generated.BLOCK", 7)
    seen = []
    make_disks(tmp_path / "out", 17, 8, 3, progress=lambda *numbers: seen.append(numbers))
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
        {"centre": (0.2, 0.5)},
        {"centre": (0.5, 1.1), "wrap": True},
        {"foreground": 1.5},
        {"background": -0.1},
    ],
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(InputError, match="expected"):
        disk_images(**{"count": 2, "size": 8, "seed": 0} | arguments)
