"""A denoiser's outputs as NumPy arrays."""

import numpy as np
from keras import ops

from keras_gahr import _backend

from .folding import FoldedNetwork


class Inference:
    """Runs a denoiser in evaluation mode, without gradients, compiled once for each input shape.

    Norms are folded into the weights, which are those that the denoiser has now; see `refold`.

    Args:
        denoiser: a `Denoiser`.
        batch_size: images computed at once.
    """

    def __init__(self, denoiser, batch_size=32):
        self.denoiser = denoiser
        self.batch_size = batch_size
        self._folded = FoldedNetwork(denoiser)
        self._residual = _backend.compile_inference(
            self._folded.network,
            # A network in bfloat16 leaves its outputs in that.
            lambda network, y: ops.cast(network(y), "float32"),
        )

    def refold(self):
        """Takes over the denoiser's weights again, after they have changed."""
        self._folded.refold()

    def residual(self, noisy):
        """r(y) for float32 images `(count, height, width, channels)`."""
        self.denoiser.check_shape(noisy.shape)
        return np.concatenate(
            [
                ops.convert_to_numpy(self._residual(noisy[start : start + self.batch_size]))
                for start in range(0, len(noisy), self.batch_size)
            ]
        )

    def denoise(self, noisy):
        """D(y) = y - r(y), shapes as for `residual`."""
        noisy = np.asarray(noisy, dtype=np.float32)
        return noisy[..., -self.denoiser.output_channels :] - self.residual(noisy)
