"""The bias-free norm on PyTorch with few passes over memory, each by a part of its batch norm.

Operation by operation, as Keras does it, it is a tenth of a training step: deviations from the mean and
their squares are written out, and so are their gradients.
"""

import torch

from . import plain

_LEAST_SUMS, _LONGEST_SUM = 1024, 4096
"""PyTorch adds up the pixels of a channel one after the other in float32, which loses digits where they are
many. So they are split among several channels; up to so many of these that takes no longer."""


def helps(x):
    """Whether `normalize` is for such images."""
    return x.dtype == torch.float32 and x.device.type == "cpu" and x.numel() > 0


def normalize(x, gamma, epsilon):
    """See `keras_gahr._backend.convolution`. It can be differentiated in both modes, any number of times."""
    normalized, _, sd = _Norm.apply(x, gamma, epsilon)
    return normalized, sd


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(x, gamma, epsilon):
        mean, variance = _moments(x)
        sd = torch.sqrt(variance + epsilon)
        return x * (gamma / sd), mean, sd

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, gamma, ctx.epsilon = inputs
        _, mean, sd = output
        ctx.mark_non_differentiable(mean, sd)
        ctx.save_for_backward(x, gamma, mean, sd)
        ctx.save_for_forward(x, gamma, mean, sd)

    @staticmethod
    def backward(ctx, gradient, *_):
        x, gamma, mean, sd = ctx.saved_tensors
        if torch.is_grad_enabled():
            # To be differentiated again.
            wanted = ctx.needs_input_grad[:2]
            sources = [tensor for tensor, needed in zip((x, gamma), wanted, strict=True) if needed]
            normalized, _ = plain.normalize(x, gamma, ctx.epsilon)
            found = iter(torch.autograd.grad(normalized, sources, gradient, create_graph=True))
            return *(next(found) if needed else None for needed in wanted), None
        product = _sum_of_products(gradient, x)
        # x counts twice: what is scaled, and in the standard deviation of all pixels.
        factor = gamma * product / (sd**3 * (x.numel() / len(gamma)))
        in_x = torch.addcmul(factor * mean, x, -factor).addcmul_(gradient, gamma / sd)
        return in_x, product / sd, None

    @staticmethod
    def jvp(ctx, x_tangent, gamma_tangent, _):
        x, gamma, mean, sd = ctx.saved_tensors
        tangent = torch.zeros_like(x)
        if x_tangent is not None:
            of_sd = ((x - mean) * x_tangent).mean((0, 1, 2)) / sd
            tangent = (x_tangent - x * (of_sd / sd)) * (gamma / sd)
        if gamma_tangent is not None:
            tangent = tangent + x * (gamma_tangent / sd)
        return tangent, None, None


def _moments(x):
    """The mean and the variance of each channel."""
    channels = x.shape[-1]
    means, variances = torch.batch_norm_update_stats(_split(x), None, None, 0.0)
    means, variances = means.view(-1, channels), variances.view(-1, channels)
    mean = means.mean(0)
    return mean, (variances + (means - mean).square()).mean(0)


def _sum_of_products(gradient, x):
    """Of each channel; PyTorch has it as the gradient of a scale."""
    x_split = _split(x)
    ones = x.new_ones(x_split.shape[1])
    _, products, _ = torch.ops.aten.native_batch_norm_backward(
        _split(gradient),
        x_split,
        ones,
        torch.zeros_like(ones),
        ones,
        None,
        None,
        train=False,
        eps=0.0,
        output_mask=[False, True, False],
    )
    return products.view(-1, x.shape[-1]).sum(0)


def _split(x):
    """Each channel as several, of equal shares of its pixels; in the order of axes that PyTorch wants."""
    channels = x.shape[-1]
    pixels = x.numel() // channels
    parts = max(1, _LEAST_SUMS // channels, pixels // _LONGEST_SUM)
    parts = next((count for count in range(parts, pixels) if pixels % count == 0), pixels)
    return x.reshape(1, pixels // parts, 1, parts * channels).permute(0, 3, 1, 2)
