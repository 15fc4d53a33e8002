"""Euler steps along the probability-flow equation of the variance-exploding diffusion."""

from .noise_levels import for_each, residual_level


def euler_step(direction, y, level, z, at):
    """One step of dy / dsigma = r(y) / sigma, from sigma to sigma'.

    The equation is Song et al.'s (2021, arXiv 2011.13456, section 4.3) with their score in terms of the
    residual: -r(y) / sigma^2. No noise is added: the initial image decides all.

    Arguments and results as for `ascent_step`, where z is not used and `at` gives sigma and sigma'.
    """
    g, residual = direction(y, level)
    sigma, sigma_next = at(g)
    slope = g / sigma
    return (
        y + (sigma_next - sigma) * slope,
        residual_level(g),
        for_each(sigma_next, level),
        residual,
    )
