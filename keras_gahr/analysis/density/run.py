"""The log density of images under a denoiser."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY, some_places
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed, check_whole
from keras_gahr.progress import Progress, shows_progress

from .flow import PASSES, flow, way
from .levels import LeveledDenoiser
from .mmse import Effort, by_errors
from .own_noise import own_noise, with_own_noise
from .result import LogDensity
from .symmetry import asymmetry_at

DENSITY_METHODS = ("mmse", "flow")
"""Ways to find a density; see `log_density`."""

EVALUATIONS = 400
"""Of the denoiser for each image, by default."""

MOST_EVALUATIONS = 20_000
"""For each image, where it stops by default if an error is asked for."""

_LOOKED_AT = 8
"""Images at which it is asked how low a network's noise levels go."""

_BLOCK = 64
"""Images that are followed together."""


@shows_progress("measuring densities")
def log_density(
    denoiser: DenoiserLike,
    images: ArrayLike,
    *,
    seed: int = 0,
    method: str = "mmse",
    evaluations: int = EVALUATIONS,
    error: float | None = None,
    most: int = MOST_EVALUATIONS,
    dequantize: float | None = None,
    sigmas: Sequence[float] | None = None,
    probes: int = 4,
    asymmetry: int | None = None,
    first: int = 0,
    batch_size: int = 32,
    progress: Progress = None,
) -> LogDensity:
    """log p(x) of each image under the law that a denoiser is the best one for.

    "mmse" integrates the error of denoising over all noise levels (I-MMSE; Kong et al., arXiv 2302.03792),
    with independent noise at each, of which |z|^2 is taken out as a control. "flow" follows the probability
    flow with Hutchinson's traces (Song et al., arXiv 2011.13456). Both are exact for the best denoiser of a
    law. A trained one is none, and for it neither is a bound at one image; the mean of "mmse" over images is
    an upper bound of their entropy.

    Beyond the noise levels that the denoiser knows images count as normal above, of its own mean and variance
    at the highest level, and below, with "mmse", as of the dimension that it keeps at the lowest. The flow
    begins at the noise that images have (`dequantize`), which the denoiser must know, whether or not it takes
    so little away; of images without any it finds the density under their law with noise of the lowest level.

    Args:
        denoiser: see `as_denoiser`. Closed forms are told the noise level, whether or not they estimate it.
        images: x, (N, H, W), (N, H, W, C) or one image (H, W), (H, W, C), uint8 or floats in [0, 1].
        seed: of all noise; image k has that of index `first` + k.
        method: one of `DENSITY_METHODS`.
        evaluations: passes of the denoiser for each image; a product with its Jacobian counts as one.
        error: a standard error in bits per dimension: "mmse" goes on for each image until its own is not
            above.
        most: evaluations of an image where it stops in any case.
        dequantize: level of the normal noise that is added to images, whose law is smoothed by as much; in
            units of [0, 1]. Default: 1 / (255 sqrt(12)) if all are multiples of 1/255, else 0. Without it the
            density of bytes, or of images with fewer directions than pixels, is infinite.
        sigmas: the lowest and the highest noise level. Default: what the denoiser knows within 10^-3.5 to
            10^1.5; of networks up to 1, and down to where they still take noise away from a few of the
            images. Give those of one call to others, to compare sets of images. "flow" ends at 1 in any case,
            and its lowest one is the level of the noise that images have, if they have any.
        probes: of each trace of "flow".
        asymmetry: the first images at whose noisy versions it is measured how far the denoiser is from a
            gradient (`LogDensity.asymmetry`), by 32 products with the Jacobian each. Default: 1 of a
            network, none of a closed form or of what has no derivatives.
        first: index of the first image.
        batch_size: images computed at once.
        progress: called as progress(evaluations done, evaluations that are known to be needed).

    Returns:
        The `LogDensity`.

    Warns:
        UserWarning: if the error was not reached, or if there are noise levels at which images had better be
            left as they are: the denoiser has no law, or one without such images.

    Raises:
        InputError: for images that do not fit, an unknown method, or numbers out of range.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).normal(0.5, 0.1, (4, 8, 8))
        >>> vectors, variances = np.eye(64), np.full(64, 0.01)
        >>> denoiser = kg.baselines.Wiener(np.full((8, 8, 1), 0.5), vectors, variances)
        >>> found = kg.log_density(denoiser, images, evaluations=100)
        >>> squares = np.sum((images - 0.5) ** 2, axis=(1, 2))
        >>> expected = -squares / 0.02 - 32 * np.log(2 * np.pi * 0.01)
        >>> bool(np.all(abs(found.log_density - expected) < 3 * found.reach))
        True
    """
    assert callable(progress)  # As the decorator makes it.
    if method not in DENSITY_METHODS:
        raise InputError(f"received method {method!r}, expected {' or '.join(DENSITY_METHODS)}")
    denoiser = as_denoiser(denoiser)
    stack = as_stack(images, denoiser.input_channels, NOISY)
    denoiser.check_shape(stack.shape)
    seed, first = check_seed(seed), check_whole(first, "first", 0)
    evaluations = check_whole(evaluations, "evaluations", 12)
    most = check_whole(most, "most", 12)
    probes = check_whole(probes, "probes", 2)
    batch_size = check_whole(batch_size, "batch_size", 1)
    if error is not None and (error := check_number(error, "error")) <= 0:
        raise InputError(f"received error {error}, expected a standard error above 0")
    if error is not None and method != "mmse":
        raise InputError(
            f"received an error, which is for mmse, and method {method!r}: leave it out"
        )
    own = own_noise(stack, dequantize)
    leveled = LeveledDenoiser(denoiser, own, batch_size)
    if asymmetry is None:
        asymmetry = int(denoiser.differentiable and not leveled.formula)
    asymmetry = check_whole(asymmetry, "asymmetry", 0)
    # The law of the images as they are is that of their own noise.
    bare = LeveledDenoiser(denoiser, 0.0, batch_size)
    low, high = leveled.range(sigmas) if method == "mmse" else way(bare, own, sigmas)
    if sigmas is None and (method == "mmse" or not own):
        some = some_places(len(stack), _LOOKED_AT, seed)
        low = leveled.useful(low, high, with_own_noise(stack, some, own, seed, first), seed)
    done = 0

    def tick(passes):
        nonlocal done
        done += passes
        progress(done, max(done, evaluations * len(stack)))

    found = []
    for start in range(0, len(stack), _BLOCK):
        some = range(start, min(start + _BLOCK, len(stack)))
        clean = with_own_noise(stack, some, own, seed, first)
        if method == "mmse":
            effort = Effort(evaluations, error, most)
            found.append(by_errors(leveled, low, high, clean, effort, seed, first + start, tick))
        else:
            steps = max(2, evaluations // (probes + PASSES) - 1)
            found.append(flow(bare, low, high, clean, steps, probes, seed, first + start, tick))
    *parts, levels = zip(*found, strict=True)
    values, errors, reach, passes, curves = map(np.concatenate, parts)
    if error is not None:
        missed = np.count_nonzero(errors > error * stack[0].size * np.log(2))
        if missed:
            warnings.warn(
                f"the standard error of {missed} of {len(stack)} densities is above {error:g} bits per "
                f"dimension after {most} evaluations: allow more of them (most)",
                stacklevel=3,
            )
    symmetry = None, None
    if asymmetry:
        some = with_own_noise(stack, range(min(asymmetry, len(stack))), own, seed, first)
        symmetry = asymmetry_at(leveled, low, high, some, seed, first)
    result = LogDensity(
        values,
        errors,
        reach,
        passes,
        stack[0].size,
        method,
        own,
        (low, high),
        seed,
        *symmetry,
        tuple(levels[0].tolist()),
        curves,
    )
    result.warn_of_harm(stacklevel=3)
    return result
