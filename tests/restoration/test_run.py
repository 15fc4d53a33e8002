"""Restoration of files: what is written, and going on after a stop."""

import csv
import json

import numpy as np
import pytest
import tolerances

from keras_gahr import InputError
from keras_gahr.datasets import write_image
from keras_gahr.noise import keyed_normal
from keras_gahr.psnr import psnr
from keras_gahr.restoration import InputImages, averages, restore_files
from keras_gahr.sampling import AscentSchedule, Samples, sample
from keras_gahr.sampling.measurements import SuperResolution
from keras_gahr.ssim import ssim

SCHEDULE = AscentSchedule(beta=0.3, sigma_end=0.05)
TEXT = "super-resolution:4"


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """An array of three images of 16 x 16."""
    rows, columns = np.ogrid[:16, :16]
    images = [0.5 + 0.4 * np.sin(rows / 3 + k) * np.cos(columns / (2 + k)) for k in range(3)]
    path = tmp_path_factory.mktemp("restored") / "waves.npy"
    np.save(path, np.float32(images))
    return path


def run(denoiser, source, out, **options):
    options = {"repeat": 2, "schedule": SCHEDULE, "batch_size": 2, **options}
    return restore_files(denoiser, InputImages([source], TEXT, 1), out, **options)


@pytest.fixture
def sampled(monkeypatch):
    """Instead of the sampler, noise, with NaN for the second image.

    A list of how many images were asked for.
    """
    asked = []

    def fake(denoiser, shape, *, count, noise, measured, progress, **options):
        asked.append(count)
        images = noise(range(count), 0)
        status = ["converged"] * count
        if status[1:]:
            images[1], status[1] = np.nan, "diverged"
        progress(count, count)
        return Samples(images, np.ones(count, int), np.zeros(count), tuple(status), np.ones(count))

    monkeypatch.setattr(averages, "sample", fake)
    return asked


