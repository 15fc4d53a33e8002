"""What explains a denoiser."""

import dataclasses
import json

import numpy as np
import pytest
from keras import ops

import keras_gahr as kg
from keras_gahr.analysis import explain
from keras_gahr.analysis.explanation.agreement import apart, r_squared, unexplained
from keras_gahr.analysis.explanation.gaussian_twins import (
    GaussianTwins,
    TwinAgreement,
    renormalized_variance,
)
from keras_gahr.baselines import EmpiricalBayes, LocalBayes, Wiener
from keras_gahr.experiments.explanation import explanation_document
from keras_gahr.plot import figures_of
from keras_gahr.psnr import add_noise

pytestmark = pytest.mark.one_backend

SMALL = {"images": 8, "samples": 1, "steps": 3, "patch": 3, "most_local": 8, "progress": False}


@pytest.fixture(scope="module")
def images():
    """64 images of 8x8 that are not Gaussian."""
    return kg.datasets.c_alpha_images(64, 8, seed=0, alpha=2)


@pytest.fixture(scope="module")
def of_copier(images):
    copier = EmpiricalBayes(images[:16])
    return explain(copier, images[:16], images[32:], sigmas=[0.05, 0.2], **SMALL)


def test_numbers_are_those_of_their_formulas():
    generator = np.random.default_rng(0)
    denoised, explained, noisy = generator.random((3, 4, 5, 6, 2))
    for k in range(4):
        a, b, y = (each[k].ravel() for each in (denoised, explained, noisy))
        expected = ((a - b) ** 2).sum() / ((a - y) ** 2).sum()
        assert unexplained(denoised, explained, noisy)[k] == pytest.approx(expected)
        correlation = np.corrcoef(a, b)[0, 1]
        assert r_squared(denoised, explained)[k] == pytest.approx(max(correlation, 0) ** 2)
        distance = np.linalg.norm(a - b) / np.sqrt(a.size)
        assert apart(denoised, explained)[k] == pytest.approx(distance)
    assert r_squared(denoised, -denoised).tolist() == [0] * 4
    assert r_squared(denoised, np.ones_like(denoised)).tolist() == [0] * 4


def test_a_copier_is_explained_by_copying(of_copier):
    # At .2 the noise does not hide which image it was either.
    assert {names[0] for names in of_copier.explained_by.values()} == {"copy"}


def test_a_wiener_filter_is_explained_by_a_gaussian(images):
    wiener = Wiener.from_images(images[:16], sigma=0.2)
    found = explain(wiener, images[:16], images[32:], sigmas=[0.2], **SMALL)
    assert found.explained_by == {0.2: ["gaussian"]}
    copy, gaussian = (found.rivals.index(name) for name in ("copy", "gaussian"))
    # The same formula, computed twice.
    assert found.unexplained["test"][0, gaussian].max() < 1e-10
    assert found.error[0, 0] == pytest.approx(found.error[0, 1 + gaussian], rel=1e-5)
    assert found.unexplained["test"][0, copy].min() > 0.1
    # Who knows the clean image does better than all.
    oracle = found.error[0, 1 + found.rivals.index("oracle")].mean()
    assert oracle < found.error[0, 0].mean()


def test_training_images_lie_within_a_shell_and_others_outside(of_copier):
    # 99% of all noise is within.
    assert of_copier.inside["train"].mean() > 0.8
    assert not of_copier.inside["test"][0].any()


def test_samples_come_from_the_same_noise(of_copier):
    copy = of_copier.rivals.index("copy")
    assert of_copier.sample_distance[copy].max() < 1e-3
    assert of_copier.sample_distance[of_copier.rivals.index("gaussian")].min() > 0.01
    assert np.isnan(of_copier.sample_distance[of_copier.rivals.index("oracle")]).all()
    assert of_copier.path.shape == (3, len(of_copier.rivals), 1)
    assert of_copier.path[:, copy].mean() < of_copier.path[:, 1].mean()


def test_nothing_explains_a_network_that_does_something_else(images):
    other = kg.wrap(lambda y: 1 - y, "image", channels=1, size=(8, 8), layout="NHWC")
    found = explain(other, images[:16], images[32:], sigmas=[0.05, 0.1], **SMALL)
    assert found.verdict == "none at sigma 12.8/255 to 25.5/255"


