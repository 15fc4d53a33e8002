"""Where the images of a run are looked for after a move."""

import json
import os
import shutil

import pytest

from keras_gahr import InputError
from keras_gahr.training.resume.whereabouts import find_dataset, path_from_run

pytestmark = pytest.mark.one_backend


def make_run(run, dataset, sha256=None):
    run.mkdir(parents=True, exist_ok=True)
    config = {
        "options": {"dataset": str(dataset.resolve())},
        "dataset_from_run": path_from_run(dataset, run),
        "data": {"sha256": sha256},
    }
    (run / "config.json").write_text(json.dumps(config))
    return run


def make_dataset(path, sha256):
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(json.dumps({"sha256": sha256}))
    return path


@pytest.mark.parametrize("name", ["d.npy", "写真 [1].npy", os.fsdecode(b"caf\xe9.npy")])
def test_images_that_moved_with_their_run_are_found(tmp_path, name):
    data, old, new = (tmp_path / "old" / "data" / name), tmp_path / "old", tmp_path / "far" / "new"
    data.parent.mkdir(parents=True)
    try:
        data.touch()
    except OSError:
        pytest.skip("the file system here takes no such name")
    run = make_run(old / "runs" / "one", data)
    assert find_dataset(run) == data
    new.parent.mkdir()
    old.rename(new)
    assert find_dataset(new / "runs" / "one") == new / "data" / name
    # The run alone, to another depth.
    shutil.move(new / "runs" / "one", tmp_path / "one")
    with pytest.raises(InputError, match="--dataset") as caught:
        find_dataset(tmp_path / "one")
    assert str(data) in str(caught.value)
    new.rename(old)
    assert find_dataset(tmp_path / "one") == data


def test_a_run_and_images_behind_links_are_found(tmp_path):
    data = tmp_path / "disk" / "d.npy"
    data.parent.mkdir()
    data.touch()
    (tmp_path / "disk" / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "run")
    make_run(tmp_path / "link", data)
    assert find_dataset(tmp_path / "link") == data
    (tmp_path / "disk").rename(tmp_path / "other")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other" / "run")
    assert find_dataset(tmp_path / "link") == tmp_path / "other" / "d.npy"


def test_of_two_datasets_the_one_with_the_same_images_is_taken(tmp_path):
    right = make_dataset(tmp_path / "a" / "data", "right")
    run = make_run(tmp_path / "a" / "run", right, "right")
    other = make_dataset(tmp_path / "b" / "data", "other")
    shutil.move(run, tmp_path / "b" / "run")
    assert find_dataset(tmp_path / "b" / "run") == right
    (other / "manifest.json").write_text('{"sha256": "right"}')
    (right / "manifest.json").write_text('{"sha256": "other"}')
    assert find_dataset(tmp_path / "b" / "run") == other
    # None of them: the comparison with the state says so.
    (other / "manifest.json").write_text("[]")
    assert find_dataset(tmp_path / "b" / "run") == other


def test_a_run_of_an_earlier_version_has_no_path_from_it(tmp_path):
    data = tmp_path / "d.npy"
    data.touch()
    run = make_run(tmp_path / "run", data)
    config = json.loads((run / "config.json").read_text())
    del config["dataset_from_run"]
    (run / "config.json").write_text(json.dumps(config))
    assert find_dataset(run) == data
    data.unlink()
    with pytest.raises(InputError, match="is gone"):
        find_dataset(run)


def test_no_dataset_has_no_path(tmp_path):
    assert path_from_run(None, tmp_path) is None
