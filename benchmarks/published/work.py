"""What the rival can be asked for: each function here prepares a piece of work.

They return a function of a count, which does that many (training steps, batches, images, rows) and
leaves nothing running on the device.
"""

import numpy
import torch

from . import c_alpha, duplicates, local_optimum
from .sampler import draw
from .unet import UNet


def training(device, kernels, blocks, side, batch):
    """Training steps on one batch: noise, squared error of the residual, Adam."""
    network = UNet(kernels, blocks).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    clean = torch.rand(batch, 1, side, side)

    def steps(count):
        for _ in range(count):
            images = clean.to(device)
            sigma = torch.rand(batch, 1, 1, 1, device=device) ** 2
            noise = sigma * torch.randn_like(images)
            optimizer.zero_grad()
            loss = (network(images + noise) - noise).square().sum() / batch
            loss.backward()
            optimizer.step()
            # As published: the loss of each step is added up on the host.
            loss.item()

    return steps


def denoising(device, kernels, blocks, side, batch):
    """Batches of images, from the host and back to it."""
    network = UNet(kernels, blocks).to(device).eval()
    noisy = 0.5 + torch.randn(batch, 1, side, side)

    @torch.no_grad()
    def batches(count):
        for _ in range(count):
            images = noisy.to(device)
            (images - network(images)).cpu()

    return batches


def sampling(device, kernels, blocks, side, steps):
    """Images from the prior, one at a time."""
    network = UNet(kernels, blocks).to(device).eval()

    def images(count):
        for _ in range(count):
            draw(network, side, steps, device).cpu()

    return images


def jacobian(device, kernels, blocks, side):
    """Rows of the Jacobian of the denoiser at one image, a backward pass each."""
    network = UNet(kernels, blocks).to(device).eval()
    noisy = (0.5 + torch.randn(1, 1, side, side)).to(device).requires_grad_()

    def rows(count):
        outputs = (noisy - network(noisy)).ravel()
        found = [
            torch.autograd.grad(outputs[i], noisy, retain_graph=True)[0].ravel()
            for i in range(count)
        ]
        torch.stack(found).cpu()

    return rows


def c_alpha_images(size, alpha, blurred):
    """Images of the family, one at a time."""
    return lambda count: c_alpha.c_alpha_images(count, size, alpha, blurred)


def deduplication(path, side, threshold):
    """The images in a file, however many are asked for."""
    return lambda count: duplicates.dropped(path, side, threshold)


def local(path, side, sigma):
    """Noisy images denoised by the equivariant local optimum of the images in a file."""
    images = torch.from_numpy(numpy.load(path)).permute(0, 3, 1, 2) / 255

    def noisy(count):
        given = images[:count] + sigma * torch.randn_like(images[:count])
        local_optimum.denoised(given, images, side, sigma)

    return noisy


WORK = {
    work.__name__: work
    for work in (
        training,
        denoising,
        sampling,
        jacobian,
        c_alpha_images,
        deduplication,
        local,
    )
}
"""By name."""
