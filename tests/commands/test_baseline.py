"""`gahr baseline`, and the commands that take what it makes."""

import json

import numpy as np
import pytest
import tolerances

from keras_gahr import baselines, datasets, load_denoiser
from keras_gahr.denoisers import Inference

pytestmark = pytest.mark.one_backend


@pytest.fixture
def images(smooth_images):
    return smooth_images(12, 8, 8) + 0.02 * np.random.default_rng(0).random(
        (12, 8, 8, 1), np.float32
    )


@pytest.fixture
def dataset(images, tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, images)
    return path


@pytest.fixture
def make(gahr, dataset, tmp_path):
    """A function from a name and options to the file and what was printed."""

    def run(kind, *options):
        out = tmp_path / f"{kind}.keras"
        result = gahr("baseline", kind, dataset, "--out", out, *options)
        assert result.exit_code == 0, result.output
        return out, result.output

    return run


def test_each_is_the_denoiser_of_its_images(make, images, tmp_path):
    sides = tmp_path / "sides.csv"
    sides.write_text("sigma,side\n0.1,3\n1,5\n")
    noisy = images[:3] + np.float32(0.1) * np.random.default_rng(1).standard_normal(
        images[:3].shape, np.float32
    )
    halves = ("--train-size", 5, "--half", "B")
    for kind, options, expected, printed in (
        ("empirical-bayes", halves, baselines.EmpiricalBayes(images[-5:]), "5 images, 8x8x1"),
        (
            "wiener",
            ("--sigma", "0.1"),
            baselines.Wiener.from_images(images, sigma=0.1),
            "sigma 0.1",
        ),
        ("local", ("--patch", 5), baselines.LocalBayes(images, 5), "local of 12 images, 8x8x1"),
        (
            "local",
            ("--patch", 3, "--equivariant", "--wrap", "--sigma", "0.1"),
            baselines.LocalBayes(images, 3, "equivariant", "wrap", 0.1),
            "equivariant local",
        ),
        (
            "local",
            ("--patch", 3, "--bordered", "--sigma", "0.1"),
            baselines.LocalBayes(images, 3, "bordered", sigma=0.1),
            "bordered local",
        ),
        (
            "patches",
            ("--patch", sides, "--train-size", 5),
            baselines.LocalBayes(images[:5], [(0.1, 3), (1, 5)], "patches"),
            "patches of 5 images",
        ),
        (
            "masked",
            ("--threshold", 0.5, "--sigma", "0.1"),
            baselines.MaskedBayes(images, 0.1, 0.5),
            "masked of 12 images",
        ),
        (
            "oracle",
            ("--index", 2, "--basis", "haar", "--rule", "shrinkage"),
            baselines.OracleThresholding((8, 8, 1), "haar", "shrinkage", images[2]),
            "shrinkage in the basis haar",
        ),
    ):
        if kind == "oracle":
            # An array is one image unless an index says which.
            assert "one image" in make(kind, *options)[1]
        made, output = make(kind, *options, "--overwrite")
        assert printed in output and "MB" in output
        found = Inference(load_denoiser(made)).denoise(noisy)
        np.testing.assert_allclose(
            found, Inference(expected).denoise(noisy), atol=tolerances.WIENER
        )


def test_a_memorizer_goes_where_networks_go(gahr, make, dataset, images, tmp_path):
    model, _ = make("empirical-bayes", "--train-size", 8)
    assert load_denoiser(model).provenance == {
        "trained_on": "array",
        "image_shape": [8, 8, 1],
        "train_size": 8,
        "half": "A",
    }
    schedule = ("--beta", 1, "--sigma-end", 0.05)
    for command in (
        ("denoise", model, dataset, "--add-noise", "0.1", "--out", tmp_path / "denoised.npy"),
        ("sample", model, "--count", 2, *schedule, "--out", tmp_path / "samples"),
        ("psnr", model, dataset, "--train-size", 8, "--sigmas", "0.05", "--out", tmp_path / "psnr"),
        ("eigenbasis", model, dataset, "--index", 9, "--count", 4, "--out", tmp_path / "basis"),
        (
            *("compare", model, model, "--train-a", dataset, "--train-size", 8, "--count", 2),
            *(*schedule, "--half-b", "A", "--out", tmp_path / "twins"),
        ),
        ("inspect", model),
    ):
        result = gahr(*command)
        assert result.exit_code == 0, result.output
        if command[0] == "compare":
            assert "verdict: memorized" in result.output
    measured = json.loads((tmp_path / "psnr" / "psnr.json").read_text())
    train, test = (measured[name]["levels"][0]["denoised"] for name in ("train", "test"))
    # It knows the first eight images, and no other.
    assert train > test + 20


