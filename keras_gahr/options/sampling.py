"""The options of samplers: of the schedules that they follow."""

import dataclasses

from .option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleOptions:
    """What all schedules have; every sigma in units of [0, 1]."""

    sigma_0: float = option(1.0, "Noise level of the initial image: 1 or 255/255.", written=str)
    sigma_end: float = option(
        0.01, "An image is finished when its noise level is below this.", written=str
    )
    init_mean: float = option(0.5, "Grey value that the initial noise is added to.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AscentOptions(ScheduleOptions):
    """Of the ascent."""

    beta: float = option(
        0.01,
        "1 adds no noise, so that the initial image decides all; smaller values add more (the "
        "published code: 0.01, the paper and multistep: 0.1).",
        above=0,
        most=1,
    )
    h0: float = option(0.01, "First step size, a share of the residual.", above=0, most=1)
    fixed_h: bool = option(
        False,
        "Keep the step size at h0 instead of letting it grow as h0 t / (1 + h0 (t - 1)).",
        flag=True,
    )
    max_steps: int | None = option(
        None,
        "Steps after which an unfinished image is given up.",
        least=1,
        unset="five times what theory predicts",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class LevelOptions(ScheduleOptions):
    """Of samplers that follow noise levels: euler, heun and ancestral."""

    steps: int = option(
        50,
        "Steps of euler, heun or ancestral; those to expect of multistep, by itself 20.",
        least=1,
        most=10**6,
    )
    spacing: str = option(
        "karras", "How their noise levels are spaced.", choices=("karras", "geometric")
    )
    rho: float = option(7.0, "Of karras, which spaces sigma^(1/rho) evenly.", least=1)
    estimated: bool = option(
        False,
        "They step from the noise level that the denoiser sees, not from the scheduled one.",
        flag=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class MultistepOptions(ScheduleOptions):
    """Of multistep."""

    steps: int = option(
        20, "Steps from sigma_0 to sigma_end, all by the same factor.", least=1, most=10**5
    )
    beta: float = option(
        0.1,
        "As of the ascent: 1 adds no noise, 0.5 as much as the reverse diffusion, smaller values more.",
        above=0,
        most=1,
    )
    max_steps: int | None = option(
        None,
        "Steps after which an unfinished image is given up.",
        least=1,
        unset="five times steps",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplerOptions(LevelOptions, AscentOptions):
    """All that `gahr sample` can be asked for, of whichever sampler."""
