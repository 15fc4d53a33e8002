"""What the rival can be asked for: each function here prepares a piece of work.

They return a function of a count, which does that many (training steps, batches, images, rows) and
leaves nothing running on the device.
"""

import numpy
import torch

from . import c_alpha, duplicates, local_optimum
from .jacobian import METHODS
from .pipeline import pipeline
from .running import Running
from .sampler import draw


def training(kernels, blocks, side, batch, **running):
    """Training steps on one batch: noise, squared error of the residual, Adam."""
    running = Running(**running)
    device = running.device
    network = running.network(kernels, blocks, training=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=running.channels_last)
    clean = torch.rand(batch, 1, side, side)

    def steps(count):
        for _ in range(count):
            images = running.place(clean)
            sigma = torch.rand(batch, 1, 1, 1, device=device) ** 2
            noise = sigma * torch.randn_like(images)
            optimizer.zero_grad()
            with running.autocast():
                residual = network(images + noise)
            loss = (residual - noise).square().sum() / batch
            loss.backward()
            optimizer.step()
            # As published: the loss of each step is added up on the host.
            loss.item()

    return running.does(steps)


def denoising(kernels, blocks, side, batch, **running):
    """Batches of images, from the host and back to it."""
    running = Running(**running)
    residual = running.residual(running.network(kernels, blocks))
    noisy = 0.5 + torch.randn(batch, 1, side, side)

    @torch.no_grad()
    def batches(count):
        for _ in range(count):
            images = running.place(noisy)
            (images - residual(images)).cpu()

    return running.does(batches)


def sampling(kernels, blocks, side, steps, at_once, **running):
    """Images from the prior, some at once."""
    running = Running(**running)
    residual = running.residual(running.network(kernels, blocks))

    def images(count):
        for _ in range(count // at_once):
            draw(residual, at_once, side, steps, running.device).cpu()

    return running.does(images)


def diffusion(kernels, blocks, side, steps, at_once, **running):
    """The same number of images in as many passes, by diffusers."""
    running = Running(**running)
    residual = running.residual(running.network(kernels, blocks))
    draw = pipeline(residual, side, running.device)

    def images(count):
        for _ in range(count // at_once):
            draw(at_once, steps + 1)

    return running.does(images)


def jacobian(kernels, blocks, side, method, chunk, **running):
    """Rows or columns of the Jacobian of the denoiser at one image."""
    running = Running(**running)
    residual = running.residual(running.network(kernels, blocks))
    noisy = running.place(0.5 + torch.randn(1, 1, side, side))

    def lines(count):
        METHODS[method](lambda y: y - residual(y), noisy, count, chunk).cpu()

    return running.does(lines)


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
        diffusion,
        jacobian,
        c_alpha_images,
        deduplication,
        local,
    )
}
"""By name."""
