"""Numbers on the command line that nothing can be done with: one line each."""

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.datasets.arrays import STARTS
from keras_gahr.datasets.image_files import read_images

pytestmark = pytest.mark.one_backend

HUGE = str(2**63)


@pytest.mark.parametrize(
    "options",
    [
        ("--count", HUGE),
        ("--count", "0"),
        ("--count", "many"),
        ("--seed", str(2**64)),
        ("--seed", "-1"),
        ("--seed", "9" * 5000),
        ("--size", "0"),
        ("--size", "16x0"),
        ("--size", "9" * 5000),
        ("--size", "999999999"),
        ("--size", "²"),
        ("--first-image", str(2**64)),
        ("--batch-size", "0"),
        ("--sigma-end", "nan"),
        ("--sigma-0", "1e999"),
        ("--beta", "nan"),
        ("--max-steps", "0"),
        ("--init-mean", "inf"),
    ],
    ids=lambda options: " ".join(options)[:24],
)
def test_sample(refused, tiny_model, tmp_path, options):
    size = () if "--size" in options else ("--size", 16)
    refused("sample", tiny_model, "--out", tmp_path / "out", *size, *options)
    assert not list(tmp_path.iterdir())


def test_other_commands(refused, tiny_model, tmp_path, smooth_images):
    np.save(tmp_path / "x.npy", smooth_images(2, 16, 16))
    x, out = tmp_path / "x.npy", tmp_path / "out"
    restore = ("restore", tiny_model, x, "--out", out, "--measurement", "super-resolution:2")
    for arguments in (
        (*restore, "--repeat", HUGE),
        (*restore, "--seed", str(2**64)),
        (*restore, "--crop", "9" * 5000),
        (
            "compare",
            tiny_model,
            tiny_model,
            "--train-a",
            x,
            "--train-size",
            1,
            "--out",
            out,
            "--count",
            HUGE,
        ),
        ("denoise", tiny_model, x, "--out", out, "--add-noise", "nan"),
        ("denoise", tiny_model, x, "--out", f"{out}.npy", "--seed", str(2**64)),
        ("psnr", tiny_model, x, "--out", out, "--sigmas", "0.1,nan"),
        ("psnr", tiny_model, x, "--out", out, "--seed", str(2**64)),
        ("eigenbasis", tiny_model, x, "--index", 0, "--out", out, "--seed", str(2**64)),
        ("data", "folder", tmp_path, out, "--scale", "1e-1000000000"),
        ("data", "folder", tmp_path, out, "--scale", "nan"),
    ):
        refused(*arguments)
        assert not out.exists()


def test_images_to_start_from(tmp_path):
    """Of uint16 the values would be tens of thousands, of 0..255 hundreds: neither is an image."""
    noisy = 2 * np.random.default_rng(0).standard_normal((2, 8, 8, 1))
    for dtype in ("float16", "float64"):
        np.save(tmp_path / "x.npy", noisy.astype(dtype))
        found, _ = read_images(tmp_path / "x.npy", 1, limits=STARTS)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, noisy.astype(dtype).astype(np.float32))
    np.save(tmp_path / "x.npy", np.full((2, 8, 8, 1), 51, np.uint8))
    found, _ = read_images(tmp_path / "x.npy", 1, limits=STARTS)
    np.testing.assert_allclose(found, 0.2, rtol=1e-6)
    for wrong in (
        (65535 * np.ones((2, 8, 8, 1))).astype(np.uint16),
        255 * abs(noisy),
        np.full((2, 8, 8, 1), np.nan),
        np.zeros((2, 3, 8, 8)),
    ):
        np.save(tmp_path / "x.npy", wrong)
        with pytest.raises(InputError, match=r"x\.npy"):
            read_images(tmp_path / "x.npy", 1, limits=STARTS)


@pytest.mark.parametrize(
    "command",
    [
        "denoise MODEL x.npy --out out.npy --sigma 25",
        "denoise MODEL x.npy --out out.npy --add-noise 25",
        "denoise MODEL x.npy --out out.npy --add-noise 25 --sigma 0.1",
        "eigenbasis MODEL x.npy --index 0 --sigma 25 --out out",
        "psnr MODEL x.npy --sigmas 0.1,25 --out out",
        "noise MODEL x.npy --calibrate --sigmas 25 --out out",
        "dimension MODEL x.npy --sigma 25 --out out",
        "density MODEL x.npy --dequantize 25 --out out",
        "train x.npy --sigma-max 25 --out out",
        "baseline wiener x.npy --sigma 25 --out out.keras",
    ],
)
def test_noise_levels_in_units_of_bytes(
    refused, tiny_model, tmp_path, smooth_images, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", smooth_images(4, 16, 16))
    line = refused(*(str(tiny_model) if word == "MODEL" else word for word in command.split()))
    assert "received noise level 25: levels are in units of [0, 1]; 25 of 255 is 25/255" in line
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
