"""The Jacobian of the full UNet at 40x40, against one backward pass for each row in plain PyTorch.

Times are for one row or column, so that each way may compute a part of the matrix: the rival a few
rows, this package a few batches of columns. All rows cost the same, and so do all batches.
"""

import importlib.util

import numpy as np
from keras import ops

from keras_gahr.analysis import Linearizer
from keras_gahr.denoisers import BiasFreeNorm, UNet

SIZE, ROWS, BATCH, BATCHES = 40, 16, 16, 2


def cases():
    """Yields (name, ways) as `alternate` takes them; without PyTorch there is nothing to compare with."""
    if importlib.util.find_spec("torch") is None:
        print("jacobian: skipped, the rival needs PyTorch, which is not installed")
        return
    denoiser = UNet(seed=0)
    for layer in denoiser.layers:
        # As initialized, deep values are subnormal numbers, which take processors far longer.
        if isinstance(layer, BiasFreeNorm):
            layer.gamma.assign(np.ones(layer.gamma.shape, np.float32))
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (SIZE, SIZE, 1)).astype(np.float32)
    jacobian = Linearizer(denoiser, BATCH).at(noisy)
    columns = np.eye(SIZE**2, dtype=np.float32)[: BATCH * BATCHES].reshape(-1, SIZE, SIZE, 1)
    rows = plain_rows(denoiser, noisy)
    yield (
        f"Jacobian of a UNet, {SIZE}x{SIZE}",
        {
            "PyTorch rows": (lambda: rows(ROWS), ROWS),
            "frozen gates": (lambda: jacobian.apply(columns), len(columns)),
        },
    )


def plain_rows(denoiser, noisy):
    """A function of n that computes n rows of the Jacobian of the same network, written in PyTorch."""
    import torch
    from torch.nn import functional

    weights = {
        f"{layer.name}/{weight.name}": torch.from_numpy(np.array(ops.convert_to_numpy(weight)))
        for layer in denoiser.layers
        for weight in layer.weights
    }

    def kernel(name):
        # Keras: (height, width, in, out), transposed convolutions (height, width, out, in).
        return weights[f"{name}/kernel"].permute(3, 2, 0, 1).contiguous()

    kernels = {
        layer.name: kernel(layer.name)
        for layer in denoiser.layers
        if "kernel" in str(layer.weights)
    }

    def conv(x, part, i, norm=True):
        x = functional.conv2d(x, kernels[f"{part}_conv_{i}"], padding=1)
        if norm:
            name = f"{part}_norm_{i}"
            scale = weights[f"{name}/gamma"] / weights[f"{name}/running_sd"]
            x = x * scale[:, None, None]
        return functional.relu(x)

    def residual(x):
        skips = []
        for b in range(denoiser.num_blocks):
            x = conv(conv(x, f"encoder_{b}", 0, norm=b > 0), f"encoder_{b}", 1)
            skips.append(x)
            x = functional.avg_pool2d(x, 2)
        x = conv(conv(x, "middle", 0), "middle", 1)
        for b in reversed(range(denoiser.num_blocks)):
            x = functional.conv_transpose2d(x, kernels[f"upsample_{b}"], stride=2)
            x = conv(torch.cat([x, skips[b]], dim=1), f"decoder_{b}", 0)
            if b:
                x = conv(x, f"decoder_{b}", 1)
        return functional.conv2d(x, kernels["decoder_0_conv_1"], padding=1)

    image = torch.from_numpy(noisy[None, None, :, :, 0]).requires_grad_()

    def rows(count):
        outputs = (image - residual(image)).ravel()
        found = [
            torch.autograd.grad(outputs[i], image, retain_graph=True)[0].ravel()
            for i in range(count)
        ]
        return torch.stack(found).numpy()

    return rows
