"""The paper's UNet in plain PyTorch."""

import torch
from torch import nn


class Norm(nn.Module):
    """gamma x / sd, the norm as a layer of its own.

    While training, sd is the batch's and the running one follows it; else it is the running one. The
    published code computes the batch's in either case, which would only flatter the comparison.
    """

    def __init__(self, channels):
        super().__init__()
        # As initialized, deep values are too small for float32, which is slow to compute with.
        self.gamma = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))
        self.register_buffer("running_sd", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if not self.training:
            return self.gamma * x / self.running_sd
        sd = torch.sqrt(x.var(dim=(0, 2, 3), keepdim=True, unbiased=False) + 1e-5)
        with torch.no_grad():
            self.running_sd.copy_(0.9 * self.running_sd + 0.1 * sd)
        return self.gamma * x / sd


def block(before, channels, first_norm=True):
    """Two convolutions, each with norm and ReLU."""
    layers = []
    for index, given in enumerate((before, channels)):
        layers.append(convolution(given, channels))
        if index or first_norm:
            layers.append(Norm(channels))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def convolution(before, after):
    return nn.Conv2d(before, after, 3, padding=1, bias=False)


class UNet(nn.Module):
    """The residual of grey images `(batch, 1, height, width)`, as `keras_gahr.denoisers.UNet` has it.

    Args:
        kernels: of the first block.
        blocks: of the encoder.
    """

    def __init__(self, kernels=64, blocks=3):
        super().__init__()
        widths = [kernels * 2**b for b in range(blocks + 1)]
        self.encoder = nn.ModuleList(
            block(before, width, first_norm=before > 1)
            for before, width in zip([1, *widths], widths[:-1], strict=False)
        )
        self.pool = nn.AvgPool2d(2)
        self.middle = block(widths[-2], widths[-1])
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2, bias=False) for width in widths[:-1]
        )
        self.decoder = nn.ModuleList(block(2 * width, width) for width in widths[:-1])
        # The last convolution has neither norm nor ReLU.
        self.decoder[0] = nn.Sequential(*self.decoder[0][:3], convolution(kernels, 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x):
        skips = []
        for encode in self.encoder:
            x = encode(x)
            skips.append(x)
            x = self.pool(x)
        x = self.middle(x)
        for up, decode in zip(reversed(self.upsample), reversed(self.decoder), strict=True):
            x = decode(torch.cat([up(x), skips.pop()], dim=1))
        return x
