"""What norms remember of batches, for weights that no batch has seen."""

from __future__ import annotations

import keras
from keras import ops

from keras_gahr import _backend
from keras_gahr._backend import parallel
from keras_gahr.denoisers import Denoiser

from .blind_training import BlindTraining
from .data.batches import TiledBatches

_BATCHES = 32
_IMAGES = 2048
"""So many batches, or images where these are more and in an epoch: deviations are then known to one or two
percent, at the price of a third as many training steps."""


class RunningValues:
    """Gives the norms of a denoiser the running values that belong to its weights.

    They become the means over batches in training mode, of the weights as they are. An average of weights
    needs that: what its layers compute deviates less than with any of the weights that were averaged
    (Izmailov et al., 2018, "Averaging weights leads to wider optima and better generalization", algorithm 1).

    Args:
        training: the denoiser with the noise that it is trained on, the same each time.
        batches: of images. If there are few, they come several times, with other noise.
    """

    def __init__(self, training: BlindTraining, batches: TiledBatches) -> None:
        self._norms = _norms(training.denoiser)
        self._batches = batches
        self._generators = [
            (generator.state, ops.convert_to_numpy(generator.state))
            for generator in (
                training.level_generator,
                training.noise_generator,
                training.scale_generator,
            )
        ]
        self._run = _backend.compile_training_pass(training)

    def measure(self) -> None:
        """Measures them for the weights of now."""
        values = [value for norm in self._norms for value in norm.non_trainable_variables]
        if not values:
            return
        for state, first in self._generators:
            state.assign(first)
        count = _count(self._batches)
        momenta = [norm.momentum for norm in self._norms]
        sums = [0.0] * len(values)
        try:
            for norm in self._norms:
                norm.momentum = 0.0
            for number in range(count):
                self._run(_own_part(self._batches[number % len(self._batches)]))
                for place, value in enumerate(values):
                    sums[place] += ops.convert_to_numpy(value)
        finally:
            for norm, momentum in zip(self._norms, momenta, strict=True):
                norm.momentum = momentum
        for value, total in zip(values, sums, strict=True):
            value.assign(total / count)


def passes_to_measure(denoiser: Denoiser, batches: TiledBatches) -> int:
    """How many batches `RunningValues` takes for a denoiser; none if its norms remember nothing."""
    known = any(norm.non_trainable_variables for norm in _norms(denoiser))
    return _count(batches) if known else 0


def _norms(denoiser):
    return [layer for layer in denoiser._flatten_layers() if hasattr(layer, "momentum")]


def _count(batches):
    return max(_BATCHES, min(-(-_IMAGES // batches.batch_size), len(batches)))


def _own_part(batch):
    """The images of this replica, over all of which the norms take their statistics."""
    index, count = parallel.replica()

    def part(array):
        size = len(array) // count
        return array[index * size : (index + 1) * size]

    return keras.tree.map_structure(part, batch)
