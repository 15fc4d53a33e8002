"""Trainings that a signal ends where a test wants it."""

import signal

from keras_gahr.training import session


def stop_after(monkeypatch, steps):
    """Makes trainings get a SIGINT after so many steps of this process."""

    class Stopping(session.Interruption):
        taken = 0

        def on_train_batch_end(self, batch, logs=None):
            Stopping.taken += 1
            if Stopping.taken == steps:
                signal.raise_signal(signal.SIGINT)
            super().on_train_batch_end(batch, logs)

    monkeypatch.setattr(session, "Interruption", Stopping)
