"""The denoisers that come with the package."""

import json
import shutil

import numpy as np
import pytest

from keras_gahr.analysis import psnr_curve
from keras_gahr.datasets.c_alpha import c_alpha_images
from keras_gahr.datasets.disks import disk_images
from keras_gahr.datasets.mixture import mixture_images
from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError
from keras_gahr.experiments import find_experiment
from keras_gahr.pretrained import catalogue
from keras_gahr.pretrained.catalogue import find_pretrained, pretrained_denoisers

NAMES = sorted(pretrained_denoisers())
EXPERIMENT = find_experiment("pretrained")
TASKS = {task.label: task for task in EXPERIMENT.trainings(EXPERIMENT.scales["paper"])}
DRAW = {"c_alpha": c_alpha_images, "disks": disk_images, "mixture": mixture_images}

ROUNDING = 0.001
"""dB: another backend or processor changes the residual by 1e-5 of itself, and its square by twice that."""


def test_they_are_those_that_are_made_again():
    assert sorted(TASKS) == NAMES


@pytest.mark.one_backend
@pytest.mark.parametrize("name", NAMES)
def test_files_and_cards_are_there(name):
    known = pretrained_denoisers()[name]
    known.check()
    assert known.sha256 in known.card()
    assert f"Below sigma = {255 * known.useful_from:.1f}/255, an image is" in known.card()
    assert known.path.stat().st_size < 3e6


ONE_OF_A_KIND = {"c-alpha-1-24-bf-cnn", "disks-24-unet"}
"""The others have the layers of one of these."""


@pytest.mark.parametrize(
    "name",
    [
        name if name in ONE_OF_A_KIND else pytest.param(name, marks=pytest.mark.one_backend)
        for name in NAMES
    ],
)
def test_each_denoises_as_its_card_says(name):
    """The first 64 of its test images, drawn again: the recipe of the card is that of the network."""
    known, dataset = pretrained_denoisers()[name], TASKS[name].dataset
    images = DRAW[dataset.recipe](**dataset.parameters | {"count": 64, "start": known.train_size})
    curve = psnr_curve(load_denoiser(name), images, [known.psnr["sigma"]])
    assert curve.mean[0] == pytest.approx(known.psnr["denoised"], abs=ROUNDING)


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
        assert "/root" not in (text := file.read_text("utf-8")) and "/tmp" not in text
    assert np.all(
        [known["size"] > 0 for known in json.loads((folder / "catalogue.json").read_text())]
    )
