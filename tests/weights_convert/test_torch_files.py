"""Files of `torch.save` in every form that people keep, against what `torch.load` gives."""

import argparse
import collections
import datetime
import enum
import io
import pathlib
import zipfile

import numpy as np
import pytest

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from weights_convert import build_from_checkpoint, open_checkpoint, read_checkpoint
from weights_convert.export import published_state

pytestmark = pytest.mark.one_backend

torch = pytest.importorskip("torch")

FORMATS = [(True, protocol) for protocol in range(2, 6)]
FORMATS += [(False, protocol) for protocol in range(2, 6)]


class Mode(enum.Enum):
    FAST = 1


class Setting:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


@pytest.fixture(scope="module")
def state():
    denoiser = build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=4, seed=0)
    return {name: torch.tensor(array) for name, array in published_state(denoiser).items()}


def save(value, path, zipped=True, protocol=2):
    torch.save(value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)


def assert_equal(found, expected):
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor.detach().float().numpy())


@pytest.mark.parametrize("zipped, protocol", FORMATS)
def test_training_states_of_every_protocol(tmp_path, state, zipped, protocol):
    parameter = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [10, 20, 20])
    counts = collections.defaultdict(list)
    counts["a"].append(1)
    root = {
        "epoch": np.int64(3),
        "best": np.float32(0.5),
        "loss": torch.tensor(0.25),
        "history": np.arange(3000.0),
        "dtypes": [np.dtype("f4"), torch.float16, torch.device("cpu"), torch.Size([1, 2])],
        "counts": counts,
        "recent": collections.deque([1, 2], maxlen=5),
        "sets": [{1, 2}, frozenset("ab"), slice(1, 2), b"bytes", bytearray(b"more"), 2**100, 1j],
        "args": argparse.Namespace(path=pathlib.PurePosixPath("a/b"), mode=Mode.FAST, none=None),
        "when": datetime.datetime(2024, 1, 2, 3, 4),
        "odd keys": {(1, 2): 3, None: 4, torch.float32: 5, Mode.FAST: 6},
        "setting": Setting(a=1, nested=Setting(b=torch.nn.ReLU())),
        "rng": torch.get_rng_state(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "state_dict": collections.OrderedDict(state),
    }
    root["itself"] = [root]
    save(root, tmp_path / "x.pt", zipped, protocol)
    checkpoint = open_checkpoint(tmp_path / "x.pt")
    assert checkpoint.place == "state_dict"
    assert not checkpoint.others
    assert_equal(checkpoint.state, state)


@pytest.mark.parametrize("zipped, protocol", FORMATS)
def test_tensors_of_every_kind(tmp_path, zipped, protocol):
    base = torch.arange(24.0).reshape(2, 3, 4)
    tied = torch.nn.Parameter(base + 1)
    tied.note = "an attribute"
    tensors = {
        "transposed": base.permute(2, 0, 1),
        "part": base[1, :, 1:3],
        "expanded": torch.ones(1).expand(2, 5),
        "tied": tied,
        "tied again": tied,
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "double": base.double(),
        "batches": torch.tensor(7),
        "buffer": torch.nn.Buffer(base),
        "many axes": base.reshape((1,) * 9 + (2, 3, 4)),
    }
    save(tensors, tmp_path / "x.pt", zipped, protocol)
    assert_equal(read_checkpoint(tmp_path / "x.pt"), tensors)


@pytest.mark.parametrize("zipped, protocol", FORMATS)
def test_modules_that_were_saved_whole(tmp_path, zipped, protocol):
    inner = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU())
    module = torch.nn.Sequential(collections.OrderedDict(first=inner, last=torch.nn.Linear(2, 3)))
    save({"net": module}, tmp_path / "x.pt", zipped, protocol)
    checkpoint = open_checkpoint(tmp_path / "x.pt")
    assert checkpoint.place == "net"
    expected = module.state_dict()
    assert checkpoint.state.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(checkpoint.state[name], tensor.numpy())


class Chain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)])
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_programs_of_torchscript(tmp_path):
    program = torch.jit.script(Chain())
    program.save(tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt")
    assert found.keys() == program.state_dict().keys()
    for name, tensor in program.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_numbers_of_another_byte_order(tmp_path, state):
    save(state, tmp_path / "x.pt")
    swapped = io.BytesIO()
    with (
        zipfile.ZipFile(tmp_path / "x.pt") as old,
        zipfile.ZipFile(swapped, "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if "/data/" in name:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            new.writestr(name, b"big" if name.endswith("byteorder") else data)
    (tmp_path / "y.pt").write_bytes(swapped.getvalue())
    assert_equal(read_checkpoint(tmp_path / "y.pt"), state)


def test_archives_that_were_packed_anew(tmp_path, state):
    save(state, tmp_path / "x.pt")
    for options in ({"compression": zipfile.ZIP_DEFLATED}, {"allowZip64": True}):
        with (
            zipfile.ZipFile(tmp_path / "x.pt") as old,
            zipfile.ZipFile(tmp_path / "y.pt", "w", **options) as new,
        ):
            for name in old.namelist():
                with new.open(name, "w", force_zip64=True) as record:
                    record.write(old.read(name))
        assert_equal(read_checkpoint(tmp_path / "y.pt"), state)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantized_weights_are_refused(tmp_path, state):
    quantized = {n: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8) for n, t in state.items()}
    for zipped in (True, False):
        save(quantized, tmp_path / "x.pt", zipped)
        with pytest.raises(InputError, match=r"is quantized \(QInt8Storage\)"):
            build_from_checkpoint(tmp_path / "x.pt")


def test_tensors_whose_storage_has_no_type(tmp_path):
    """PyTorch writes some types so; a hand that edits the pickle may write all so."""
    tensors = {"a": torch.zeros(4, dtype=torch.uint16), "b": torch.ones(3)}
    save(tensors, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"its entry 'a' is an object of .*_rebuild_tensor_v3"):
        read_checkpoint(tmp_path / "x.pt")
    del tensors["a"]
    save({"optimizer": {"a": torch.zeros(4, dtype=torch.uint16)}, "w": tensors}, tmp_path / "x.pt")
    assert_equal(read_checkpoint(tmp_path / "x.pt"), tensors)
