"""Options of the sampler, for every command that runs it."""

from typing import Annotated

import typer

BetaOption = Annotated[float, typer.Option(help="1 adds no noise, less adds more.")]
FirstStepOption = Annotated[float, typer.Option(help="First step size.")]
FixedStepOption = Annotated[bool, typer.Option("--fixed-h", help="Keep the step size at h0.")]
SigmaStartOption = Annotated[str, typer.Option(help="Noise level of the start: 1 or 255/255.")]
SigmaEndOption = Annotated[str, typer.Option(help="Noise level of the end.")]
InitialMeanOption = Annotated[float, typer.Option(help="Grey value of the start.")]
MaxStepsOption = Annotated[
    int | None, typer.Option(help="Give up after this many steps; default: 5 x theory.")
]


def parse_schedule(sigma_0, sigma_end, **options):
    """The `AscentSchedule` of a command's options.

    Args:
        sigma_0, sigma_end: noise levels as the user wrote them.
        **options: the other arguments of `AscentSchedule`.

    Raises:
        InputError: for values outside their ranges.
    """
    from keras_gahr.noise import parse_sigma
    from keras_gahr.sampling import AscentSchedule

    return AscentSchedule(sigma_0=parse_sigma(sigma_0), sigma_end=parse_sigma(sigma_end), **options)