def test_one_of_all_images_is_of_no_half(make):
    facts = load_denoiser(make("wiener")[0]).provenance
    assert (facts["train_size"], facts["half"]) == (12, None)


def test_the_teacher_of_a_mixture(gahr, tmp_path):
    made, model = tmp_path / "molrg", tmp_path / "teacher.keras"
    assert gahr("data", "mixture", made, "--preset", "molrg", "--count", 20).exit_code == 0
    result = gahr("baseline", "mixture", made, "--sigma", "0.1", "--out", model)
    assert result.exit_code == 0, result.output
    assert "mixture of 2 classes of rank 7, 7, 4x4x3, sigma 0.1" in result.output
    law = datasets.mixture_law(**datasets.MOLRG)
    images = datasets.load(made).as_float()
    np.testing.assert_array_equal(
        load_denoiser(model).denoise(images), baselines.GaussianMixture(law, 0.1).denoise(images)
    )
    assert load_denoiser(model).provenance["parameters"]["rank"] == [7, 7]


def test_what_is_refused(refused, make, dataset, tmp_path):
    out = tmp_path / "x.keras"
    for arguments, expected in (
        (("wiener", dataset, "--basis", "dct"), "--basis, which is for oracle alone"),
        (("wiener", dataset, "--rule", "shrinkage"), "--rule, which is for oracle alone"),
        (("empirical-bayes", dataset, "--index", 1), "--index, which is for oracle alone"),
        (
            ("oracle", dataset, "--index", 1, "--train-size", 3),
            "--train-size, which is for empirical-bayes, wiener, local, patches and masked alone",
        ),
        (
            ("oracle", dataset, "--index", 1, "--half", "B"),
            "--half, which is for empirical-bayes, wiener, local, patches and masked alone",
        ),
        (("wiener", dataset, "--patch", 3), "--patch, which is for local and patches alone"),
        (("patches", dataset, "--patch", 3, "--bordered"), "--bordered, which is for local alone"),
        (("local", dataset, "--patch", 3, "--threshold", 0.1), "which is for masked alone"),
        (("local", dataset), "local needs --patch"),
        (("local", dataset, "--patch", 4), "odd number of pixels"),
        (("local", dataset, "--patch", "wide"), "wide is no table of sides"),
        (("local", dataset, "--patch", 3, "--equivariant", "--bordered"), "leave one out"),
        (("local", dataset, "--patch", 3, "--bordered", "--wrap"), "have no border"),
        (("masked", dataset, "--threshold", 1), "from 0 to below 1"),
        (("oracle", dataset, "--index", 12), "expected an index from 0"),
        (("oracle", dataset, "--index", 1, "--basis", "bior2.2"), "expected dct or an orthogonal"),
        (("wiener", dataset, "--sigma", "0"), "above 0"),
        (("wiener", dataset, "--sigma", "loud"), "noise level"),
        (("wiener", dataset, "--half", "B"), "received --half B without --train-size: give both"),
        (("wiener", dataset, "--train-size", 13), "no more than the dataset's 12"),
        (("wiener", tmp_path / "nothing"), "does not exist"),
        (("mixture", dataset), "the recipe 'array', expected mixture"),
        (("mixture", dataset, "--train-size", 3), "--train-size, which is for"),
    ):
        assert expected in refused("baseline", *arguments, "--out", out)
        assert not out.exists()
    assert ".keras file" in refused("baseline", "wiener", dataset, "--out", tmp_path / "x.h5")
    made, _ = make("wiener")
    before = made.read_bytes()
    assert "--overwrite" in refused("baseline", "wiener", dataset, "--out", made)
    assert made.read_bytes() == before
