"""`gahr weights`."""

import dataclasses
import hashlib
import json

import pytest
from file_server import serving

from keras_gahr import cache_folder
from keras_gahr.pretrained.catalogue import pretrained_denoisers
from weights_convert import catalogue, download


@pytest.fixture
def content(golden):
    return (golden / "tiny_unet_trained.pt").read_bytes()


@pytest.fixture
def tiny(content, monkeypatch, tmp_path):
    """A catalogue with one small file that a server here can offer, and an empty cache."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    item = catalogue.Published("tiny", "someone/networks", "0" * 40, "m.pt", blob, "MIT", "unet")
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"tiny": item})
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path / "cache"))
    return item


def test_list_fetch_and_path(gahr, refused, tiny, content, monkeypatch):
    assert "gahr weights fetch tiny" in refused("weights", "path", "tiny")
    with serving(content) as server:
        monkeypatch.setenv("KERAS_GAHR_WEIGHTS_URL", server.url)
        assert "fetched" not in gahr("weights", "list").output
        result = gahr("weights", "fetch", "tiny")
    assert result.exit_code == 0, result.output
    assert "licence: MIT, https://github.com/someone/networks" in result.output
    assert f"gahr convert {tiny.cached()} tiny.keras" in result.output
    assert gahr("weights", "path", "tiny").output.strip() == str(tiny.cached())
    assert tiny.cached().read_bytes() == content
    assert "fetched" in gahr("weights", "list").output


def test_the_list_as_json(gahr, tiny):
    *_, item = json.loads(gahr("weights", "list", "--json").output)
    assert item["name"] == "tiny" and item["architecture"] == "unet" and item["fetched"] is False
    assert item["url"].endswith("/someone/networks/" + "0" * 40 + "/m.pt")


def test_denoisers_that_come_along_are_in_the_list(gahr, refused):
    name = "disks-24-unet"
    known = pretrained_denoisers()[name]
    line = next(line for line in gahr("weights", "list").output.splitlines() if name in line)
    for part in (
        "unet",
        "MB",
        "MIT",
        "disks, 24x24",
        f"{known.psnr['denoised']:.1f} dB",
        "comes along",
    ):
        assert part in line
    assert gahr("weights", "path", name).output.strip() == str(known.path)
    assert "comes with the package" in gahr("weights", "fetch", name).output
    card = gahr("weights", "card", name).output
    assert known.sha256 in card and "seed 0" in card and "gahr reproduce pretrained" in card
    assert "disks-24-unet" in refused("weights", "card", "disks-24-une")
    assert "published by others" in refused("weights", "card", "unet-celeba-80-n1")
    (item,) = (i for i in json.loads(gahr("weights", "list", "--json").output) if i["name"] == name)
    assert item["licence"] == "MIT" and item["sha256"] == known.sha256


def test_what_cannot_be_passed_on_or_converted_is_said(gahr, tiny, content, monkeypatch):
    item = dataclasses.replace(tiny, licence=None, architecture=None)
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"tiny": item})
    with serving(content) as server:
        result = gahr("weights", "fetch", "tiny", "--url", server.url)
    assert "licence: none stated" in result.output
    assert "cannot be converted" in result.output
    assert "gahr convert" not in result.output


def test_how_to_convert_a_network_whose_weights_cannot_tell(gahr, tiny, content, monkeypatch):
    item = dataclasses.replace(tiny, architecture="bf-cnn", first_layer="relu")
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"tiny": item})
    with serving(content) as server:
        result = gahr("weights", "fetch", "tiny", "--url", server.url)
    assert "tiny.keras --first-layer relu" in result.output


@pytest.mark.parametrize("behaviour", [404, "altered", "truncated"])
def test_failures_are_one_line(refused, tiny, content, behaviour, tmp_path):
    with serving(content, [behaviour]) as server:
        refused("weights", "fetch", "tiny", "--url", server.url)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_unknown_names(refused):
    assert "did you mean" in refused("weights", "fetch", "unet-celeba-80")


def test_the_list_needs_no_keras(gahr_process):
    result = gahr_process("weights", "list", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.returncode == 0, result.stderr
    assert "unet-celeba-80-n99325-swapped" in result.stdout
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert "weights_convert.catalogue" in imported
    assert not imported & {"keras", "numpy"}


def test_the_list_without_a_home_folder(gahr, tiny, monkeypatch):
    def unknown(name):
        raise RuntimeError("no home")

    monkeypatch.delenv("KERAS_GAHR_CACHE")
    monkeypatch.setattr(cache_folder.platformdirs, "user_cache_path", unknown)
    result = gahr("weights", "list")
    assert result.exit_code == 0, result.output
    assert "tiny" in result.output


def test_what_is_for_the_hub_only_and_what_is_not(refused, tiny, tmp_path):
    assert "stays in the cache" in refused("weights", "fetch", "tiny", tmp_path / "x.pt")
    assert "HF_ENDPOINT" in refused("weights", "fetch", "hf://lab/faces", "--url", "http://x")
    assert "fetch it first" in refused("convert", "hf://lab/faces", tmp_path / "x.keras")


def test_a_push_that_cannot_be(refused, tiny_model):
    assert "one denoiser" in refused("weights", "push", tiny_model, "hf://lab/faces/a.keras")
    assert "OWNER/NAME" in refused("weights", "push", tiny_model, "faces")
    line = refused("weights", "push", tiny_model, "hf://lab/faces", "--license", "My own!")
    assert "its name on the Hub" in line
