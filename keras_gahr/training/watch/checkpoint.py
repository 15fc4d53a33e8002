"""The denoiser on disk after every epoch, and when to stop."""

import math
from collections.abc import Mapping

import keras

from keras_gahr.denoisers import save_denoiser

DIVERGED = 10.0
"""A loss this many times that of a network which puts out nothing or its input counts as diverging."""


class DenoiserKeeper(keras.callbacks.Callback):
    """Saves the denoiser after each epoch, and ends a training that diverges or gets no better.

    Args:
        path: of the `.keras` file.
        denoiser: what to save.
        batches: `TiledBatches`.
        idle_loss: the loss of a network that does nothing: the energy of the noise or of the image,
            whichever is larger.
        patience: epochs without a smaller test loss after which to stop, or None. With it only an
            epoch with a smaller test loss is saved.

    Attributes:
        diverged: whether the loss was not finite or far above `idle_loss`; the file is then
            that of the epoch before.
        exhausted: whether the patience ran out.
        kept: what others are told of the file: `kept_epoch`, the epoch (from 1) after which its weights were
            measured, or None where there is none. Empty where an older version began the run, and did not
            note it.
    """

    _LOOK_EVERY = 50

    def __init__(self, path, denoiser, batches, idle_loss, patience=None):
        super().__init__()
        self.path = path
        self.denoiser = denoiser
        self.batches = batches
        self.idle_loss = idle_loss
        self.patience = patience
        self.diverged = False
        self.best, self.waited = math.inf, 0
        self.kept: dict[str, int | None] = {"kept_epoch": None}
        self._calls = self._steps = 0

    @property
    def exhausted(self):
        return self.patience is not None and self.waited >= self.patience

    def state(self):
        # One that stops within an epoch saves what it has after its state is kept.
        replaced = self.patience is None and not self._is_whole
        return {
            "best": None if math.isinf(self.best) else self.best,
            "waited": self.waited,
            **({"kept_epoch": None} if replaced else self.kept),
        }

    def restore(self, state):
        self.best = math.inf if state["best"] is None else float(state["best"])
        self.waited = int(state["waited"])
        self.kept = {}
        if "kept_epoch" in state:
            epoch = state["kept_epoch"]
            if epoch is not None and (type(epoch) is not int or epoch < 1):
                raise ValueError(f"a model of epoch {epoch!r:.20}")
            self.kept = {"kept_epoch": epoch}

    @property
    def _is_whole(self):
        """Whether all steps of the epoch were taken."""
        return self._steps >= self.batches.steps_per_epoch

    def on_train_batch_end(self, batch, logs: Mapping[str, float]):
        self._steps = self.batches.done(batch)
        self._calls += 1
        # Reading the loss makes the device wait.
        if self._calls % self._LOOK_EVERY == 0 and not math.isfinite(float(logs["loss"])):
            self._give_up()

    def on_epoch_end(self, epoch, logs: Mapping[str, float]):
        losses = [logs[name] for name in ("loss", "val_loss") if name in logs]
        # NaN fails the comparison.
        if not all(loss < DIVERGED * self.idle_loss for loss in losses):
            self._give_up()
            return
        if self.patience is not None:
            if not self._is_whole and self.path.exists():
                # Stopped: the epoch will be judged when it is whole.
                return
            loss = losses[-1]
            self.waited = 0 if loss < self.best else self.waited + 1
            self.best = min(self.best, loss)
            if self.exhausted:
                self.model.stop_training = True
            if self.waited:
                return
        save_denoiser(self.denoiser, self.path)
        self.kept = {"kept_epoch": epoch + 1 if self._is_whole else None}

    def _give_up(self):
        self.diverged = True
        self.model.stop_training = True
