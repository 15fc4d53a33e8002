"""Run folders that are somebody else's."""

import json
import os

import pytest
from systems import needs_pipes

from keras_gahr import BFCNN, InputError
from keras_gahr.json_file import LARGEST_JSON, read_json
from keras_gahr.training.config import read_network, read_options
from keras_gahr.training.resume.state import largest_state, read_state

pytestmark = pytest.mark.one_backend


def sparse(path, header, size, length=None):
    """A file of the format of states that takes no space."""
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write((len(text) if length is None else length).to_bytes(8, "little") + text)
        file.truncate(size)
    return path


def test_states_that_are_too_large(tmp_path):
    """Of a terabyte, in a file of a few bytes, before anything of it is read."""
    array = {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}
    header = {"__metadata__": {"record": "{}", "sha256": ""}, "00000": array}
    path = sparse(tmp_path / "state.safetensors", header, 2**40 + 8 + len(json.dumps(header)))
    with pytest.raises(InputError, match="more than a training of this network keeps"):
        read_state(path, largest_state(1000))
    sparse(path, {}, 2**30, length=2**29)
    with pytest.raises(InputError, match="a record of 536870912 bytes"):
        read_state(path)
    sparse(path, {}, 100, length=2**63)
    with pytest.raises(InputError, match="is damaged"):
        read_state(path)


@needs_pipes
def test_states_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "state.safetensors")
    with pytest.raises(InputError, match="is a pipe: give the state of a run"):
        read_state(tmp_path / "state.safetensors")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 10**5, "nested too deep"),
        ('{"epochs": 1, "epochs": 2}', "one name twice"),
        ('{"learning_rate": NaN}', "NaN"),
        ("\0", "is not JSON"),
        (" " * (LARGEST_JSON + 1), "more than 16 MiB"),
    ],
)
def test_options_that_are_no_json(tmp_path, text, says):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        read_options(path)
    assert str(caught.value).isprintable()


@needs_pipes
def test_options_that_are_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "pipe"), (tmp_path, "folder"), ("/dev/zero", "device")):
        with pytest.raises(InputError, match=f"is a {kind}"):
            read_json(path)


def described(tmp_path, **options):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"denoiser": {"class": "BFCNN", **options}}))
    return path


def test_a_network_as_it_was(tmp_path):
    options = BFCNN(num_layers=3, num_kernels=2, seed=1).get_config()
    network = read_network(described(tmp_path, **options), 10_000)
    assert network.get_config() == options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"num_kernels": 1000}, "larger than the state of the run"),
        ({"num_kernels": 10**9}, "more than a billion"),
        ({"class": "Dense", "units": 2 * 10**8}, "holds a 'Dense'"),
        ({"class": ["UNet"]}, "does not say which network"),
        ({"num_kernels": "2"}, "expected int"),
    ],
)
def test_networks_that_the_state_does_not_hold(tmp_path, options, says):
    with pytest.raises(InputError, match=says):
        read_network(described(tmp_path, **options), 10_000)