@pytest.fixture(scope="module")
def of_diverging(images):
    """D(y) = 2 y of images whose mean is above .5, which grow, and .5 of the others."""

    def image(y):
        return ops.where(ops.mean(y, axis=(1, 2, 3), keepdims=True) > 0.5, 2 * y, 0.5 + 0 * y)

    denoiser = kg.wrap(image, "image", channels=1, size=(8, 8), layout="NHWC")
    options = {**SMALL, "steps": 20, "samples": 4, "sigmas": [0.05, 0.1]}
    with pytest.warns(UserWarning, match="2 of 4 samples of the denoiser diverged") as caught:
        found = explain(denoiser, images[:16], images[32:], seed=1, **options)
    assert next(each for each in caught if each.category is UserWarning).filename == __file__
    return found


class TestDiverging:
    def test_some_samples(self, of_diverging):
        found = of_diverging
        gone = np.isnan(found.samples[0]).all(axis=(1, 2, 3))
        assert found.diverged == gone.sum() == 2
        copy = found.rivals.index("copy")
        assert np.array_equal(np.isnan(found.sample_distance[copy]), gone)
        assert np.isfinite(found.path[:, copy, ~gone]).all()
        # What it was until then is kept.
        assert np.isfinite(found.path[0, copy, gone]).all()
        assert np.isnan(found.path[-1, copy, gone]).all()
        numbers = found.numbers()
        assert (numbers["samples"], numbers["samples_diverged"]) == (4, 2)
        assert numbers["path"]["copy"][-1]["mean"] == found.path[-1, copy, ~gone].mean()
        assert None not in numbers["path"]["copy"]

    def test_all_samples(self, images, tmp_path):
        denoiser = kg.wrap(lambda y: 4 * y, "image", channels=1, size=(8, 8), layout="NHWC")
        options = {**SMALL, "steps": 20, "samples": 2, "sigmas": [0.05, 0.1]}
        with pytest.warns(UserWarning, match="2 of 2 samples of the denoiser diverged"):
            found = explain(denoiser, images[:16], images[32:], **options)
        assert found.path.shape == (20, len(found.rivals), 2)
        assert np.isnan(found.samples[0]).all() and np.isfinite(found.samples[1]).all()
        assert np.isnan(found.sample_distance).all()
        # All that was found on noisy images is there.
        assert found.verdict == "none at sigma 12.8/255 to 25.5/255"
        found.save(tmp_path / "out")
        numbers = json.loads((tmp_path / "out" / "explanation.json").read_text())
        assert numbers["path"]["copy"][-1] is None and numbers["sample_distance"]["copy"] is None
        assert len(numbers["path"]["sigma"]) == len(numbers["path"]["copy"]) == 20

    def test_pictures_and_page(self, of_diverging):
        found = of_diverging
        changes, samples = (figure for _, figure in figures_of(found))
        copy = next(line for line in changes.axes[2].lines if line.get_label() == "copy")
        np.testing.assert_allclose(
            copy.get_ydata(), np.maximum(np.nanmean(found.path[:, 0], axis=1), 1e-3)
        )
        shown = [text.get_text() for axes in samples.axes for text in axes.texts]
        assert shown == 2 * ["diverged"]
        labels = [axes.get_ylabel() for axes in samples.axes if axes.get_ylabel()]
        assert labels[1] == f"copy\n{np.nanmean(found.sample_distance[0]):.3f}"
        document = explanation_document(found, {})
        section = next(each for each in document.sections if each.title == "Samples")
        assert section.text[-1].startswith("2 of 4 samples of the network diverged")
        name, cell = section.items[-1].rows[0]
        mean = np.nanmean(found.sample_distance[0])
        assert name == "copy" and cell.startswith(f"{mean:.3g} (")


def test_a_teacher_is_one_more_rival(images):
    law = Wiener.from_images(images, sigma=0.1)
    found = explain(
        law, images[:16], images[32:], sigmas=[0.1], rivals={"teacher": law.at(0.1)}, **SMALL
    )
    assert found.rivals[-1] == "teacher"
    assert found.explained_by == {0.1: ["teacher"]}


LAW = (
    (
        # A law of its own for each pixel, of 8x8.
        0.5
        + np.geomspace(0.01, 0.3, 64).reshape(8, 8, 1)
        * np.random.default_rng(0).normal(size=(2000, 8, 8, 1))
    )
    .clip(0, 1)
    .astype(np.float32)
)


