"""Denoisers on a Hub that answers over HTTP, by its own library."""

import dataclasses
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hub_server import environment, serving_hub
from typer.testing import CliRunner
from waiting import FOR_EVER

import keras_gahr as kg
from keras_gahr.commands.app import app
from keras_gahr.commands.options import find_model
from keras_gahr.hub.address import HubAddress, parse_hub_address
from keras_gahr.hub.download import fetch_from_hub

pytestmark = pytest.mark.one_backend


@pytest.fixture
def content(tiny_model):
    return tiny_model.read_bytes()


def same(one, other):
    """Whether two denoisers have the same weights."""
    return all(map(np.array_equal, one.get_weights(), other.get_weights()))


def test_what_was_pushed_is_loaded(hub, tiny_denoiser):
    made = kg.push_to_hub(tiny_denoiser, "lab/faces", licence="mit", datasets=["lab/pictures"])
    commit, files = hub.commits["lab/faces"][-1]
    assert made.address == HubAddress("lab/faces", commit)
    assert made.url == f"{hub.url}/lab/faces/commit/{commit}"
    assert files.keys() == {
        ".gitattributes",
        "README.md",
        "config.json",
        "model.keras",
        "model.safetensors",
    }
    assert len(hub.commits["lab/faces"]) == 2
    state = safetensors.numpy.load(files["model.safetensors"])
    assert sum(array.size for array in state.values()) >= tiny_denoiser.num_parameters
    for address in ("hf://lab/faces", str(made.address), "hf://lab/faces@main/model.keras"):
        assert same(kg.load_denoiser(address), tiny_denoiser)


def test_the_card_is_what_the_hub_reads(hub, tiny_denoiser):
    kg.push_to_hub(tiny_denoiser, "lab/faces", licence="cc-by-4.0", datasets=["lab/pictures"])
    from huggingface_hub import ModelCard

    card = ModelCard(hub.commits["lab/faces"][-1][1]["README.md"].decode())
    data = card.data
    assert (data.library_name, data.license) == ("keras-gahr", "cc-by-4.0")
    assert (data.pipeline_tag, data.datasets) == ("image-to-image", ["lab/pictures"])
    assert "denoising" in data.tags
    assert 'kg.load_denoiser("hf://lab/faces")' in card.text


def test_a_run_says_how_it_was_trained(hub, smooth_images, tmp_path):
    training = {"epochs": 1, "images_per_epoch": 4, "batch_size": 4, "seed": 7}
    network = {"architecture": "bf-cnn", "num_layers": 2, "num_kernels": 2}
    np.save(tmp_path / "set.npy", smooth_images(6, 8, 8))
    run = tmp_path / "run"
    kg.train(tmp_path / "set.npy", out=run, progress=False, **training, **network)
    kg.push_to_hub(run, "lab/faces")
    from huggingface_hub import ModelCard

    files = hub.commits["lab/faces"][-1][1]
    card = ModelCard(files["README.md"].decode())
    assert "seed 7" in card.text and "| sigma (of 255) | noisy | training images |" in card.text
    assert len(card.data.eval_results) == 10
    assert {result.metric_type for result in card.data.eval_results} == {"psnr"}
    # The folders of this machine are nobody's business.
    assert not any(str(tmp_path).encode() in content for content in files.values())


def test_another_push_is_another_revision(hub, tiny_denoiser):
    first = kg.push_to_hub(tiny_denoiser, "lab/faces").address
    hub.add("lab/faces", {"notes.txt": b"mine"})
    other = kg.baselines.Wiener.from_images(np.ones((4, 8, 8, 1), np.float32), sigma=0.1)
    kg.push_to_hub(other, "hf://lab/faces")
    files = hub.commits["lab/faces"][-1][1]
    # One that was never published has no state dict, and must not keep that of another.
    assert "model.safetensors" not in files and files["notes.txt"] == b"mine"
    assert type(kg.load_denoiser("hf://lab/faces")) is type(other)
    assert same(kg.load_denoiser(first), tiny_denoiser)


