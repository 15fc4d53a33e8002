"""What the published UNets are made of."""

import numpy as np

from . import operations


def sequence(state, published, ours, x, norm):
    """One numbered sequence of convolutions, norms and ReLUs, the numbers without arrays.

    Yields as the network does and returns its output. See `unet_flex.flexible_unet` for the norm.
    """
    i = -1
    for number in range(max(operations.numbers(state, f"{published}.")) + 1):
        name = f"{published}.{number}"
        if f"{name}.weight" in state:
            i += 1
            x = with_bias(state, name, operations.convolution(x, state[f"{name}.weight"]))
            yield f"{ours}_conv_{i}", x
        elif f"{name}.gammas" in state:
            x = operations.scale(x, state[f"{name}.gammas"], _deviations(state, name, x, norm))
            yield f"{ours}_norm_{i}", x
        else:
            x = operations.relu(x)
            yield f"{ours}_relu_{i}", x
    # Only the output convolution, the end of the outermost decoder, has no ReLU after it.
    if published != "decoder.0":
        x = operations.relu(x)
        yield f"{ours}_relu_{i}", x
    return x


def with_bias(state, name, x):
    """x with the bias of a convolution, if it has one."""
    bias = state.get(f"{name}.bias")
    return x if bias is None else x + bias.astype(np.float64)[:, None, None]


def _deviations(state, name, x, norm):
    if norm == "batch":
        return state[f"{name}.running_sd"]
    axes = (1, 2, 3) if norm == "layer" else (2, 3)
    return x.std(axis=axes, keepdims=True) + 1e-5
