"""BF_CNN and BF_CNN_RF of the paper's published code (arXiv 2310.02557).

`conv_layers.{l}` are all convolutions; `BN_layers.{l}` is the norm after convolution l + 1.
"""

from keras_gahr.denoisers.receptive_field_bf_cnn import (
    RECEPTIVE_FIELDS,
    receptive_field_kernel_sizes,
)
from keras_gahr.errors import InputError

from .. import reference
from .plan import Plan, kernel, most_common, norm, number

# Ten times the published networks, so that a name cannot ask for a giant table.
_MOST_LAYERS = 200


def matches(state):
    return any(name.startswith(("conv_layers.", "BN_layers.")) for name in state)


def plan(state, first_layer):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: for a first layer with ReLU in a network with a limited receptive field.
    """
    num_layers = max(_count(state, "conv_layers."), _count(state, "BN_layers.") + 2, 2)
    kernels = [state.get(f"conv_layers.{i}.weight") for i in range(num_layers)]
    kernels = [k if k is not None and k.ndim == 4 else None for k in kernels]
    num_kernels = most_common([k.shape[1] for k in kernels[1:] if k is not None])
    inputs, outputs = _image_channels(kernels[0], kernels[-1])
    coarse = inputs == outputs
    options = {"num_channels": outputs if coarse else outputs // 3, "num_kernels": num_kernels}

    receptive_field = _receptive_field(kernels, coarse)
    if receptive_field is None:
        architecture, layout = "bf-cnn", "the published BF_CNN"
        sizes = [3] * num_layers
        options |= {"num_layers": num_layers, "first_layer_linear": first_layer == "linear"}
        assumptions = (_first_layer_assumption(first_layer),)
    elif first_layer == "linear":
        architecture, layout = "bf-cnn-rf", f"the published BF_CNN_RF {receptive_field}"
        sizes = receptive_field_kernel_sizes(receptive_field)
        options |= {"receptive_field": receptive_field, "coarse": coarse}
        assumptions = ()
    else:
        raise InputError(
            "first layer 'relu' was asked for, but the checkpoint is a BF_CNN_RF of receptive "
            f"field {receptive_field}, whose first layer is linear: leave the option out"
        )

    def run_reference(state, noisy):
        return reference.bf_cnn(state, noisy, first_layer_linear=first_layer == "linear")

    entries = _entries(sizes, num_kernels, inputs, outputs)
    return Plan(layout, architecture, options, entries, run_reference, first_layer, assumptions)


def _count(state, prefix):
    """One more than the largest number after the prefix."""
    texts = [name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)]
    numbers = [number(text, below=_MOST_LAYERS) for text in texts]
    return max((n + 1 for n in numbers if n is not None), default=0)


def _image_channels(first, last):
    """Channels of the input and of the output: C and C, or 3 C + 1 and 3 C of the fine network."""
    inputs = first.shape[1] if first is not None else None
    outputs = last.shape[0] if last is not None else None
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


def _entries(sizes, num_kernels, inputs, outputs):
    entries = {}
    last = len(sizes) - 1
    for i, size in enumerate(sizes):
        entries[f"conv_layers.{i}.weight"] = kernel(
            f"conv_{i}", outputs if i == last else num_kernels, num_kernels if i else inputs, size
        )
        if 0 < i < last:
            entries.update(norm(f"BN_layers.{i - 1}", f"norm_{i}", num_kernels))
    return entries


def _first_layer_assumption(first_layer):
    if first_layer == "linear":
        return (
            "first layer linear: the checkpoint cannot tell; pass --first-layer relu "
            "(first_layer='relu' in Python) if it was trained with a ReLU there"
        )
    return "first layer with a ReLU, as asked for: the checkpoint cannot tell"
