"""Images, and what was observed of them, from files."""

import numpy as np
import pytest
from keras import ops

from keras_gahr import InputError
from keras_gahr.datasets import write_image
from keras_gahr.restoration import InputImages
from keras_gahr.sampling.measurements import parse_measurement


@pytest.fixture
def folder(tmp_path, smooth_images):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_image(folder / "a.png", smooth_images(1, 16, 20)[0])
    write_image(folder / "b.png", smooth_images(1, 12, 16, 3)[0])
    np.save(folder / "many.npy", smooth_images(3, 16, 16)[..., 0])
    np.save(folder / "one.npy", smooth_images(1, 16, 16)[0, ..., 0])
    return folder


def test_images_of_many_kinds(folder):
    images = InputImages([folder], "super-resolution:4", channels=1)
    problems = list(images)
    assert [problem.name for problem in problems] == images.names
    assert images.names == ["a", "b", "many-0000", "many-0001", "many-0002", "one"]
    assert [problem.clean.shape for problem in problems] == [
        (16, 20, 1),
        (12, 16, 1),
        *4 * [(16, 16, 1)],
    ]
    # Neighbours of one shape share their measurement.
    assert problems[2].measurement is problems[5].measurement
    means = problems[5].clean.reshape(4, 4, 4, 4).mean((1, 3))
    assert problems[5].observed[..., 0] == pytest.approx(means, abs=1e-6)
    (color,) = InputImages([folder / "a.png"], "grey", channels=3)
    assert color.clean.shape == (16, 20, 3)


def test_crops(folder):
    whole, *_ = InputImages([folder / "a.png"], "random-pixels:0.5", 1)
    for crop, box in (
        ((8, 12), (slice(4, 12), slice(4, 16))),
        ((4, 4, 1, 2), (slice(1, 5), slice(2, 6))),
        ("square", (slice(0, 16), slice(2, 18))),
    ):
        (cropped,) = InputImages([folder / "a.png"], "random-pixels:0.5", 1, crop=crop)
        assert np.array_equal(cropped.clean, whole.clean[box])


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("text", "channels"),
    [("super-resolution:4", 1), ("grey,super-resolution:2", 3), ("spectral:0.3", 1)],
)
def test_what_was_observed(text, channels, tmp_path, smooth_images):
    images = smooth_images(2, 8, 12, channels)
    measurement = parse_measurement(text, (8, 12, channels))
    observed = ops.convert_to_numpy(measurement.observe(ops.convert_to_tensor(images)))
    arrays = {"several": observed, "single": observed[0]}
    if measurement.gives_pictures:
        arrays["flat"] = observed[..., 0]
        write_image(tmp_path / "picture.png", observed[0])
        (problem,) = InputImages([tmp_path / "picture.png"], text, channels, measured=True)
        assert problem.observed == pytest.approx(observed[0], abs=0.5 / 255 + 1e-6)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        found = list(InputImages([tmp_path / f"{name}.npy"], text, channels, measured=True))
        assert len(found) == (1 if name == "single" else 2)
        assert np.array_equal(found[0].observed, observed[0])
        assert found[0].clean is None
        assert found[0].measurement.shape == (8, 12, channels)


def test_numbers_need_the_size_of_the_image(tmp_path):
    np.save(tmp_path / "numbers.npy", np.ones((2, 28), np.float32))
    sources = [tmp_path / "numbers.npy"]
    assert len(InputImages(sources, "random-basis:0.2", 1, measured=True, sides=(12, 12))) == 2
    with pytest.raises(InputError, match=r"\(12, 14, 1\)"):
        InputImages(sources, "random-basis:0.2", 1, measured=True, sides=(12, 14))
    np.save(tmp_path / "numbers.npy", np.ones(28, np.float32))
    assert len(InputImages(sources, "random-basis:0.2", 1, measured=True, sides=(12, 12))) == 1
    with pytest.raises(InputError, match="--size"):
        InputImages(sources, "random-basis:0.2", 1, measured=True)


