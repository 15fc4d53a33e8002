"""Training in one call from images in memory."""

import contextlib
import gc
import io
import json

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.training import from_images

QUICK = {
    "architecture": "bf-cnn",
    "num_layers": 2,
    "num_kernels": 2,
    "epochs": 1,
    "images_per_epoch": 8,
    "batch_size": 4,
    "progress": False,
}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (10, 8, 8), np.uint8)


def weights(denoiser):
    return [np.array(value) for value in denoiser.get_weights()]


@pytest.fixture(scope="module")
def result(images):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        found = kg.train(images, **QUICK)
    assert not shown.getvalue()
    return found


@pytest.fixture
def prepared(monkeypatch):
    """A function that returns what would be trained with some arguments."""

    def prepare(*arguments, **options):
        found = []

        def record(prepared, out, **how):
            found.append(prepared)
            raise InterruptedError

        with monkeypatch.context() as patch, pytest.raises(InterruptedError):
            patch.setattr(from_images, "run_prepared", record)
            kg.train(*arguments, **QUICK | options)
        return found[0]

    return prepare


@pytest.mark.one_backend
def test_images_of_all_kinds_are_the_same(prepared, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    for same in (
        images,
        images[..., None],
        tmp_path / "images.npy",
        str(tmp_path / "images.npy"),
        kg.datasets.load(tmp_path / "images.npy"),
    ):
        found = prepared(same)
        np.testing.assert_array_equal(found.train_images.images, images[:9, ..., None])
        np.testing.assert_array_equal(found.test_images.images, images[9:, ..., None])
    found = prepared(images[:5], images[5:])
    assert (len(found.train_images), len(found.test_images)) == (5, 5)
    assert found.data["half"] is None and found.denoiser.provenance["half"] is None
    alone = prepared(images[:1])
    assert (len(alone.test_images), alone.data["half"]) == (0, None)
    other = prepared(images, half="B")
    assert other.data["half"] == other.denoiser.provenance["half"] == "B"
    assert prepared(np.zeros((4, 3, 8, 8)), layout="NCHW").denoiser.input_channels == 3


@pytest.mark.one_backend
def test_noise_levels_may_be_numbers(prepared, images):
    law = prepared(images, sigma_min=0.1, sigma_max="100/255").config.settings().noise_law
    assert (law.low, law.high) == (0.1, 100 / 255)


@pytest.mark.one_backend
def test_the_result_is_short_saved_and_drawn(result, tmp_path):
    assert result.state == "finished" and len(result.history) == 1
    assert result.denoiser.provenance["image_shape"] == [8, 8, 1]
    lines = repr(result).splitlines()
    assert len(lines) <= 5 and "epochs: 1" in lines[0] and "'finished'" in lines[0]
    folder = result.save(tmp_path / "run")
    assert {"curves.png", "levels.png", "denoising.png"} <= {path.name for path in folder.iterdir()}
    loaded = kg.load_denoiser(folder)
    assert all(map(np.array_equal, weights(loaded), weights(result.denoiser)))
    with pytest.raises(kg.InputError, match="holds a run"):
        result.save(folder)
    result.save(folder, overwrite=True)
    assert json.loads((folder / "config.json").read_text())["options"]["epochs"] == 1
    assert len(result.plot().axes) == 2


@pytest.mark.slow
def test_a_run_goes_on_with_more_epochs(images, tmp_path):
    out = tmp_path / "run"
    first = kg.train(images, out=out, **QUICK)
    assert first.folder == out
    again = kg.train(images, out=out, resume=True, **{**QUICK, "epochs": 2})
    assert [row["epoch"] for row in again.history] == [1, 2]
    with pytest.raises(kg.InputError, match="out=RUN"):
        kg.train(images, resume=True, **QUICK)


@pytest.mark.one_backend
def test_a_run_goes_on_with_the_default_that_it_began_with(images, tmp_path):
    """Which was another one: with up to 19 epochs the rate was halved after each of them."""
    out = tmp_path / "run"
    kg.train(images, out=out, **QUICK | {"epochs": 11, "halve_every": 1})
    path = out / "config.json"
    config = json.loads(path.read_text())
    config["options"]["halve_every"] = None
    path.write_text(json.dumps(config))
    again = kg.train(images, out=out, resume=True, **QUICK | {"epochs": 12})
    assert again.history[-1]["learning_rate"] == pytest.approx(1e-3 / 2**11)


def test_callbacks_see_the_training_and_may_end_it(images, capsys):
    """Of one image, which is enough, and with a progress bar."""

    class Second(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append(sorted(logs))
            self.model.stop_training = epoch == 1

    callback = Second()
    options = {**QUICK, "epochs": 5, "progress": True}
    found = kg.train(images[:1], callbacks=[callback], **options)
    assert callback.seen == 2 * [["loss", "psnr"]]
    assert found.state == "early stop" and len(found.history) == 2
    assert "epoch    1" in capsys.readouterr().out


@pytest.mark.slow
def test_a_denoiser_is_trained_on(images):
    first = kg.train(images, **QUICK)
    before, folder = weights(first.denoiser), first.folder
    options = {name: value for name, value in QUICK.items() if not name.startswith(("arch", "num"))}
    again = kg.train(images[:8], images[8:], denoiser=first.denoiser, **options)
    assert again.denoiser is first.denoiser
    assert not all(map(np.array_equal, weights(again.denoiser), before))
    assert again.denoiser.provenance["started_from"]["image_shape"] == [8, 8, 1]
    # Of a run that nobody asked for nothing is left.
    assert (folder / "model.keras").exists()
    del first
    gc.collect()
    assert not folder.exists()


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"epoch": 1}, "received epoch, expected some of architecture"),
        ({"dataset": "x"}, "received dataset"),
        ({"epochs": 0}, "epochs = 0"),
        ({"test_images": np.zeros((2, 8, 8)), "test_size": 1}, "test_size with test images"),
        ({"callbacks": [print]}, "expected a keras.callbacks.Callback"),
        ({"layout": "NCHW"}, "layout"),
        ({"sigma_max": "two"}, "25/255"),
    ],
)
def test_what_cannot_be_is_refused(images, wrong, says):
    with pytest.raises(kg.InputError, match=says):
        kg.train(images, **{**QUICK, **wrong})
    with pytest.raises(kg.InputError, match="divide it by 255"):
        kg.train(images.astype(float), **QUICK)


