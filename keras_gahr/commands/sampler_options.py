"""Options of the sampler, for every command that runs it."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError
from keras_gahr.options.option import declared

SamplerOption = Annotated[
    str, typer.Option(help="ascent, euler, heun, ancestral or multistep, of the fewest passes.")
]
DeterministicOption = Annotated[
    bool, typer.Option("--deterministic", help="Add no noise after the start (beta = 1).")
]
InitialOption = Annotated[
    Path | None, typer.Option(help="Start from the images in this file, not from noise.")
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


def chosen_schedule(options, sampler="ascent", deterministic=False):
    """The schedule of a sampler by name.

    Args:
        options: as a command has them that offers `SamplerOptions`, or some of them, marked: None (or
            false) for those that the user left out.
        sampler: a key of `keras_gahr.sampling.SAMPLERS`.
        deterministic: whether to add no noise.

    Raises:
        InputError: for an unknown sampler, options it does not have, or values outside their ranges.
    """
    from keras_gahr.noise import parse_sigma
    from keras_gahr.sampling.sampler import sampler_named

    kind = sampler_named(sampler).schedule
    known = declared(kind)
    given = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    for name, value in given.items():
        if name not in known:
            raise InputError(
                f"received --{name.replace('_', '-')}, which the sampler {sampler} does not have: "
                "leave it out"
            )
        if known[name].option.written is str:
            given[name] = parse_sigma(value)
    if deterministic and sampler == "ancestral":
        raise InputError(
            "received --deterministic for the sampler ancestral, which adds noise: use euler"
        )
    if deterministic and given.get("beta", 1) != 1:
        raise InputError(
            f"received --deterministic, which is --beta 1, and --beta {given['beta']}: choose one"
        )
    if deterministic and "beta" in known:
        given["beta"] = 1.0
    return kind(**given)
