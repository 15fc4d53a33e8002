"""The published network of nine convolutions."""

import numpy as np

from . import operations


def dilated_unet(state, noisy):
    """The bias-free UNet of arXiv 1906.05478, which computes the denoised image.

    Args:
        state: a dictionary published name -> array.
        noisy: images, `(batch, channels, height, width)`.
    """

    def layer(number, x, **options):
        x = operations.convolution(x, state[f"conv{number}.weight"], **options)
        yield f"conv_{number}", x
        x = operations.relu(x)
        yield f"relu_{number}", x
        return x

    noisy = noisy.astype(np.float64)
    height, width = noisy.shape[2:]
    x = np.pad(noisy, [(0, 0), (0, 0), (0, height % 2), (0, width % 2)])
    yield "even", x
    x = yield from layer(1, x)
    x = skip = yield from layer(2, x)
    yield "edge", np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    x = yield from layer(3, x, stride=2)
    x = yield from layer(4, x)
    x = yield from layer(5, x, dilation=2)
    x = yield from layer(6, x, dilation=4)
    x = operations.transposed_convolution(x, state["conv7.weight"], stride=2, padding=1)
    yield "conv_7", x
    x = operations.relu(x)
    yield "relu_7", x
    x = np.concatenate([x, skip], axis=1)
    yield "skip", x
    x = yield from layer(8, x)
    x = operations.convolution(x, state["conv9.weight"])
    yield "conv_9", x
    x = x[:, :, :height, :width]
    yield "denoised", x
    yield "residual", noisy - x