def test_only_the_file_that_is_asked_for_comes(hub, content):
    hub.add("lab/faces", {"model.keras": content, "evil.py": b"1/0", "data.bin": b"0" * 9999})
    kg.load_denoiser("hf://lab/faces")
    fetched = [path for method, path in hub.requests if "/resolve/" in path]
    assert fetched and all(path.endswith("/model.keras") for path in fetched)


def test_commands_name_the_commit(hub, content):
    commit = hub.add("lab/faces", {"model.keras": content})
    # Of the two slashes `pathlib` leaves one.
    model = find_model(Path("hf://lab/faces"))
    assert model.name == f"hf://lab/faces@{commit}/model.keras" and model.stem == "faces"
    kg.load_denoiser(model)


def test_a_command_names_the_commit_of_a_twin(hub, content, tiny_model, smooth_images, tmp_path):
    commit = hub.add("lab/faces", {"model.keras": content})
    np.save(tmp_path / "images.npy", smooth_images(2, 8, 8))
    command = ("density", tiny_model, tmp_path / "images.npy", "--evaluations", 12)
    options = ("--twin", "hf://lab/faces", "--out", tmp_path / "out")
    result = CliRunner().invoke(app, [*map(str, command + options)])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "density.json").read_text())
    assert found["twin_model"] == f"hf://lab/faces@{commit}/model.keras"


def test_files_in_folders(hub, content, tiny_denoiser):
    hub.add("lab/nets", {"small/model.keras": content, "large/net.keras": content})
    for path in ("small", "small/model.keras", "large", "large/net.keras"):
        assert fetch_from_hub(parse_hub_address(f"hf://lab/nets/{path}")).path.is_file()
    with pytest.raises(kg.InputError, match="give hf://lab/nets/large/net"):
        kg.load_denoiser("hf://lab/nets")
    with pytest.raises(kg.InputError, match="is not there: give hf"):
        kg.load_denoiser("hf://lab/nets/medium.keras")


def test_without_a_network_the_cache_answers(hub, content, monkeypatch):
    commit = hub.add("lab/faces", {"model.keras": content})
    first = fetch_from_hub(parse_hub_address("hf://lab/faces"))
    count = len(hub.requests)
    # A commit never changes, so nobody has to be asked; nor is anybody for the licence.
    kept = dataclasses.replace(first, licence_known=False)
    assert first.licence_known and fetch_from_hub(HubAddress("lab/faces", commit)) == kept
    assert len(hub.requests) == count
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert fetch_from_hub(HubAddress("lab/faces")) == kept
    with pytest.raises(kg.InputError, match=r"cannot be reached .*give a file"):
        kg.load_denoiser("hf://lab/others")


def test_no_licence_is_denied_that_was_not_asked_for(hub, content, monkeypatch):
    import huggingface_hub.constants

    commit = hub.add(
        "lab/faces", {"model.keras": content, "README.md": b"---\nlicense: mit\n---\n"}
    )
    silent = hub.add("lab/silent", {"model.keras": content})

    def licence_of(address):
        result = CliRunner().invoke(app, ["weights", "fetch", address])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()[-1]

    assert licence_of("hf://lab/faces") == "licence: mit"
    assert licence_of(f"hf://lab/silent@{silent}") == "licence: none stated"
    unasked = "licence: not asked for (taken from the cache): see the repository's page"
    assert licence_of(f"hf://lab/faces@{commit}") == unasked
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert licence_of("hf://lab/faces") == unasked


