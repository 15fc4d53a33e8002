"""How far a network sees: sides that are known are found."""

import csv

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.analysis import Calibration, calibrate, read_sides
from keras_gahr.baselines import LocalBayes
from keras_gahr.noise import keyed_normal

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def images(smooth_images):
    return smooth_images(6, 8, 8)


@pytest.fixture(scope="module")
def found(images):
    """Of a network that sees farther at more noise."""
    network = LocalBayes(images, [(0.1, 3), (0.5, 7)], "equivariant")
    return calibrate(network, images, images[:3], [0.5, 0.1], (7, 3, 5))


def test_the_sides_of_a_local_optimum_are_found(images, found):
    assert found.sides == [(0.1, 3), (0.5, 7)]
    assert found.candidates.tolist() == [3, 5, 7]
    assert (found.median > 0.95).all()
    assert found.median_of_best.tolist() == [3, 7]


@pytest.mark.parametrize("compared", ["denoised", "residual"])
def test_r_squared_is_that_of_all_pixels(images, compared):
    network, optimum = (LocalBayes(images, side, sigma=0.3) for side in (9, 3))
    found = calibrate(network, images, images[:3], [0.3], [3], rule="local", compared=compared)
    noisy = images[:3] + np.float32(0.3) * keyed_normal(0, range(3), 0, (8, 8, 1))
    given, expected = (
        kg.denoise(each, noisy) if compared == "denoised" else noisy - kg.denoise(each, noisy)
        for each in (network, optimum)
    )
    r = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(given, expected, strict=True)]
    np.testing.assert_allclose(found.correlation[0, 0], r, rtol=1e-5)
    np.testing.assert_allclose(found.median, np.median(np.square(r)), rtol=1e-5)
    # Noisy images may be anybody's.
    same = calibrate(network, images, {0.3: noisy}, sides=[3], rule="local", compared=compared)
    np.testing.assert_allclose(same.correlation, found.correlation, rtol=1e-5)


def test_published_medians_are_of_sides():
    """Whose median may be no best side of the medians."""
    r = np.array([[[0.9, 0.9, 0.1], [0.8, 0.8, 0.9], [0.2, 0.7, 0.95]]])
    found = Calibration(np.array([0.1]), np.array([3, 5, 7]), r, "local", "cut", "denoised")
    assert found.median_of_best.tolist() == [3]
    assert found.sides == [(0.1, 3)]
    constant = calibrate(
        LocalBayes(np.full((2, 4, 4), 0.5), 3, sigma=0.1),
        np.full((2, 4, 4), 0.5),
        np.zeros((1, 4, 4)),
        0.1,
        [1],
    )
    assert constant.median.tolist() == [0]


def test_files(images, found, tmp_path):
    folder = found.save(tmp_path / "found", title="sides")
    assert {path.name for path in folder.iterdir()} == {
        *("calibration.json", "calibration.npz", "calibration.png", "calibration.csv")
    }
    rows = list(csv.DictReader((folder / "calibration.csv").open()))
    assert [float(row["side_3"]) for row in rows] == np.median(found.r_squared, axis=2)[
        :, 0
    ].tolist()
    for path in (folder, folder / "calibration.csv"):
        assert read_sides(path) == found.sides
    assert LocalBayes(images, read_sides(folder)).patch == found.sides
    for content in (
        "",
        "sigma\n1\n",
        "sigma,side\n1,a\n",
        "sigma,side\n1,4\n",
        "sigma,side\n\0,3\n",
    ):
        (tmp_path / "x.csv").write_text(content)
        with pytest.raises(InputError):
            read_sides(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no table of sides"):
        read_sides(tmp_path / "x.csv")
    with pytest.raises(InputError, match="no table of sides"):
        read_sides(tmp_path / "nothing")


def test_what_is_refused(images):
    network = LocalBayes(images, 3, sigma=0.1)
    for given, options, expected in (
        (images, {}, "no noise levels"),
        (images, {"sigmas": [0.1], "sides": []}, "no sides"),
        (images, {"sigmas": [0.1], "sides": [4]}, "odd number"),
        (images, {"sigmas": [0.1], "compared": "scores"}, "denoised or residual"),
        (images, {"sigmas": [0.1], "rule": "global"}, "expected local or"),
        (images[:0], {"sigmas": [0.1]}, "is empty"),
        ({0.1: images}, {"sigmas": [0.1]}, "leave these out"),
        ({0.1: images, 0.2: images[:2]}, {}, "as many at each"),
        (images[:, :6], {"sigmas": [0.1]}, "made for 8x8"),
    ):
        with pytest.raises(InputError, match=expected):
            calibrate(network, images, given, **options)
