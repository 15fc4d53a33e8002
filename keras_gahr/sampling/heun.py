"""Heun's steps along the probability-flow equation of the variance-exploding diffusion."""

from .noise_levels import for_each, residual_level


def heun_step(direction, y, level, z, at):
    """An Euler step, done again with the mean of the slopes at both of its ends.

    Karras et al. (2022, arXiv 2206.00364), algorithm 1 with sigma(t) = t; an error of second order for
    two passes of the network. Arguments and results as for `euler_step`.
    """
    g, residual = direction(y, level)
    sigma, sigma_next = at(g)
    slope, level_next = g / sigma, for_each(sigma_next, level)
    g_next, _ = direction(y + (sigma_next - sigma) * slope, level_next)
    slope_next = g_next / sigma_next
    moved = y + (sigma_next - sigma) * (slope + slope_next) / 2
    return moved, residual_level(g), level_next, residual
