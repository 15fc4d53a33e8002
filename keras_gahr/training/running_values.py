"""What norms remember of batches, for weights that no batch has seen."""

from __future__ import annotations

import keras
from keras import ops

from keras_gahr import _backend
from keras_gahr._backend import parallel

from .blind_training import BlindTraining
from .data.batches import TiledBatches

_BATCHES = 32
_IMAGES = 2048
"""So many batches, or images where these are more and in an epoch: deviations are then known to one or two
percent, at the price of ten training steps."""


def measure_running_values(training: BlindTraining, batches: TiledBatches) -> None:
    """Gives the norms of a denoiser the running values that belong to its weights.

    They become the means over batches in training mode, of the weights as they are. An average of weights
    needs that: what its layers compute deviates less than with any of the weights that were averaged
    (Izmailov et al., 2018, "Averaging weights leads to wider optima and better generalization", algorithm 1).

    Args:
        training: the denoiser with the noise that it is trained on.
        batches: of images. If there are few, they come several times, with other noise.
    """
    norms = [layer for layer in training.denoiser._flatten_layers() if hasattr(layer, "momentum")]
    values = [value for norm in norms for value in norm.non_trainable_variables]
    if not values:
        return
    count = max(_BATCHES, min(-(-_IMAGES // batches.batch_size), len(batches)))
    momenta = [norm.momentum for norm in norms]
    sums = [0.0] * len(values)
    try:
        for norm in norms:
            norm.momentum = 0.0
        with _backend.without_gradients():
            for number in range(count):
                training(_own_part(batches[number % len(batches)]), training=True)
                for place, value in enumerate(values):
                    sums[place] += ops.convert_to_numpy(value)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    for value, total in zip(values, sums, strict=True):
        value.assign(total / count)


def _own_part(batch):
    """The images of this replica, over all of which the norms take their statistics."""
    index, count = parallel.replica()

    def part(array):
        size = len(array) // count
        return array[index * size : (index + 1) * size]

    return keras.tree.map_structure(part, batch)