@pytest.mark.one_backend
def test_one_callback_or_none(images):
    class Counting(keras.callbacks.Callback):
        count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1

    one = Counting()
    kg.train(images, callbacks=one, trackers=None, **QUICK)
    kg.train(images, callbacks=None, trackers=[], **QUICK)
    assert one.count == 1


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callbacks": 3}, "received 3, expected a keras.callbacks.Callback"),
        ({"trackers": "wandb:x"}, "received 'wandb:x', expected a keras_gahr.training.Tracker"),
        ({"out": 3}, "received out=3, expected the path"),
        ({"out": 3, "resume": True}, "received out=3, expected the path"),
        ({"denoiser": keras.Sequential()}, "received a Sequential, expected a denoiser"),
        ({"denoiser": 3}, "received a int, expected a denoiser"),
        ({"denoiser": "absent.keras"}, "absent.keras does not exist"),
    ],
)
def test_arguments_of_other_types(images, options, message):
    network = ("architecture", "num_layers", "num_kernels")
    given = {name: value for name, value in QUICK.items() if name not in network}
    with pytest.raises(kg.InputError, match=message) as caught:
        kg.train(images, **given, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.one_backend
def test_a_denoiser_by_its_place_and_an_inference(images, tmp_path):
    network = kg.build_denoiser("bf-cnn", num_channels=1, num_layers=2, num_kernels=2, seed=0)
    kg.save_denoiser(network, tmp_path / "first.keras")
    given = {"epochs": 1, "images_per_epoch": 8, "batch_size": 4, "progress": False, "seed": 0}
    by_path = kg.train(images, denoiser=str(tmp_path / "first.keras"), **given).denoiser
    changed = kg.train(images, denoiser=kg.Inference(network), **given).denoiser
    assert changed is network
    for one, other in zip(weights(by_path), weights(network), strict=True):
        np.testing.assert_array_equal(one, other)
