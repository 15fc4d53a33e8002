"""Euler steps along the probability-flow equation of the variance-exploding diffusion."""

from .noise_levels import noise_level


def euler_step(direction, y, z, at):
    """One step of dy / dsigma = r(y) / sigma, from sigma to sigma'.

    The equation is Song et al.'s (2021, arXiv 2011.13456, section 4.3) with their score in terms of the
    residual: -r(y) / sigma^2. No noise is added: the initial image decides all.

    Args:
        direction: a function of y that gives g and r(y).
        y: images.
        z: not used.
        at: a function of g that gives sigma and sigma'.

    Returns:
        The next images, the noise levels |g| / sqrt(d) of y, and r(y).
    """
    g, residual = direction(y)
    sigma, sigma_next = at(g)
    slope = g / sigma
    return y + (sigma_next - sigma) * slope, noise_level(g), residual
