"""Golden networks and arrays as the tests want them."""

import importlib

import keras
import numpy as np

from keras_gahr.denoisers import BiasFreeNorm, build_denoiser
from weights_convert import read_checkpoint
from weights_convert.layouts import recognize

NETWORKS = [
    "unet_1block",
    "unet_2block",
    "unet_3block",
    "unet_3block_rgb",
    "bf_cnn_20_linear",
    "bf_cnn_21_relu",
    "bf_cnn_rf9",
    "bf_cnn_rf13_fine",
    "bf_cnn_rf43",
]
"""Golden networks: a checkpoint and an archive of outputs each."""

FLEXIBLE = {
    "unet_flex_layer_color": "layer",
    "unet_flex_instance_gray": "instance",
    "unet_flex_batch_gray": None,
}
"""The same of UNet_flex, with the norm that has to be asked for."""


def nhwc(array):
    """An array of the published code with its channels moved last."""
    return np.moveaxis(array, -3, -1)


def from_state(state, first_layer=None, norm=None):
    """Our network with published weights."""
    plan, state = recognize(state, first_layer, norm)
    denoiser = build_denoiser(plan.architecture, seed=0, **plan.options)
    for name, entry in plan.entries.items():
        weight_of(denoiser, entry).assign(entry.transform(state[name]))
    return denoiser


def from_checkpoint(path):
    """Our network with the weights of a golden checkpoint, and its `Plan`."""
    state = read_checkpoint(path)
    asked = ("relu" if path.stem.endswith("relu") else None, FLEXIBLE.get(path.stem))
    plan, _ = recognize(state, *asked)
    return from_state(state, *asked), plan


def weight_of(denoiser, entry):
    """The Keras variable that a published array belongs to."""
    return getattr(denoiser.get_layer(entry.layer), entry.weight)


def with_unit_gammas(denoiser):
    """The denoiser with all scales 1: as initialized, deep outputs underflow float32."""
    for layer in denoiser.layers:
        if isinstance(layer, BiasFreeNorm):
            layer.gamma.assign(np.ones(layer.gamma.shape, np.float32))
    return denoiser


def residual_of_many_calls(inference, noisy):
    """The residual after so many calls that PyTorch has exported the network; it must stay the same."""
    calls = 2
    if keras.backend.backend() == "torch":
        calls += importlib.import_module(
            "keras_gahr._backend.convolution.torch_program"
        ).CALLS_BEFORE_EXPORT
    first, *others = (inference.residual(noisy) for _ in range(calls))
    for other in others:
        np.testing.assert_array_equal(other, first)
    return first


def relative_difference(found, expected):
    """The largest difference, relative to the largest value."""
    return np.max(np.abs(np.asarray(found) - expected)) / np.max(np.abs(expected))
