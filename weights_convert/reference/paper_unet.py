"""The published UNet."""

import numpy as np

from . import operations
from .sequence import sequence


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
        x = yield from sequence(state, f"encoder.{b}", f"encoder_{b}", x, "batch")
        skips.append(x)
        x = operations.average_pool(x)
        yield f"pool_{b}", x
    x = yield from sequence(state, "mid_block", "middle", x, "batch")
    for b in reversed(range(num_blocks)):
        x = operations.transposed_convolution(x, state[f"upsample.{b}.weight"], stride=2)
        yield f"upsample_{b}", x
        x = np.concatenate([x, skips[b]], axis=1)
        yield f"skip_{b}", x
        x = yield from sequence(state, f"decoder.{b}", f"decoder_{b}", x, "batch")
