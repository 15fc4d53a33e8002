"""Keeping and restoring everything that a training's future depends on."""

import math
import time
from collections.abc import Mapping

import keras
from keras import ops

from .state import damaged, write_state


class StateKeeper(keras.callbacks.Callback):
    """Writes the state after each epoch, after so many seconds within one, and on a signal.

    A state holds all variables of the model (weights, running deviations, the states of the random
    generators, the metrics of the unfinished epoch) but the images, and of the optimizer, how many
    epochs and steps are done, and what the other callbacks need. A training that goes on from it does
    exactly what it would have done otherwise. Nothing is kept of a model that diverged.

    Args:
        path: of the `.safetensors` file.
        model: a compiled `BlindTraining`.
        batches: `TiledBatches`.
        interruption: an `Interruption`.
        parts: callbacks by name that have `state()`, plain values, and `restore(state)`.
        diverged: a function that says whether the training diverged: the state before is then kept.
        identity: plain values that a training must share with the state that it goes on from.
        seconds: between two states within an epoch.
        ended: a function that says whether somebody has ended the training for good, which is to be known
            when it goes on.
    """

    def __init__(
        self, path, model, batches, interruption, parts, diverged, identity, seconds, ended
    ):
        super().__init__()
        self.path = path
        self.batches = batches
        self.interruption = interruption
        self.parts = parts
        self.diverged = diverged
        self.identity = identity
        self.seconds = seconds
        self.ended = ended
        self.epoch = 0
        self.step = 0
        self._variables = _state_variables(model)
        self._metrics = model.metrics_variables
        self._metric_values = None
        self._written = time.monotonic()

    def restore(self, arrays, record):
        """Puts the model, the optimizer and the callbacks into a state.

        Args:
            arrays, record: what `read_state` returned.

        Raises:
            InputError: if they are not those of such a training.
        """
        expected = [(tuple(variable.shape), variable.dtype) for variable in self._variables]
        if [(array.shape, str(array.dtype)) for array in arrays] != expected:
            raise damaged(self.path, "it holds other arrays")
        try:
            self._restore_record(record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise damaged(self.path, f"its record has a wrong entry: {error}") from error
        values = dict(zip(map(id, self._variables), arrays, strict=True))
        for variable in self._variables:
            variable.assign(values[id(variable)])
        # `fit` sets the metrics back at the start of an epoch, after which they are put in.
        self._metric_values = [values[id(variable)] for variable in self._metrics]

    def _restore_record(self, record):
        epoch, step = record["epoch"], record["step"]
        steps = self.batches.steps_per_epoch
        if type(epoch) is not int or type(step) is not int or epoch < 0 or not 0 <= step < steps:
            raise ValueError(f"epoch {epoch}, step {step} of {steps}")
        if len(record["parts"]["history"]["rows"]) != epoch:
            raise ValueError(f"a history that is not of {epoch} epochs")
        for name, part in self.parts.items():
            part.restore(record["parts"][name])
        self.epoch, self.step = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        if self.step and self._metric_values is not None:
            for variable, value in zip(self._metrics, self._metric_values, strict=True):
                variable.assign(value)
        self._metric_values = None

    def on_train_batch_end(self, batch, logs: Mapping[str, float]):
        self.step = self.batches.done(batch)
        due = time.monotonic() - self._written >= self.seconds
        if not due and self.interruption.signal is None and not self.ended():
            return
        if self.step < self.batches.steps_per_epoch and math.isfinite(float(logs["loss"])):
            self._write()

    def on_epoch_end(self, epoch, logs=None):
        if self.step < self.batches.steps_per_epoch or self.diverged():
            return
        self.epoch, self.step = epoch + 1, 0
        self._write()

    def _write(self):
        # On JAX the variables are empty during an epoch; asking for the model fills them.
        _ = self.model
        arrays = [ops.convert_to_numpy(variable) for variable in self._variables]
        record = {
            "epoch": self.epoch,
            "step": self.step,
            "steps_per_epoch": self.batches.steps_per_epoch,
            "parts": {name: part.state() for name, part in self.parts.items()},
            "identity": self.identity,
        }
        write_state(self.path, arrays, record)
        self._written = time.monotonic()


def _state_variables(model):
    """All variables of a compiled model and its optimizer, each once, in an order that is fixed.

    The images that the model may hold are left out: they do not change, and are there already.
    """
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    once = {id(variable): variable for variable in variables}
    for variable in model.images.variables if model.images is not None else ():
        del once[id(variable)]
    return list(once.values())
