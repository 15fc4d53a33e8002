"""Networks for inference, in which each norm is part of the convolution before it."""

from __future__ import annotations

import hashlib

import keras
from keras import ops

from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import winograd

from .bias_free_norm import BiasFreeNorm
from .denoiser import Denoiser
from .layers import Conv2D, Conv2DTranspose, Layer


class FoldedNetwork:
    """A copy of a denoiser's network without its `BiasFreeNorm` layers.

    In evaluation mode a norm multiplies each channel by gamma / running_sd, and so does a convolution
    whose kernels have been multiplied by it. The copy is for evaluation mode only; it computes what the
    denoiser does, to rounding, with fewer passes over memory.

    The copy keeps the weights that the denoiser has now; see `refold`. It belongs to one denoiser, and
    where that has no norms it is the denoiser itself.

    Args:
        denoiser: a `Denoiser`. Norms that follow a convolution are folded, where they must be all that
            takes its output, as in every denoiser of this package; other norms stay.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> folded = kg.denoisers.FoldedNetwork(denoiser).network
        >>> image = np.full((1, 8, 8, 1), 0.5, np.float32)
        >>> residuals = [kg.denoisers.Inference(denoiser).residual(image), folded(image)]
        >>> [tuple(residual.shape) for residual in residuals]
        [(1, 8, 8, 1), (1, 8, 8, 1)]
    """

    def __init__(self, denoiser: Denoiser) -> None:
        self._folds = {}
        self._seen = {}
        self._copies = []
        self._parts = []
        has_norms = any(isinstance(layer, BiasFreeNorm) for layer in _flat_layers(denoiser))
        self.network = self._copy(denoiser) if has_norms else denoiser
        self.refold()

    def refold(self) -> None:
        """Takes over those of the denoiser's weights that have changed."""
        for part in self._parts:
            part.refold()
        for source, copy in self._copies:
            norm = self._folds.get(copy.name)
            seen = _digest(source.weights if norm is None else [*source.weights, *norm.weights])
            if self._seen.get(copy.name) == seen:
                continue
            self._seen[copy.name] = seen
            values = [ops.convert_to_tensor(variable) for variable in source.weights]
            if norm is not None:
                scale = ops.convert_to_tensor(norm.gamma) / ops.convert_to_tensor(norm.running_sd)
                # The kernels of a transposed convolution have their outputs last but one.
                transposed = isinstance(source, keras.layers.Conv2DTranspose)
                values[0] = values[0] * (scale[:, None] if transposed else scale)
                if source.use_bias:
                    values[1] = values[1] * scale
            if isinstance(copy, Convolution):
                values[0] = copy.stored(values[0])
            for variable, value in zip(copy.weights, values, strict=True):
                variable.assign(value)
            if isinstance(copy, Convolution | ConstantConv2DTranspose):
                convolution.kernel_changed(ops.convert_to_tensor(copy.kernel))

    def copies(self) -> list[tuple[keras.Layer, keras.Layer]]:
        """Each layer that was copied and its copy, those of models in the denoiser, too."""
        return [*self._copies, *(pair for part in self._parts for pair in part.copies())]

    def _copy(self, denoiser):
        sources, made = {}, {}

        def clone(layer):
            if isinstance(layer, keras.Model):
                part = FoldedNetwork(layer)
                self._parts.append(part)
                return part.network
            copy = _copy_layer(layer)
            sources[copy.name] = layer
            return copy

        def call(layer, *arguments, **options):
            before = made.get(id(arguments[0])) if isinstance(layer, BiasFreeNorm) else None
            convolutions = Convolution | keras.layers.Conv2D | keras.layers.Conv2DTranspose
            if before is not None and isinstance(before, convolutions):
                self._folds[before.name] = sources[layer.name]
                return arguments[0]
            outputs = layer(*arguments, **options)
            made[id(outputs)] = layer
            return outputs

        network = keras.models.clone_model(denoiser, clone_function=clone, call_function=call)
        # Its layers have their own; Keras' may be one that only they can follow.
        network.dtype_policy = "float32"
        self._copies = [
            (sources[layer.name], layer) for layer in network.layers if layer.name in sources
        ]
        return network


class Convolution(Layer):
    """A convolution of stride 1 without bias, its kernel in the order that the backend wants.

    Args:
        filters: output channels.
        kernel_size: (height, width), odd.
    """

    def __init__(self, filters, kernel_size, **options):
        super().__init__(**options)
        self.filters = filters
        self.kernel_size = kernel_size

    def build(self, input_shape):
        shape = self.stored_shape(input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="zeros")

    def stored_shape(self, channels):
        """The shape of what `stored` makes for images with so many channels."""
        shape = (*self.kernel_size, channels, self.filters)
        return tuple(shape[axis] for axis in convolution.KERNEL_AXES)

    def stored(self, kernel):
        """What is kept of a kernel `(height, width, in, out)`."""
        return ops.transpose(kernel, convolution.KERNEL_AXES)

    def call(self, images):
        return convolution.convolve_constant(images, ops.convert_to_tensor(self.kernel))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


class WinogradConvolution(Convolution):
    """A convolution of 3x3 kernels by Winograd's algorithm.

    Args:
        filters: output channels.
        side: of its tiles, m.
    """

    def __init__(self, filters, side, **options):
        super().__init__(filters, (3, 3), **options)
        self.side = side

    def stored_shape(self, channels):
        return ((self.side + 2) ** 2, channels, self.filters)

    def stored(self, kernel):
        return winograd.transform_kernel(ops.convert_to_numpy(kernel), self.side)

    def call(self, images):
        return winograd.convolve_tiles(images, ops.convert_to_tensor(self.kernel))


class ConstantConv2DTranspose(Conv2DTranspose):
    """A `Conv2DTranspose` whose kernel stays the same for many calls."""

    convolve = staticmethod(convolution.convolve_transposed_constant)


def _digest(variables):
    """Of all bits of some weights: they change in place, and comparing with copies would take memory."""
    digest = hashlib.blake2b()
    for variable in variables:
        digest.update(ops.convert_to_numpy(variable).tobytes())
    return digest.digest()


def _copy_layer(layer):
    """A new layer that computes the same, its weights still to be assigned."""
    config = layer.get_config()
    plain = {"padding": "same", "strides": (1, 1), "dilation_rate": (1, 1), "use_bias": False}
    if (
        type(layer) in {keras.layers.Conv2D, Conv2D}
        and {key: config[key] for key in plain} == plain
        and config["activation"] == "linear"
        and all(side % 2 for side in layer.kernel_size)
    ):
        options = {"name": layer.name, "dtype": layer.dtype_policy}
        # Fewer bits would not do for its sums.
        exact = layer.kernel_size == (3, 3) and layer.compute_dtype == "float32"
        if exact and not convolution.PREPARES_KERNELS:
            side = winograd.tile_side(*layer.kernel.shape[2:])
            if side is not None:
                return WinogradConvolution(layer.filters, side, **options)
        return Convolution(layer.filters, layer.kernel_size, **options)
    if "kernel_initializer" in config:
        # Drawing weights that are replaced would take longer than all the rest.
        config["kernel_initializer"] = "zeros"
    made = ConstantConv2DTranspose if type(layer) is Conv2DTranspose else type(layer)
    return made.from_config(config)


def _flat_layers(model):
    """All layers of a model and of the models in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _flat_layers(layer)
