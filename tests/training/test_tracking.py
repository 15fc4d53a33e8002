"""Trainings in the programs that follow runs: with the real libraries, where they are installed."""

import contextlib
import dataclasses
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from stopped_runs import stop_after
from waiting import FOR_EVER, wait_until

import keras_gahr as kg
from keras_gahr.json_file import write_json
from keras_gahr.training import Tracker
from keras_gahr.training.config import RunConfig
from keras_gahr.training.tracking import callback
from keras_gahr.training.tracking.addresses import parse_trackers
from keras_gahr.training.tracking.libraries import library

pytestmark = pytest.mark.one_backend

# Three steps an epoch.
TRAINING = {"images_per_epoch": 10, "batch_size": 4, "learning_rate": 1e-4, "progress": False}
NETWORK = {"architecture": "bf-cnn", "num_layers": 2, "num_kernels": 2}


@pytest.fixture
def images(smooth_images, tmp_path):
    np.save(tmp_path / "set.npy", smooth_images(6, 8, 8))
    return tmp_path / "set.npy"


def train(images, **options):
    return kg.train(images, **{"epochs": 2, **TRAINING, **NETWORK, **options})


class Kept(Tracker):
    """One of a user's own, which keeps all that it is told, unless its network is down."""

    address = "kept"

    def __init__(self, broken=()):
        self.broken, self.calls, self.started, self.state = list(broken), [], None, None

    def start(self, run, known):
        self._network()
        self.started = run, known
        return known or "a-1"

    def log(self, step, numbers):
        self._network()
        self.calls.append((step, numbers))

    def finish(self, state):
        self._network()
        self.state = state

    def _network(self):
        if self.broken and self.broken.pop(0):
            raise ConnectionError("no network\nat all")


def test_what_a_tracker_is_told(images, tmp_path):
    kept = Kept()
    result = train(images, out=tmp_path / "run", trackers=[kept])
    run, known = kept.started
    assert known is None and run.name == "run"
    assert run.config["learning_rate"] == 1e-4 and run.config["network.num_kernels"] == 2
    assert run.config["data.train_size"] == 5
    assert str(tmp_path) not in repr(run)
    assert [step for step, _ in kept.calls] == [3, 6]
    for (_, numbers), row in zip(kept.calls, result.history, strict=True):
        assert numbers["epoch"] == row["epoch"]
        assert numbers["psnr/test"] == pytest.approx(row["test_psnr"])
        assert {"loss/train", "learning_rate", "psnr_test/sigma_012.9"} <= numbers.keys()
    assert kept.state == "finished"


def test_a_run_that_goes_on_is_the_same_run(images, tmp_path):
    train(images, out=tmp_path / "run", epochs=1, trackers=[Kept()])
    kept = Kept()
    train(images, out=tmp_path / "run", epochs=3, resume=True, trackers=[kept])
    assert kept.started[1] == "a-1"
    # What it was told before is not told again.
    assert [step for step, _ in kept.calls] == [6, 9]
    assert json.loads((tmp_path / "run" / "trackers.json").read_text()) == {
        "kept": {"run": "a-1", "step": 9}
    }


def test_the_looks_of_the_clock_are_told(images, tmp_path):
    kept = Kept()
    train(images, out=tmp_path / "run", epochs=8, trackers=[kept], clock_samples=4, clock_budget=10)
    looks = [step for step, numbers in kept.calls if "clock/train_error" in numbers]
    assert looks and looks[-1] == 24
    # Each step once, those of a look within an epoch too.
    steps = [step for step, _ in kept.calls]
    assert steps == sorted({*looks, *range(3, 25, 3)}) and any(step % 3 for step in looks)
    epochs = [(numbers["epoch"], step) for step, numbers in kept.calls if "epoch" in numbers]
    # Some of them end with a look, and the last always does.
    assert epochs == [(epoch, 3 * epoch) for epoch in range(1, 9)]
    assert len({step for _, step in epochs} & set(looks)) > 1


def test_a_stopped_epoch_is_told_when_it_is_whole(images, tmp_path, monkeypatch):
    kept, more = Kept(), Kept()
    with monkeypatch.context() as patch:
        # The end of the first epoch counts, too.
        stop_after(patch, 5)
        stopped = train(images, out=tmp_path / "run", trackers=[kept])
    assert stopped.state == "stopped" and stopped.history[1]["steps"] == 1
    assert [(step, numbers["epoch"]) for step, numbers in kept.calls] == [(3, 1)]
    assert kept.state == "stopped"
    train(images, out=tmp_path / "run", resume=True, trackers=[more])
    assert [(step, numbers["epoch"]) for step, numbers in more.calls] == [(6, 2)]


