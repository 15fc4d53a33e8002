"""Stopping a training between two steps."""

import contextlib
import signal
import sys

import keras

from keras_gahr.signals import taken_over


class Interruption(keras.callbacks.Callback):
    """Ends the training after the current step when the process is asked to stop.

    An exception in the middle of a step could leave the weights half updated (JAX gives the old ones
    away before it has the new ones); this lets the step finish. A second signal stops at once.

    Args:
        any_process: a function that says whether a flag is true in any of the processes that train
            together. Without it a process would wait for one that has ended.
    """

    def __init__(self, any_process=bool):
        super().__init__()
        self.any_process = any_process
        self.signal = None

    def on_train_batch_end(self, batch, logs=None):
        if self.any_process(self.signal is not None):
            self.signal = self.signal or signal.SIGTERM
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        # The signal may have come after the last step, while testing.
        self.on_train_batch_end(None)

    def _request(self, number, frame):
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        print("stopping after this step; the same again stops at once", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def listening(self):
        """Within it, signals that ask the process to end are taken over: see `taken_over`."""
        with taken_over(self._request):
            yield self
