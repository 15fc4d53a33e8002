"""What the baselines have in common."""

from types import NoneType

import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr.datasets.arrays import NEARLY_CLEAN, blocks, to_float
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import Denoiser
from keras_gahr.denoisers.configuration import check_stored_options, plain_values
from keras_gahr.denoisers.denoiser import pixel_tensor
from keras_gahr.denoisers.layers import Layer, image_input
from keras_gahr.errors import InputError
from keras_gahr.noise import check_units, parse_sigma

LEAST_SIGMA = 1e-6
"""Noise levels below this count as this, so that nothing is divided by zero."""


class Baseline(Denoiser):
    """A computed denoiser of images of one size.

    A network is blind; these formulas need the noise level. It is given when the denoiser is made,
    and can be changed by `set_sigma`, or it is estimated from each noisy image.

    Args:
        layer: a `ResidualLayer`.
        input_shape: `(height, width, channels)`.
        provenance, name: see `Denoiser`.
    """

    def __init__(self, layer, input_shape, provenance, name):
        height, width, channels = input_shape
        inputs = image_input(channels, height, width)
        super().__init__(inputs, layer(inputs), None, provenance, name)
        self.residual_layer = layer

    @classmethod
    def stored_shapes(cls, options):
        """See `Denoiser.stored_shapes`; `_stored_shapes` is given what is checked here."""
        check_stored_options(options, {"sigma": (float, NoneType), **cls._KINDS})
        missing = {"sigma", *cls._KINDS} - options.keys()
        if missing:
            raise ValueError(f"it lacks the option {min(missing)}")
        for name in ("shape", "image_shape"):
            sides = options.get(name, [1])
            if not sides or any(type(side) is not int or side < 1 for side in sides):
                raise ValueError(f"its {name} is no list of whole numbers of at least 1")
        known = [] if options["sigma"] is None else [()]
        return [*known, *cls._stored_shapes(options)]

    def set_sigma(self, sigma, *, any_size=False):
        """Changes the noise level, in units of [0, 1].

        Args:
            sigma: the level, as `parse_sigma` takes it.
            any_size: whether it may be one that only units of 0..255 have, as densities want.

        Raises:
            InputError: unless it is a level above 0, or if this denoiser estimates it.
        """
        if self.residual_layer.sigma is None:
            raise InputError("this denoiser estimates the noise level: make one with a sigma")
        level = check_sigma(sigma)
        self.residual_layer.sigma.assign(level if any_size else check_units(level))

    def at(self, sigma):
        """The denoiser of another noise level, a copy; itself if it estimates the level."""
        sigma = self.check_sigma(sigma)
        return self if self.residual_layer.sigma is None else self.knowing(sigma)

    def estimating(self):
        """The denoiser that estimates the noise level of each image, a copy; itself if it does already."""
        return self if self.residual_layer.sigma is None else self._with_sigma(None)

    def knowing(self, sigma):
        """The denoiser that is given a noise level, a copy, whether or not this one is."""
        return self._with_sigma(check_sigma(sigma))

    def _with_sigma(self, sigma):
        with _backend.with_gradients():
            # Of what is made in torch.inference_mode() none could be asked for later.
            copy = type(self).from_config({**self.get_config(), "sigma": sigma})
        own, other = self.residual_layer.sigma, copy.residual_layer.sigma
        values = iter(
            values
            for weight, values in zip(self.weights, self.get_weights(), strict=True)
            if weight is not own
        )
        copy.set_weights(
            [np.float32(sigma) if weight is other else next(values) for weight in copy.weights]
        )
        return copy

    def estimate_sigma(self, noisy):
        """The noise level that is used for each noisy image `(batch, height, width, channels)`.

        Returns:
            A tensor `(batch,)`.
        """
        noisy = pixel_tensor(noisy)
        self.check_shape(noisy.shape)
        with _backend.float32_products():
            return self.residual_layer.noise_level(noisy)

    def check_shape(self, shape):
        super().check_shape(shape)
        height, width = self.input_shape[1:3]
        if any(
            side not in {None, own} for side, own in zip(shape[1:3], (height, width), strict=True)
        ):
            raise InputError(
                f"received images of {shape[1]}x{shape[2]}, but this baseline was made for "
                f"{height}x{width}: make another one"
            )

    def get_config(self):
        sigma = self.residual_layer.sigma
        return {
            "name": self.name,
            "provenance": plain_values(self.provenance),
            # The number itself is among the weights.
            "sigma": None if sigma is None else 1.0,
        }


class ResidualLayer(Layer):
    """r(y) by a formula; its weights are not trained.

    Args:
        output_channels: channels of the residual.
        sigma: the noise level; None to estimate it.
    """

    def __init__(self, output_channels, sigma, name):
        super().__init__(name=name, trainable=False)
        self.output_channels = output_channels
        if sigma is not None:
            sigma = self.constant(check_units(check_sigma(sigma)), "sigma")
        self.sigma = sigma

    def __call__(self, *tensors, **options):
        # A formula that is exact on one device is so on all.
        with _backend.float32_products():
            return super().__call__(*tensors, **options)

    def constant(self, value, name):
        """A weight that is not trained; uint8 stays uint8, all else becomes float32."""
        value = np.asarray(value)
        dtype = "uint8" if value.dtype == np.uint8 else "float32"
        return self.add_weight(
            shape=value.shape,
            dtype=dtype,
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                np.array(value, dtype, order="C"), dtype
            ),
            trainable=False,
            name=name,
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_channels)

    def noise_level(self, noisy):
        """The noise level of each image, `(batch,)`."""
        if self.sigma is not None:
            return ops.full((ops.shape(noisy)[0],), 1.0, dtype="float32") * ops.convert_to_tensor(
                self.sigma
            )
        return ops.maximum(self.estimate(noisy), LEAST_SIGMA)

    def estimate(self, noisy):
        """The noise level that the formula finds in each image, `(batch,)`."""
        raise NotImplementedError


def check_sigma(sigma):
    """The noise level, if it is a number above 0; else raises `InputError`."""
    if (level := parse_sigma(sigma)) <= 0:
        raise InputError(f"received sigma = {sigma}, expected a noise level above 0")
    return max(level, LEAST_SIGMA)


def mean_image(images: np.ndarray) -> np.ndarray:
    """The mean of images (N, H, W, C), read in blocks; float64."""
    total = np.zeros(images.shape[1:])
    for block in blocks(images):
        total += to_float(block, None).sum(axis=0, dtype=np.float64)
    return total / len(images)


def stack_of(images):
    """Images `(N, H, W, C)`, uint8 or floats; raises `InputError` for something else."""
    return as_stack(images, limits=NEARLY_CLEAN)
