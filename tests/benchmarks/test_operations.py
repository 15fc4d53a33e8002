"""A guard against becoming slow that needs no clock: no case computes more than it must.

Convolutions are counted as PyTorch is asked for them, plain ones, so that each has as many operations as its
definition. That a faster way to one is in fact taken is tested where that way is (`tests/denoisers`).
"""

import keras
import numpy as np
import pytest

from benchmarks.denoising import Denoise
from benchmarks.networks import forward_flops, unet
from benchmarks.sampling import Draw
from benchmarks.scale import Scale
from benchmarks.training import Fit
from keras_gahr._backend.convolution.switch import VARIABLE

SCALE = Scale(kernels=4, blocks=2, side=16, batch=4, steps=2, drawn_side=16, drawn_steps=5)


@pytest.fixture
def counted(monkeypatch):
    """A function that returns the floating-point operations of calling another, once it is prepared."""
    if keras.backend.backend() != "torch":
        pytest.skip("PyTorch counts operations")
    from torch.utils.flop_counter import FlopCounterMode

    monkeypatch.setenv(VARIABLE, "1")

    def counted(function):
        function()
        with FlopCounterMode(display=False) as counter:
            function()
        return counter.get_total_flops()

    return counted


def test_a_batch_is_one_pass(counted):
    assert counted(Denoise(SCALE, "float32", 16, 4, 1)) == 4 * forward_flops(unet(SCALE), 16)


def test_a_step_of_sampling_is_one_pass(counted):
    """And the last image is denoised."""
    passes = SCALE.drawn_steps + 1
    assert counted(Draw(SCALE, "float32", 3)) == 3 * passes * forward_flops(unet(SCALE), 16)


def test_a_step_of_training_is_three_passes(counted):
    """One forward, and one for the gradients of each convolution's images and kernel; noise has none."""
    network = unet(SCALE)
    first = 2 * 16**2 * np.prod(network.layers[1].kernel.shape)
    images = SCALE.steps * SCALE.batch
    assert counted(Fit(SCALE, "float32")) == images * (3 * forward_flops(network, 16) - first)
