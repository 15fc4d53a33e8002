"""Networks with the names of two older publications and of the lab's later code, in PyTorch."""

import itertools

import torch
from torch import nn


def _positive(*shape):
    return torch.rand(*shape) + 0.5


class UniversalBFCNN(nn.Module):
    """BF_CNN of universal inverse problems: flat lists of scales and running deviations."""

    def __init__(self, channels, kernels, layers):
        super().__init__()
        widths = [channels, *[kernels] * (layers - 1), channels]
        self.conv_layers = nn.ModuleList(
            nn.Conv2d(widths[i], widths[i + 1], 3, padding=1, bias=False) for i in range(layers)
        )
        self.running_sd = nn.ParameterList(
            nn.Parameter(_positive(1, kernels, 1, 1), requires_grad=False)
            for _ in range(layers - 2)
        )
        self.gammas = nn.ParameterList(
            nn.Parameter(_positive(1, kernels, 1, 1) - 1) for _ in range(layers - 2)
        )

    def residual(self, y):
        x = torch.relu(self.conv_layers[0](y))
        for conv, gamma, sd in zip(
            self.conv_layers[1:-1], self.gammas, self.running_sd, strict=True
        ):
            x = torch.relu(conv(x) * gamma / sd)
        return self.conv_layers[-1](x)


class BiasFreeDnCNN(nn.Module):
    """The DnCNN of bias-free denoising, whose norm is derived from PyTorch's."""

    def __init__(self, channels, kernels, hidden):
        super().__init__()
        self.first_layer = nn.Conv2d(channels, kernels, 3, padding=1, bias=False)
        self.hidden_layer_list = nn.ModuleList(
            nn.Conv2d(kernels, kernels, 3, padding=1, bias=False) for _ in range(hidden)
        )
        self.bn_layer_list = nn.ModuleList(nn.BatchNorm2d(kernels) for _ in range(hidden))
        self.last_layer = nn.Conv2d(kernels, channels, 3, padding=1, bias=False)
        for norm in self.bn_layer_list:
            norm.weight.data = _positive(kernels) - 1
            # Small enough for the constant to be seen.
            norm.running_var = _positive(kernels) * 1e-3

    def forward(self, y):
        x = torch.relu(self.first_layer(y))
        for conv, norm in zip(self.hidden_layer_list, self.bn_layer_list, strict=True):
            sd = torch.sqrt(norm.running_var) + 1e-5
            x = torch.relu(conv(x) * (norm.weight / sd)[:, None, None])
        return y - self.last_layer(x)

    def residual(self, y):
        return y - self(y)


class BiasFreeUNet(nn.Module):
    """The network of nine convolutions of bias-free denoising."""

    def __init__(self, channels, kernels):
        super().__init__()

        def conv(inputs, outputs, side, dilation=1, stride=1):
            padding = dilation * (side // 2)
            return nn.Conv2d(inputs, outputs, side, stride, padding, dilation=dilation, bias=False)

        half = 2 * kernels
        self.conv1 = conv(channels, kernels, 5)
        self.conv2 = conv(kernels, kernels, 3)
        self.conv3 = conv(kernels, half, 3, stride=2)
        self.conv4 = conv(half, half, 3)
        self.conv5 = conv(half, half, 3, dilation=2)
        self.conv6 = conv(half, half, 3, dilation=4)
        self.conv7 = nn.ConvTranspose2d(half, half, 4, stride=2, padding=1, bias=False)
        self.conv8 = conv(half + kernels, kernels, 3)
        self.conv9 = conv(kernels, channels, 5)

    def forward(self, y):
        height, width = y.shape[2:]
        x = nn.functional.pad(y, (0, width % 2, 0, height % 2))
        skip = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = skip
        for conv in (self.conv3, self.conv4, self.conv5, self.conv6, self.conv7):
            x = torch.relu(conv(x))
        x = torch.relu(self.conv8(torch.cat([x, skip], dim=1)))
        return self.conv9(x)[:, :, :height, :width]

    def residual(self, y):
        return y - self(y)


class _LayerNorm(nn.Module):
    def __init__(self, kernels):
        super().__init__()
        self.gammas = nn.Parameter(_positive(1, kernels, 1, 1))

    def forward(self, x):
        return x / (x.std((1, 2, 3), keepdim=True, unbiased=False) + 1e-5) * self.gammas


def _sequence(widths, bias, bare=None):
    layers = []
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias))
        layers += [] if i == bare else [_LayerNorm(outputs)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class FlexibleUNet(nn.Module):
    """UNet_flex with layer norm, two convolutions in each block, and skips."""

    def __init__(self, kernels, bias, upsample_bias):
        super().__init__()
        *width, middle = kernels
        self.encoder, self.upsample, self.decoder = (nn.ModuleDict() for _ in range(3))
        for b, kernel in enumerate(width):
            inputs = width[b - 1] if b else 1
            self.encoder[str(b)] = _sequence([inputs, kernel, kernel], bias, None if b else 0)
            # The outermost has none, whatever the others have.
            self.upsample[str(b)] = nn.ConvTranspose2d(
                kernels[b + 1], kernel, 2, stride=2, bias=upsample_bias and b > 0
            )
            outputs = [kernel, kernel if b else 1]
            decoder = _sequence([2 * kernel, *outputs], bias, None if b else 1)
            self.decoder[str(b)] = decoder if b else decoder[:-1]
        self.mid = _sequence([width[-1], middle, middle], bias)

    def forward(self, y):
        x, ends = y, []
        for encoder in self.encoder.values():
            ends.append(encoder(x))
            x = nn.functional.avg_pool2d(ends[-1], 2)
        x = self.mid(x)
        for b in reversed(range(len(ends))):
            x = self.decoder[str(b)](torch.cat([self.upsample[str(b)](x), ends[b]], dim=1))
        return x
