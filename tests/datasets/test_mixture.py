"""Mixtures of Gaussians: the law, its images and its manifest."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_gahr.commands.data import data_app
from keras_gahr.datasets import MOLRG, law_of, load, make_mixture, mixture_images, mixture_law
from keras_gahr.errors import InputError

pytestmark = pytest.mark.one_backend

SKEWED = {
    "size": (3, 4),
    "classes": 3,
    "rank": [2, 0, 4],
    "weights": [1, 2, 5],
    "spread": 0.5,
    "floor": 0.04,
    "law_seed": 9,
}


def test_an_image_is_the_same_whatever_is_drawn_with_it():
    for options in (MOLRG, SKEWED):
        images = mixture_images(30, 5, **options)
        assert images.dtype == np.float32
        np.testing.assert_array_equal(mixture_images(9, 5, start=21, **options), images[21:])
        assert np.abs(images - mixture_images(30, 6, **options)).max() > 0.01


def test_the_law_of_the_published_mixture():
    law = mixture_law(**MOLRG)
    assert law.image_shape == (4, 4, 3)
    assert law.ranks == [7, 7]
    directions = np.hstack(list(law.bases))
    np.testing.assert_allclose(directions.T @ directions, np.eye(14), atol=1e-12)
    np.testing.assert_array_equal(law.weights, [0.5, 0.5])
    np.testing.assert_array_equal(law.means, np.full((2, 4, 4, 3), 0.5))
    assert len(np.unique(law.variances)) == 1
    images = mixture_images(700, 0, **MOLRG).reshape(700, 48) - 0.5
    for k in (0, 1):
        own, other = (images[k::2] @ law.bases[j] for j in (k, 1 - k))
        assert np.abs(other).max() < 1e-6
        # 350 images: the greatest eigenvalue of a sample covariance is below (1 + sqrt(7 / 350))^2.
        found = np.linalg.eigvalsh(np.cov(own.T)) / law.variances[k]
        assert found.min() > 0.7 and found.max() < 1.35
        np.testing.assert_allclose(own @ law.bases[k].T, images[k::2], atol=1e-6)


def test_images_have_the_moments_of_the_law():
    law = mixture_law(**SKEWED)
    count = 20_000
    flat = np.float64(mixture_images(count, 1, **SKEWED).reshape(count, -1))
    means = law.means.reshape(3, -1)
    mean = law.weights @ means
    covariance = -np.outer(mean, mean)
    for weight, own, basis, variances, floor in zip(
        law.weights, means, law.bases, law.variances, law.floors, strict=True
    ):
        inside = (basis * (variances - floor)) @ basis.T + floor * np.eye(12)
        covariance += weight * (inside + np.outer(own, own))
    largest = covariance.max()
    # Of an entry the error has a deviation of about the largest entry / sqrt(count).
    assert np.abs(flat.mean(axis=0) - mean).max() < 5 * np.sqrt(largest / count)
    assert np.abs(np.cov(flat.T) - covariance).max() < 8 * largest / np.sqrt(count)
    # Mean log density: minus the entropy, which lies below that of one Gaussian of this covariance.
    entropy = -law.log_density(flat.reshape(-1, 3, 4, 1)[:2000]).mean()
    assert entropy < np.linalg.slogdet(2 * np.pi * np.e * covariance)[1] / 2


def test_nothing_is_cut_off():
    for options in (MOLRG, SKEWED, {"size": 6, "rank": 2, "spread": 3}):
        images = mixture_images(5000, 2, **options)
        assert images.min() > 0 and images.max() < 1
        law = mixture_law(**options)
        # One pixel of one class touches the edge at 6 standard deviations.
        inside = np.sum(law.bases**2 * law.variances[:, None], axis=2)
        outside = law.floors[:, None] * (1 - np.sum(law.bases**2, axis=2))
        reach = np.abs(law.means.reshape(inside.shape) - 0.5) + 6 * np.sqrt(inside + outside)
        assert reach.max() == pytest.approx(0.5)


def test_classes_that_overlap_are_independent():
    options = {"size": 4, "rank": 3, "classes": 8, "overlapping": True}
    law = mixture_law(**options)
    products = law.bases[0].T @ law.bases[1]
    assert 0.05 < np.abs(products).max() < 0.999
    with pytest.raises(InputError, match="24 in all, more than the 16 dimensions"):
        mixture_law(**{**options, "overlapping": False})


@pytest.mark.parametrize(
    "options",
    [
        {"rank": [4, 2], "classes": 2, "overlapping": True},
        {"rank": 3, "classes": 10, "spread": 0.5, "overlapping": True},
        {"rank": [1, 0, 1], "classes": 3, "spread": 0.5},
    ],
)
def test_directions_and_means_are_drawn_independently(options):
    """None of them lies in the span of another class, as numbers that are drawn twice would make them."""
    law = mixture_law(size=8, **options)
    means = (law.means - law.means.mean(axis=0)).reshape(len(law.means), -1)
    for k, basis in enumerate(law.bases):
        for other in (*range(k), *range(k + 1, len(law.bases))):
            cosines = np.linalg.svd(basis.T @ law.bases[other], compute_uv=False)
            assert cosines.max() < 0.9
        if options.get("spread"):
            shares = np.linalg.norm(means @ basis, axis=1) / np.linalg.norm(means, axis=1)
            assert shares.max() < 0.6


def test_the_manifest_says_the_law(tmp_path):
    for name, options in (("molrg", MOLRG), ("skewed", SKEWED)):
        made = make_mixture(tmp_path / name, 12, 3, **options)
        np.testing.assert_array_equal(made.images, mixture_images(12, 3, **options))
        found, expected = law_of(load(tmp_path / name).subset(5)), mixture_law(**options)
        for attribute in ("weights", "means", "bases", "variances", "floors"):
            np.testing.assert_array_equal(
                getattr(found, attribute), getattr(expected, attribute), attribute
            )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"rank": None}, "the rank None"),
        ({"rank": [7, 10**30]}, "rank 1000000000000000000000000000000"),
        ({"classes": 10**12}, "choose fewer"),
        ({"size": [10**6, 10**6]}, "choose fewer"),
        ({"size": [8, 2]}, r"says \(8, 2, 3\)"),
        ({"weights": ["a", 1]}, "weight = 'a'"),
        ({"spread": -1}, "spread is -1"),
        ({"balanced": "yes"}, "balanced is 'yes'"),
        ({"law_seed": -1}, "law_seed|seed"),
        ({"spread": 2}, "scale"),
        ({"scale": "wide"}, "scale 'wide'"),
    ],
)
def test_a_manifest_that_says_something_else(tmp_path, change, expected):
    make_mixture(tmp_path / "x", 4, 0, **MOLRG)
    path = tmp_path / "x" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"parameters": manifest["parameters"] | change}))
    with pytest.raises(InputError, match=expected) as caught:
        law_of(load(tmp_path / "x"))
    assert str(caught.value).isprintable()


def test_manifests_of_other_images(tmp_path):
    make_mixture(tmp_path / "x", 4, 0, **MOLRG)
    path = tmp_path / "x" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["parameters"]["floor"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="says no floor"):
        law_of(load(tmp_path / "x"))
    path.write_text(json.dumps(manifest | {"recipe": "disks"}))
    with pytest.raises(InputError, match="expected mixture"):
        law_of(load(tmp_path / "x"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"classes": 0}, "classes"),
        ({"rank": [7]}, "expected one number, or 2"),
        ({"rank": "7"}, "expected one number, or 2"),
        ({"rank": 300}, "from 0 to 256"),
        ({"rank": 0}, "all images would be grey"),
        ({"weights": [1, 0]}, "above 0"),
        ({"weights": [1, 2], "balanced": True}, "balanced"),
        ({"floor": float("nan")}, "floor"),
        ({"size": 5000, "rank": 3}, "gigabyte"),
    ],
)
def test_laws_that_are_refused(options, expected):
    with pytest.raises(InputError, match=expected):
        mixture_law(**options)


def test_the_command(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(data_app, ["mixture", *map(str, arguments)])

    made = run(tmp_path / "a", "--preset", "molrg", "--seed", 4)
    assert made.exit_code == 0, made.output
    assert "700 images of 4x4x3 float32" in made.stdout
    np.testing.assert_array_equal(load(tmp_path / "a").images, mixture_images(700, 4, **MOLRG))
    options = ("--size", "3x4", "--classes", 3, "--rank", "2,0,4", "--weights", "1,2,5")
    more = ("--spread", 0.5, "--floor", 0.04, "--law-seed", 9, "--count", 8)
    made = run(tmp_path / "b", *options, *more)
    assert made.exit_code == 0, made.output
    np.testing.assert_array_equal(load(tmp_path / "b").images, mixture_images(8, 0, **SKEWED))
    for wrong, expected in (
        (("--rank", "few"), "received rank 'few'"),
        (("--size", "3x"), "received size"),
        (("--weights", "1,-2"), "above 0"),
    ):
        refused = run(tmp_path / "c", *wrong)
        assert isinstance(refused.exception, InputError) and expected in str(refused.exception)
        assert not (tmp_path / "c").exists()