def test_what_cannot_be_used_is_refused(folder, tmp_path):
    def error(*sources, text="super-resolution:4", channels=1, **options):
        with pytest.raises(InputError) as caught:
            list(InputImages(sources, text, channels, **options))
        return str(caught.value)

    (folder / "broken.png").write_text("text")
    np.save(tmp_path / "nan.npy", np.full((8, 8), np.nan))
    np.save(tmp_path / "five.npy", np.ones((2, 8, 8, 5)))
    assert "not an image" in error(folder)
    assert "does not exist" in error(tmp_path / "none.png")
    assert "NaN" in error(tmp_path / "nan.npy")
    assert "NaN" in error(tmp_path / "nan.npy", measured=True)
    assert "C = 1 or 3" in error(tmp_path / "five.npy")
    assert "--size" in error(tmp_path / "five.npy", measured=True)
    assert "called a" in error(folder / "a.png", folder / "a.png")
    assert "does not fit" in error(folder / "a.png", crop=(17, 17))
    assert "a.png" in error(folder / "a.png", text="super-resolution:3")
    assert "leave it out" in error(folder / "a.png", crop=(4, 4), measured=True)
    assert "--crop" in error(folder / "a.png", sides=(4, 4))
    assert "expected what" in error(folder / "a.png", text="spectral:0.3", measured=True)


def test_channels_first_and_other_channels(tmp_path, smooth_images):
    colors = smooth_images(2, 8, 12, 3)
    for name, layout, array in (
        ("chw", "CHW", np.moveaxis(colors[0], -1, 0)),
        ("nchw", "NCHW", np.moveaxis(colors, -1, 1)),
    ):
        np.save(tmp_path / f"{name}.npy", array)
        sources = [tmp_path / f"{name}.npy"]
        with pytest.raises(InputError, match=f"layout .*{layout}"):
            InputImages(sources, "super-resolution:2", 3)
        first, *_ = InputImages(sources, "super-resolution:2", 3, layout=layout)
        assert np.array_equal(first.clean, colors[0])
        assert first.channels is None
        np.save(tmp_path / "observed.npy", array)
        (observed, *_) = InputImages(
            [tmp_path / "observed.npy"], "super-resolution:2", 3, measured=True, layout=layout
        )
        assert np.array_equal(observed.observed, colors[0])
    first, *_ = InputImages(sources, "super-resolution:2", 1, layout="NCHW")
    assert first.channels == "made grey"
    assert first.clean == pytest.approx(colors[0].mean(-1, keepdims=True), abs=1e-6)
    np.save(tmp_path / "grey.npy", colors[0, ..., 0])
    (repeated,) = InputImages([tmp_path / "grey.npy"], "super-resolution:2", 3)
    assert repeated.channels == "repeated"
    # To a denoiser of grey images these are three of them.
    np.save(tmp_path / "three.npy", np.moveaxis(colors[0], -1, 0))
    assert len(InputImages([tmp_path / "three.npy"], "super-resolution:2", 1)) == 3


def test_folders_with_subfolders(folder):
    (folder / "sub").mkdir()
    (folder / "a.png").rename(folder / "sub" / "a.png")
    (folder / "notes.txt").touch()
    images = InputImages([folder], "super-resolution:4", channels=1)
    assert images.names == ["b", "many-0000", "many-0001", "many-0002", "one", "sub/a"]
    assert images.left_out == {str(folder / "notes.txt"): "not an image by its suffix"}


@pytest.mark.parametrize(
    ("change", "mend"),
    [(lambda x: x * 255, "divide it by 255"), (lambda x: x * 2 - 1, "-1..1")],
)
def test_other_units_are_refused(change, mend, tmp_path, smooth_images):
    np.save(tmp_path / "x.npy", change(smooth_images(1, 8, 12)))
    with pytest.raises(InputError, match=mend):
        InputImages([tmp_path / "x.npy"], "super-resolution:2", 1)


def test_other_units_of_what_was_observed_are_refused(tmp_path, smooth_images):
    """Where it is a picture; a blur whose kernel does not add up to 1 makes values larger."""

    def observed(array, text, size=None):
        np.save(tmp_path / "x.npy", array)
        images = InputImages([tmp_path / "x.npy"], text, 1, measured=True, sides=size)
        return next(iter(images)).observed

    images = smooth_images(1, 8, 12)
    for text in (
        "inpainting:2x2",
        "super-resolution:2",
        "deblur:gaussian:0.7",
        "super-resolution:2,inpainting:2x2",
    ):
        with pytest.raises(InputError, match="divide it by 255"):
            observed(255 * images, text)
        observed(images + 2, text)  # With noise.
    np.save(tmp_path / "kernel.npy", np.ones((5, 5)))
    observed(25 * images, f"deblur:{tmp_path / 'kernel.npy'}")
    observed(np.full((1, 9), 200.0), "random-basis:0.1", (8, 12))


def test_channels_first_of_what_was_observed(tmp_path, smooth_images):
    np.save(tmp_path / "x.npy", np.moveaxis(smooth_images(4, 8, 12, 3), -1, 1))
    with pytest.raises(InputError, match="layout NCHW"):
        InputImages([tmp_path / "x.npy"], "inpainting:2x2", 3, measured=True)
