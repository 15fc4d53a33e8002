"""States that are whole, with their checksum, but not those of the run they lie in."""

import dataclasses
import shutil

import numpy as np
import pytest

from keras_gahr import InputError, UNet
from keras_gahr.files import locked
from keras_gahr.training import TrainingSettings, run_training
from keras_gahr.training.resume.state import read_state, write_state

pytestmark = pytest.mark.one_backend

SETTINGS = TrainingSettings(epochs=1, images_per_epoch=16, batch_size=8)


def run(out, images, settings=SETTINGS, **options):
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=0)
    return run_training(denoiser, images[:16], images[16:], settings, out, **options)


def with_history(record, **changes):
    return {
        **record,
        "parts": {**record["parts"], "history": {"rows": [], "begun": None} | changes},
    }


FOREIGN = {
    "one array less": lambda arrays, record: (arrays[:-1], record),
    "other shapes": lambda arrays, record: ([a.reshape(-1, 1) for a in arrays], record),
    "another type": lambda arrays, record: ([a.astype(np.int8) for a in arrays], record),
    "no entries": lambda arrays, record: (arrays, {}),
    "no identity": lambda arrays, record: (arrays, {**record, "identity": {}}),
    "a far epoch": lambda arrays, record: (arrays, {**record, "epoch": 10**30}),
    "a far step": lambda arrays, record: (arrays, {**record, "step": 2}),
    "no steps in an epoch": lambda arrays, record: (arrays, {**record, "steps_per_epoch": 0}),
    "far more steps": lambda arrays, record: (arrays, {**record, "steps_per_epoch": 10**9}),
    "a text as steps": lambda arrays, record: (arrays, {**record, "steps_per_epoch": "2"}),
    "no history": lambda arrays, record: (arrays, with_history(record)),
    "another row": lambda arrays, record: (arrays, with_history(record, rows=[{"x": 1}])),
    "another start": lambda arrays, record: (arrays, with_history({**record, "epoch": 0}, begun=3)),
    "a text as best loss": lambda arrays, record: (
        arrays,
        {**record, "parts": {**record["parts"], "checkpoint": {"best": "x", "waited": 0}}},
    ),
}


@pytest.fixture(scope="module")
def finished(smooth_images, tmp_path_factory):
    images = smooth_images(20, 8, 8)
    out = tmp_path_factory.mktemp("finished") / "run"
    run(out, images)
    return out, images


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_state_is_refused_and_nothing_changed(finished, tmp_path, kind):
    source, images = finished
    out = tmp_path / "run"
    shutil.copytree(source, out)
    path = out / "state.safetensors"
    write_state(path, *FOREIGN[kind](*read_state(path)))
    before = {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()}
    with pytest.raises(InputError, match="damaged"):
        run(out, images, dataclasses.replace(SETTINGS, epochs=2), resume=True)
    assert {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()} == before


def test_a_run_does_not_get_shorter(finished, tmp_path):
    source, images = finished
    out = tmp_path / "run"
    longer = dataclasses.replace(SETTINGS, epochs=2)
    shutil.copytree(source, out)
    run(out, images, longer, resume=True)
    before = (out / "config.json").read_bytes()
    with pytest.raises(InputError, match="2 are done"):
        run(out, images, dataclasses.replace(SETTINGS, halve_every=longer.halve_every), resume=True)
    assert (out / "config.json").read_bytes() == before


def test_a_run_in_progress_is_not_replaced(finished):
    out, images = finished
    before = sorted(path.name for path in out.iterdir())
    with locked(out), pytest.raises(InputError, match="another process"):
        run(out, images, overwrite=True)
    assert sorted(path.name for path in out.iterdir()) == before
