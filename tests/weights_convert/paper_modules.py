"""Networks with the names of the paper's published code, in PyTorch, in evaluation mode."""

import torch
from torch import nn


class Norm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gammas = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.register_buffer("running_sd", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        return self.gammas * x / self.running_sd


def conv(inputs, outputs, side=3):
    return nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)


def block(inputs, outputs, norms=(True, True), last=None):
    """Two convolutions, each followed by a norm, if it has one, and ReLU; none follows the last."""
    layers = [conv(inputs, outputs), Norm(outputs), nn.ReLU(), conv(outputs, last or outputs)]
    if not norms[0]:
        del layers[1]
    if norms[1]:
        layers += [Norm(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, channels, blocks, kernels):
        super().__init__()
        width = [kernels * 2**b for b in range(blocks + 1)]
        self.encoder = nn.ModuleList(
            block(width[b - 1] if b else channels, width[b], (b > 0, True)) for b in range(blocks)
        )
        self.mid_block = block(width[-2], width[-1])
        self.upsample = nn.ModuleDict()
        self.decoder = nn.ModuleDict()
        for b in reversed(range(blocks)):
            self.upsample[str(b)] = nn.ConvTranspose2d(width[b + 1], width[b], 2, 2, bias=False)
            self.decoder[str(b)] = block(2 * width[b], width[b], (True, b > 0), b == 0 and channels)

    def forward(self, x):
        skips = []
        for encoder in self.encoder:
            skips.append(encoder(x))
            x = nn.functional.avg_pool2d(skips[-1], 2)
        x = self.mid_block(x)
        for b in reversed(range(len(skips))):
            x = self.decoder[str(b)](torch.cat([self.upsample[str(b)](x), skips[b]], dim=1))
        return x


class BFCNN(nn.Module):
    def __init__(self, inputs, outputs, kernels, sides, first_layer_linear):
        super().__init__()
        widths = [inputs, *[kernels] * (len(sides) - 1), outputs]
        self.first_layer_linear = first_layer_linear
        self.conv_layers = nn.ModuleList(
            conv(widths[i], widths[i + 1], side) for i, side in enumerate(sides)
        )
        self.BN_layers = nn.ModuleList(Norm(kernels) for _ in sides[2:])

    def forward(self, x):
        x = self.conv_layers[0](x)
        if not self.first_layer_linear:
            x = torch.relu(x)
        for layer, norm in zip(self.conv_layers[1:-1], self.BN_layers, strict=True):
            x = torch.relu(norm(layer(x)))
        return self.conv_layers[-1](x)
