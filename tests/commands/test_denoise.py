"""`gahr denoise` on pictures, arrays and folders."""

import json
import re

import numpy as np
import pytest

from keras_gahr.datasets import read_image, write_image
from keras_gahr.denoisers import load_denoiser


@pytest.fixture
def pictures(tmp_path, smooth_images):
    """A folder of three pictures of two sizes and kinds."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    images = [*smooth_images(2, 24, 24), smooth_images(1, 16, 20)[0]]
    for name, image in zip(("a.png", "b.jpg", "c.png"), images, strict=True):
        write_image(folder / name, image)
    return folder


def decibels(output):
    return [float(number) for number in re.findall(r"(-?\d+\.\d\d) dB", output)]


def test_a_picture_with_added_noise(gahr, tiny_model, pictures, tmp_path):
    out = tmp_path / "out.png"
    options = ("--add-noise", "50/255", "--seed", 3)
    result = gahr("denoise", tiny_model, pictures / "a.png", "--out", out, *options)
    assert result.exit_code == 0, result.output
    noisy, denoised = decibels(result.output)
    # 20 log10(255 / 50) = 14.15 dB, to the fluctuation over 576 pixels.
    assert noisy == pytest.approx(14.15, abs=0.5)
    assert denoised > noisy + 3
    [levels] = re.findall(
        r"^noise level: (.+)/255 by .+, (.+)/255 corr", result.output, re.MULTILINE
    )
    assert [float(level) for level in levels] == pytest.approx([50, 50], rel=0.2)
    assert float(levels[0]) < float(levels[1])
    clean = read_image(pictures / "a.png")
    errors = [
        np.mean((read_image(path) - clean) ** 2) for path in (out, tmp_path / "out.noisy.png")
    ]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.one_backend
def test_the_noise_level_is_estimated_of_few_images_or_if_asked(
    gahr, tiny_model, pictures, tmp_path
):
    noisy = np.random.default_rng(0).normal(0.5, 0.1, (300, 300)).astype(np.float32)
    np.save(pictures / "noisy.npy", noisy)
    for options, words in (
        ((), "noise level of 3 of 4: "),
        (("--noise",), "noise level: "),
        (("--no-noise",), "taken away: "),
    ):
        out = tmp_path / "".join(["out", *options])
        result = gahr("denoise", tiny_model, pictures, "--out", out, *options)
        assert result.exit_code == 0, result.output
        assert any(line.startswith(words) for line in result.output.splitlines()), result.output
    report = json.loads((tmp_path / "out--noise" / "denoising.json").read_text())
    [row] = [row for row in report["files"] if row["name"] == "noisy.npy"]
    assert row["residual"] < row["noise"]


@pytest.mark.one_backend
def test_bfloat16_denoises_nearly_as_well(gahr, tiny_model, pictures, tmp_path):
    found = {}
    for precision in ("float32", "mixed_bfloat16"):
        options = ("--add-noise", "50/255", "--precision", precision)
        out = tmp_path / f"{precision}.png"
        found[precision] = decibels(
            gahr("denoise", tiny_model, pictures / "a.png", "--out", out, *options).output
        )
    assert found["mixed_bfloat16"] == pytest.approx(found["float32"], abs=0.1)
    refused = gahr("denoise", tiny_model, pictures, "--out", tmp_path / "x", "--precision", "half")
    assert refused.exit_code == 2
    assert "received precision 'half', expected one of float32, mixed_bfloat16" in refused.output


@pytest.mark.one_backend
def test_arrays_keep_their_shape_and_their_values(gahr, tiny_model, tmp_path):
    denoiser = load_denoiser(tiny_model)
    # Noisy values leave [0, 1], and must not be clipped.
    noisy = np.random.default_rng(0).normal(0.5, 0.5, (5, 12, 16)).astype(np.float32)
    expected = noisy - denoiser.predict_on_batch(noisy[..., None])[..., 0]
    for shape in ((5, 12, 16), (5, 12, 16, 1)):
        np.save(tmp_path / "in.npy", noisy.reshape(shape))
        out = tmp_path / f"out{len(shape)}.npy"
        result = gahr("denoise", tiny_model, tmp_path / "in.npy", "--out", out)
        assert result.exit_code == 0, result.output
        assert np.load(out) == pytest.approx(expected.reshape(shape), abs=1e-5)
    np.save(tmp_path / "in.npy", noisy[0])
    assert (
        gahr("denoise", tiny_model, tmp_path / "in.npy", "--out", tmp_path / "o.npy").exit_code == 0
    )
    assert np.load(tmp_path / "o.npy") == pytest.approx(expected[0], abs=1e-5)


@pytest.mark.one_backend
def test_a_folder(gahr, tiny_model, pictures, tmp_path):
    out = tmp_path / "out"
    result = gahr("denoise", tiny_model, pictures, "--out", out, "--add-noise", 0.1)
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        *(f"{name}{noisy}.png" for name in "abc" for noisy in ("", ".noisy")),
        "denoising.json",
    }
    assert "mean of 3" in result.output
    assert read_image(out / "c.png").shape == (16, 20, 1)


@pytest.mark.one_backend
def test_a_noisy_folder_against_a_clean_one(gahr, tiny_model, pictures, tmp_path):
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    rng = np.random.default_rng(0)
    for path in pictures.iterdir():
        image = read_image(path)
        write_image(noisy / path.name, image + 0.1 * rng.standard_normal(image.shape))
    out = tmp_path / "out"
    result = gahr("denoise", tiny_model, noisy, "--out", out, "--clean", pictures)
    assert result.exit_code == 0, result.output
    *_, before, after = decibels(result.output)
    assert after > before + 2


@pytest.mark.one_backend
def test_added_noise_depends_on_the_seed_alone(gahr, tiny_model, pictures, tmp_path):
    outputs = []
    for k, seed in enumerate((1, 1, 2)):
        out = tmp_path / f"{k}.npy"
        options = ("--add-noise", 0.2, "--seed", seed)
        gahr("denoise", tiny_model, pictures / "a.png", "--out", out, *options)
        outputs.append(np.load(tmp_path / f"{k}.noisy.npy"))
    assert np.array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])


@pytest.mark.one_backend
def test_what_cannot_be_denoised_is_refused(refused, tiny_model, pictures, tmp_path, smooth_images):
    out = tmp_path / "out.png"

    def error(source, *options, to=out):
        return refused("denoise", tiny_model, source, "--out", to, *options)

    (tmp_path / "broken.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("hello")
    nan = smooth_images(1, 16, 16)
    nan[0, 0, 0] = np.nan
    np.save(tmp_path / "nan.npy", nan)
    np.save(tmp_path / "none.npy", nan[:0])
    np.save(tmp_path / "many.npy", smooth_images(3, 16, 16))
    (tmp_path / "empty").mkdir()

    assert "2GB" in error(pictures / "a.png", "--memory", "much")
    assert "smallest tiles" in error(pictures / "a.png", "--memory", "1MB")
    assert "damaged" in error(tmp_path / "broken.png")
    assert "not an image" in error(tmp_path / "text.png")
    assert "does not exist" in error(tmp_path / "missing.png")
    assert "NaN" in error(tmp_path / "nan.npy", to=tmp_path / "out.npy")
    assert "empty" in error(tmp_path / "none.npy", to=tmp_path / "out.npy")
    assert "3 images" in error(tmp_path / "many.npy")
    assert ".npy" in error(pictures / "a.png", to=tmp_path / "out.gif")
    assert "no images" in error(tmp_path / "empty", to=tmp_path / "folder")
    assert "25/255" in error(pictures / "a.png", "--add-noise", "-1")
    assert "one of them" in error(
        pictures / "a.png", "--add-noise", "0.1", "--clean", pictures / "a.png"
    )
    assert "same image" in error(pictures / "a.png", "--clean", pictures / "c.png")
    assert not out.exists()
    assert not (tmp_path / "folder").exists()


@pytest.mark.one_backend
def test_sides_that_the_network_cannot_take(gahr, tiny_model, tmp_path, smooth_images):
    (tmp_path / "in").mkdir()
    for name, sides in (("odd", (18, 21)), ("even", (16, 20))):
        write_image(tmp_path / "in" / f"{name}.png", smooth_images(1, *sides)[0])
    out = tmp_path / "out"
    result = gahr("denoise", tiny_model, tmp_path / "in", "--out", out, "--memory", "4GB")
    assert result.exit_code == 0, result.output
    assert "1 of 2 continued by reflection to multiples of 4" in result.output
    assert read_image(out / "odd.png").shape == (18, 21, 1)
    files = json.loads((out / "denoising.json").read_text())["files"]
    assert {file["name"]: file["padded"] for file in files} == {
        "even.png": None,
        "odd.png": [20, 24],
    }


@pytest.mark.one_backend
def test_existing_outputs_are_kept(refused, gahr, tiny_model, pictures, tmp_path):
    out = tmp_path / "out.noisy.png"
    out.write_text("mine")
    options = ("--out", tmp_path / "out.png", "--add-noise", 0.1)
    assert "exists" in refused("denoise", tiny_model, pictures / "a.png", *options)
    assert out.read_text() == "mine"
    result = gahr("denoise", tiny_model, pictures / "a.png", *options, "--overwrite")
    assert result.exit_code == 0, result.output


@pytest.mark.one_backend
def test_a_folder_with_one_bad_picture_leaves_nothing(refused, tiny_model, pictures, tmp_path):
    (pictures / "d.png").write_text("hello")
    assert "d.png" in refused("denoise", tiny_model, pictures, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


@pytest.mark.one_backend
def test_names_that_would_collide_are_refused(
    refused, tiny_model, pictures, tmp_path, smooth_images
):
    out = tmp_path / "out"
    write_image(pictures / "a.noisy.png", smooth_images(1, 16, 16)[0])
    options = ("--add-noise", 0.1, "--out", out)
    assert "a.noisy.png" in refused("denoise", tiny_model, pictures, *options)
    write_image(pictures / "c.jpg", smooth_images(1, 16, 16)[0])
    assert "c.png" in refused("denoise", tiny_model, pictures, "--out", out)
    assert not out.exists()


@pytest.mark.one_backend
def test_only_a_folder_of_ours_is_replaced(gahr, refused, tiny_model, pictures, tmp_path):
    out = tmp_path / "out"
    assert gahr("denoise", tiny_model, pictures, "--out", out).exit_code == 0
    assert gahr("denoise", tiny_model, pictures, "--out", out, "--overwrite").exit_code == 0
    (out / "mine.txt").write_text("mine")
    assert "mine.txt" in refused("denoise", tiny_model, pictures, "--out", out, "--overwrite")
    assert "denoising.json" in refused(
        "denoise", tiny_model, pictures, "--out", pictures, "--overwrite"
    )
