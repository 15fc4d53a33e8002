"""Measurements written as text."""

import numpy as np
import pytest
from keras import ops

from keras_gahr import InputError
from keras_gahr.datasets import write_image
from keras_gahr.sampling import measurements as m

SHAPE = (12, 16, 3)


@pytest.fixture
def files(tmp_path):
    write_image(tmp_path / "mask.png", np.eye(12, 16)[..., None])
    write_image(tmp_path / "small.png", np.eye(4)[..., None])
    np.save(tmp_path / "kernel.npy", np.ones((3, 3)))
    np.save(tmp_path / "words.npy", np.array([["a"]]))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inpainting:4x6", m.Inpainting(SHAPE, (4, 6))),
        ("inpainting:4x6+3+10", m.Inpainting(SHAPE, (4, 6), (3, 10))),
        ("random-pixels:0.3", m.RandomPixels(SHAPE, 0.3, 7)),
        ("super-resolution:4", m.SuperResolution(SHAPE, 4)),
        ("random-basis:0.1", m.RandomBasis(SHAPE, 0.1, 7)),
        ("random-transform:0.1", m.RandomTransform(SHAPE, 0.1, 7)),
        ("spectral:0.3", m.SpectralSuperResolution(SHAPE, m.low_frequencies(SHAPE, 0.3))),
        (
            "spectral:0.3:published",
            m.SpectralSuperResolution(SHAPE, m.low_frequencies(SHAPE, 0.3, published=True)),
        ),
        ("deblur:gaussian:1.2", m.Deblurring(SHAPE, m.gaussian_kernel(1.2))),
        ("deblur:gaussian:1.2:0.1", m.Deblurring(SHAPE, m.gaussian_kernel(1.2), 0.1)),
        ("deblur:kernel.npy:0.2", m.Deblurring(SHAPE, np.ones((3, 3)), 0.2)),
        ("mask:mask.png", m.KnownPixels(np.eye(12, 16), 3)),
        ("grey", m.Grey(SHAPE)),
        (
            "grey, super-resolution:2",
            m.compose(m.Grey(SHAPE), m.SuperResolution((12, 16, 1), 2)),
        ),
    ],
)
def test_what_can_be_written(text, expected, files, monkeypatch):
    monkeypatch.chdir(files)
    found = m.parse_measurement(text, SHAPE, seed=7)
    image = ops.convert_to_tensor(np.random.default_rng(0).random((1, *SHAPE), np.float32))
    assert type(found) is type(expected)
    assert np.array_equal(*(ops.convert_to_numpy(x.measure(image)) for x in (found, expected)))


@pytest.mark.parametrize("name", m.GRAMMAR)
def test_every_mistake_shows_how_it_is_written(name):
    texts = [f"{name}:"] if name != "grey" else []
    for text in [*texts, f"{name}:x", f"{name}:nan:1:2", f"{name}:1e400"]:
        with pytest.raises(InputError) as error:
            m.parse_measurement(text, SHAPE)
        assert name in str(error.value) or "not a file" in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected one of"),
        ("blur:3", "expected one of"),
        ("grey,", "expected one of"),
        ("inpainting:4x6+3", "ROW"),
        ("inpainting:40x6", "does not lie"),
        ("super-resolution:5", "multiples of 5"),
        ("super-resolution:-4", "FACTOR"),
        ("super-resolution:²", "FACTOR"),
        ("random-pixels:2", "fraction"),
        ("spectral:0.3:odd", "published"),
        ("deblur:box:3", "gaussian"),
        ("deblur:missing.npy", "not a file"),
        ("deblur:words.npy", "numbers"),
        ("mask:missing.png", "does not exist"),
        ("mask:small.png", "4x4"),
        ("random-basis:0.1,grey", "put it first"),
        ("spectral:0.3,grey", "exchange"),
        ("grey,grey", "colour"),
    ],
)
def test_mistakes(text, words, files, monkeypatch):
    monkeypatch.chdir(files)
    with pytest.raises(InputError, match=words):
        m.parse_measurement(text, SHAPE)


def test_sides_of_images_from_those_of_what_is_observed():
    assert m.image_sides("grey,super-resolution:4", (3, 4)) == (12, 16)
    assert m.image_sides("super-resolution:2,super-resolution:3", (3, 4)) == (18, 24)
    assert m.image_sides("random-pixels:0.1", (3, 4)) == (3, 4)
    with pytest.raises(InputError, match="FACTOR"):
        m.image_sides("super-resolution:big", (3, 4))


def test_the_home_folder_behind_a_name(files, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.chdir(tmp_path)
    for text in ("mask:{}mask.png", "deblur:{}kernel.npy", "grey,deblur:{}kernel.npy:0.1"):
        there = m.parse_measurement(text.format("~/"), SHAPE)
        again = m.parse_measurement(text.format(f"{files}/"), SHAPE)
        assert there.measured_shape == again.measured_shape