@pytest.mark.parametrize(
    ("error", "state"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "stopped")]
)
def test_an_error_is_told(images, error, state):
    def fail(epoch, logs):
        raise error

    kept = Kept()
    failing = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    with pytest.raises(error):
        train(images, trackers=[kept], callbacks=[failing])
    assert [step for step, _ in kept.calls] == [3] and kept.state == state


def test_a_full_disk_makes_nobody_hear_twice(images, tmp_path, monkeypatch, capfd):
    def write(path, entries):
        if entries["kept"]["step"] == 3:
            raise OSError("the disk is full")
        write_json(path, entries)

    monkeypatch.setattr(callback, "write_json", write)
    kept = Kept()
    train(images, out=tmp_path / "run", epochs=3, trackers=[kept])
    assert [step for step, _ in kept.calls] == [3, 6, 9] and kept.state == "finished"
    assert "the disk is full; the training goes on" in capfd.readouterr().err
    assert json.loads((tmp_path / "run" / "trackers.json").read_text())["kept"]["step"] == 9


@pytest.mark.parametrize("broken", [[True, True, False], [False, True, True]], ids=["start", "log"])
def test_a_network_that_is_down_stops_no_training(images, tmp_path, broken, capfd):
    kept = Kept(broken)
    result = train(images, epochs=4, trackers=[kept])
    assert result.state == "finished" and len(result.history) == 4
    lines = [
        line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: kept")
    ]
    assert lines == ["warning: kept: ConnectionError: no network; the training goes on"]
    # Told later.
    assert [numbers["epoch"] for _, numbers in kept.calls] == [1, 2, 3, 4]
    assert kept.state == "finished"


def test_one_that_hangs_is_left(images, monkeypatch, capfd):
    import threading

    class Hangs(Kept):
        def log(self, step, numbers):
            released.wait()

    monkeypatch.setattr(callback, "SECONDS_AT_THE_END", 0.1)
    released = threading.Event()
    try:
        assert train(images, trackers=[Hangs()]).state == "finished"
    finally:
        released.set()
    assert "does not answer" in capfd.readouterr().err


