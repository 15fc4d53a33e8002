"""What a command is told of training images, against what the network says of them."""

import numpy as np
import pytest

from keras_gahr.baselines import EmpiricalBayes
from keras_gahr.commands.training_sets import training_images, warn_of_other_images
from keras_gahr.datasets import Dataset
from keras_gahr.denoisers import save_denoiser

pytestmark = pytest.mark.one_backend


def network(images, **provenance):
    return EmpiricalBayes(images[:8], provenance=provenance)


@pytest.fixture
def warned(smooth_images, capsys):
    """A function of a network's provenance and of options, that returns what is said."""

    def warn(known, train_size=None, half="A", **manifest):
        images = Dataset(smooth_images(24, 8, 8), manifest)
        part = training_images(images, train_size, half)
        warn_of_other_images(
            "run", network(images.images, **known), "disks", images, part, half, "--half-b"
        )
        return capsys.readouterr().err

    return warn


@pytest.mark.parametrize(
    ("known", "options"),
    [
        ({}, {"train_size": 8}),
        ({"train_size": 8, "half": "A"}, {"train_size": 8}),
        ({"train_size": 8, "half": "B"}, {"train_size": 8, "half": "B"}),
        # All images are no half, and neither are those that had test images of their own.
        ({"train_size": 24, "half": "B"}, {"train_size": 24}),
        ({"train_size": 8, "half": None}, {"train_size": 8, "half": "B"}),
        ({"train_size": "8", "half": 3}, {"train_size": 8}),
        ({"train_size": 8, "half": "A", "sha256": "1"}, {"train_size": 8}),
        ({"trained_on": "disks", "sha256": "1"}, {"recipe": "disks", "sha256": "1"}),
        # The images tell more than what they are called.
        ({"trained_on": "disks", "sha256": "1"}, {"recipe": "folder", "sha256": "1"}),
    ],
)
def test_nothing_is_said_of_what_agrees_or_is_not_known(warned, known, options):
    assert warned(known, **options) == ""


@pytest.mark.parametrize(
    ("known", "options", "says"),
    [
        (
            {"train_size": 10, "half": "A"},
            {"train_size": 8, "half": "B"},
            "10 images of half A, not on 8 images of half B: give --train-size 10 --half-b A, or",
        ),
        (
            {"train_size": 8, "half": "A"},
            {"train_size": 8, "half": "B"},
            "8 images of half A, not on 8 images of half B: give --train-size 8 --half-b A, or",
        ),
        (
            {"train_size": 20, "half": "A"},
            {},
            "20 images of half A, not on 24 images: give --train-size 20 --half-b A, or",
        ),
        (
            {"train_size": 24, "half": "A"},
            {"train_size": 8},
            "24 images, not on 8 images of half A: give --train-size 24 --half-b A, or",
        ),
        (
            {"train_size": 20, "half": None},
            {"train_size": 8},
            "20 images, not on 8 images: give --train-size 20, or",
        ),
        ({"train_size": 25, "half": "A"}, {}, "another dataset than disks: give that, or"),
        ({"sha256": "1"}, {"sha256": "2"}, "another dataset than disks: give that, or"),
        ({"trained_on": "rays"}, {"recipe": "disks"}, "another dataset than disks: give that, or"),
    ],
)
def test_what_does_not_agree_is_one_line(warned, known, options, says):
    (line,) = warned(known, **options).splitlines()
    assert line.startswith(f"warning: run says that it was trained on {says} ")


@pytest.fixture
def models(smooth_images, tmp_path):
    """A file of images, and two networks that were trained on ten of its first, or of its last."""
    images = smooth_images(24, 8, 8)
    np.save(tmp_path / "images.npy", images)
    for half in "AB":
        model = network(images, train_size=10, half=half)
        save_denoiser(model, tmp_path / f"{half}.keras")
    return tmp_path / "A.keras", tmp_path / "B.keras", tmp_path / "images.npy"


def warnings_of(result):
    assert result.exit_code == 0, result.output
    return [line for line in result.output.splitlines() if line.startswith("warning: ")]


def test_every_command_that_takes_training_images_warns(gahr, models, tmp_path):
    a, b, images = models
    explaining = ("--images", 4, "--samples", 1, "--steps", 2, "--patch", 3, "--sigma", 0.1)
    measuring = ("--count", 2, "--draws", 2, "--sigma", 0.1)
    sampling = ("--beta", 0.5, "--sigma-end", 0.1, "--count", 2)
    commands = {
        "explain": ("explain", a, images, "--twin", b, *explaining),
        "psnr": ("psnr", a, images, "--sigmas", "0.1"),
        "dimension": ("dimension", a, images, "--train", images, *measuring),
        "compare": ("compare", a, b, "--train-a", images, *sampling),
    }
    for name, command in commands.items():
        for size, count in ((10, 0), (8, 2 if name in {"explain", "compare"} else 1)):
            out = tmp_path / f"{name}-{size}"
            found = gahr(*command, "--train-size", size, "--out", out)
            said = [line for line in warnings_of(found) if "says that it was" in line]
            assert len(said) == count, found.output
    # Of all images a curve says nothing of training images.
    assert not warnings_of(gahr(*commands["psnr"], "--out", tmp_path / "all"))
