"""The bias-free UNet of the code published with arXiv 1906.05478: `conv1` to `conv9`, no norms.

The published network computes the image, and our `DilatedUNet` subtracts that from its input. Where the
arrays compute the residual (written of a `DirectDenoiser` of one), it is the output of ours that is the
image.
"""

from .. import reference
from .plan import Plan, kernel, most_common, predicts_assumption, transposed_kernel

_NAMES = [f"conv{number}.weight" for number in range(1, 10)]
_TRANSPOSED = "conv7.weight"


def matches(state):
    return any(name in state for name in _NAMES)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: if a first layer was asked for (here a ReLU always follows the first convolution), or
            a norm.
    """
    layout = "the published bias-free UNet"
    asked.refuse(layout, "first_layer", "norm")
    first = state.get("conv1.weight")
    channels = max(first.shape[1], 1) if first is not None and first.ndim == 4 else 1
    options = {"num_channels": channels, "num_kernels": _num_kernels(state)}
    return Plan(
        layout,
        "dilated-unet",
        options,
        entries(**options),
        reference.dilated_unet,
        assumptions=(predicts_assumption(asked.predicts, usual="image"),),
        predicts="image" if asked.predicts == "residual" else "residual",
    )


def _num_kernels(state):
    """The width of most layers; those at half size have twice as many kernels."""
    widths = []
    for number, name in enumerate(_NAMES[:-1], start=1):
        array = state.get(name)
        if array is not None and array.ndim == 4:
            outputs = array.shape[1 if name == _TRANSPOSED else 0]
            widths.append(outputs // (2 if 3 <= number <= 7 else 1))
    return most_common(widths)


def entries(num_channels, num_kernels):
    full, half = num_kernels, 2 * num_kernels
    kernels = {
        1: (full, num_channels, 5),
        2: (full, full, 3),
        3: (half, full, 3),
        4: (half, half, 3),
        5: (half, half, 3),
        6: (half, half, 3),
        8: (full, half + full, 3),
        9: (num_channels, full, 5),
    }
    entries = {f"conv{i}.weight": kernel(f"conv_{i}", *shape) for i, shape in kernels.items()}
    entries[_TRANSPOSED] = transposed_kernel("conv_7", half, half, 4)
    return entries
