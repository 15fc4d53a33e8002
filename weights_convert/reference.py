"""The published networks in evaluation mode, in float64 NumPy.

They work on the published arrays (NCHW, names as published) and share no code with our networks or
the tables that copy weights into them, so that a mistake there shows. Each network yields pairs
(name of our layer, its output), in the order of computation; the last output is the residual.
"""

import numpy as np


def unet(state, noisy):
    """The published UNet.

    Args:
        state: a dictionary published name -> array.
        noisy: images, `(batch, channels, height, width)`.
    """
    num_blocks = len(_numbers(state, "encoder."))
    x = noisy.astype(np.float64)
    skips = []
    for b in range(num_blocks):
        x = yield from _sequence(state, f"encoder.{b}", f"encoder_{b}", x)
        skips.append(x)
        x = _average_pool(x)
        yield f"pool_{b}", x
    x = yield from _sequence(state, "mid_block", "middle", x)
    for b in reversed(range(num_blocks)):
        x = _transposed_convolution(x, state[f"upsample.{b}.weight"])
        yield f"upsample_{b}", x
        x = np.concatenate([x, skips[b]], axis=1)
        yield f"skip_{b}", x
        x = yield from _sequence(state, f"decoder.{b}", f"decoder_{b}", x)


def bf_cnn(state, noisy, first_layer_linear):
    """The published BF_CNN and BF_CNN_RF.

    Args:
        state, noisy: as for `unet`.
        first_layer_linear: no ReLU after the first convolution.
    """
    last = len(_numbers(state, "conv_layers.")) - 1
    x = noisy.astype(np.float64)
    for i in range(last + 1):
        x = _convolution(x, state[f"conv_layers.{i}.weight"])
        yield f"conv_{i}", x
        if 0 < i < last:
            x = _norm(x, state, f"BN_layers.{i - 1}")
            yield f"norm_{i}", x
        if 0 < i < last or (i == 0 and not first_layer_linear):
            x = np.maximum(x, 0)
            yield f"relu_{i}", x


def _sequence(state, published, ours, x):
    """One numbered sequence of convolutions, norms and ReLUs, the numbers without arrays.

    Yields as the networks do and returns its output.
    """
    numbers = _numbers(state, f"{published}.")
    i = -1
    for number in range(max(numbers) + 1):
        if f"{published}.{number}.weight" in state:
            i += 1
            x = _convolution(x, state[f"{published}.{number}.weight"])
            yield f"{ours}_conv_{i}", x
        elif f"{published}.{number}.gammas" in state:
            x = _norm(x, state, f"{published}.{number}")
            yield f"{ours}_norm_{i}", x
        else:
            x = np.maximum(x, 0)
            yield f"{ours}_relu_{i}", x
    # Only the output convolution, the end of the outermost decoder, has no ReLU after it.
    if published != "decoder.0":
        x = np.maximum(x, 0)
        yield f"{ours}_relu_{i}", x
    return x


def _numbers(state, prefix):
    return {
        int(name.removeprefix(prefix).split(".")[0]) for name in state if name.startswith(prefix)
    }


def _convolution(x, weight):
    """Zero-padded convolution, `(batch, inputs, h, w)` to `(batch, outputs, h, w)`."""
    side = weight.shape[-1]
    edge = side // 2
    x = np.pad(x, [(0, 0), (0, 0), (edge, edge), (edge, edge)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3))
    y = np.tensordot(windows, weight.astype(np.float64), axes=((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(y, -1, 1)


def _transposed_convolution(x, weight):
    """Each pixel becomes a square of pixels: stride equal to the side of the kernel."""
    batch, _, height, width = x.shape
    _, outputs, side, _ = weight.shape
    y = np.tensordot(x, weight.astype(np.float64), axes=((1,), (0,)))
    return y.transpose(0, 3, 1, 4, 2, 5).reshape(batch, outputs, height * side, width * side)


def _average_pool(x):
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))


def _norm(x, state, name):
    gammas, running_sd = state[f"{name}.gammas"], state[f"{name}.running_sd"]
    return x * (gammas.astype(np.float64) / running_sd)
