"""One process's part of a training."""

import dataclasses
import signal

import keras

from keras_gahr import _backend
from keras_gahr.denoisers import with_precision

from .average import Average
from .batches import NoisyBatches, TiledBatches
from .blind_training import BlindTraining
from .checkpoint import Checkpoint
from .history import History
from .interruption import Interruption
from .optimizers import build_optimizer
from .progress import ProgressBar
from .state import read_state
from .state_keeper import StateKeeper
from .status import Status


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Args:
        state: "finished", "stopped" (by a signal), "early stop" or "diverged".
        history: the rows of history.csv.
        signal: the signal that stopped it, or None.
    """

    state: str
    history: list[dict]
    signal: signal.Signals | None

    @property
    def diverged(self):
        """Whether the loss was not finite or rose; the model is that of the epoch before, if any."""
        return self.state == "diverged"


class Session:
    """Runs a training in a run directory that this process has for itself, until something ends it.

    Args:
        denoiser, train_images, test_images, settings, console, state_seconds: see `train`.
        out: the run directory, which exists.
        identity: see `StateKeeper`.
    """

    def __init__(
        self, denoiser, train_images, test_images, settings, out, identity, console, state_seconds
    ):
        self.settings = settings
        self.batches = TiledBatches(
            train_images, settings.images_per_epoch, settings.batch_size, settings.seed
        )
        self.tests = None
        if len(test_images):
            self.tests = NoisyBatches(
                test_images, settings.noise_law, settings.batch_size, settings.seed
            )
        self.denoiser = denoiser
        if settings.precision != "float32":
            denoiser = with_precision(denoiser, settings.precision)
        self.model = self._compiled(denoiser)
        self.interruption = Interruption()
        self.history = History(out / "history.csv", self.batches)
        averages = [Average(denoiser)] if settings.ema is not None else []
        self.checkpoint = Checkpoint(
            out / "model.keras",
            averages[0].denoiser if averages else denoiser,
            self.batches,
            silent_loss=settings.noise_law.mean_square() * train_images[0].size,
            patience=settings.patience,
        )
        self.keeper = StateKeeper(
            out / "state.safetensors",
            self.model,
            self.batches,
            self.interruption,
            parts={"history": self.history, "checkpoint": self.checkpoint},
            identity=identity,
            seconds=state_seconds,
        )
        self.status = Status(out / "status.json", settings.epochs)
        self.progress = ProgressBar(console, self.batches, settings.epochs) if console else None
        self.callbacks = [
            self.interruption,
            *averages,
            self.history,
            self.checkpoint,
            # After those whose state it keeps.
            self.keeper,
            self.status,
            *([self.progress] if console else []),
        ]
        if averages and self.tests is not None:
            # Puts the averages in while testing; the others must see the trained weights.
            self.callbacks.append(keras.callbacks.SwapEMAWeights())

    def _compiled(self, denoiser):
        settings = self.settings
        model = BlindTraining(denoiser, settings.noise_law, settings.seed, settings.rescale)
        jit_compile = settings.jit_compile
        model.compile(
            optimizer=build_optimizer(settings, self.batches.steps_per_epoch),
            jit_compile=_backend.jit_compile() if jit_compile is None else jit_compile,
            steps_per_execution=settings.steps_per_execution,
        )
        model.optimizer.build(model.trainable_variables)
        return model

    def run(self, kept=None):
        """Trains to the end, or until something ends it.

        Args:
            kept: the state to go on from, as `read_state` has it, or None.

        Returns:
            `TrainingResult`.
        """
        if kept is not None:
            self.keeper.restore(*kept)
        self.status.write("running", self.keeper.epoch)
        try:
            with self.interruption.listening():
                if self.keeper.step:
                    # All epochs of one `fit` have one length: the rest of one needs its own.
                    self._fit(self.keeper.epoch + 1)
                    if self._end() is None:
                        # At its end `fit` puts the averages in the place of the weights.
                        self.keeper.restore(*read_state(self.keeper.path))
                if self._end() is None:
                    self._fit(self.settings.epochs)
        finally:
            if self.progress is not None:
                self.progress.close()
        if self.model.denoiser is not self.denoiser:
            self.denoiser.set_weights(self.model.denoiser.get_weights())
        self.status.write(self._end())
        return TrainingResult(self._end(), self.history.rows, self.interruption.signal)

    def _end(self):
        """Why the training is over, or None while it is not."""
        if self.checkpoint.diverged:
            return "diverged"
        if self.checkpoint.exhausted:
            return "early stop"
        if self.keeper.epoch >= self.settings.epochs:
            return "finished"
        return None if self.interruption.signal is None else "stopped"

    def _fit(self, epochs):
        """Trains from where the keeper is until so many epochs are done."""
        first = self.keeper.epoch
        self.batches.begin(first, self.keeper.step)
        self.model.fit(
            self.batches,
            initial_epoch=first,
            epochs=epochs,
            validation_data=self.tests,
            # The batches have their own order; Keras would shuffle it with its global seed.
            shuffle=False,
            callbacks=[self.batches.order(), *self.callbacks],
            verbose=0,
        )
