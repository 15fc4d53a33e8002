"""Noise levels, event files, pictures and the progress bar of a training."""

import io
import struct
from types import SimpleNamespace

import numpy as np
import pytest
import rich.console
from PIL import Image

from keras_gahr import InputError
from keras_gahr.denoisers import Inference
from keras_gahr.psnr import SIGMAS, psnr_at
from keras_gahr.training.data.batches import TiledBatches
from keras_gahr.training.watch.event_file import EventFile, read_events
from keras_gahr.training.watch.events import Events
from keras_gahr.training.watch.levels import PICTURED, LevelRecorder, read_levels
from keras_gahr.training.watch.progress import ProgressBar

pytestmark = pytest.mark.one_backend


def scalars_of(folder):
    """{(step, tag): [values]} of all event files in a folder, in the order of their names."""
    found = {}
    for path in sorted(folder.iterdir()):
        for _, event in read_events(path):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault((event.step, value.tag), []).append(value.simple_value)
    return found


def test_levels_and_events_of_a_run_that_goes_on(tmp_path, smooth_images, fit, monkeypatch):
    images = smooth_images(8, 8, 8)
    compiled = []

    class Counted(Inference):
        def __init__(self, *arguments):
            compiled.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr("keras_gahr.denoisers.inference.Inference", Counted)
    path, folder = tmp_path / "levels.csv", tmp_path / "events"
    batches = TiledBatches(images[:4], 8, 4, seed=0)
    levels = LevelRecorder(path, images[:4], images[4:], seed=3)
    events = Events(folder, batches, levels)
    denoiser = fit([levels, events], last=3)

    assert len(compiled) == 1
    inference = Inference(denoiser)
    assert read_levels(path) == levels.rows
    assert [row["epoch"] for row in levels.rows[::20]] == [1, 2, 3]
    for name, part in (("train", images[:4]), ("test", images[4:])):
        rows = [row for row in levels.rows if row["epoch"] == 3 and row["set"] == name]
        assert [row["sigma"] for row in rows] == list(SIGMAS)
        for row in rows[::4]:
            before, after = psnr_at(inference, part, row["sigma"], seed=3)
            assert row["input_psnr"] == pytest.approx(before.mean())
            assert row["psnr"] == pytest.approx(after.mean(), abs=1e-4)
            assert row["input_psnr"] == pytest.approx(-20 * np.log10(row["sigma"]), abs=0.5)
    assert [sigma for sigma, *_ in levels.pictures] == list(PICTURED)
    sigma, clean, noisy, denoised = levels.pictures[2]
    assert np.array_equal(clean, images[4:])
    np.testing.assert_allclose(denoised, inference.denoise(noisy), rtol=1e-4, atol=1e-5 * sigma)

    first = scalars_of(folder)
    assert {step for step, _ in first} == {1, 2, 3}
    assert {tag for step, tag in first if step == 3 and "sigma" not in tag} == {
        "loss/train",
        "loss/test",
        "psnr/train",
        "psnr/test",
        "learning_rate",
        "images_per_second",
    }
    assert first[3, "psnr_test/sigma_046.4"] == [pytest.approx(levels.rows[56]["psnr"])]
    assert len(first) == 3 * (6 + 20)

    # It goes on from the end of the first epoch, though two more were written.
    more = LevelRecorder(path, images[:4], images[4:], rows=read_levels(path))
    fit([more, Events(folder, batches, more)], first=1, last=2)
    assert [row["epoch"] for row in read_levels(path)[::20]] == [1, 2]
    assert read_levels(path)[:20] == levels.rows[:20]
    both = scalars_of(folder)
    assert {step for step, _ in both} == {1, 2}
    assert all(len(values) == 1 for values in both.values())
    assert both[1, "loss/train"] == first[1, "loss/train"]
    assert both[2, "psnr_test/sigma_046.4"] == [pytest.approx(more.rows[36]["psnr"])]


def test_event_files_hold_pictures_and_a_mark_where_they_begin(tmp_path):
    file = EventFile(tmp_path, 4)
    colour = np.linspace(-1, 2, 5 * 6 * 3).reshape(5, 6, 3)
    colour[0, 0, 0] = np.nan
    file.add(
        4, {"a/b": np.float32(0.5), "c": float("nan")}, {"grey": colour[..., :1], "rgb": colour}
    )
    file.close()
    (path,) = tmp_path.iterdir()
    version, start, event = (event for _, event in read_events(path))
    assert version.file_version == "brain.Event:2"
    # This is what makes TensorBoard forget what it has read of this step and later ones.
    assert (start.session_log.status, start.step) == (1, 4)
    half, nan, grey, rgb = event.summary.value
    assert (half.tag, half.simple_value) == ("a/b", 0.5)
    assert np.isnan(nan.simple_value)
    for value in (grey, rgb):
        picture = Image.open(io.BytesIO(value.image.encoded_image_string))
        assert picture.size == (6, 5)
    assert np.asarray(picture).min() == 0
    assert np.asarray(picture).max() == 255


