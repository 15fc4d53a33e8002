"""What a network says of itself, so that whoever wraps it need not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_gahr._backend import foreign


@dataclasses.dataclass(frozen=True)
class Description:
    """What a network and its scheduler say; None where they say nothing.

    Args:
        network: the network itself, where it was given within something else.
        predicts, schedule, value_range, channels, size_multiple, size: see `wrap`.
        needs: names of the conditions without which it cannot be called, with an example of each.
    """

    network: Any
    predicts: str | None = None
    schedule: Any = None
    value_range: tuple[float, float] = (0.0, 1.0)
    channels: int | None = None
    size_multiple: int | None = None
    size: int | Sequence[int] | None = None
    needs: dict[str, str] = dataclasses.field(default_factory=dict)


def class_within(library: str, thing: Any, names: Sequence[str] | None = None) -> str | None:
    """The name of the class of a library that something is of, itself or by inheritance; None if of none.

    The library is not imported for it.

    Args:
        library: its top package.
        names: of the classes that are looked for; default: any.
    """
    return next(
        (
            kind.__name__
            for kind in type(thing).__mro__
            if kind.__module__.split(".")[0] == library
            and (names is None or kind.__name__ in names)
        ),
        None,
    )


def deepinv_description(network: Any) -> Description:
    """Of a denoiser of deepinv, D(y, sigma) with images in [0, 1]; of nothing else."""
    if class_within("deepinv", network, ["Denoiser"]) is None or not foreign.is_module(network):
        return Description(network)
    channels = foreign.first_channels(network)
    # Some take the level as one more channel of the image.
    return Description(
        network, "image", "sigma", channels=channels - 1 if channels in {2, 4} else channels
    )
