"""Images by the loop of diffusers, in which another network is put."""

import types

import torch


def pipeline(residual, side, device):
    """A function of a number of images and of passes, that draws them all at once by DDIM.

    Args:
        residual: the function of images that the network is.
        side: of the images.
        device: that it computes on.

    Raises:
        ModuleNotFoundError: where diffusers is not installed.
    """
    import diffusers

    drawing = diffusers.DDIMPipeline(_Network(residual, side, device), diffusers.DDIMScheduler())
    drawing.set_progress_bar_config(disable=True)
    return lambda count, passes: drawing(count, num_inference_steps=passes, output_type="np")


class _Network(torch.nn.Module):
    """A network as a pipeline calls it. It is blind, so that the time of a step says nothing to it."""

    dtype = torch.float32

    def __init__(self, residual, side, device):
        super().__init__()
        self.device = torch.device(device)
        self.residual = residual
        self.config = types.SimpleNamespace(sample_size=side, in_channels=1)

    def forward(self, images, time):
        return types.SimpleNamespace(sample=self.residual(images))