def agreement(of_images, count, sigma=0.1):
    """The `TwinAgreement` of two denoisers of `count` images each, which are functions of noisy images."""
    a, b, tests = LAW[:count], LAW[count : 2 * count], LAW[-32:]
    noisy = add_noise(tests, sigma, seed=0)
    measured = GaussianTwins([a, b], batch_size=32).measure(
        noisy, of_images(a)(noisy), of_images(b)(noisy), sigma
    )
    return TwinAgreement(*measured[:, None])


class TestTwins:
    def test_kappa_solves_its_equation(self):
        variances = 1 / np.arange(1, 201)
        for sigma in (0.01, 0.1, 1.0):
            kappa = renormalized_variance(variances, sigma, 50)
            right = sigma**2 + kappa * (variances / (variances + kappa)).sum() / 50
            assert kappa == pytest.approx(right, rel=1e-9)
        assert renormalized_variance(variances, 0.1, 10**9) == pytest.approx(0.01, rel=1e-4)

    @pytest.mark.parametrize(("count", "sigma"), [(50, 0.1), (200, 0.1), (50, 0.3)])
    def test_filters_of_few_images_are_on_average_that_of_the_law_with_kappa(self, count, sigma):
        """In 200 dimensions, with eigenvalues 1/k."""
        generator, size = np.random.default_rng(0), 200
        variances = 1 / np.arange(1, size + 1)
        mean = np.zeros((size, size))
        draws = 40
        for _ in range(draws):
            points = generator.normal(size=(count, size)) * np.sqrt(variances)
            covariance = points.T @ points / count
            mean += np.linalg.solve(covariance + sigma**2 * np.eye(size), covariance) / draws

        def error(power):
            law = variances / (variances + power)
            return np.linalg.norm(np.diag(mean) - law) / np.linalg.norm(law)

        assert error(renormalized_variance(variances, sigma, count)) < 0.03
        assert error(sigma**2) > 2 * error(renormalized_variance(variances, sigma, count))

    @pytest.mark.parametrize("count", [1, 5, 40, 500])
    def test_gaussian_twins_agree_for_gaussian_reasons_alone(self, count):
        found = agreement(lambda own: Wiener.from_images(own, sigma=0.1).denoise, count)
        np.testing.assert_allclose(found.rest, 0, atol=1e-8)
        assert np.abs(found.beyond).max() < 1e-3
        if count > 1:
            np.testing.assert_allclose(found.gaussian, 1, atol=1e-3)
            np.testing.assert_allclose(found.gaussian_interval, 1, atol=0.01)
        else:
            # Each is its image, whatever the noisy ones are.
            np.testing.assert_allclose(found.agreement, 0, atol=1e-3)

    def test_gaussian_twins_as_they_are_explained(self):
        a, b, tests = LAW[:40], LAW[40:80], LAW[80:112]
        twin = Wiener.from_images(b, sigma=0.1)
        found = explain(
            Wiener.from_images(a, sigma=0.1),
            a,
            tests,
            twin=twin,
            twin_images=b,
            **{**SMALL, "images": 32, "sigmas": [0.1]},
        )
        assert found.twins.gaussian[0] == pytest.approx(1, abs=1e-3)
        assert np.abs(found.twins.beyond).max() < 1e-3
        json.dumps(found.numbers(), allow_nan=False)

    def test_copiers_of_few_images_agree_on_nothing(self):
        """The more the one has of an image than both on average, the less the other has."""
        found = agreement(lambda own: EmpiricalBayes(own, sigma=0.1).denoise, 2)
        assert np.abs(found.agreement.mean()) < 0.1 and np.abs(found.beyond.mean()) < 0.1

    def test_twins_that_are_one_denoiser_agree_beyond_gaussian_ones(self):
        """It keeps what is brighter than the mean alone, half of what a Gaussian one keeps."""
        law = Wiener.from_images(LAW, sigma=0.1)
        found = agreement(lambda own: lambda y: np.maximum(law.denoise(y), 0.5), 500)
        assert found.gaussian[0] == pytest.approx(0, abs=0.15)
        low, high = found.gaussian_interval[0]
        assert low < 0 < high and high - low < 0.5
        assert found.agreement.mean() > 0.97 and found.beyond.mean() > 0.97

    @pytest.mark.parametrize(
        ("tests", "words"),
        [
            (slice(28, 36), "4 of 8 test images are training images of the twin"),
            (slice(12, 16), "4 of 4 test images are training images of the denoiser"),
            (slice(32, 40), None),
        ],
    )
    def test_images_that_one_was_trained_on_are_said(self, images, tests, words, recwarn):
        explain(
            EmpiricalBayes(images[:16]),
            images[:16],
            images[tests],
            sigmas=[0.1],
            twin=EmpiricalBayes(images[16:32]),
            twin_images=images[16:32],
            **SMALL,
        )
        said = [str(each.message) for each in recwarn if "training images" in str(each.message)]
        assert [message.partition(",")[0] for message in said] == ([words] if words else [])

    def test_a_twin_needs_its_images(self, images):
        copier = EmpiricalBayes(images[:16], sigma=0.1)
        for wrong, words in (
            (None, "give twin_images"),
            (images[16:20], "trained on images of 4x"),
        ):
            with pytest.raises(kg.InputError, match=words):
                explain(
                    copier,
                    images[:16],
                    images[32:],
                    sigmas=[0.1],
                    twin=copier,
                    twin_images=wrong,
                    **SMALL,
                )


