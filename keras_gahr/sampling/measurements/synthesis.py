"""The measurement that keeps nothing."""

from keras import ops

from .measurement import Measurement


class Synthesis(Measurement):
    """Nothing is known of the image, so that the sampler draws from the prior.

    Args:
        shape: of one image, `(height, width, channels)`.
    """

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.measured_shape = (0,)

    def measure(self, images):
        return images[:, :0, 0, 0]

    def back_project(self, measured):
        return ops.zeros((measured.shape[0], *self.shape), dtype="float32")

    def project(self, images):
        return ops.zeros_like(images)

    def ascent_direction(self, residual, images, known):
        return residual
