"""Options of the sampler, for every command that runs it."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError

BetaOption = Annotated[
    float | None,
    typer.Option(help="1 adds no noise, less adds more.", show_default="0.01"),
]
FirstStepOption = Annotated[
    float | None, typer.Option(help="First step size.", show_default="0.01")
]
FixedStepOption = Annotated[bool, typer.Option("--fixed-h", help="Keep the step size at h0.")]
SigmaStartOption = Annotated[str, typer.Option(help="Noise level of the start: 1 or 255/255.")]
SigmaEndOption = Annotated[str, typer.Option(help="Noise level of the end.")]
InitialMeanOption = Annotated[float, typer.Option(help="Grey value of the start.")]
MaxStepsOption = Annotated[
    int | None, typer.Option(help="Give up after this many steps; default: 5 x theory.")
]
SamplerOption = Annotated[str, typer.Option(help="ascent, euler, heun or ancestral.")]
StepsOption = Annotated[
    int | None, typer.Option(help="Steps of euler, heun or ancestral.", show_default="50")
]
SpacingOption = Annotated[
    str | None,
    typer.Option(help="Of their noise levels: karras or geometric.", show_default="karras"),
]
EstimatedOption = Annotated[
    bool, typer.Option("--estimated", help="They step from the noise level the denoiser sees.")
]
DeterministicOption = Annotated[
    bool, typer.Option("--deterministic", help="Add no noise after the start (beta = 1).")
]
InitialOption = Annotated[
    Path | None, typer.Option(help="Start from the images in this .npy file, not from noise.")
]
FirstImageOption = Annotated[
    int, typer.Option(help="Index of the first image in the seed's sequence.", min=0)
]
FinalDenoiseOption = Annotated[
    bool, typer.Option("--final-denoise/--no-final-denoise", help="Denoise the last image.")
]
TrajectoryOption = Annotated[
    int | None, typer.Option(help="Also write every so many steps: PNG, GIF, NPZ.", min=1)
]


def parse_schedule(sigma_0, sigma_end, **options):
    """The `AscentSchedule` of a command's options.

    Args:
        sigma_0, sigma_end: noise levels as the user wrote them.
        **options: the other arguments of `AscentSchedule`; None is its default.

    Raises:
        InputError: for values outside their ranges.
    """
    from keras_gahr.noise import parse_sigma
    from keras_gahr.sampling import AscentSchedule

    given = {name: value for name, value in options.items() if value is not None}
    return AscentSchedule(sigma_0=parse_sigma(sigma_0), sigma_end=parse_sigma(sigma_end), **given)


def parse_sampler(sampler, sigma_0, sigma_end, *, beta, init_mean, deterministic, ascent, levels):
    """The schedule of a sampler by name.

    Args:
        sampler: a key of `keras_gahr.sampling.SAMPLERS`.
        sigma_0, sigma_end: noise levels as the user wrote them.
        beta: of the ascent; None for its default.
        init_mean: grey value of the start.
        deterministic: whether to add no noise.
        ascent, levels: options that only an `AscentSchedule` or `NoiseLevels` has, each None (or
            false) if the user left it out.

    Raises:
        InputError: for an unknown sampler, options it does not have, or values outside their ranges.
    """
    from keras_gahr.noise import parse_sigma
    from keras_gahr.sampling import SAMPLERS, NoiseLevels

    if sampler not in SAMPLERS:
        raise InputError(f"received sampler {sampler!r}, expected one of {', '.join(SAMPLERS)}")
    is_ascent = sampler == "ascent"
    others = levels if is_ascent else {"beta": beta, **ascent}
    for option, value in others.items():
        if value not in {None, False}:
            raise InputError(
                f"received --{option.replace('_', '-')}, which the sampler {sampler} does not have: "
                "leave it out"
            )
    if deterministic and sampler == "ancestral":
        raise InputError(
            "received --deterministic for the sampler ancestral, which adds noise: use euler"
        )
    if deterministic and beta not in {None, 1}:
        raise InputError(
            f"received --deterministic, which is --beta 1, and --beta {beta}: choose one"
        )
    if is_ascent:
        beta = 1.0 if deterministic else beta
        return parse_schedule(sigma_0, sigma_end, init_mean=init_mean, beta=beta, **ascent)
    return NoiseLevels(
        sigma_0=parse_sigma(sigma_0),
        sigma_end=parse_sigma(sigma_end),
        init_mean=init_mean,
        **{name: value for name, value in levels.items() if value is not None},
    )


def read_images(path, channels, layout=None):
    """Images to start from in an array, float32 `(count, height, width, channels)`, not clipped.

    Args:
        path: the file; its values may be those of images with noise up to sigma = 2, see `open_array`.
        channels: of the denoiser.
        layout: such as "NCHW"; by default see `find_layout`.

    Raises:
        InputError: if it holds anything else.
    """
    from keras_gahr.datasets.arrays import to_float
    from keras_gahr.datasets.image_arrays import open_array

    images, _ = open_array(path, channels, layout, _STARTS)
    return to_float(images, None)


_STARTS = (-18, 19)
"""Limits of what the sampler may start from: [0, 1] and 9 sigma on either side."""
