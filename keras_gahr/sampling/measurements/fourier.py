"""The orthonormal discrete Fourier transform of batches of images."""

import math

from keras import ops


def fourier(images):
    """Real and imaginary parts, each `(batch, height, width, channels)`; frequency 0 comes first."""
    channels_first = ops.transpose(images, (0, 3, 1, 2))
    parts = ops.fft2((channels_first, ops.zeros_like(channels_first)))
    scale = 1 / math.sqrt(images.shape[1] * images.shape[2])
    return tuple(scale * ops.transpose(part, (0, 2, 3, 1)) for part in parts)


def inverse_fourier(real, imaginary):
    """The real part of the inverse transform."""
    image, _ = ops.ifft2(tuple(ops.transpose(part, (0, 3, 1, 2)) for part in (real, imaginary)))
    return math.sqrt(real.shape[1] * real.shape[2]) * ops.transpose(image, (0, 2, 3, 1))
