"""What `gahr denoise` and `gahr restore` make of the pictures and arrays that people have."""

import inspect
import json

import numpy as np
import pytest

from keras_gahr.analysis.one_image import read_one
from keras_gahr.commands.eigenbasis import eigenbasis
from keras_gahr.commands.restore import restore
from keras_gahr.datasets import read_image, write_image
from keras_gahr.denoisers import build_denoiser, load_denoiser, save_denoiser
from keras_gahr.denoising import in_colour
from keras_gahr.errors import InputError
from keras_gahr.restoration import InputImages

pytestmark = pytest.mark.one_backend

QUICK = ("--measurement", "super-resolution:2", "--repeat", 1, "--beta", 1, "--sigma-end", 0.5)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Files of a small network of grey images and of one of colour images, by number of channels."""
    folder = tmp_path_factory.mktemp("networks")
    for channels in (1, 3):
        denoiser = build_denoiser(
            "bf-cnn", num_channels=channels, num_kernels=4, num_layers=4, seed=0
        )
        save_denoiser(denoiser, folder / f"{channels}.keras")
    return {channels: folder / f"{channels}.keras" for channels in (1, 3)}


@pytest.fixture
def grey(smooth_images):
    return smooth_images(1, 12, 16)[0]


@pytest.fixture
def color(smooth_images):
    return smooth_images(1, 12, 16, 3)[0]


def denoised(network, noisy):
    """What a network makes of images."""
    return noisy - load_denoiser(network).predict_on_batch(noisy)


def test_a_color_picture_and_a_grey_network(gahr, networks, color, tmp_path):
    np.save(tmp_path / "x.npy", color)
    result = gahr("denoise", networks[1], tmp_path / "x.npy", "--out", tmp_path / "y.npy")
    assert result.exit_code == 0, result.output
    assert "1 of 1 in colour: a grey network denoised each channel (--gray" in result.output
    channels = denoised(networks[1], np.moveaxis(color, -1, 0)[..., None])
    np.testing.assert_allclose(
        np.load(tmp_path / "y.npy"), np.moveaxis(channels[..., 0], 0, -1), atol=1e-6
    )
    result = gahr("denoise", networks[1], tmp_path / "x.npy", "--out", tmp_path / "g.npy", "--gray")
    assert "1 of 1 in colour: made grey" in result.output
    mean = color.mean(-1, keepdims=True)[None]
    np.testing.assert_allclose(
        np.load(tmp_path / "g.npy"), denoised(networks[1], mean)[0], atol=1e-6
    )


def test_noise_is_that_of_the_picture(gahr, networks, color, grey, tmp_path):
    """A grey network adds the noise to a colour picture that a colour network does."""
    write_image(tmp_path / "x.png", color)
    for channels, network in networks.items():
        out = tmp_path / f"{channels}.npy"
        result = gahr("denoise", network, tmp_path / "x.png", "--out", out, "--add-noise", 0.1)
        assert result.exit_code == 0, result.output
    noisy = [np.load(tmp_path / f"{channels}.noisy.npy") for channels in networks]
    assert noisy[0].shape == (12, 16, 3)
    np.testing.assert_array_equal(*noisy)
    np.save(tmp_path / "g.npy", grey[..., 0])
    options = ("--out", tmp_path / "go.npy", "--add-noise", 0.1)
    result = gahr("denoise", networks[3], tmp_path / "g.npy", *options)
    assert "1 of 1 grey: repeated for a colour network" in result.output
    noise = np.load(tmp_path / "go.noisy.npy")
    coloured, _ = in_colour(noise[None, ..., None], 3, 0.1)
    expected = denoised(networks[3], coloured).mean(-1)[0]
    np.testing.assert_allclose(np.load(tmp_path / "go.npy"), expected, atol=1e-6)


def test_layouts_are_kept(gahr, refused, networks, color, tmp_path):
    expected = denoised(networks[3], color[None])[0]
    first = np.moveaxis(color, -1, 0)
    for layout, array in (("CHW", first), ("NCHW", first[None]), ("HWCN", color[..., None])):
        np.save(tmp_path / "x.npy", array)
        arguments = ("denoise", networks[3], tmp_path / "x.npy", "--out", tmp_path / "y.npy")
        if layout != "HWCN":
            line = refused(*arguments, "--overwrite")
            assert "pass layout" in line and layout in line
        result = gahr(*arguments, "--layout", layout, "--overwrite")
        assert result.exit_code == 0, result.output
        moved = np.moveaxis(expected, -1, 0) if layout != "HWCN" else expected
        np.testing.assert_allclose(
            np.load(tmp_path / "y.npy"), moved.reshape(array.shape), atol=1e-6
        )


@pytest.mark.parametrize("option", ["--add-noise", "--clean"])
def test_clean_images_lie_in_the_range(refused, networks, grey, option, tmp_path):
    np.save(tmp_path / "noisy.npy", grey)
    for change in (lambda x: x * 255, lambda x: x * 2 - 1, lambda x: (x > 0.5).astype(np.uint8)):
        np.save(tmp_path / "x.npy", change(grey))
        clean = option == "--clean"
        source = tmp_path / ("noisy.npy" if clean else "x.npy")
        value = tmp_path / "x.npy" if clean else "25/255"
        out = ("--out", tmp_path / "y.npy")
        assert "looks like" in (
            line := refused("denoise", networks[1], source, *out, option, value)
        ) or ("0 and 1 alone" in line)
        assert not (tmp_path / "y.npy").exists()


@pytest.fixture
def tree(tmp_path, grey, color):
    """A folder of pictures and arrays of all sorts, with things that are none."""
    folder = tmp_path / "in"
    (folder / "sub" / ".hidden").mkdir(parents=True)
    write_image(folder / "a.png", grey)
    write_image(folder / "sub" / "a.png", color)
    write_image(folder / "sub" / ".hidden" / "c.png", color)
    write_image(folder / "d.jpg", color)
    (folder / "d.jpg").rename(folder / "d.jfif")
    with (folder / "B.NPY").open("wb") as file:
        np.save(file, np.stack([grey, 3 * grey - 1])[..., 0])
    np.savez(folder / "z.npz", images=grey)
    (folder / "notes.txt").touch()
    return folder


def test_a_folder_of_everything(gahr, networks, tree, tmp_path):
    out = tmp_path / "out"
    result = gahr("denoise", networks[3], tree, "--out", out)
    assert result.exit_code == 0, result.output
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {"denoising.json", "a.png", "B.npy", "d.png", "sub/a.png", "z.npy"}
    assert np.load(out / "B.npy").shape == (2, 12, 16)
    assert np.load(out / "B.npy").min() < -0.1  # Not clipped.
    assert read_image(out / "a.png").shape == (12, 16, 1)
    assert "3 of 5 grey: repeated" in result.output
    assert "5 denoised" in result.output
    assert "2 left out: " in result.output
    assert "notes.txt (not an image by its suffix)" in result.output
    assert "(hidden)" in result.output
    report = json.loads((out / "denoising.json").read_text())
    assert [file["name"] for file in report["files"]] == [
        "B.NPY",
        "a.png",
        "d.jfif",
        "sub/a.png",
        "z.npz",
    ]
    assert [file["channels"] for file in report["files"]] == [
        "repeated",
        "repeated",
        None,
        None,
        "repeated",
    ]
    assert {file["reason"] for file in report["left_out"]} == {
        "hidden",
        "not an image by its suffix",
    }


def test_what_is_put_into_a_subfolder_is_not_deleted(gahr, refused, networks, tree, tmp_path):
    out = tmp_path / "out"
    assert gahr("denoise", networks[3], tree, "--out", out).exit_code == 0
    assert gahr("denoise", networks[3], tree, "--out", out, "--overwrite").exit_code == 0
    (out / "sub" / "mine.txt").touch()
    arguments = ("denoise", networks[3], tree, "--out", out, "--overwrite")
    assert "sub/mine.txt, which is not ours" in refused(*arguments)
    assert "lies inside" in refused("denoise", networks[3], tree, "--out", tree / "out")


@pytest.mark.slow
def test_restoring_a_folder_of_everything(gahr, refused, networks, tree, color, tmp_path):
    (tree / "B.NPY").unlink()
    out = tmp_path / "out"
    result = gahr("restore", networks[1], tree, "--out", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert "2 of 4 in colour: made grey for a grey network" in result.output
    assert "2 left out: " in result.output and "notes.txt" in result.output
    assert (out / "sub" / "a" / "sample.npy").exists()
    report = json.loads((out / "restoration.json").read_text())
    assert [(row["name"], row["channels"]) for row in report["images"]] == [
        ("a", None),
        ("d", "made grey"),
        ("sub/a", "made grey"),
        ("z", None),
    ]
    assert len(report["left_out"]) == 2
    assert gahr("restore", networks[1], tree, "--out", out, *QUICK, "--overwrite").exit_code == 0
    write_image(tree / "sub.png", color)
    assert "both an image and a folder" in refused(
        "restore", networks[1], tree, "--out", tmp_path / "no", *QUICK
    )


def test_one_image_and_one_channel_are_chosen_alike(color, tmp_path):
    """`eigenbasis` and `restore` have the same words for it, and read the same image."""
    for option in ("index", "channel"):
        kinds = {inspect.signature(command).parameters[option] for command in (eigenbasis, restore)}
        assert len(kinds) == 1
    np.save(tmp_path / "x.npy", np.stack([np.zeros_like(color), color]))
    write_image(tmp_path / "x.png", color)

    def restored(path, **chosen):
        (problem,) = InputImages([path], "inpainting:2x2", 1, **chosen)
        return problem.clean

    def analyzed(path, index=None, channel=None):
        return read_one(path, index, channels=1, channel=channel)[0]

    blue = color[..., 2:]
    for read in (restored, analyzed):
        array, picture = tmp_path / "x.npy", tmp_path / "x.png"
        np.testing.assert_array_equal(read(array, index=1, channel=2), blue)
        np.testing.assert_allclose(read(picture, channel=2), blue, atol=0.5 / 255 + 1e-6)
        mean = color.mean(-1, keepdims=True)
        np.testing.assert_allclose(read(array, index=1), mean, atol=1e-6)
        with pytest.raises(InputError, match="has 2 images: expected an index from 0, not 2"):
            read(array, index=2)
        with pytest.raises(InputError, match="channel 3 of an image with 3"):
            read(array, index=1, channel=3)
        with pytest.raises(InputError, match=r"x\.png"):
            read(picture, index=0)
    with pytest.warns(UserWarning, match="in colour, and was made grey"):
        analyzed(picture)
    write_image(picture, color[..., :1])
    with pytest.warns(UserWarning, match="is grey, and was repeated"):
        read_one(picture, channels=3)


def test_a_channel_of_what_is_measured_is_refused(color, tmp_path):
    write_image(tmp_path / "x.png", color)
    with pytest.raises(InputError, match="measured already"):
        InputImages([tmp_path / "x.png"], "inpainting:2x2", 1, measured=True, channel=0)