def test_an_image_alone_and_among_others(tiny_denoiser, three, tmp_path):
    drawn = []
    rows = run(
        tiny_denoiser,
        three,
        tmp_path / "all",
        batch_size=6,
        draw=lambda folder, *arguments: drawn.append((folder, *arguments)),
    )
    clean = np.load(three)[..., None]
    measurement = SuperResolution((16, 16, 1), 4)
    expected = sample(
        tiny_denoiser,
        (16, 16, 1),
        count=2,
        schedule=SCHEDULE,
        measurement=measurement,
        measured=measurement(clean[1:2]),
    )
    folder = tmp_path / "all" / "waves-0001"
    arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    assert arrays["samples"] == pytest.approx(expected.images, abs=tolerances.SAME_IMAGE)
    assert np.array_equal(arrays["clean"], clean[1])
    assert np.array_equal(arrays["sample"], arrays["samples"][0])
    assert arrays["mean"] == pytest.approx(arrays["samples"].mean(0), abs=1e-6)
    assert arrays["deviation"] == pytest.approx(arrays["samples"].std(0, ddof=1), abs=1e-6)
    means = clean[1, ..., 0].reshape(4, 4, 4, 4).mean((1, 3))
    assert arrays["measurement"][..., 0] == pytest.approx(means, abs=1e-6)
    assert arrays["minimum_norm"][..., 0] == pytest.approx(
        np.kron(means, np.ones((4, 4))), abs=1e-6
    )
    assert {path.stem for path in folder.glob("*.png")} == {*arrays} - {"samples"}
    for (drawn_in, restoration, observed), row in zip(drawn, rows, strict=True):
        assert drawn_in.name == restoration.name == row["name"]
        assert observed.shape == (4, 4, 1)
    assert rows[1]["converged"] == 2
    for name in ("minimum_norm", "sample", "mean"):
        pair = arrays[name][None], clean[1:2]
        assert rows[1][f"psnr_{name}"] == pytest.approx(psnr(*pair)[0], abs=1e-4)
        assert rows[1][f"ssim_{name}"] == pytest.approx(ssim(*pair)[0], abs=1e-4)
    assert rows[1]["psnr_mean"] > rows[1]["psnr_minimum_norm"]
    with (tmp_path / "all" / "restoration.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["name"] for row in table] == ["waves-0000", "waves-0001", "waves-0002"]
    assert float(table[1]["psnr_mean"]) == rows[1]["psnr_mean"]
    report = json.loads((tmp_path / "all" / "restoration.json").read_text())
    assert report["measurement"] == TEXT
    assert report["images"] == rows


def test_samples_that_diverge_are_left_out(tiny_denoiser, three, tmp_path, sampled):
    rows = run(tiny_denoiser, three, tmp_path / "out", repeat=3, batch_size=4)
    assert [row["diverged"] for row in rows] == [1, 1, 1]
    noise = keyed_normal(0, [0, 2], 0, (16, 16, 1))
    assert np.load(tmp_path / "out" / "waves-0000" / "mean.npy") == pytest.approx(noise.mean(0))
    assert rows[0]["psnr_mean"] is not None


def test_an_image_whose_samples_all_diverge(tiny_denoiser, three, tmp_path, sampled):
    rows = run(tiny_denoiser, three, tmp_path / "out", repeat=1, batch_size=2)
    assert [row["diverged"] for row in rows] == [0, 1, 0]
    assert rows[1]["psnr_mean"] is None and rows[1]["psnr_minimum_norm"] is not None
    assert np.isnan(np.load(tmp_path / "out" / "waves-0001" / "mean.npy")).all()
    assert (tmp_path / "out" / "waves-0001" / "mean.png").exists()


def interrupt(denoiser, source, out, after, **options):
    def stop(done, total):
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(denoiser, source, out, progress=stop, **options)
    assert not out.exists()


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_interrupted_run_goes_on(tiny_denoiser, three, tmp_path, sampled):
    run(tiny_denoiser, three, tmp_path / "whole")
    sampled.clear()
    out = tmp_path / "out"
    # Stopped when the second image is sampled, but not written.
    interrupt(tiny_denoiser, three, out, after=1.5)
    assert sampled == [2, 2]
    run(tiny_denoiser, three, out)
    assert sampled == 4 * [2]
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize("change", [{"seed": 1}, {"repeat": 3}, {"schedule": AscentSchedule()}])
def test_other_settings_start_anew(tiny_denoiser, three, tmp_path, sampled, change):
    interrupt(tiny_denoiser, three, tmp_path / "out", after=2)
    sampled.clear()
    run(tiny_denoiser, three, tmp_path / "out", **change)
    assert len(sampled) == 3


def write_mask(path, last):
    mask = np.ones((16, 16))
    mask[:4] = 0
    mask[-1] = last
    np.save(path, mask)


def write_blur(path, last):
    np.save(path, np.array([[1.0, 2.0, last]]))


@pytest.mark.parametrize(
    ("text", "write", "size"),
    [("mask:{}", write_mask, None), ("deblur:{}", write_blur, (16, 16))],
)
def test_another_mask_or_blur_in_the_same_file_starts_anew(
    tiny_denoiser, tmp_path, sampled, text, write, size
):
    """What was observed is the same, where it is given."""
    observed, file = tmp_path / "observed.npy", tmp_path / "file.npy"
    write(file, 1)
    np.save(observed, np.zeros((4, 16, 16), np.float32))
    out = tmp_path / "out"

    def restore(**options):
        images = InputImages([observed], text.format(file), 1, measured=True, sides=size)
        settings = {"repeat": 2, "schedule": SCHEDULE, "batch_size": 2}
        restore_files(tiny_denoiser, images, out, **settings, **options)

    def stop(done, total):
        if done >= 2.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(progress=stop)
    assert len(sampled) == 3
    restore()
    # The first two images were done.
    assert len(sampled) == 3 + 2
    with pytest.raises(KeyboardInterrupt):
        restore(progress=stop, overwrite=True)
    write(file, 0)
    sampled.clear()
    restore(overwrite=True)
    assert len(sampled) == 4


def test_other_images_leave_nothing_of_the_old(tiny_denoiser, three, tmp_path, sampled):
    interrupt(tiny_denoiser, three, tmp_path / "out", after=2)
    other = tmp_path / "other.npy"
    np.save(other, np.load(three)[:2])
    run(tiny_denoiser, other, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "other-0000",
        "other-0001",
        "restoration.csv",
        "restoration.json",
    }


def test_what_cannot_be_restored_is_refused(tiny_denoiser, three, tmp_path, sampled):
    np.save(tmp_path / "odd.npy", np.ones((2, 4, 18), np.float32))
    with pytest.raises(InputError, match="multiples of 4"):
        restore_files(
            tiny_denoiser, InputImages([tmp_path / "odd.npy"], "random-pixels:1", 1), tmp_path / "x"
        )
    write_image(tmp_path / "restoration.csv.png", np.ones((16, 16)))
    with pytest.raises(InputError, match="rename"):
        run(tiny_denoiser, tmp_path / "restoration.csv.png", tmp_path / "x")
    with pytest.raises(InputError, match="at least 1"):
        run(tiny_denoiser, three, tmp_path / "x", repeat=0)
    assert not (tmp_path / "x").exists()
    run(tiny_denoiser, three, tmp_path / "x")
    with pytest.raises(InputError, match="exists"):
        run(tiny_denoiser, three, tmp_path / "x")
    run(tiny_denoiser, three, tmp_path / "x", overwrite=True)
