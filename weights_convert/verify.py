"""A converted network against the float64 reference, stage by stage."""

from dataclasses import dataclass

import keras
import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.quoting import listed

TOLERANCE = 1e-4
"""Largest relative difference of a stage that rounding may explain.

Measured on the CPU with PyTorch, JAX and TensorFlow: up to 3e-6 for random weights and from 1e-6 to
1.2e-5 for published ones. This is about eight times more; an exchanged axis, a missing ReLU or a
scale that is wrong by 0.1 % is far above it.
"""


class VerificationError(InputError):
    """The converted network does not compute what the published one does."""


@dataclass(frozen=True)
class Verification:
    """How far the converted network is from the reference.

    Args:
        differences: a dictionary layer -> largest absolute difference divided by the largest
            absolute value, in the order of computation.
    """

    differences: dict

    @property
    def maximum(self):
        return max(self.differences.values())


def verify(denoiser, plan, state):
    """Runs a denoiser and the reference on the same noisy image and compares every layer.

    Args:
        denoiser: built and filled after `plan`.
        plan: a `Plan`.
        state: the published arrays.

    Returns:
        A `Verification`.

    Raises:
        VerificationError: names the first stage that differs by more than `TOLERANCE`, and by how
            much.
    """
    noisy = test_image(denoiser.size_multiple, denoiser.input_channels)
    stages = {
        layer.name: layer.output
        for layer in denoiser.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    model = keras.Model(denoiser.input, stages)
    model.dtype_policy = "float32"
    outputs = model.predict_on_batch(noisy)
    differences = {}
    for stage, expected in plan.reference(state, np.moveaxis(noisy, -1, 1)):
        found = np.moveaxis(np.asarray(outputs.pop(stage)), -1, 1)
        differences[stage] = _relative_difference(found, expected)
        # Written so that NaN fails too.
        if not differences[stage] <= TOLERANCE:
            raise VerificationError(
                f"the converted network differs from the published one at {stage}, by "
                f"{differences[stage]:.2g} of the largest value, where {TOLERANCE:.0e} is allowed; "
                "nothing was written"
            )
    if outputs:
        raise VerificationError(f"the published network has no stage {listed(outputs)}")
    return Verification(differences)


def test_image(size_multiple, channels):
    """A smooth image with noise of standard deviation 0.2, `(1, height, width, channels)`, float32.

    It is not square and each channel differs, so that no exchange of axes goes unseen.
    """
    height = size_multiple * -(-24 // size_multiple)
    # One odd side where any size is allowed: networks that halve images must pad that one.
    width = height + size_multiple * -(-8 // size_multiple) + (size_multiple == 1)
    rows, columns, channel = np.ogrid[:height, :width, :channels]
    smooth = 0.5 + 0.3 * np.sin(rows / 5 + channel) * np.cos(columns / 7 - channel)
    noise = np.random.default_rng(0).standard_normal(smooth.shape)
    return (smooth + 0.2 * noise).astype(np.float32)[None]


def _relative_difference(found, expected):
    scale = np.max(np.abs(expected))
    return float(np.max(np.abs(found - expected)) / (scale if scale > 0 else 1.0))
