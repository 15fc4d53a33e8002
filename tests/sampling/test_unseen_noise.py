"""Denoisers that do not see the noise they are given, as those that were hardly trained."""

import json

import numpy as np
import pytest

import keras_gahr as kg

SHAPE = (8, 12, 1)
EULER = kg.sampling.NoiseLevels(steps=3)


@pytest.fixture(scope="module")
def untrained():
    # Of some seeds it sees enough of the noise to go on, and diverges.
    return kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3, seed=0)


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [
        ("ascent", None),
        ("euler", EULER),
        ("ancestral", kg.sampling.NoiseLevels(steps=3, estimated=True)),
    ],
)
def test_noise_is_not_taken_for_an_image(untrained, sampler, schedule):
    with pytest.warns(UserWarning, match="still noise"):
        samples = kg.sample(untrained, SHAPE, count=2, sampler=sampler, schedule=schedule)
    assert samples.status == ("noise_unseen",) * 2
    assert np.all(samples.first_sigma < 0.1)


def test_clean_images_to_start_from_have_no_noise_to_be_seen(untrained):
    samples = kg.sample(untrained, SHAPE, initial=np.full((1, *SHAPE), 0.5))
    assert samples.status == ("converged",)


def test_of_measured_images_too(untrained):
    measurement = kg.measurements.SuperResolution(SHAPE, 4)
    observed = np.full((1, *measurement.measured_shape), 0.5, np.float32)
    with pytest.warns(UserWarning, match="still noise"):
        (found,) = kg.restore(untrained, observed, measurement, repeat=2)
    assert found.status == ("noise_unseen",) * 2


def test_commands_say_so(untrained, tmp_path):
    from typer.testing import CliRunner

    from keras_gahr.commands.app import app

    def gahr(*arguments):
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        assert result.output.count("warning: some images are still noise") == 1
        assert "did not converge" not in result.output
        return result.output

    model, image = tmp_path / "untrained.keras", tmp_path / "image.npy"
    kg.save_denoiser(untrained, model)
    np.save(image, np.full(SHAPE, 0.5))
    out = tmp_path / "samples"
    assert "0 converged" in gahr("sample", model, "--out", out, "--count", 2, "--size", "8x12")
    of_images = json.loads((out / "sampling.json").read_text())["images"]
    assert [each["status"] for each in of_images] == ["noise_unseen"] * 2
    assert all(each["first_sigma"] < 0.1 for each in of_images)

    restored = tmp_path / "restored"
    gahr(
        "restore",
        model,
        image,
        "--measurement",
        "super-resolution:4",
        "--out",
        restored,
        "--repeat",
        2,
    )
    (row,) = json.loads((restored / "restoration.json").read_text())["images"]
    assert row["noise_unseen"] == 2 and row["converged"] == 0