class Evil:
    """What runs a program when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("EVIL",)


def test_files_of_strangers_execute_nothing(hub, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "lambda.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", '{"class_name": "Lambda", "module": "os"}')
        archive.writestr("model.weights.h5", b"")
    hub.add("evil/keras", {"model.keras": (tmp_path / "lambda.keras").read_bytes()})
    hub.add("evil/pickle", {"model.pt": pickle.dumps(Evil())})
    for address in ("hf://evil/keras", "hf://evil/pickle/model.pt"):
        with pytest.raises(kg.InputError):
            kg.load_denoiser(address)
    assert not (tmp_path / "EVIL").exists()


def test_what_a_checkpoint_cannot_tell_is_said_after_its_place(hub, golden):
    hub.add("lab/old", {"a/model.pt": (golden / "bf_cnn_20_linear.pt").read_bytes()})
    place = "hf://lab/old/a/model.pt"
    with pytest.warns(UserWarning, match=f"{place} cannot tell.* as '{place}.first_layer=linear&"):
        assert kg.load_denoiser(place).first_layer_linear
    said = f"{place}?first_layer=relu&predicts=residual"
    assert not kg.load_denoiser(said).first_layer_linear
    result = CliRunner().invoke(app, ["inspect", said])
    assert result.exit_code == 0, result.output
    assert not result.stderr
    assert "first_layer_linear=False" in result.stdout


def test_a_large_file_is_refused_before_it_comes(hub, content):
    hub.add("lab/faces", {"model.keras": content})
    hub.claimed["model.keras"] = 2**40
    with pytest.raises(kg.InputError, match="more than the 2048 MiB"):
        kg.load_denoiser("hf://lab/faces")
    assert not any("/resolve/" in path for _, path in hub.requests)


def test_what_comes_is_compared_with_its_hash(hub, content, tmp_path):
    hub.add("lab/faces", {"model.keras": content})
    hub.altered = True
    with pytest.raises(kg.InputError, match="not what the Hub says"):
        kg.load_denoiser("hf://lab/faces")
    hub.altered = False
    kg.load_denoiser("hf://lab/faces")


def test_who_may_read_and_write(hub, content, tiny_denoiser, monkeypatch):
    kg.push_to_hub(tiny_denoiser, "lab/secret", private=True)
    assert "lab/secret" in hub.private
    hub.add("lab/public", {"model.keras": content})
    with pytest.raises(kg.InputError, match="is public already"):
        kg.push_to_hub(tiny_denoiser, "lab/public", private=True)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    for call in (
        lambda: kg.load_denoiser("hf://lab/secret"),
        lambda: kg.push_to_hub(tiny_denoiser, "lab/public"),
    ):
        with pytest.raises(kg.InputError, match="hf auth login") as caught:
            call()
        assert "hf_wrong" not in str(caught.value) and "\n" not in str(caught.value)


def test_revisions_that_are_not(hub, content):
    hub.add("lab/faces", {"model.keras": content})
    with pytest.raises(kg.InputError, match="has no revision 'v2'"):
        kg.load_denoiser("hf://lab/faces@v2")


@pytest.mark.parametrize(
    "address",
    ["hf://faces", "hf://lab/faces/../x", "hf://lab/faces@a b", "hf://-lab/faces", "hf://"],
)
def test_addresses_that_are_none(address):
    with pytest.raises(kg.InputError, match="expected hf://OWNER/NAME"):
        kg.load_denoiser(address)


def test_addresses():
    address = parse_hub_address("hf:/lab/faces@refs/pr/3/large/net.keras")
    assert address == HubAddress("lab/faces", "refs/pr/3", "large/net.keras")
    for text in ("hf://lab/faces", "hf://lab/faces@refs/pr/3/x.keras", "hf://a/b@feature%2Fx"):
        assert str(parse_hub_address(text)) == text
    assert parse_hub_address("hf://a/b@feature%2Fx").revision == "feature/x"


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(kg.InputError, match="pip install"):
        kg.load_denoiser("hf://lab/faces")


@pytest.mark.slow
def test_a_process_of_its_own(tiny_model, tmp_path):
    """With the variables that users set, before the library is imported."""
    pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")

    def gahr(*arguments):
        command = [sys.executable, "-m", "keras_gahr", "weights", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=FOR_EVER, env=variables
        )

    with serving_hub() as hub:
        variables = {**os.environ, **environment(hub, tmp_path / "home")}
        pushed = gahr("push", tiny_model, "hf://lab/faces", "--license", "mit")
        assert pushed.returncode == 0, pushed.stderr
        out = tmp_path / "fetched.keras"
        fetched = gahr("fetch", "hf://lab/faces", out)
        assert fetched.returncode == 0, fetched.stderr
        assert "licence: mit" in fetched.stdout
        assert hub.token not in pushed.stdout + pushed.stderr + fetched.stdout + fetched.stderr
    assert same(kg.load_denoiser(out), kg.load_denoiser(tiny_model))
    assert list((tmp_path / "home" / "hub").glob("models--lab--faces"))
