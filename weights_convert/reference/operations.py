"""Layers of the published networks on NCHW arrays, in float64."""

import numpy as np


def convolution(x, weight, stride=1, dilation=1):
    """Convolution with zeros around the image, as many as keep its size at stride 1.

    Args:
        x: `(batch, inputs, height, width)`.
        weight: `(outputs, inputs, side, side)`.
        stride: rows and columns from one output to the next.
        dilation: rows and columns from one value of the kernel to the next.
    """
    reach = dilation * (weight.shape[-1] - 1) + 1
    edge = reach // 2
    x = np.pad(x, [(0, 0), (0, 0), (edge, edge), (edge, edge)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (reach, reach), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    y = np.tensordot(windows, weight.astype(np.float64), axes=((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(y, -1, 1)


def transposed_convolution(x, weight, stride, padding=0):
    """Each pixel adds a multiple of the kernel to the image; then `padding` pixels are cut all around.

    Args:
        x: `(batch, inputs, height, width)`.
        weight: `(inputs, outputs, side, side)`.
        stride: pixels from one kernel to the next.
    """
    batch, _, height, width = x.shape
    _, outputs, side, _ = weight.shape
    parts = np.tensordot(x, weight.astype(np.float64), axes=((1,), (0,)))
    y = np.zeros((batch, outputs, (height - 1) * stride + side, (width - 1) * stride + side))
    for i in range(side):
        for j in range(side):
            rows = slice(i, i + stride * height, stride)
            columns = slice(j, j + stride * width, stride)
            y[:, :, rows, columns] += np.moveaxis(parts[..., i, j], -1, 1)
    return y[:, :, padding : y.shape[2] - padding, padding : y.shape[3] - padding]


def average_pool(x):
    """Means of 2x2 pixels."""
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))


def relu(x):
    return np.maximum(x, 0)


def scale(x, gammas, deviations):
    """Each channel times `gammas / deviations`.

    Args:
        x: `(batch, channels, height, width)`.
        gammas: one value per channel.
        deviations: the same, or what x is divided by, with its axes.
    """
    if np.ndim(deviations) != 4:
        deviations = np.reshape(deviations, (-1, 1, 1))
    return x * (np.reshape(gammas, (-1, 1, 1)).astype(np.float64) / deviations)


def numbers(state, prefix):
    """The numbers that follow a prefix in the names of a state dict."""
    return {
        int(name.removeprefix(prefix).split(".")[0]) for name in state if name.startswith(prefix)
    }