def test_the_training_is_the_same(images):
    alone, followed = (train(images, trackers=trackers) for trackers in ([], [Kept()]))
    pairs = zip(alone.denoiser.get_weights(), followed.denoiser.get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_what_names_no_tracker():
    for text in ("wandb", "wandb:", "tensorboard:x", "wandb:a,,mlflow:b"):
        with pytest.raises(kg.InputError, match="expected one of wandb:NAME"):
            RunConfig(dataset="x", track=text)
    assert parse_trackers("wandb:a, mlflow:b c,wandb:a") == [("wandb", "a"), ("mlflow", "b c")]
    assert parse_trackers("none") == parse_trackers(None) == []


def test_a_library_that_is_missing_is_said_before_the_training(images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(kg.InputError, match=r"keras-gahr\[mlflow\]"):
        train(images, out=tmp_path / "run", track="mlflow:faces")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_called_as_a_library_is_none(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()
    # What is imported here is forgotten afterwards.
    monkeypatch.setitem(sys.modules, "wandb", None)
    del sys.modules["wandb"]
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(kg.InputError, match=r"keras-gahr\[wandb\]"):
        library("wandb")


def train_twice(images, out, track):
    """A run of two epochs that goes on for a third."""
    train(images, out=out, track=track)
    return train(images, out=out, track=track, epochs=3, resume=True)


def psnrs(result):
    return [row["test_psnr"] for row in result.history]


def noted(name):
    """What the folder of a run keeps of a tracker; nothing before that is there."""
    path = Path("run/trackers.json")
    return json.loads(path.read_text()).get(name, {}) if path.is_file() else {}


def told_to(name):
    """By what a tracker knows the run in a folder."""
    return noted(name)["run"]


def run_script(script, *arguments, **environment):
    """A program that may import this module, in the working directory."""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=FOR_EVER,
    )


@pytest.mark.slow
def test_mlflow(images, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: the extra `mlflow`")
    # A new database takes a minute on a loaded machine.
    monkeypatch.setattr(callback, "SECONDS_AT_THE_END", FOR_EVER)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    result = train_twice(images, Path("run"), "mlflow:faces of people")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("faces of people")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_id, run.info.run_name) == (told_to("mlflow:faces of people"), "run")
    assert run.info.status == "FINISHED" and run.data.params["network.num_kernels"] == "2"
    history = client.get_metric_history(run.info.run_id, "psnr/test")
    assert [each.step for each in history] == [3, 6, 9]
    assert [each.value for each in history] == pytest.approx(psnrs(result))


@pytest.mark.slow
def test_trackio(images, tmp_path, monkeypatch):
    pytest.importorskip("trackio", reason="trackio is not installed: the extra `trackio`")
    # Where its database lies is asked when it is imported.
    script = (
        "import sys, trackio, test_tracking as t; from pathlib import Path\n"
        "from trackio.sqlite_storage import SQLiteStorage\n"
        "mine = trackio.init(project='mine', name='mine', embed=False)\n"
        "result = t.train_twice(Path(sys.argv[1]), Path('run'), 'trackio:faces')\n"
        "(run,) = trackio.Api().runs('faces')\n"
        "assert run.name == t.told_to('trackio:faces'), run.name\n"
        "logs = SQLiteStorage.get_logs('faces', run.name)\n"
        "rows = [row for row in logs if 'psnr/test' in row]\n"
        "assert [row['step'] for row in rows] == [3, 6, 9], rows\n"
        "assert [row['psnr/test'] for row in rows] == t.psnrs(result), rows\n"
        "ends = [(row['step'], row['state']) for row in logs if 'state' in row]\n"
        "assert ends == [(6, 'finished'), (9, 'finished')], ends\n"
        # A run of the user's goes on.
        "mine.log({'x': 1.0})\n"
        "mine.finish()\n"
        "(row,) = SQLiteStorage.get_logs('mine', 'mine')\n"
        "assert row['x'] == 1.0 and 'psnr/test' not in row, row\n"
    )
    monkeypatch.chdir(tmp_path)
    done = run_script(script, images, TRACKIO_DIR=str(tmp_path / "trackio"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "trackio").glob("faces*.db"))


@pytest.mark.slow
def test_trackio_begins_a_run_that_was_killed_before_its_first_epoch(tmp_path, monkeypatch):
    pytest.importorskip("trackio", reason="trackio is not installed: the extra `trackio`")
    script = (
        "from keras_gahr.training import TrackedRun\n"
        "from keras_gahr.training.tracking.trackio import TrackioTracker\n"
        "from trackio.sqlite_storage import SQLiteStorage\n"
        "run, killed, tracker = TrackedRun('run', {}), *(TrackioTracker('faces') for _ in range(2))\n"
        "known = killed.start(run, None)\n"
        "assert tracker.start(run, known) == known\n"
        "tracker.log(3, {'epoch': 1.0})\n"
        "tracker.finish('finished')\n"
        "rows = SQLiteStorage.get_logs('faces', known)\n"
        "assert [row['step'] for row in rows] == [3, 3], rows\n"
    )
    monkeypatch.chdir(tmp_path)
    done = run_script(script, TRACKIO_DIR=str(tmp_path / "trackio"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    """W&B without a network, in a folder of its own that is the working directory."""
    module = pytest.importorskip("wandb", reason="wandb is not installed: the extra `wandb`")
    for name, value in {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_DIR": str(tmp_path),
        "WANDB_CONFIG_DIR": str(tmp_path / "config"),
        "WANDB_CACHE_DIR": str(tmp_path / "cache"),
        "WANDB_DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield module
    # It reads the environment once.
    module.teardown()


@pytest.mark.slow
def test_wandb_without_a_network(images, tmp_path, wandb):
    result = train_twice(images, Path("run"), "wandb:faces")
    parts = wandb_parts(tmp_path)
    assert len(parts) == 2  # Which `wandb sync` puts together by their id:
    assert {part.run_id for part in parts} == {told_to("wandb:faces")}
    rows = [row for part in parts for row in part.rows]
    assert [row["_step"] for row in rows] == [3, 6, 9]
    assert [row["psnr/test"] for row in rows] == pytest.approx(psnrs(result))
    assert [part.exit_code for part in parts] == [0, 0]


@pytest.mark.slow
def test_wandb_has_looks_of_the_clock_and_epochs_in_one_row(images, tmp_path, wandb):
    train(images, epochs=8, track="wandb:faces", clock_samples=4, clock_budget=10)
    (part,) = wandb_parts(tmp_path)
    looks = {row["_step"] for row in part.rows if "clock/train_error" in row}
    epochs = [row["_step"] for row in part.rows if "psnr/test" in row]
    assert epochs == list(range(3, 25, 3)) and looks & set(epochs) and looks - set(epochs)
    assert [row["_step"] for row in part.rows] == sorted(looks | set(epochs))


@pytest.mark.slow
def test_wandb_leaves_a_run_of_the_users_alone(images, tmp_path, wandb):
    mine = wandb.init(project="mine")
    mine.log({"before": 1.0})
    train(images, track="wandb:faces")
    mine.log({"after": 2.0})
    mine.finish()
    parts = {part.project: part.rows for part in wandb_parts(tmp_path)}
    assert [row["_step"] for row in parts["faces"]] == [3, 6]
    names = [name for row in parts["mine"] for name in row]
    assert {"before", "after"} < set(names) and "psnr/test" not in names


@pytest.mark.slow
def test_wandb_is_told_no_folder(images, tmp_path, wandb):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    remote = ["git", "-C", tmp_path, "remote", "add", "origin", tmp_path / "remote"]
    subprocess.run(remote, check=True)
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, test_tracking as t\n"
        "print(sys.argv)\n"
        "t.train(sys.argv[1], out='run', track='wandb:faces', progress=True)\n"
    )
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    subprocess.run(
        [sys.executable, program, images], env={**os.environ, "PYTHONPATH": path}, check=True
    )
    (part,) = wandb_parts(tmp_path)
    assert [row["_step"] for row in part.rows] == [3, 6]
    told = [path for path in (part.folder / "files").rglob("*") if path.is_file()]
    for content in (part.content, *(path.read_bytes() for path in told)):
        for folder in (tmp_path, Path(sys.executable).parent, Path(kg.__file__).parents[1]):
            assert str(folder).encode() not in content


@pytest.mark.slow
def test_wandb_has_an_epoch_when_it_was_told(images, wandb, monkeypatch):
    """So that none is lost of a run that is killed in the next one."""
    begun, has = [], []
    init = wandb.init

    def remembered(**options):
        begun.append(init(**options))
        return begun[0]

    def look(epoch, logs):
        wait_until(lambda: noted("wandb:faces").get("step") == 3 * (epoch + 1))
        has.append(begun[0].summary.get("epoch"))

    monkeypatch.setattr(wandb, "init", remembered)
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=look)]
    train(images, out="run", track="wandb:faces", callbacks=callbacks)
    assert has == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "code"), [(ZeroDivisionError, 1), (KeyboardInterrupt, 255), (None, 0)]
)
def test_wandb_knows_how_it_ended(images, tmp_path, wandb, error, code):
    def end(epoch, logs):
        if error is not None:
            raise error

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=end)]
    with pytest.raises(error) if error is not None else contextlib.nullcontext():
        train(images, epochs=1, track="wandb:faces", callbacks=callbacks)
    (part,) = wandb_parts(tmp_path)
    assert part.exit_code == code