def test_a_file_cut_short_by_a_kill_keeps_its_whole_events(tmp_path):
    file = EventFile(tmp_path, 1)
    for step in (1, 2, 3):
        file.add(step, {"loss": step})
    file.close()
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert scalars_of(tmp_path) == {(1, "loss"): [1], (2, "loss"): [2]}
    EventFile(tmp_path, 3).close()
    assert scalars_of(tmp_path) == {(1, "loss"): [1], (2, "loss"): [2]}
    path.write_bytes(b"not events at all, but something else")
    EventFile(tmp_path, 3).close()
    assert scalars_of(tmp_path) == {}


def test_a_record_longer_than_its_file_ends_it(tmp_path):
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", 2**64 - 1)
    path = tmp_path / "events.out.tfevents.0.x"
    path.write_bytes(length + struct.pack("<I", masked_crc32c(length)))
    (tmp_path / ".events.out.tfevents.0-0123abcd.x").write_bytes(b"")
    assert not list(read_events(path))
    EventFile(tmp_path, 1).close()
    assert len(list(tmp_path.iterdir())) == 1


def test_events_are_on_the_disk_before_the_file_is_closed(tmp_path):
    """As after a kill, or when `fit` raises and the caller closes the file."""
    events = Events(tmp_path, TiledBatches(np.zeros((4, 2, 2, 1), np.uint8), 8, 4, seed=0))
    events.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5)))
    events.on_epoch_begin(0)
    events.on_train_batch_end(0)
    events.on_epoch_end(0, {"loss": 3.0, "psnr": 20.0})
    events.on_epoch_begin(1)
    assert {tag: values for (_, tag), values in scalars_of(tmp_path).items() if "/" in tag} == {
        "loss/train": [3],
        "psnr/train": [20],
    }
    assert scalars_of(tmp_path)[1, "learning_rate"] == [0.5]
    events.close()
    events.close()
    assert {step for step, _ in scalars_of(tmp_path)} == {1}


@pytest.mark.parametrize(("first", "expected"), [(0, 130), (1, 65)])
def test_speed_counts_the_images_that_batches_have(tmp_path, monkeypatch, first, expected):
    """Of 260 images, which make two batches of 130 where 249 are allowed; each takes a second."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    batches = TiledBatches(np.zeros((260, 2, 2, 1), np.uint8), 260, 249, 0)
    batches.begin(0, first_batch=first)
    events = Events(tmp_path, batches)
    events.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5)))
    bar = ProgressBar(rich.console.Console(file=io.StringIO(), width=200), batches, epochs=1)
    bar.on_train_begin()
    for callback in (events, bar):
        callback.on_epoch_begin(0)
    for step in range(len(batches)):
        now[0] += 1
        for callback in (events, bar):
            callback.on_train_batch_end(step)
    # One batch was taken before: half as many images.
    now[0] = 2.0
    events.on_epoch_end(0, {"loss": 1.0, "psnr": 20.0})
    events.close()
    bar.close()
    assert events.scalars["images_per_second"] == expected
    assert bar._progress.tasks[0].fields["numbers"] == "130 images/s"


def test_broken_level_tables_are_refused(tmp_path):
    path = tmp_path / "levels.csv"
    for text in (None, "epoch,set\n1,train\n", "epoch,set,sigma,input_psnr,psnr\n1,test,x,1,1\n"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(InputError, match=r"levels\.csv"):
            read_levels(path)


def test_progress_goes_on_without_a_jump(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    console = rich.console.Console(file=io.StringIO(), width=200)
    batches = TiledBatches(np.zeros((40, 2, 2, 1), np.uint8), 40, 8, 0)
    batches.begin(2, first_batch=3)
    bar = ProgressBar(console, batches, epochs=4)
    bar.on_train_begin()
    task = bar._progress.tasks[0]
    assert (task.completed, task.total) == (13, 20)
    bar.on_epoch_begin(2)
    for step in range(2):
        now[0] += 1
        bar.on_train_batch_end(step, {"loss": 1.0})
    assert task.completed == 15
    assert task.fields["numbers"] == "loss 1  8 images/s"
    bar.on_epoch_end(2, {"loss": 1.0, "psnr": 20.0})
    batches.begin(3)
    bar.on_epoch_begin(3)
    now[0] += 1
    bar.on_train_batch_end(0, {"loss": 1.0})
    assert task.completed == 16
    bar.close()
