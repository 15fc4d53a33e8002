"""The equivariant local optimum, as it is usually written: `unfold`, and what lies beyond a border masked."""

import torch
from torch.nn.functional import unfold

BLOCK = 4
"""Training images at once."""


def denoised(noisy, images, side, sigma):
    """D(y) of images (N, 1, H, W), among squares of all places of training images.

    Zeros stand for what is beyond the border, and squares are compared where that of y has no pixel that the
    other lacks.
    """
    height, width = noisy.shape[2:]
    half = side // 2
    inside = unfold(torch.ones(1, 1, height, width), side, padding=half)[0]
    fits = inside.T @ (1 - inside) == 0
    found = []
    for image in noisy:
        given = unfold(image[None], side, padding=half)[0]
        own = given.square().sum(0)[:, None]
        largest = torch.full((height * width, 1), -torch.inf)
        mass, total = torch.zeros_like(largest), torch.zeros_like(largest)
        for start in range(0, len(images), BLOCK):
            block = images[start : start + BLOCK]
            known = unfold(block, side, padding=half).transpose(0, 1).flatten(1)
            squares = own - 2 * given.T @ known + inside.T @ known.square()
            logits = -squares / (2 * sigma**2)
            logits = logits.masked_fill(~fits.repeat(1, len(block)), -torch.inf)
            now = torch.maximum(largest, logits.amax(1, keepdim=True))
            weights = torch.exp(logits - now)
            kept = torch.exp(largest - now)
            mass = mass * kept + weights.sum(1, keepdim=True)
            total = total * kept + weights @ block.reshape(-1, 1)
            largest = now
        found.append((total / mass).reshape(1, height, width))
    return torch.stack(found)
