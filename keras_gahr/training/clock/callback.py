"""The clock of memorization in a loop of Keras."""

from __future__ import annotations

from typing import Any

import keras

from keras_gahr.denoisers import DenoiserLike, as_denoiser

from .memorization_clock import MemorizationClock


class ClockCallback(keras.callbacks.Callback):
    """Looks at a network of yours that `fit` trains, at the steps at which the clock is due.

    Steps are those that the optimizer has taken, in an earlier `fit` or before the network was loaded, too.

    Args:
        clock: a `MemorizationClock`.
        denoiser: the network as a denoiser: what `kg.wrap` made of it.
        stop: whether to end the training when it memorizes, with the weights of the look before.

    Examples:
        >>> import keras, keras_gahr as kg, numpy as np
        >>> from keras_gahr.training import ClockCallback
        >>> images = np.random.default_rng(0).random((24, 8, 8, 1)).astype("float32")
        >>> network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same")])
        >>> network.compile("adam", "mse")
        >>> clock = kg.MemorizationClock(images[:16], images[16:], samples=4)
        >>> watch = ClockCallback(clock, kg.wrap(network, "image"))
        >>> noisy = images[:16] + 0.1
        >>> _ = network.fit(noisy, images[:16], batch_size=4, epochs=3, verbose=0, callbacks=[watch])
        >>> [look.step for look in clock.looks]
        [10]
    """

    def __init__(
        self, clock: MemorizationClock, denoiser: DenoiserLike, stop: bool = False
    ) -> None:
        super().__init__()
        self.clock = clock
        self.stop = stop
        self._denoiser = as_denoiser(denoiser)
        self._done = self._before = 0
        self._weights: list[Any] | None = None
        self._stopped = False

    def on_train_begin(self, logs: Any = None) -> None:
        self._stopped = False
        seen = self.clock.looks[-1].step if self.clock.looks else 0
        self._done = max(self._done, seen, _steps_taken(self.model))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._before = self._done

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # With several steps at a time only the last of them is told.
        self._done = self._before + batch + 1
        if not self.clock.due(self._done):
            return
        # On JAX the variables are empty during an epoch; asking for the model fills them.
        model = self.model
        memorizes = self.clock.look(self._done, self._denoiser).memorizes(self.clock.gap_errors)
        if not self.stop:
            return
        if memorizes is None:
            self._weights = model.get_weights()
        else:
            self._stopped = model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self._stopped and self._weights is not None:
            self.model.set_weights(self._weights)


def _steps_taken(model):
    """Batches that a model was trained on so far, as its optimizer counts them; 0 without one."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return 0
    # It counts its updates.
    return int(optimizer.iterations) * (optimizer.gradient_accumulation_steps or 1)
