"""Ancestral steps of the variance-exploding diffusion."""

from keras import ops

from .noise_levels import for_each, residual_level


def ancestral_step(direction, y, level, z, at):
    """A draw from the Gaussian of y' given y, if the denoised image were the clean one.

    Its mean is y - (1 - sigma'^2 / sigma^2) r(y) and its standard deviation
    sigma' sqrt(1 - sigma'^2 / sigma^2) (Song et al. 2021, arXiv 2011.13456, appendix F). Arguments and
    results as for `ascent_step`, where `at` gives sigma and sigma'.
    """
    g, residual = direction(y, level)
    sigma, sigma_next = at(g)
    fall = 1 - ops.square(sigma_next / sigma)
    drawn = y - fall * g + sigma_next * ops.sqrt(fall) * z
    return drawn, residual_level(g), for_each(sigma_next, level), residual
