"""Networks for inference, in which each norm is part of the convolution before it."""

import keras
from keras import ops

from .bias_free_norm import BiasFreeNorm


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
    """

    def __init__(self, denoiser):
        self._folds = []
        self._copies = []
        self._parts = []
        has_norms = any(isinstance(layer, BiasFreeNorm) for layer in _flat_layers(denoiser))
        self.network = self._copy(denoiser) if has_norms else denoiser
        self.refold()

    def refold(self):
        """Takes over the denoiser's weights again, after they have changed."""
        for part in self._parts:
            part.refold()
        for source, copy in self._copies:
            for variable, copied in zip(source.weights, copy.weights, strict=True):
                copied.assign(variable)
        for norm, copy in self._folds:
            scale = ops.convert_to_tensor(norm.gamma) / ops.convert_to_tensor(norm.running_sd)
            # The kernels of a transposed convolution have their outputs last but one.
            transposed = isinstance(copy, keras.layers.Conv2DTranspose)
            copy.kernel.assign(copy.kernel * (scale[:, None] if transposed else scale))

    def _copy(self, denoiser):
        sources, made = {}, {}

        def clone(layer):
            if isinstance(layer, keras.Model):
                part = FoldedNetwork(layer)
                self._parts.append(part)
                return part.network
            config = layer.get_config()
            if "kernel_initializer" in config:
                # The weights are assigned: drawing some would take longer than all the rest.
                config["kernel_initializer"] = "zeros"
            copy = type(layer).from_config(config)
            sources[copy.name] = layer
            return copy

        def call(layer, *arguments, **options):
            before = made.get(id(arguments[0])) if isinstance(layer, BiasFreeNorm) else None
            if isinstance(before, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
                self._folds.append((sources[layer.name], before))
                return arguments[0]
            outputs = layer(*arguments, **options)
            made[id(outputs)] = layer
            return outputs

        network = keras.models.clone_model(denoiser, clone_function=clone, call_function=call)
        self._copies = [
            (sources[layer.name], layer) for layer in network.layers if layer.name in sources
        ]
        return network


def _flat_layers(model):
    """All layers of a model and of the models in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _flat_layers(layer)
