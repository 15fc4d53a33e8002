"""Heun's steps along the probability-flow equation of the variance-exploding diffusion."""

from .noise_levels import noise_level


def heun_step(direction, y, z, at):
    """An Euler step, done again with the mean of the slopes at both of its ends.

    Karras et al. (2022, arXiv 2206.00364), algorithm 1 with sigma(t) = t; an error of second order for
    two passes of the network. Arguments and results as for `euler_step`.
    """
    g, residual = direction(y)
    sigma, sigma_next = at(g)
    slope = g / sigma
    g_next, _ = direction(y + (sigma_next - sigma) * slope)
    slope_next = g_next / sigma_next
    return y + (sigma_next - sigma) * (slope + slope_next) / 2, noise_level(g), residual
