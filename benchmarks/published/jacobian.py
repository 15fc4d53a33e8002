"""Rows or columns of the Jacobian of a function of one image `(1, 1, side, side)`."""

import torch
from torch.func import jacrev, jvp, vmap


def rows(denoise, noisy, count, chunk):
    """The first rows, a backward pass each."""
    noisy = noisy.requires_grad_()
    outputs = denoise(noisy).ravel()
    found = [
        torch.autograd.grad(outputs[i], noisy, retain_graph=True)[0].ravel() for i in range(count)
    ]
    return torch.stack(found)


def by_jacrev(denoise, noisy, count, chunk):
    """The first rows, `chunk` of them at once."""
    return jacrev(lambda y: denoise(y).ravel()[:count], chunk_size=chunk)(noisy)


@torch.no_grad()
def by_jvp(denoise, noisy, count, chunk):
    """The first columns, `chunk` of them at once."""
    directions = torch.eye(count, noisy.numel(), device=noisy.device)
    push = vmap(lambda v: jvp(denoise, (noisy,), (v.view_as(noisy),))[1], chunk_size=chunk)
    return push(directions)


METHODS = {"rows": rows, "jacrev": by_jacrev, "jvp": by_jvp}
