"""The reader against PyTorch, and what it says about files that are no state dict."""

import argparse
import json
import zipfile

import handmade
import numpy as np
import pytest

from keras_gahr.errors import InputError
from weights_convert import read_checkpoint

pytestmark = pytest.mark.one_backend


def assert_same(path, torch, part=lambda root: root):
    with torch.serialization.safe_globals([argparse.Namespace]):
        expected = part(torch.load(path, map_location="cpu", weights_only=True))
    found = read_checkpoint(path)
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        if tensor.dtype in (torch.float16, torch.bfloat16):
            tensor = tensor.float()
        tensor = tensor.detach()
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].dtype == tensor.numpy().dtype
        assert found[name].flags.c_contiguous


def test_reads_every_golden_checkpoint_as_torch_does(golden):
    torch = pytest.importorskip("torch")
    paths = sorted(golden.glob("*.pt"))
    assert len(paths) == 14
    for path in paths:
        assert_same(path, torch)


def test_reads_the_published_checkpoints_as_torch_does(shared):
    torch = pytest.importorskip("torch")
    paths = sorted(shared.glob("checkpoints/local_probability/**/model.pt"))
    assert len(paths) == 8
    for path in paths:
        assert_same(path, torch)


def test_reads_the_published_legacy_checkpoints_as_torch_does(shared):
    torch = pytest.importorskip("torch")
    for name in ("dncnn", "unet"):
        path = shared / "checkpoints" / "bias_free_denoising" / name / "0-100.pt"
        assert_same(path, torch, part=lambda root: root["model"][0])


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_every_dtype_and_layout_in_memory(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    base = torch.arange(-30, 30, dtype=torch.float32).reshape(3, 4, 5) / 7
    names = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"]
    state = {name: base.to(getattr(torch, name)) for name in [*names, "uint8", "bool"]}
    state["bfloat16 extremes"] = torch.tensor([0.0, -0.0, 3e38, 1e-40, -1.5]).bfloat16()
    state["transposed"] = base.permute(2, 0, 1)
    state["sliced"] = base[1:, ::2, 1:4]
    state["the same storage"] = base
    state["scalar"] = base[1, 2, 3]
    state["empty"] = base[:0]
    state["channels last"] = torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state["parameter"] = torch.nn.Parameter(base.clone())
    torch.save(state, tmp_path / "all.pt", _use_new_zipfile_serialization=zipped)
    assert_same(tmp_path / "all.pt", torch)


def test_reads_the_state_dict_of_a_module(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    torch.save(module.state_dict(), tmp_path / "module.pt")
    assert_same(tmp_path / "module.pt", torch)


@pytest.mark.parametrize("zipped", [True, False])
def test_training_settings_and_optimizers_are_passed_over(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    module = torch.nn.Conv2d(1, 2, 3)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    root = {
        "step": 3,
        "score": 1.5,
        "model": [module.state_dict()],
        "optimizer": [optimizer.state_dict()],
        "scheduler": None,
        "args": argparse.Namespace(lr=1e-3, name="a", sizes=[1, 2], nested={"a": (1, None)}),
    }
    path = tmp_path / "training.pt"
    torch.save(root, path, _use_new_zipfile_serialization=zipped)
    assert_same(path, torch, part=lambda root: root["model"][0])


def test_reads_handmade_checkpoints(tmp_path):
    state = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array(1.5)}
    path = tmp_path / "handmade.pt"
    path.write_bytes(handmade.checkpoint(state))
    found = read_checkpoint(path)
    assert list(found) == ["a", "b"]
    for name in state:
        np.testing.assert_array_equal(found[name], state[name])


def test_missing_and_foreign_files(tmp_path, refused):
    with pytest.raises(InputError, match="does not exist: give a PyTorch checkpoint"):
        read_checkpoint(tmp_path / "absent.pt")
    with pytest.raises(InputError, match="is a folder: give a PyTorch checkpoint"):
        read_checkpoint(tmp_path)
    for data in (b"", b"PK", b"hello", json.dumps([1]).encode()):
        assert "not a PyTorch checkpoint" in refused(data)
    assert "does not begin" in refused(b"\0\1\2")


VALUES = {
    "list": b"]",
    "int": handmade.number(3),
    "tuple": b")",
    "NoneType": b"N",
    "tensor": handmade.tensor(handmade.storage("0", 1), (1,), (1,)),
    "storage": handmade.storage("0", 1),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_that_are_no_state_dict(refused, kind):
    records = {"data/0": bytes(4)}
    assert "expected a state dict" in refused(handmade.archive(VALUES[kind], records))
    if kind != "tensor":
        nested = handmade.dictionary([("a", VALUES[kind])])
        assert "entry 'a'" in refused(handmade.archive(nested, records))


def test_other_dictionaries_are_no_state_dict(refused):
    assert "an empty dictionary" in refused(handmade.archive(b"}"))
    inner = handmade.dictionary([("b", handmade.number(3))])
    nested = handmade.dictionary([("a", inner)])
    assert "entry 'a' is a dict" in refused(handmade.archive(nested))
    numbered = b"}" + handmade.number(10) + b"]" + b"s"
    assert "the key 10" in refused(handmade.archive(numbered))


def test_published_psnr_lists_are_no_state_dict(shared):
    path = next(shared.glob("checkpoints/local_probability/**/psnr_test_list.pt"))
    with pytest.raises(InputError, match="expected a state dict"):
        read_checkpoint(path)


def test_zip_archives_of_others(tmp_path, refused):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("hello.txt", "hello")
    assert "not one of torch.save" in refused((tmp_path / "other.zip").read_bytes())
