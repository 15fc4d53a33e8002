"""The stochastic ascent of the published code."""

import torch


@torch.no_grad()
def draw(network, count, side, steps, device="cpu", h0=0.01, beta=0.1):
    """Images of `side` x `side`, all at once, by a fixed number of steps; `count` is 1 as published."""
    y = 0.5 + torch.randn(count, 1, side, side, device=device)
    for t in range(1, steps + 1):
        h = h0 * t / (1 + h0 * (t - 1))
        residual = network(y)
        sigma = residual.flatten(1).norm(dim=1)[:, None, None, None] / side
        gamma = sigma * ((1 - beta * h) ** 2 - (1 - h) ** 2) ** 0.5
        # As published: the loop looks at the noise level in every step.
        if not bool((sigma >= 0).all()):
            raise RuntimeError("the noise level is not a number")
        y = y - h * residual + gamma * torch.randn(count, 1, side, side, device=device)
    return y - network(y)
