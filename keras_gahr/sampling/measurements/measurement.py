"""What every linear measurement has in common."""

import abc


class Measurement(abc.ABC):
    """A linear map M with orthonormal rows from images to measurements.

    Then P = M^T M is the projection on what is known of an image. All methods take and return
    tensors of the running backend and work on batches; images are `(batch, height, width, channels)`.
    """

    @abc.abstractmethod
    def measure(self, images):
        """M x: the measurements of images."""

    @abc.abstractmethod
    def back_project(self, measured):
        """M^T m: the images of least norm with these measurements."""

    def project(self, images):
        """P x: the known part of images."""
        return self.back_project(self.measure(images))

    def ascent_direction(self, residual, images, known):
        """g = (I - P) r(y) + P y - M^T m, which the sampler follows downwards.

        Args:
            residual: r(y).
            images: y.
            known: M^T m, the back-projected measurements.
        """
        return residual + self.project(images - residual) - known
