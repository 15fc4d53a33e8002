"""The network that is timed."""

import math

import keras
import numpy as np

from keras_gahr.denoisers import BiasFreeNorm, UNet, with_precision


def unet(scale, precision="float32"):
    """The UNet of a `Scale`, untrained, its layers computing in a precision of it."""
    denoiser = UNet(num_kernels=scale.kernels, num_blocks=scale.blocks, seed=0)
    for layer in denoiser.layers:
        if isinstance(layer, BiasFreeNorm):
            # As initialized, deep values are too small for float32, which is slow to compute with.
            layer.gamma.assign(np.full(layer.gamma.shape, 0.5, np.float32))
    return with_precision(denoiser, "mixed_bfloat16") if precision == "bfloat16" else denoiser


def noisy_images(count, side):
    """Images of mean 0.5 with noise, float32 `(count, side, side, 1)`."""
    return np.random.default_rng(0).normal(0.5, 1, (count, side, side, 1)).astype(np.float32)


def forward_flops(denoiser, side):
    """Floating-point operations of one pass for one image of `side` x `side`.

    Each weight of a kernel is multiplied and added once for each pixel of its layer's output (of its
    input in a transposed convolution). For the UNet with 3 blocks and 64 kernels and 80x80 pixels
    these are 6.70e9.
    """
    layers = [layer for layer in denoiser.layers if hasattr(layer, "kernel")]
    outputs = keras.Model(denoiser.inputs, [layer.output for layer in layers])
    specs = outputs.compute_output_spec(keras.KerasTensor((1, side, side, 1)))
    flops = 0
    for layer, spec in zip(layers, keras.tree.flatten(specs), strict=True):
        pixels = math.prod(spec.shape[1:3])
        if isinstance(layer, keras.layers.Conv2DTranspose):
            pixels //= math.prod(layer.strides)
        flops += 2 * math.prod(layer.kernel.shape) * pixels
    return flops
