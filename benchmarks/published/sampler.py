"""The stochastic ascent of the published code, one image at a time."""

import torch


@torch.no_grad()
def draw(network, side, steps, device="cpu", h0=0.01, beta=0.1):
    """One image of `side` x `side` by a fixed number of steps."""
    y = 0.5 + torch.randn(1, 1, side, side, device=device)
    for t in range(1, steps + 1):
        h = h0 * t / (1 + h0 * (t - 1))
        residual = network(y)
        sigma = residual.norm() / side
        gamma = sigma * ((1 - beta * h) ** 2 - (1 - h) ** 2) ** 0.5
        # As published: the loop looks at the noise level in every step.
        if not float(sigma) >= 0:
            raise RuntimeError("the noise level is not a number")
        y = y - h * residual + gamma * torch.randn(1, 1, side, side, device=device)
    return y - network(y)
