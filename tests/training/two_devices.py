"""Run by the tests of several devices: one training on one device, and the same on two.

python two_devices.py FOLDER [more]

Each process writes FOLDER/RANK.npz. With `more` all are on two devices, which hold the images in the second;
of a third the last process alone asks for an end at step 3. Then there are two runs, one of which is stopped
in its second epoch and goes on, and may not be made again.
"""

import dataclasses
import signal
import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gahr import BFCNN, InputError, _backend
from keras_gahr.denoisers.properties import normalizations
from keras_gahr.noise import NoiseLaw
from keras_gahr.training import Adam, BlindTraining, TrainingSettings, run_training
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches
from keras_gahr.training.data.device_images import DeviceImages
from keras_gahr.training.devices.data_parallel import data_parallel
from keras_gahr.training.interruption import Interruption
from keras_gahr.training.watch.average import Average

LAW = NoiseLaw()
SETTINGS = TrainingSettings(rescale=True, seed=3)


class Losses(keras.callbacks.Callback):
    """The running mean of the loss after each step."""

    def on_train_begin(self, logs=None):
        self.values = []

    def on_train_batch_end(self, batch, logs=None):
        self.values.append(float(logs["loss"]))


class SignalAt(keras.callbacks.Callback):
    """What a signal after some step does to an `Interruption`."""

    def __init__(self, interruption, step):
        super().__init__()
        self.interruption = interruption
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.step:
            self.interruption.signal = signal.SIGINT


def trained(denoiser, share=lambda batches: batches, callbacks=(), held=False):
    """The losses, PSNR, weights and their averages of 20 steps."""
    images = np.random.default_rng(0).random((40, 8, 8, 1), np.float32)
    images = np.round(255 * images).astype(np.uint8)
    device_images = DeviceImages(images) if held else None
    model = BlindTraining(denoiser, LAW, SETTINGS.seed, SETTINGS.rescale, device_images)
    model.compile(Adam(1e-3, use_ema=True), jit_compile=_backend.jit_compile())
    batches = TiledBatches(images, 40, 4, seed=1, as_indices=held)
    others = TiledBatches(images, 40, 4, seed=2, as_indices=held)
    losses, average = Losses(), Average(denoiser, SETTINGS, others, device_images)
    history = model.fit(
        share(batches),
        validation_data=share(NoisyBatches(images[32:], LAW, 4, seed=2)),
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[losses, average, *callbacks],
    )
    numbers = {f"history/{name}": values for name, values in history.history.items()}
    weights = {weight.path: ops.convert_to_numpy(weight.value) for weight in denoiser.weights}
    averages = {
        f"average/{place}": ops.convert_to_numpy(weight.value)
        for place, weight in enumerate(average.denoiser.weights)
    }
    return {"losses": losses.values, **numbers, **weights, **averages}


class StopAt(keras.callbacks.Callback):
    """Asks this process to end after so many steps of a run."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGTERM)


def run(denoiser, out, callbacks=(), resume=False):
    """The weights and the losses of a run of two epochs, three steps each, with averages."""
    images = np.random.default_rng(0).random((28, 8, 8, 1), np.float32)
    settings = dataclasses.replace(
        SETTINGS, epochs=2, images_per_epoch=24, batch_size=8, devices=2, ema=0.5
    )
    result = run_training(
        denoiser, images[:24], images[24:], settings, out, callbacks=callbacks, resume=resume
    )
    columns = ("train_loss", "train_psnr", "test_loss", "test_psnr")
    numbers = {name: [row[name] for row in result.history] for name in columns}
    return numbers | {str(i): weight for i, weight in enumerate(denoiser.get_weights())}


def main(folder, more):
    def fresh():
        denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
        for norm in normalizations(denoiser):
            norm.gamma.assign(np.ones(norm.gamma.shape, np.float32))
        return denoiser

    results = {}

    def keep(name, numbers):
        results.update({f"{name}/{key}": value for key, value in numbers.items()})

    if not more:
        keep("one", trained(fresh()))
    with data_parallel(2) as shared:
        for name in ("one", "two", "stopped") if more else ("two",):
            interruption = Interruption(shared.any_process)
            callbacks = [interruption]
            if name == "stopped" and shared.rank == shared.world - 1:
                callbacks.insert(0, SignalAt(interruption, 3))
            held = more and name == "two"
            keep(name, trained(shared.replicate(fresh()), shared.share, callbacks, held))
    if more:
        keep("whole", run(fresh(), folder / "whole"))
        # The last process alone is told.
        run(fresh(), folder / "parts", [StopAt(4)] if shared.rank == shared.world - 1 else [])
        keep("parts", run(fresh(), folder / "parts", resume=True))
        # With nothing left to train.
        keep("again", run(fresh(), folder / "parts", resume=True))
        try:
            run(fresh(), folder / "parts")
        except InputError as error:
            # Only the first process knows that there is one.
            results["refused"] = str(error)
    np.savez(folder / f"{shared.rank}.npz", **results)


if __name__ == "__main__":
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        (cpu,) = tensorflow.config.list_physical_devices("CPU")
        halves = [tensorflow.config.LogicalDeviceConfiguration()] * 2
        tensorflow.config.set_logical_device_configuration(cpu, halves)
    main(Path(sys.argv[1]), sys.argv[2:] == ["more"])
