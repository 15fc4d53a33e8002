"""How networks are told the noise level, and how their input is scaled for it.

A network is given z = s y', where y' are the noisy images in its own range of values and s depends on their
noise level sigma', in the same units; and with them whatever it is told in the level's place.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr._backend import foreign
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, parse_sigma


class Schedule(abc.ABC):
    """What a network takes; every sigma in the units of its own images.

    Attributes:
        told: whether the network is told the level.
        limits: the lowest and the highest level that it knows.
        any_level: whether it knows levels of any size; see `Denoiser.any_level`.

    Examples:
        >>> from keras_gahr.denoisers import EDM, Schedule
        >>> isinstance(EDM(), Schedule), EDM().limits
        (True, (0.0, inf))
    """

    told = True
    limits: tuple[float, float] = (0.0, np.inf)
    any_level = False

    def scale(self, sigma: Any) -> Any:
        """s, a tensor shaped as the levels."""
        return ops.ones_like(sigma)

    @abc.abstractmethod
    def argument(self, sigma: Any) -> Any:
        """What the network is told, a tensor `(batch,)` of levels `(batch,)`."""

    def nearest(self, sigma: float) -> float:
        """The level that the network is really told for this one."""
        return sigma

    def numbers(self) -> Any:
        """What makes the same schedule again, by `schedule_of`, in JSON."""
        return self.name

    name: str = ""


class Blind(Schedule):
    """The network is told nothing."""

    told = False
    name = "blind"

    def argument(self, sigma: Any) -> Any:
        return None


class GivenSigma(Schedule):
    """The network is told the level itself.

    Args:
        highest: the highest level that it knows, as of a variance-exploding diffusion; default: not known.
    """

    name = "sigma"

    def __init__(self, highest: float | None = None) -> None:
        if highest is not None:
            _check_positive(highest, "a highest level")
            self.limits = 0.0, highest

    def numbers(self) -> str:
        highest = self.limits[1]
        return self.name if highest == np.inf else f"{self.name}:{highest!r}"

    def argument(self, sigma: Any) -> Any:
        return sigma


class AlphaBars(Schedule):
    """A variance-preserving diffusion in discrete time: the network is told an index.

    z = sqrt(a) y' with a = 1 / (1 + sigma'^2), and the index is that of the level nearest in log sigma in a
    table of alpha-bar (Ho et al. 2020, arXiv 2006.11239, section 2).

    Args:
        table: alpha-bar for each index, (T,), between 0 and 1; sigma^2 = (1 - alpha-bar) / alpha-bar.
        indices: what the network is told in the place of 0, ..., T - 1; default: these. If not all are
            whole numbers, as t / T, it is told them in float32.

    Raises:
        InputError: for another table.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.denoisers import AlphaBars
        >>> schedule = AlphaBars(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
        >>> round(schedule.nearest(0.3), 4)
        0.3014
    """

    name = "alpha-bar"

    def __init__(self, table: ArrayLike, indices: ArrayLike | None = None) -> None:
        self.table = _numbers(table)
        if not ((self.table > 0) & (self.table < 1)).all():
            raise InputError(
                "received a table of alpha-bar with values that are not between 0 and 1"
            )
        count = len(self.table)
        self.indices = np.asarray(range(count) if indices is None else indices)
        if self.indices.shape != self.table.shape:
            raise InputError(
                f"received {count} values of alpha-bar and indices of shape {self.indices.shape}: give as "
                "many"
            )
        if self.indices.dtype.kind not in "iuf" or not np.isfinite(self.indices).all():
            raise InputError("received indices of alpha-bar that are no numbers")
        self.sigmas = np.sqrt((1 - self.table) / self.table)
        self.limits = float(self.sigmas.min()), float(self.sigmas.max())

    def scale(self, sigma: Any) -> Any:
        return 1 / ops.sqrt(1 + ops.square(sigma))

    def argument(self, sigma: Any) -> Any:
        logarithms = ops.convert_to_tensor(np.log(self.sigmas), "float32")
        least = ops.maximum(sigma, float(self.limits[0]))
        distance = ops.abs(ops.log(least)[:, None] - logarithms)
        whole = (self.indices == np.rint(self.indices)).all()
        indices = self.indices.astype(foreign.INDEX if whole else "float32")
        return ops.take(ops.convert_to_tensor(indices), ops.argmin(distance, axis=1))

    def nearest(self, sigma: float) -> float:
        distance = np.abs(np.log(self.sigmas) - np.log(max(sigma, self.limits[0])))
        return float(self.sigmas[distance.argmin()])

    def numbers(self) -> Any:
        return {"alpha_bars": self.table.tolist(), "indices": self.indices.tolist()}


@dataclasses.dataclass(frozen=True)
class EDM(Schedule):
    """The preconditioning of Karras et al. (2022, arXiv 2206.00364, table 1) around a raw network F.

    z = c_in y', and the network is told c_noise = ln(sigma') / 4. A network that does this itself, as the
    published code's does, takes sigma and returns the image: it has the schedule "sigma".

    Args:
        sigma_data: the standard deviation of clean images, in the network's units.

    Examples:
        >>> from keras_gahr.denoisers import EDM
        >>> EDM().sigma_data
        0.5
    """

    sigma_data: float = 0.5
    name = "edm"
    any_level = True

    def __post_init__(self):
        _check_positive(self.sigma_data, "sigma_data")

    def scale(self, sigma: Any) -> Any:
        return 1 / ops.sqrt(ops.square(sigma) + self.sigma_data**2)

    def argument(self, sigma: Any) -> Any:
        return ops.log(sigma) / 4

    def numbers(self) -> Any:
        return {"sigma_data": self.sigma_data}


@dataclasses.dataclass(frozen=True)
class FlowTime(Schedule):
    """Flow matching along x_t = (1 - t) x + t z: t = sigma' / (1 + sigma'), and the input is x_t.

    (Lipman et al. 2023, arXiv 2210.02747, with noise at t = 1.)

    Args:
        factor: what the network is told is t times this.
        reverse: whether the network was trained with noise at t = 0: it is then told 1 - t, and a
            velocity that it predicts has the other sign.

    Examples:
        >>> from keras_gahr.denoisers import FlowTime
        >>> FlowTime(factor=1000).factor
        1000
    """

    factor: float = 1.0
    reverse: bool = False
    name = "flow"
    any_level = True

    def __post_init__(self):
        _check_positive(self.factor, "a factor of time")

    def scale(self, sigma: Any) -> Any:
        return 1 / (1 + sigma)

    def argument(self, sigma: Any) -> Any:
        t = 1 / (1 + sigma) if self.reverse else sigma / (1 + sigma)
        return self.factor * t

    def numbers(self) -> Any:
        return {"time_factor": self.factor, "reverse": self.reverse}


_NAMED = {kind.name: kind for kind in (Blind, GivenSigma, EDM, FlowTime)}


def schedule_of(given: Any) -> Schedule:
    """The schedule that was given or named.

    Args:
        given: a `Schedule`; None or "blind", "sigma", "sigma:50", "edm" or "flow"; a table of alpha-bar; or
            what `Schedule.numbers` returned.

    Raises:
        InputError: for anything else.
    """
    if isinstance(given, Schedule):
        return given
    if given is None:
        return Blind()
    if isinstance(given, str):
        name, _, highest = given.partition(":")
        if given in _NAMED:
            return _NAMED[given]()
        if name == GivenSigma.name:
            return GivenSigma(parse_sigma(highest))
    elif isinstance(given, dict):
        for names, kind in (
            (("alpha_bars", "indices"), AlphaBars),
            (("sigma_data",), EDM),
            (("time_factor", "reverse"), FlowTime),
        ):
            if set(given) == set(names):
                return kind(*(given[name] for name in names))
    elif np.ndim(given) == 1 or hasattr(given, "__len__"):
        return AlphaBars(given)
    shown = repr(given) if isinstance(given, str | dict) else f"a {type(given).__name__}"
    raise InputError(
        f"received the schedule {shown:.80}, expected {', '.join(_NAMED)}, a table of alpha-bar or a "
        "scheduler of diffusers"
    )


def _numbers(table):
    try:
        found = np.asarray(table, np.float64)
    except (TypeError, ValueError, RuntimeError):
        found = np.empty(0)
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all():
        raise InputError(
            f"received a table of alpha-bar of shape {found.shape}, expected two finite numbers or more"
        )
    return found


def _check_positive(value, name):
    if not check_number(value, name) > 0:
        raise InputError(f"received {name} = {value}, expected a number above 0")
