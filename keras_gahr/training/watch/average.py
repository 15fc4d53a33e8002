"""The denoiser with the moving average of its weights."""

import keras
from keras import ops

from ..blind_training import BlindTraining
from ..running_values import RunningValues


class Average(keras.callbacks.Callback):
    """Keeps a second denoiser whose weights are the optimizer's moving average, and lets that be tested.

    The running values of its norms are measured: those of the trained denoiser belong to other weights.

    Args:
        denoiser: the one that is trained. If several devices share its batches, this must be made where it
            was made, too.
        settings: `TrainingSettings`.
        batches: `TiledBatches` to measure with, whose epoch stays the same.
        images: `DeviceImages` that batches of indices belong to, or None.
    """

    def __init__(self, denoiser, settings, batches, images=None):
        super().__init__()
        self.denoiser = type(denoiser).from_config(denoiser.get_config())
        training = BlindTraining(
            self.denoiser, settings.noise_law, settings.seed, settings.rescale, images
        )
        self._running_values = RunningValues(training, batches)
        self._taken = None

    def on_test_begin(self, logs=None):
        self.take()
        self._exchange()

    def on_test_end(self, logs=None):
        # All others must see the trained weights.
        self._exchange()

    def on_epoch_end(self, epoch, logs=None):
        self.take()

    def take(self):
        """Takes over the averages of now."""
        optimizer, trained = self.model.optimizer, self.model.denoiser
        step = int(ops.convert_to_numpy(optimizer.iterations))
        if step == self._taken:
            return
        for own, others in zip(self.denoiser.variables, trained.variables, strict=True):
            own.assign(others)
        # By its name it ends a training, but it changes no more than the variables it is given.
        optimizer.finalize_variable_values(self.denoiser.trainable_variables)
        self._running_values.measure()
        self._taken = step

    def _exchange(self):
        """Lets the model have the averages, and this the trained weights; or the reverse."""
        pairs = zip(self.denoiser.variables, self.model.denoiser.variables, strict=True)
        for own, trained in pairs:
            value = ops.convert_to_numpy(own)
            own.assign(trained)
            trained.assign(value)
