"""`gahr sample`."""

import json

import numpy as np
import pytest
import tolerances

QUICK = ("--beta", 0.3, "--sigma-end", 0.05, "--size", "16x20")


def test_a_grid_an_array_and_a_report(gahr, tiny_model, tmp_path):
    out = tmp_path / "out"
    result = gahr("sample", tiny_model, "--out", out, "--count", 5, "--seed", 7, *QUICK)
    assert result.exit_code == 0, result.output
    assert "5 images of 16x20" in result.output
    images = np.load(out / "samples.npy")
    assert images.shape == (5, 16, 20, 1)
    report = json.loads((out / "sampling.json").read_text())
    assert report["seed"] == 7
    assert report["denoiser"] == "tiny.keras"
    assert len(report["images"]) == 5
    assert (out / "samples.png").exists()

    small = ("--count", 2, "--seed", 7, "--batch-size", 1, *QUICK)
    assert gahr("sample", tiny_model, "--out", tmp_path / "two", *small).exit_code == 0
    two = np.load(tmp_path / "two" / "samples.npy")
    assert two == pytest.approx(images[:2], abs=tolerances.SAME_IMAGE)


def test_bfloat16_gives_nearly_the_same_images(gahr, tiny_model, tmp_path):
    found = {}
    for precision in ("float32", "mixed_bfloat16"):
        options = ("--count", 2, "--precision", precision, *QUICK)
        result = gahr("sample", tiny_model, "--out", tmp_path / precision, *options)
        assert result.exit_code == 0, result.output
        found[precision] = np.load(tmp_path / precision / "samples.npy")
        report = json.loads((tmp_path / precision / "sampling.json").read_text())
        assert report["precision"] == precision
    distance = np.abs(found["float32"] - found["mixed_bfloat16"]).max()
    assert 0 < distance < tolerances.BFLOAT16_SAMPLES