def test_wandb_wants_to_know_who_it_is(images, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed: the extra `wandb`")
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(kg.InputError, match="WANDB_MODE=offline"):
        train(images, track="wandb:faces")


@dataclasses.dataclass
class WandbPart:
    """What W&B has of a run from one program.

    Args:
        folder: of its files.
        content: all its records, as they are.
        run_id, project: of the run.
        rows: of its history.
        exit_code: with which it ended, or None before that.
    """

    folder: Path
    content: bytes = b""
    run_id: str = ""
    project: str = ""
    rows: list = dataclasses.field(default_factory=list)
    exit_code: int | None = None


def wandb_parts(folder):
    """The `WandbPart`s in a folder, in the order in which they began."""
    import wandb
    from wandb.proto import wandb_internal_pb2

    # A process of its own writes them, also after a run has ended.
    wandb.teardown()
    parts = []
    for path in sorted(folder.glob("wandb/offline-*/*.wandb")):
        part = WandbPart(path.parent)
        for data in level_db_records(path.read_bytes()):
            part.content += data
            record = wandb_internal_pb2.Record.FromString(data)
            if record.HasField("run"):
                part.run_id, part.project = record.run.run_id, record.run.project
            elif record.HasField("exit"):
                part.exit_code = record.exit.exit_code
            elif record.HasField("history"):
                items = record.history.item
                row = {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in items}
                part.rows.append({"_step": record.history.step.num, **row})
        parts.append(part)
    return parts


def level_db_records(content):
    """The whole records of a log of LevelDB, which W&B begins with seven bytes of its own."""
    place, parts = 7, []
    while place + 7 <= len(content):
        if 2**15 - place % 2**15 < 7:
            place += 2**15 - place % 2**15
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        part = content[place + 7 : place + 7 + length]
        if len(part) < length:  # It is being written.
            return
        parts.append(part)
        place += 7 + length
        if kind in {1, 4}:  # Whole, or the last part.
            yield b"".join(parts)
            parts = []
