"""The clock of memorization in a training of ours."""

import math
import shutil
from pathlib import Path

import keras

from keras_gahr.denoisers import save_denoiser
from keras_gahr.files import replacing

from ..clock.look import Look
from ..clock.memorization_clock import MemorizationClock
from ..clock.plan import ClockPlan
from ..clock.table import write_clock
from ..clock.trained_levels import TrainedLevels
from ..clock.twin import KeptSamples, with_twin
from .event_file import EventFile

_SEED = 0


class ClockWatch(keras.callbacks.Callback):
    """Looks at the denoiser at log-spaced steps and at the end; see `MemorizationClock`.

    It keeps clock.csv, the samples of each look in the folder clock, event files below events/clock whose
    steps are those of the training, and before_memorizing.keras, the denoiser of the last look that showed no
    memorization.

    Args:
        folder: the run directory.
        options: `ClockOptions`.
        law: of the noise levels of the training.
        plan: a `ClockPlan`; None for a run that goes on, which has the one that it began with, and the
            levels: `restore` puts them back.
        train_images, test_images: arrays `(count, height, width, channels)`.
        batches: `TiledBatches`.
        last_step: of the training.
        denoiser: a function without arguments that returns the `Denoiser` to look at.
        any_process: a function that says whether a flag is true in any of the processes that train
            together: by rounding, one may see what another does not.

    Attributes:
        stopped: how one saw that it memorizes, if that ended the training; else None.
    """

    def __init__(
        self,
        folder,
        options,
        law,
        plan,
        train_images,
        test_images,
        batches,
        last_step,
        denoiser,
        any_process=bool,
    ):
        super().__init__()
        self.folder = folder
        self.options = options
        self.law = law
        self.plan = plan
        self.levels = None if plan is None else TrainedLevels.of(law)
        self.batches = batches
        self.last_step = last_step
        self.stopped = None
        self._images = train_images, test_images
        self._denoiser = denoiser
        self._any_process = any_process
        shape = train_images.shape[1:]
        self._kept = KeptSamples(folder, shape)
        self._twin = None if options.twin is None else KeptSamples(Path(options.twin), shape)
        self._looks = []
        self._clock = None
        self._events = None

    @property
    def clock(self):
        """The `MemorizationClock`, made when it is first needed: a run that goes on has a plan by then."""
        if self._clock is None:
            assert self.levels  # They are put back by now.
            self._clock = MemorizationClock(
                *self._images,
                samples=self.plan.samples,
                looks_per_decade=self.plan.per_decade,
                sigmas=self.levels.sigmas,
                schedule=self.levels.schedule,
                features=self.options.clock_features,
                # Whatever the seed of the training is: twins differ in that.
                seed=_SEED,
            )
            self._clock.looks = self._looks
        return self._clock

    @property
    def snapshot(self):
        """Where the denoiser of the last look lies that showed no memorization."""
        return self.folder / "before_memorizing.keras"

    def report(self):
        """The `ClockReport` so far."""
        return self.clock.report()

    def state(self):
        assert self.levels
        return {
            "plan": vars(self.plan),
            "levels": self.levels.state(),
            "looks": [
                {name: None if number != number else number for name, number in row.items()}
                for row in self.clock.report().rows
            ],
            "stopped": self.stopped,
        }

    def restore(self, state):
        """Puts back what `state` returned; raises `ValueError` or `TypeError` for anything else."""
        plan, looks, stopped = ClockPlan(**state["plan"]), state["looks"], state["stopped"]
        for number in vars(plan).values():
            if not 0 < float(number) < math.inf:
                raise ValueError(f"a plan with {number}")
        if not isinstance(stopped, str | None):
            raise ValueError("a reason that is no text")
        looks = [Look.from_row(row) for row in looks]
        if "levels" in state:
            levels = TrainedLevels.restored(state["levels"])
        else:
            levels = TrainedLevels.of_earlier(looks, self.law)
        if (plan, levels) != (self.plan, self.levels):
            self.plan, self.levels, self._clock = plan, levels, None
        self._looks[:] = looks
        self.stopped = stopped

    def on_train_begin(self, logs=None):
        if self._events is None:
            last = self.clock.looks[-1].step if self.clock.looks else 0
            self._events = EventFile(self.folder / "events" / "clock", last + 1)

    def on_train_batch_end(self, batch, logs=None):
        step = self.batches.steps(batch)
        if self.clock.due(step) or step == self.last_step:
            self._look(step)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Closes the event file; `on_train_end` does not run when `fit` raises."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _look(self, step):
        # On JAX the variables are empty during an epoch; asking for the model fills them.
        _ = self.model
        denoiser = self._denoiser()
        look = self.clock.look(step, denoiser)
        assert self.clock.last_samples is not None  # Of this look.
        self._kept.write(step, self.clock.last_samples)
        self.compare_with_twin()
        assert self._events is not None  # Since the training began.
        self._events.add(step, scalars_of_look(self.clock.looks[-1]))
        reason = look.memorizes(self.clock.gap_errors)
        if self._any_process(reason is not None):
            if self.options.stop_before_memorizing:
                self.stopped = f"at step {step} {reason or 'another process sees it'}"
                self.model.stop_training = True
        elif self.clock.report().memorized_at is None and math.isfinite(look.train_error):
            # Once it memorized, a look that does not show it is no way back; and nothing is to be kept of
            # a network that diverged.
            save_denoiser(denoiser, self.snapshot)

    def finish(self, path, diverged):
        """Ends the clock of a training: of one that it stopped, the model becomes the snapshot.

        Args:
            path: of the `.keras` file of the run.
            diverged: whether the training did, so that the file is what is left of it.

        Returns:
            Whether the file is the snapshot now.
        """
        self.compare_with_twin()
        if self.stopped is None or diverged or not self.snapshot.is_file():
            return False
        with replacing(path) as temporary:
            shutil.copyfile(self.snapshot, temporary)
        return True

    def compare_with_twin(self):
        """Writes clock.csv, with the twin's agreement at all steps that it has reached by now."""
        looks = self.clock.looks
        if self._twin is not None:
            looks[:] = [with_twin(look, self._kept, self._twin) for look in looks]
        write_clock(self.folder / "clock.csv", looks)


def scalars_of_look(look):
    """The numbers of a look by the tags that they have in TensorBoard."""
    return {f"clock/{name}": number for name, number in look.row().items() if number == number}
