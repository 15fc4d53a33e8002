"""The published UNet."""

import numpy as np

from . import operations


def unet(state, noisy):
    """The UNet of arXiv 2310.02557.

    Args:
        state: a dictionary published name -> array.
        noisy: images, `(batch, channels, height, width)`.
    """
    num_blocks = len(operations.numbers(state, "encoder."))
    x = noisy.astype(np.float64)
    skips = []
    for b in range(num_blocks):
        x = yield from _sequence(state, f"encoder.{b}", f"encoder_{b}", x)
        skips.append(x)
        x = operations.average_pool(x)
        yield f"pool_{b}", x
    x = yield from _sequence(state, "mid_block", "middle", x)
    for b in reversed(range(num_blocks)):
        x = operations.transposed_convolution(x, state[f"upsample.{b}.weight"], stride=2)
        yield f"upsample_{b}", x
        x = np.concatenate([x, skips[b]], axis=1)
        yield f"skip_{b}", x
        x = yield from _sequence(state, f"decoder.{b}", f"decoder_{b}", x)


def _sequence(state, published, ours, x):
    """One numbered sequence of convolutions, norms and ReLUs, the numbers without arrays.

    Yields as the network does and returns its output.
    """
    i = -1
    for number in range(max(operations.numbers(state, f"{published}.")) + 1):
        name = f"{published}.{number}"
        if f"{name}.weight" in state:
            i += 1
            x = operations.convolution(x, state[f"{name}.weight"])
            yield f"{ours}_conv_{i}", x
        elif f"{name}.gammas" in state:
            x = operations.scale(x, state[f"{name}.gammas"], state[f"{name}.running_sd"])
            yield f"{ours}_norm_{i}", x
        else:
            x = operations.relu(x)
            yield f"{ours}_relu_{i}", x
    # Only the output convolution, the end of the outermost decoder, has no ReLU after it.
    if published != "decoder.0":
        x = operations.relu(x)
        yield f"{ours}_relu_{i}", x
    return x
