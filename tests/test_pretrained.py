"""The denoisers that come with the package."""

import json
import shutil

import numpy as np
import pytest

from keras_gahr.analysis import psnr_curve
from keras_gahr.datasets import load, make_c_alpha, make_disks, make_mixture
from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError
from keras_gahr.experiments import find_experiment
from keras_gahr.pretrained import catalogue
from keras_gahr.pretrained.catalogue import find_pretrained, pretrained_denoisers

NAMES = sorted(pretrained_denoisers())
EXPERIMENT = find_experiment("pretrained")
TASKS = {task.label: task for task in EXPERIMENT.trainings(EXPERIMENT.scales["paper"])}
MAKE = {"c_alpha": make_c_alpha, "disks": make_disks, "mixture": make_mixture}

MEANS = 0.7
"""dB between the mean PSNR of 64 test images and that of 16 others: images differ by 2 dB or so."""


def test_they_are_those_that_are_made_again():
    assert sorted(TASKS) == NAMES


@pytest.mark.one_backend
@pytest.mark.parametrize("name", NAMES)
def test_files_and_cards_are_there(name):
    known = pretrained_denoisers()[name]
    known.check()
    assert known.sha256 in known.card()
    assert known.path.stat().st_size < 3e6


@pytest.mark.parametrize("name", NAMES)
def test_each_denoises_as_its_card_says(name, tmp_path):
    """On images that nobody has seen: of another seed, which for a mixture is that of the images alone."""
    known, dataset = pretrained_denoisers()[name], TASKS[name].dataset
    parameters = dataset.parameters | {"count": 16, "seed": 17}
    MAKE[dataset.recipe](tmp_path / "images", **parameters)
    denoiser = load_denoiser(name)
    curve = psnr_curve(denoiser, load(tmp_path / "images"), [known.psnr["sigma"]])
    assert curve.mean[0] == pytest.approx(known.psnr["denoised"], abs=MEANS)
    assert curve.mean[0] > known.psnr["noisy"] + 1


def test_no_network_is_asked(monkeypatch):
    monkeypatch.setattr("socket.socket", None)
    assert load_denoiser("disks-24-unet").num_parameters > 100_000


@pytest.mark.one_backend
def test_a_file_of_the_name_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_pretrained("disks-24-unet") is not None
    (tmp_path / "disks-24-unet").mkdir()
    assert find_pretrained("disks-24-unet") is None


@pytest.mark.one_backend
@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_installation_is_said(tmp_path, monkeypatch, damage):
    shutil.copytree(
        pretrained_denoisers()["disks-24-unet"].path.parent, tmp_path, dirs_exist_ok=True
    )
    monkeypatch.setattr(catalogue, "_folder", lambda: tmp_path)
    file = tmp_path / "disks-24-unet.keras"
    if damage == "missing":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    with pytest.raises(InputError, match="install"):
        load_denoiser("disks-24-unet")


@pytest.mark.one_backend
def test_unknown_names_say_what_is_like_them():
    with pytest.raises(InputError, match="did you mean disks-24-unet"):
        load_denoiser("disk-24-unet")


@pytest.mark.one_backend
def test_nothing_of_the_machine_is_in_them():
    folder = pretrained_denoisers()["disks-24-unet"].path.parent
    for file in (*folder.glob("*.md"), folder / "catalogue.json"):
        assert "/root" not in (text := file.read_text()) and "/tmp" not in text
    assert np.all(
        [known["size"] > 0 for known in json.loads((folder / "catalogue.json").read_text())]
    )
