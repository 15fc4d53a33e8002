"""Conversion of a folder tree."""

import os
import shutil

import handmade
import numpy as np
import pytest
from systems import needs_pipes

from keras_gahr.denoisers import build_denoiser, load_denoiser
from keras_gahr.errors import InputError
from weights_convert import convert_tree
from weights_convert import tree as tree_module
from weights_convert.export import published_state

pytestmark = pytest.mark.one_backend

# What trainers write beside the weights: {0: [1.5, 2.5]}.
PSNR_RECORD = handmade.archive(
    b"}" + handmade.number(0) + b"](" + b"G?\xf8" + bytes(6) + b"G@\x04" + bytes(6) + b"es"
)


@pytest.fixture
def tree(golden, tmp_path):
    """A folder of a grey and a colour UNet, a conditional network, PSNR values and other files."""
    root = tmp_path / "in"
    for name, place in {
        "unet_1block": "nets/b/model",
        "unet_3block_rgb": "colour.v2",
        "bf_cnn_rf13_fine": "nets/a/model",
    }.items():
        path = root / f"{place}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(golden / f"{name}.pt", path)
    (root / "nets" / "a" / "psnr_test_list.pt").write_bytes(PSNR_RECORD)
    (root / "nets" / "notes.txt").write_text("no checkpoint")
    (root / "folder.pt").mkdir()
    return root


def test_the_tree_is_mirrored(tree, tmp_path):
    steps = []
    items = convert_tree(tree, tmp_path / "out", progress=lambda *step: steps.append(step))
    assert [item.name for item in items] == [
        "colour.v2.pt",
        "nets/a/model.pt",
        "nets/a/psnr_test_list.pt",
        "nets/b/model.pt",
        "nets/notes.txt",
    ]
    assert steps == [(done, 4) for done in range(5)]
    assert [item.error for item in items] == [""] * 5
    colour, fine, record, grey, notes = items
    assert notes.note == "no checkpoint by its name"
    assert record.note == "holds PSNR values, no weights"
    assert record.conversion is None
    assert fine.psnr is None
    assert np.isfinite([colour.psnr, grey.psnr]).all()
    assert fine.conversion.architecture == "bf-cnn-rf"
    out = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    names = ["colour.v2.keras", "nets/a/model.keras", "nets/b/model.keras"]
    assert out == [tmp_path / "out" / name for name in names]
    assert load_denoiser(out[0]).num_parameters == colour.conversion.parameters


def test_the_psnr_of_a_trained_network(golden, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(golden / "tiny_unet_trained.pt", tmp_path / "in")
    (item,) = convert_tree(tmp_path / "in", tmp_path / "out")
    assert 22 < item.psnr < 40  # it is 20.17 dB before denoising


def test_bad_files_do_not_stop_the_others(tree, tmp_path):
    (tree / "nets" / "a" / "model.pt").write_bytes(b"no checkpoint")
    (tree / "nets" / "a" / "numbers.pt").write_bytes(handmade.archive(handmade.number(3)))
    (tmp_path / "out" / "nets" / "b").mkdir(parents=True)
    (tmp_path / "out" / "nets" / "b" / "model.keras").write_text("mine")
    items = {item.name: item for item in convert_tree(tree, tmp_path / "out")}
    assert "is a text ('no checkpoint'), not a PyTorch checkpoint" in items["nets/a/model.pt"].error
    assert "expected a state dict" in items["nets/a/numbers.pt"].error
    assert "exists" in items["nets/b/model.pt"].error
    assert (tmp_path / "out" / "nets" / "b" / "model.keras").read_text() == "mine"
    assert items["colour.v2.pt"].conversion


def test_an_output_that_cannot_be_made_fails_alone(tree, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "nets").write_text("a file")
    items = {item.name: item for item in convert_tree(tree, tmp_path / "out")}
    assert "is not a folder" in items["nets/b/model.pt"].error
    assert items["colour.v2.pt"].conversion


def test_mistakes(tree, tmp_path):
    with pytest.raises(InputError, match="is not a folder: give one with PyTorch"):
        convert_tree(tree / "absent", tmp_path / "out")
    with pytest.raises(InputError, match=r"has no PyTorch checkpoint \(.pt, "):
        convert_tree(tree / "folder.pt", tmp_path / "out")
    with pytest.raises(InputError, match="give one for the \\.keras files"):
        convert_tree(tree, tree / "colour.v2.pt")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def small():
    """The bytes of a checkpoint of a tiny network."""
    denoiser = build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=3, seed=0)
    return handmade.checkpoint(published_state(denoiser))


def test_checkpoints_of_all_names(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tree_module, "_psnr", lambda denoiser: 0.0)
    root = tmp_path / "in"
    root.mkdir()
    names = ["a.pt", "a.pth", "A.CKPT", "b.PT", "c.bin", "d.pth.tar", "e.tar", "f.pt.tar"]
    for name in names:
        (root / name).write_bytes(small)
    items = convert_tree(root, tmp_path / "out")
    assert [item.name for item in items] == sorted(names)
    assert [item.error + item.note for item in items] == [""] * len(names)
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        "a.pt.keras",
        "a.pth.keras",
        "A.CKPT.keras",
        *(f"{letter}.keras" for letter in "bcdef"),
    }


@needs_pipes
def test_everything_in_a_tree_is_accounted_for(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tree_module, "_psnr", lambda denoiser: 0.0)
    root, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    (root / ".hidden").mkdir(parents=True)
    (root / "deep" / "er").mkdir(parents=True)
    elsewhere.mkdir()
    for path in (
        root / "a.pt",
        root / ".hidden" / "b.pt",
        root / "._a.pt",
        elsewhere / "linked.pt",
        root / "deep" / "er" / "c.pth",
    ):
        path.write_bytes(small)
    (root / "photos.tar").write_bytes(bytes(512) + b"photos")
    (root / "firmware.bin").write_bytes(b"\0\1\2\3")
    (root / "page.pt").write_text("<!DOCTYPE html><html>no such file</html>")
    (root / "list.txt").write_text("a.pt")
    os.mkfifo(root / "pipe.pt")
    (root / "gone.pt").symlink_to("nowhere.pt")
    (root / "link").symlink_to(elsewhere)
    (root / "deep" / "round").symlink_to(root)
    items = convert_tree(root, tmp_path / "out")
    assert {item.name for item in items if item.conversion} == {
        "a.pt",
        "deep/er/c.pth",
        "link/linked.pt",
    }
    assert {item.name: item.note for item in items if item.note} == {
        ".hidden/b.pt": "hidden",
        "._a.pt": "hidden",
        "deep/round": "a link to a folder that it is in",
        "firmware.bin": "another kind of file",
        "list.txt": "no checkpoint by its name",
        "photos.tar": "another kind of file",
        "pipe.pt": "not a file, but a pipe, a device or a socket",
    }
    errors = {item.name: item.error for item in items if item.error}
    assert errors.keys() == {"gone.pt", "page.pt"}
    assert errors["gone.pt"] == "is a link to what does not exist"
    assert "is an HTML page, not a PyTorch checkpoint" in errors["page.pt"]
