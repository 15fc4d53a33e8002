"""BF_CNN and BF_CNN_RF of the paper's published code (arXiv 2310.02557).

`conv_layers.{l}` are all convolutions; `BN_layers.{l}` is the norm after convolution l + 1.
"""

from keras_gahr.denoisers.receptive_field_bf_cnn import (
    RECEPTIVE_FIELDS,
    receptive_field_kernel_sizes,
)
from keras_gahr.errors import InputError

from .. import reference
from .chain import count, image_channels, kernel_entries, kernels_of, num_kernels_of
from .plan import Assumption, Plan, norm, predicts_assumption


def matches(state):
    return any(name.startswith(("conv_layers.", "BN_layers.")) for name in state)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: for a first layer with ReLU in a network with a limited receptive field, or a norm.
    """
    asked.refuse("the published BF_CNN", "norm")
    first_layer = asked.first_layer
    num_layers = max(count(state, "conv_layers."), count(state, "BN_layers.") + 2, 2)
    kernels = kernels_of(state, _names(num_layers))
    num_kernels = num_kernels_of(kernels)
    inputs, outputs = _image_channels(kernels)
    coarse = inputs == outputs
    # Of a folder of several scales, what is asked for is of the low band alone.
    mend = "pass" if coarse else "convert it by itself with"
    assumptions = [predicts_assumption(asked.predicts, mend=mend)]
    options = {"num_channels": outputs if coarse else outputs // 3, "num_kernels": num_kernels}

    receptive_field = _receptive_field(kernels, coarse)
    if receptive_field is None:
        architecture, layout = "bf-cnn", "the published BF_CNN"
        sizes = [3] * num_layers
        assumptions.insert(0, _first_layer_assumption(first_layer))
        first_layer = first_layer or "linear"
        options |= {"num_layers": num_layers, "first_layer_linear": first_layer == "linear"}
    elif first_layer != "relu":
        architecture, layout = "bf-cnn-rf", f"the published BF_CNN_RF {receptive_field}"
        sizes = receptive_field_kernel_sizes(receptive_field)
        first_layer = "linear"
        options |= {"receptive_field": receptive_field, "coarse": coarse}
    else:
        raise InputError(
            "first layer 'relu' was asked for, but the checkpoint is a BF_CNN_RF of receptive "
            f"field {receptive_field}, whose first layer is linear: leave the option out"
        )

    def run_reference(state, noisy):
        return reference.bf_cnn(state, noisy, first_layer_linear=first_layer == "linear")

    table = entries(sizes, num_kernels, inputs, outputs)
    return Plan(
        layout,
        architecture,
        options,
        table,
        run_reference,
        first_layer,
        tuple(assumptions),
        predicts=asked.predicts or "residual",
    )


def _names(num_layers):
    return [f"conv_layers.{i}.weight" for i in range(num_layers)]


def _image_channels(kernels):
    """Channels of the input and of the output: C and C, or 3 C + 1 and 3 C of the fine network."""
    inputs, outputs = image_channels(kernels)
    if outputs and outputs % 3 == 0 and inputs == outputs + 1:
        return inputs, outputs
    channels = inputs or outputs or 1
    return channels, channels


def _receptive_field(kernels, coarse):
    """The receptive field whose kernel sizes fit best; None if all are 3x3, as in BF_CNN.

    With all 3x3, 21 layers and a linear first one, BF_CNN and BF_CNN_RF 43 are the same network.
    """
    candidates = {field: receptive_field_kernel_sizes(field) for field in RECEPTIVE_FIELDS}
    if coarse:
        candidates = {None: [3] * len(kernels), **candidates}

    def misfits(field):
        sizes = candidates[field]
        odd = [
            k is not None and k.shape[2:] != (size, size)
            for k, size in zip(kernels, sizes, strict=False)
        ]
        return sum(odd) + abs(len(kernels) - len(sizes))

    return min(candidates, key=misfits)


def entries(sizes, num_kernels, inputs, outputs):
    entries = kernel_entries(_names(len(sizes)), sizes, num_kernels, inputs, outputs)
    for i in range(1, len(sizes) - 1):
        entries.update(norm(f"BN_layers.{i - 1}", f"norm_{i}", num_kernels))
    return entries


def _first_layer_assumption(asked):
    relu = asked == "relu"
    return Assumption(
        "first_layer",
        asked or "linear",
        "first layer with a ReLU" if relu else "first layer linear",
        "linear" if relu else "relu",
        f"it was trained with{'out' if relu else ''} a ReLU there",
        asked is not None,
    )
