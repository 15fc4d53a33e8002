"""The sampler in plain PyTorch, one image at a time: `python -m benchmarks.published_sampler`.

It reads "SIDE STEPS" lines from standard input and answers each with the seconds that one image took, so
that a process of another interpreter, with another backend, can time it.
"""

import sys
import time

import torch
from torch import nn

KERNELS, BLOCKS = 64, 3


class Norm(nn.Module):
    """gamma x / running_sd: the norm in evaluation mode, a layer of its own."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(1, channels, 1, 1).uniform_(0.5, 1.5))
        self.register_buffer("running_sd", torch.empty(1, channels, 1, 1).uniform_(0.5, 1.5))

    def forward(self, x):
        return x * (self.gamma / self.running_sd.expand_as(self.gamma))


def block(before, channels, first_norm=True):
    """Two convolutions, each with norm and ReLU."""
    layers = []
    for index, given in enumerate((before, channels)):
        layers.append(nn.Conv2d(given, channels, 3, padding=1, bias=False))
        if index or first_norm:
            layers.append(Norm(channels))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """The UNet of 7,659,264 parameters."""

    def __init__(self):
        super().__init__()
        widths = [KERNELS * 2**b for b in range(BLOCKS + 1)]
        self.encoder = nn.ModuleList(
            block(before, width, first_norm=b > 0)
            for b, (before, width) in enumerate(zip([1, *widths], widths[:-1], strict=False))
        )
        self.pool = nn.AvgPool2d(2)
        self.middle = block(widths[-2], widths[-1])
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2, bias=False) for width in widths[:-1]
        )
        self.decoder = nn.ModuleList(block(2 * width, width) for width in widths[:-1])
        # The last convolution has neither norm nor ReLU.
        self.decoder[0] = nn.Sequential(
            *self.decoder[0][:3], nn.Conv2d(KERNELS, 1, 3, padding=1, bias=False)
        )

    def forward(self, x):
        skips = []
        for encode in self.encoder:
            x = encode(x)
            skips.append(x)
            x = self.pool(x)
        x = self.middle(x)
        for b in reversed(range(BLOCKS)):
            x = self.decoder[b](torch.cat([self.upsample[b](x), skips[b]], dim=1))
        return x


@torch.no_grad()
def draw(network, side, steps, h0=0.01, beta=0.1):
    """One image by a fixed number of steps of the stochastic ascent."""
    y = 0.5 + torch.randn(1, 1, side, side)
    for t in range(1, steps + 1):
        h = h0 * t / (1 + h0 * (t - 1))
        residual = network(y)
        sigma = residual.norm() / side
        gamma = sigma * ((1 - beta * h) ** 2 - (1 - h) ** 2) ** 0.5
        # As published: the loop looks at the noise level in every step.
        if not float(sigma) >= 0:
            raise RuntimeError("the noise level is not a number")
        y = y - h * residual + gamma * torch.randn(1, 1, side, side)
    return y - network(y)


def main():
    network = UNet().eval()
    assert sum(p.numel() for p in network.parameters()) == 7_659_264
    for line in sys.stdin:
        side, steps = map(int, line.split())
        started = time.perf_counter()
        draw(network, side, steps)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