def test_of_one_training_image_most_rivals_are_that_image(images):
    found = explain(EmpiricalBayes(images[:1]), images[:1], images[32:], sigmas=[0.1], **SMALL)
    assert {"copy", "gaussian", "same place", "masked"} <= {*found.explained_by[0.1]}
    assert found.explained_on("train").keys() == {0.1}
    # Without an interval.
    assert found.numbers()["train"][0]["rivals"]["copy"]["unexplained"]["low"] is None


def test_sides_are_found_and_progress_is_told(images):
    told = []
    options = {**SMALL, "patch": None, "progress": lambda *numbers: told.append(numbers)}
    local = LocalBayes(images[:16], 3, "equivariant", sigma=0.1)
    found = explain(local, images[:16], images[32:], sigmas=[0.1], **{**options, "most_local": 16})
    assert found.sides == [(0.1, 3)]
    assert found.num_local == 16
    assert found.explained_by[0.1][0] == "local"
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    assert {total for _, total in told} == {2 * (2 + 3 + 6)}


def test_it_is_saved_and_drawn(tmp_path, of_copier):
    folder = of_copier.save(tmp_path / "found")
    assert {path.name for path in folder.iterdir()} == {
        "explanation.json",
        "explanation.npz",
        "explanation.png",
        "samples.png",
    }
    numbers = json.loads((folder / "explanation.json").read_text())
    assert numbers["verdict"] == of_copier.verdict
    first = numbers["test"][0]["rivals"]["gaussian"]["unexplained"]
    assert first["low"] < first["mean"] < first["high"]
    assert "verdict: 'copy" in repr(of_copier)
    assert {*numbers["test"][0]["rivals"]} == {*of_copier.rivals}
    with np.load(folder / "explanation.npz") as arrays:
        np.testing.assert_array_equal(arrays["unexplained_test"], of_copier.unexplained["test"])
    with pytest.raises(kg.InputError, match="exists"):
        of_copier.save(tmp_path / "found")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"test_images": np.zeros((4, 9, 8, 1))}, "of one shape"),
        ({"test_images": np.zeros((1, 8, 8, 1))}, "1 test images"),
        ({"sigmas": [-0.1]}, "noise levels"),
        ({"sigmas": [0.1, 0.1]}, "twice"),
        ({"patch": 4}, "odd number"),
        ({"images": 1}, "images"),
        ({"samples": 0}, "samples"),
    ],
)
def test_wrong_arguments_are_refused(images, changes, words):
    options = {"train_images": images[:16], "test_images": images[32:], **SMALL, **changes}
    with pytest.raises(kg.InputError, match=words):
        explain(EmpiricalBayes(images[:16]), **options)


def test_who_explains_is_told_by_its_rule(of_copier):
    """Of rivals that leave 2%, 2% with a spread, 12% with as much, and 1% knowing the clean image."""
    spread = 0.3 * np.array([1, -1, 1, -1])
    shares = np.stack([np.full(4, 0.02), 0.021 + spread, 0.12 + spread, np.full(4, 0.01)])
    rivals = ("copy", "gaussian", "local", "oracle")
    found = dataclasses.replace(
        of_copier,
        sigmas=np.array([0.1, 0.2]),
        rivals=rivals,
        unexplained={"test": np.stack([shares, shares + 0.1])},
    )
    assert found.explained_by == {0.1: ["copy", "gaussian"], 0.2: []}
    assert found.verdict == "copy or gaussian at sigma 25.5/255; none at sigma 51/255"
