"""The published UNet_flex."""

import numpy as np

from . import operations
from .sequence import sequence, with_bias


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
        x = yield from sequence(state, f"encoder.{b}", f"encoder_{b}", x, norm)
        ends.append(x)
        x = operations.average_pool(x)
        yield f"pool_{b}", x
    x = yield from sequence(state, "mid", "middle", x, norm)
    for b in reversed(range(num_blocks)):
        x = operations.transposed_convolution(x, state[f"upsample.{b}.weight"], stride=2)
        x = with_bias(state, f"upsample.{b}", x)
        yield f"upsample_{b}", x
        if state[f"decoder.{b}.0.weight"].shape[1] == 2 * x.shape[1]:
            x = np.concatenate([x, ends[b]], axis=1)
            yield f"skip_{b}", x
        x = yield from sequence(state, f"decoder.{b}", f"decoder_{b}", x, norm)
