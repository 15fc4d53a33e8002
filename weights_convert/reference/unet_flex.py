"""The published UNet_flex."""

import numpy as np

from . import operations


def flexible_unet(state, noisy, norm):
    """The UNet of the lab's later code.

    Args:
        state: a dictionary published name -> array.
        noisy: images, `(batch, channels, height, width)`.
        norm: "layer", "instance", "batch" or "none".
    """
    num_blocks = len(operations.numbers(state, "encoder."))
    x = noisy.astype(np.float64)
    ends = []
    for b in range(num_blocks):
        x = yield from _sequence(state, f"encoder.{b}", f"encoder_{b}", x, norm)
        ends.append(x)
        x = operations.average_pool(x)
        yield f"pool_{b}", x
    x = yield from _sequence(state, "mid", "middle", x, norm)
    for b in reversed(range(num_blocks)):
        x = operations.transposed_convolution(x, state[f"upsample.{b}.weight"], stride=2)
        x = _with_bias(state, f"upsample.{b}", x)
        yield f"upsample_{b}", x
        if state[f"decoder.{b}.0.weight"].shape[1] == 2 * x.shape[1]:
            x = np.concatenate([x, ends[b]], axis=1)
            yield f"skip_{b}", x
        x = yield from _sequence(state, f"decoder.{b}", f"decoder_{b}", x, norm)


def _sequence(state, published, ours, x, norm):
    """One numbered sequence of convolutions, norms and ReLUs, the numbers without arrays.

    Yields as the network does and returns its output.
    """
    i = -1
    for number in range(max(operations.numbers(state, f"{published}.")) + 1):
        name = f"{published}.{number}"
        if f"{name}.weight" in state:
            i += 1
            x = _with_bias(state, name, operations.convolution(x, state[f"{name}.weight"]))
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


def _with_bias(state, name, x):
    bias = state.get(f"{name}.bias")
    return x if bias is None else x + bias.astype(np.float64)[:, None, None]


def _deviations(state, name, x, norm):
    if norm == "batch":
        return state[f"{name}.running_sd"]
    axes = (1, 2, 3) if norm == "layer" else (2, 3)
    return x.std(axis=axes, keepdims=True) + 1e-5