@pytest.mark.one_backend
def test_images_that_do_not_converge_are_named(gahr, tiny_model, tmp_path):
    options = ("--count", 3, "--max-steps", 2, *QUICK)
    result = gahr("sample", tiny_model, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0
    assert "0 converged" in result.output
    assert "images 0, 1, 2 did not converge" in result.output


@pytest.mark.one_backend
def test_what_cannot_be_sampled_is_refused(refused, tiny_model, tmp_path):
    def error(*options, model=tiny_model):
        return refused("sample", model, "--out", tmp_path / "out", *options)

    assert "--size" in error()
    assert "multiples of 4" in error("--size", 18)
    assert "HEIGHTxWIDTH" in error("--size", "large")
    assert "HEIGHTxWIDTH" in error("--size", "")
    assert "1000000 steps" in error("--size", 16, "--beta", 1e-17)
    assert "init_mean" in error("--size", 16, "--init-mean", "nan")
    assert "beta" in error("--size", 16, "--beta", 2)
    assert "does not exist" in error(model=tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("no model")
    assert "not a .keras file" in error(model=tmp_path / "text.keras")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "exists" in error("--size", 16)
    assert "sampling.json" in error("--size", 16, "--overwrite")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.one_backend
def test_another_sampler_and_its_trajectory(gahr, tiny_model, tmp_path):
    out = tmp_path / "out"
    options = ("--sampler", "heun", "--steps", 6, "--spacing", "geometric", "--trajectory", 2)
    more = ("--count", 2, "--first-image", 3, "--size", "8x12", "--no-final-denoise")
    result = gahr("sample", tiny_model, "--out", out, *options, *more)
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    assert {"trajectory.npz", "trajectory.png", "trajectory.gif"} < names
    report = json.loads((out / "sampling.json").read_text())
    assert report["sampler"] == "heun"
    assert report["first_image"] == 3
    assert report["schedule"]["spacing"] == "geometric"
    with np.load(out / "trajectory.npz") as kept:
        assert np.array_equal(kept["t"], [1, 3, 5, 7])
        assert np.array_equal(kept["y"][-1], np.load(out / "samples.npy"))


@pytest.mark.one_backend
def test_given_starts_without_noise(gahr, tiny_model, tmp_path):
    start = tmp_path / "start.npy"
    np.save(start, 0.5 + np.random.default_rng(0).standard_normal((2, 8, 12, 1)))
    options = ("--initial", start, "--deterministic", "--sigma-end", 0.1)
    for seed in (1, 2):
        result = gahr("sample", tiny_model, "--out", tmp_path / str(seed), "--seed", seed, *options)
        assert result.exit_code == 0, result.output
        assert "2 images of 8x12" in result.output
    first, second = (np.load(tmp_path / str(seed) / "samples.npy") for seed in (1, 2))
    assert np.array_equal(first, second)


@pytest.fixture
def multi_model(tmp_path):
    from keras_gahr import BFCNN, MultiScaleDenoiser, ReceptiveFieldBFCNN, save_denoiser

    detail = ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False, seed=0)
    denoiser = MultiScaleDenoiser(BFCNN(num_layers=3, num_kernels=2, seed=0), [detail])
    save_denoiser(denoiser, tmp_path / "multi.keras")
    return tmp_path / "multi.keras"


@pytest.mark.one_backend
def test_a_multi_scale_denoiser_is_sampled_by_levels(gahr, refused, multi_model, tmp_path):
    quick = ("--count", 2, "--max-steps", 3)
    result = gahr("sample", multi_model, "--out", tmp_path / "a", "--size", 8, *quick)
    assert result.exit_code == 0, result.output
    assert "low_band: " in result.output
    assert "detail_0: " in result.output
    line = refused("sample", multi_model, "--out", tmp_path / "d", "--size", 8, "--trajectory", 3)
    assert "--joint" in line


@pytest.mark.slow
def test_a_multi_scale_denoiser_all_at_once_and_from_a_low_band(gahr, multi_model, tmp_path):
    quick = ("--count", 2, "--max-steps", 3)
    result = gahr("sample", multi_model, "--out", tmp_path / "b", "--size", 8, "--joint", *quick)
    assert result.exit_code == 0, result.output
    assert "low_band" not in result.output

    low = np.random.default_rng(0).random((2, 4, 6), np.float32)[..., None]
    np.save(tmp_path / "low.npy", low)
    options = ("--low-band", tmp_path / "low.npy", "--max-steps", 3)
    result = gahr("sample", multi_model, "--out", tmp_path / "c", *options)
    assert "2 images of 8x12" in result.output, result.output
    images = np.load(tmp_path / "c" / "samples.npy")
    assert images.reshape(2, 4, 2, 6, 2).mean(axis=(2, 4)) == pytest.approx(low[..., 0], abs=1e-5)


@pytest.mark.one_backend
def test_options_that_do_not_go_together_are_refused(refused, tiny_model, tmp_path):
    def error(*options):
        return refused("sample", tiny_model, "--out", tmp_path / "out", "--size", 8, *options)

    assert "ascent, euler" in error("--sampler", "langevin")
    assert "--spacing" in error("--sampler", "multistep", "--spacing", "karras")
    assert "--beta" in error("--sampler", "euler", "--beta", 0.1)
    assert "--max-steps" in error("--sampler", "euler", "--max-steps", 3)
    assert "--steps" in error("--steps", 3)
    assert "use euler" in error("--sampler", "ancestral", "--deterministic")
    assert "choose one" in error("--deterministic", "--beta", 0.1)
    assert "multi-scale" in error("--low-band", tmp_path / "x.npy")
    np.save(tmp_path / "nan.npy", np.full((1, 8, 8, 1), np.nan))
    assert "NaN" in error("--initial", tmp_path / "nan.npy")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    assert "shape" in error("--initial", tmp_path / "words.npy")
    assert "does not exist" in error("--initial", tmp_path / "none.npy")
