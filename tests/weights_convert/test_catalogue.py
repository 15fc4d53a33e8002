"""Published checkpoints: facts about them, and fetching them from servers that fail."""

import dataclasses
import hashlib
import json
import re
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from file_server import serving
from waiting import FOR_EVER

from keras_gahr import cache_folder
from keras_gahr.errors import InputError
from weights_convert import catalogue as catalogue_module
from weights_convert import download as download_module
from weights_convert.catalogue import (
    Published,
    catalogue,
    fetch,
    fetched_path,
    find_published,
    is_fetched,
)

pytestmark = pytest.mark.one_backend


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(download_module, "_PAUSE_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def content(golden):
    return (golden / "tiny_unet_trained.pt").read_bytes()


@pytest.fixture(scope="module")
def published(content):
    """What a catalogue knows of that file: only the git blob, as of the largest published ones."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return Published("tiny", "someone/networks", "0" * 40, "a folder/m.pt", blob, "MIT", "unet")


def failure(published, server, cache, kept=()):
    """The one line that fetching ends in, after which the cache holds nothing but what is named."""
    with pytest.raises(InputError) as caught:
        fetch(published, server, cache)
    assert "\n" not in str(caught.value)
    assert [path.name for path in cache.rglob("*") if path.is_file()] == list(kept)
    return str(caught.value)


def test_a_file_is_fetched_once(published, content, tmp_path):
    steps = []
    with serving(content) as server:
        for _ in range(2):
            path = fetch(published, server.url + "/", tmp_path, lambda *step: steps.append(step))
            assert path.read_bytes() == content
        assert server.requests == [(f"/someone/networks/{'0' * 40}/a%20folder/m.pt", None)]
    assert path == tmp_path / "weights" / "networks" / "000000000000" / "a folder" / "m.pt"
    assert steps[-1] == (len(content), len(content))
    assert fetched_path(published, tmp_path) == path


def test_an_altered_file_in_the_cache_is_fetched_again(published, content, tmp_path):
    path = published.cached(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:-1] + b"!")
    assert not is_fetched(published, tmp_path)
    with pytest.raises(InputError, match="gahr weights fetch tiny"):
        fetched_path(published, tmp_path)
    with serving(content) as server:
        fetch(published, server.url, tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("resumes", [False, True])
def test_broken_transfers_are_taken_up_or_started_again(published, content, tmp_path, resumes):
    with serving(content, ["broken", "broken", 503], resumes) as server:
        path = fetch(published, server.url, tmp_path)
        ranges = [requested for _, requested in server.requests]
    assert path.read_bytes() == content
    half = len(content) // 2
    if resumes:
        three_quarters = half + (len(content) - half) // 2
        assert ranges == [None, f"bytes={half}-", *[f"bytes={three_quarters}-"] * 2]
    else:
        assert ranges == [None, *[f"bytes={half}-"] * 3]


def test_a_transfer_that_stays_broken(published, content, tmp_path):
    with serving(content, ["broken"] * 4) as server:
        text = failure(published, server.url, tmp_path, kept=[".m.pt.partial"])
        assert len(server.requests) == 4
    assert f"after 4 attempts: the transfer ended after {len(content) // 2} of" in text


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("behaviour", ["truncated", "altered"])
def test_other_content_is_refused(published, content, tmp_path, behaviour, known):
    if known:
        published = dataclasses.replace(
            published, size=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
    with serving(content, [behaviour]) as server:
        text = failure(published, server.url, tmp_path)
    found = "bytes" if behaviour == "truncated" else "its SHA-256"
    assert (found if known else "its git blob") in text
    assert "is not the expected file" in text


def test_a_file_that_is_not_there(published, content, tmp_path):
    with serving(content, [404]) as server:
        assert "the server answers 404 Not Found" in failure(published, server.url, tmp_path)
        assert len(server.requests) == 1


def test_a_server_that_is_not_there(published, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert "Connection refused" in failure(published, url, tmp_path)


@pytest.mark.parametrize("url", ["file:///tmp", "somewhere", "http://[", "http://"])
def test_addresses_that_are_none(published, tmp_path, url):
    failure(published, url, tmp_path)


def test_an_endless_answer_is_cut_off(published, content, tmp_path, monkeypatch):
    monkeypatch.setattr(download_module, "_MOST_BYTES", 10_000)
    with serving(content) as server:
        assert "larger than any published" in failure(published, server.url, tmp_path)


def test_two_processes_at_once(published, content, tmp_path):
    # Under this name the package does not import Keras at once.
    script = tmp_path / "gahr"
    script.write_text(
        "import json, sys\n"
        "from weights_convert.catalogue import Published, fetch\n"
        "item, url, cache = sys.argv[1:]\n"
        "print(fetch(Published(**json.loads(item)), url, cache))\n"
    )
    cache = tmp_path / "cache"
    with serving(content, ["slow", "slow"]) as server:
        arguments = [json.dumps(dataclasses.asdict(published)), server.url, str(cache)]
        processes = [
            subprocess.Popen(
                [sys.executable, str(script), *arguments],
                stdout=subprocess.PIPE,
                env={"PYTHONPATH": str(Path(__file__).parents[2]), "no_proxy": "127.0.0.1"},
            )
            for _ in range(2)
        ]
        outputs = [
            process.communicate(timeout=FOR_EVER)[0].decode().strip() for process in processes
        ]
        assert len(server.requests) == 2
    assert outputs == [str(published.cached(cache))] * 2
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files == [published.cached(cache)]
    assert files[0].read_bytes() == content


def test_places_come_from_the_environment(published, monkeypatch, tmp_path):
    assert published.url().startswith("https://raw.githubusercontent.com/someone/networks/0000")
    monkeypatch.setenv("KERAS_GAHR_WEIGHTS_URL", "https://mirror.example/weights/")
    assert published.url().startswith("https://mirror.example/weights/someone/networks/0000")
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path))
    assert published.cached().is_relative_to(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_GAHR_CACHE", "~/cache")
    assert published.cached().is_relative_to(tmp_path / "cache")
    monkeypatch.delenv("KERAS_GAHR_CACHE")
    assert "keras-gahr" in published.cached().parts


def failing(name):
    raise RuntimeError("no home")


@pytest.mark.parametrize("unknown", [failing, lambda name: Path("~/.cache", name)])
def test_a_user_without_a_home(published, monkeypatch, tmp_path, unknown):
    """Versions of the library differ in what they do then."""
    monkeypatch.delenv("KERAS_GAHR_CACHE", raising=False)
    monkeypatch.setattr(cache_folder.platformdirs, "user_cache_path", unknown)
    with pytest.raises(InputError, match="no home folder"):
        fetched_path(published)
    assert published.cached(tmp_path).is_relative_to(tmp_path)


def test_the_table():
    assert len(catalogue()) == 73
    for name, item in catalogue().items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert re.fullmatch(r"[0-9a-f]{40}", item.commit)
        assert re.fullmatch(r"[0-9a-f]{40}", item.git_blob)
        assert (item.sha256 is None) == (item.size is None)
        assert urllib.parse.urlparse(item.url()).netloc == "raw.githubusercontent.com"
        assert (item.first_layer is not None) == (item.architecture == "bf-cnn")
    assert len({item.cached("/") for item in catalogue().values()}) == 73


def test_the_facts_are_those_that_were_collected(shared):
    facts = json.loads((shared / "checkpoints" / "catalogue.json").read_text())
    ours = [dataclasses.asdict(item) for item in catalogue().values()]
    for fact, item in zip(facts, ours, strict=True):
        assert fact.items() <= item.items()


def test_a_published_file(shared, tmp_path):
    item = find_published("bfcnn-celeba-160-rf5")
    folder = shared / "checkpoints" / "local_probability" / "flat" / "celebA_160x160_gray"
    content = (folder / "noise_range_0to255_RF_5x5" / "model.pt").read_bytes()
    with serving(content, ["broken"], resumes=True) as server:
        assert fetch(item, server.url, tmp_path).read_bytes() == content


def test_unknown_names():
    with pytest.raises(InputError, match="did you mean unet-celeba-80-n1000"):
        find_published("unet-celeba-n1000")
    with pytest.raises(InputError, match="see `gahr weights list`"):
        find_published("?")


def test_the_table_is_part_of_the_package():
    path = Path(catalogue_module.__file__).with_name("published.json")
    assert len(json.loads(path.read_text())) == 73
