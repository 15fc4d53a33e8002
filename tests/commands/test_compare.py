"""`gahr compare`."""

import json

import numpy as np
import pytest
import tolerances

from keras_gahr import baselines, datasets
from keras_gahr.denoisers import save_denoiser
from keras_gahr.sampling import AscentSchedule, sample

QUICK = ("--beta", 0.5, "--sigma-end", 0.1, "--count", 3)


@pytest.fixture
def images(smooth_images, tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, smooth_images(12, 16, 16))
    return path


def test_equal_networks_are_twins(gahr, tiny_model, tiny_denoiser, images, tmp_path):
    out = tmp_path / "out"
    options = ("--train-a", images, "--train-size", 6, "--out", out, "--seed", 4, *QUICK)
    result = gahr("compare", tiny_model, tiny_model, *options)
    assert result.exit_code == 0, result.output
    assert "twins: correlation 1.000, in 100% of the pairs" in result.output
    assert "verdict: generalized" in result.output
    assert "warning" not in result.output
    names = sorted(path.name for path in out.iterdir())
    assert names == ["comparison.json", "comparison.npz", "samples.png", "similarity.png"]
    numbers = json.loads((out / "comparison.json").read_text())
    assert numbers["verdict"] == "generalized"
    assert numbers["pairs"] == [0, 1, 2]
    assert [numbers[side]["training_images"] for side in "ab"] == [6, 6]
    arrays = np.load(out / "comparison.npz")
    np.testing.assert_array_equal(arrays["samples_a"], arrays["samples_b"])
    schedule = AscentSchedule(beta=0.5, sigma_end=0.1)
    expected = sample(tiny_denoiser, (16, 16, 1), count=3, seed=4, schedule=schedule)
    np.testing.assert_allclose(arrays["samples_a"], expected.images, atol=tolerances.SAME_IMAGE)
    clean = np.load(images)
    for side, half in (("a", clean[:6]), ("b", clean[6:])):
        index = arrays[f"correlation_index_{side}"][:, 0]
        np.testing.assert_array_equal(arrays[f"closest_{side}"], half[index])
    assert "exists" in gahr("compare", tiny_model, tiny_model, *options).output


@pytest.mark.one_backend
def test_sets_that_overlap_are_told(gahr, tiny_model, images, tmp_path, monkeypatch):
    load, paths = datasets.load, []
    monkeypatch.setattr(
        datasets, "load", lambda path, **how: paths.append(path) or load(path, **how)
    )
    options = ("--train-a", images, "--out", tmp_path / "out", *QUICK)
    result = gahr("compare", tiny_model, tiny_model, *options, "--train-size", 8, "--format", "pdf")
    assert {path.stem for path in (tmp_path / "out").glob("*.pdf")} == {"samples", "similarity"}
    assert not list((tmp_path / "out").glob("*.png"))
    assert "same 4 images" in result.output
    assert (
        json.loads((tmp_path / "out" / "comparison.json").read_text())["shared_training_images"]
        == 4
    )
    assert paths == [images]


@pytest.mark.one_backend
def test_of_a_dataset_of_its_own_b_took_the_first_images(gahr, images, tmp_path):
    """As `gahr train` does without --half: a network that knows nothing else returns them."""
    clean, other = np.load(images), tmp_path / "other.npy"
    np.save(other, 1 - clean)
    for name, known in (("a", clean[:4]), ("b", 1 - clean[:4])):
        save_denoiser(baselines.EmpiricalBayes(known), tmp_path / f"{name}.keras")
    models = (tmp_path / "a.keras", tmp_path / "b.keras")
    options = ("--train-a", images, "--train-size", 4, *QUICK)
    for stem, own, half, expected in (
        ("own", ("--train-b", other), "A", 1 - clean[:4]),
        ("told", ("--train-b", other, "--half-b", "B"), "B", 1 - clean[-4:]),
        ("same", ("--train-b", tmp_path / ".." / tmp_path.name / "images.npy"), "B", clean[-4:]),
    ):
        out = tmp_path / stem
        result = gahr("compare", *models, *options, *own, "--out", out)
        assert result.exit_code == 0, result.output
        numbers = json.loads((out / "comparison.json").read_text())
        arrays = np.load(out / "comparison.npz")
        assert (numbers["a"]["half"], numbers["b"]["half"]) == ("A", half)
        index = arrays["correlation_index_b"][:, 0]
        np.testing.assert_array_equal(arrays["closest_b"], expected[index])
        assert ("B: 3 of 3 samples memorized" in result.output) == (stem == "own")


def test_pairs_that_do_not_converge(refused, tiny_model, images, tmp_path):
    options = ("--train-a", images, "--out", tmp_path / "out", "--train-size", 6, *QUICK)
    assert "no pair of samples converged" in refused(
        "compare", tiny_model, tiny_model, *options, "--max-steps", 2
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.one_backend
def test_what_cannot_be_compared(refused, tiny_model, images, tmp_path):
    def error(*options, model=tiny_model):
        line = refused(
            "compare", model, tiny_model, "--train-a", images, "--out", tmp_path / "out", *options
        )
        assert not (tmp_path / "out").exists()
        return line

    np.save(tmp_path / "other.npy", np.zeros((5, 20, 20), np.float32))
    assert "16x16x1 and of 20x20x1" in error("--train-b", tmp_path / "other.npy")
    assert "13 training images" in error("--train-size", 13)
    assert "expected A or B" in error("--train-size", 4, "--half-b", "left")
    assert "--half-a B without --train-size" in error("--half-a", "B")
    assert "--half-b B without --train-size" in error("--half-b", "B")
    assert "does not exist" in error(model=tmp_path / "none.keras")
    assert "beta" in error("--beta", 2)
