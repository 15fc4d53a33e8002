"""What `gahr train` was asked for, as one value that can be written and read."""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

from keras_gahr.denoisers import Denoiser
from keras_gahr.denoisers.configuration import registered_denoiser
from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.names import reason_of
from keras_gahr.noise import NoiseLaw, parse_sigma
from keras_gahr.options.option import check_options, declared, describes_options
from keras_gahr.options.training import NetworkOptions, RunOptions

from .clock.settings import ClockSettings
from .settings import TrainingSettings
from .tracking.addresses import parse_trackers

PATHS = ("dataset", "start_from", "twin", "clock_features")
"""Options that are paths."""

_OPTIONS = "a JSON file of options"

_AROUND = {"conditional", "skip", "start_from"}
"""Options of the network that no architecture has."""

_COUNTS = ("block_kernels", "num_enc_conv", "num_dec_conv")
"""Options that are a number for each block, with commas, or one for all."""


@describes_options
@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(RunOptions):
    """Images, network and settings of a run: all that `RunOptions` declares, one field for each option.

    Args:

    Raises:
        InputError: for values outside their ranges.

    Examples:
        >>> from keras_gahr.training import RunConfig
        >>> config = RunConfig(dataset="faces80", epochs=50, noise_law="linear")
        >>> config.settings().noise_law.name, config.network()["architecture"]
        ('linear', 'unet')
    """

    def __post_init__(self) -> None:
        check_options(self)
        parse_trackers(self.track)

    def settings(self) -> TrainingSettings:
        """The `TrainingSettings` among them; raises `InputError` for what they refuse."""
        low, high = parse_sigma(self.sigma_min), parse_sigma(self.sigma_max)
        law = NoiseLaw(self.noise_law, low, high, self.noise_alpha)
        options = {name: getattr(self, name) for name in declared(TrainingSettings)}
        return TrainingSettings(noise_law=law, **options)

    def clock_settings(self) -> ClockSettings | None:
        """What is asked of the clock; None if there is none."""
        return ClockSettings.among(dataclasses.asdict(self))

    def network(self) -> dict[str, Any]:
        """The arguments of `build_denoiser` that were given, without channels and provenance."""
        names = [*(declared(NetworkOptions).keys() - _AROUND), "seed"]
        options = {name: getattr(self, name) for name in names}
        for name in _COUNTS:
            options[name] = _counts(options[name], name)
        of_blocks = options.pop("block_kernels")
        if of_blocks is not None:
            if self.architecture != "unet-flex":
                raise InputError(
                    f"received block_kernels for the architecture {self.architecture}, expected unet-flex: "
                    "leave them out"
                )
            options["num_kernels"] = [of_blocks] if isinstance(of_blocks, int) else of_blocks
        return {name: value for name, value in options.items() if value is not None}


def _counts(given, name):
    """The whole number, or the list of several, that a text such as 2,2,3 says; others as they are."""
    if not isinstance(given, str):
        return given
    parts = given.split(",")
    if not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
        raise InputError(
            f"received {name} {given!r:.40}, expected a whole number, or one for each block as 2,2,3"
        )
    counts = [int(part) for part in parts]
    return counts if len(counts) > 1 else counts[0]


def options_and_halving(run: Path) -> tuple[dict[str, Any], int | None]:
    """The options of a run, and its epochs between halvings, whose default must not change with their number.

    Raises:
        InputError: as `read_options` does.
    """
    path = run / "config.json"
    content = read_json(path, _OPTIONS)
    options = _options_in(content, path)
    training = content.get("training")
    recorded = training.get("halve_every") if isinstance(training, dict) else None
    if not isinstance(recorded, int):
        recorded = RunConfig(**options).settings().halve_every
    return options, recorded


def read_options(path: str | Path) -> dict[str, Any]:
    """The options in a config.json of a run, or in a JSON file that holds only some of them.

    Returns:
        A dictionary of fields of `RunConfig`; a `~` before paths is the user's folder.

    Raises:
        InputError: if the file is missing or no JSON, or holds an unknown option or one with a value
            that it may not have.
    """
    return _options_in(read_json(path, _OPTIONS), path)


def _options_in(content, path):
    if isinstance(content, dict) and isinstance(content.get("options"), dict):
        content = content["options"]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no options, expected a JSON object of them")
    known = declared(RunConfig)
    for name, value in content.items():
        if name not in known:
            raise InputError(f"{path} has {name}, expected some of {', '.join(known)}")
        try:
            known[name].checked(value)
        except ValueError as error:
            shown = json.dumps(value)
            raise InputError(f"{path} has {name} = {shown:.80}, expected {error}") from None
    paths = {name: content[name] for name in PATHS if content.get(name)}
    return content | {name: os.path.expanduser(path) for name, path in paths.items()}


def read_network(path: str | Path, largest: int) -> Denoiser:
    """The denoiser that a config.json of a run describes, with random weights.

    Args:
        path: of the config.json.
        largest: bytes that its weights may take, which is checked before it is built.

    Raises:
        InputError: if the file is missing or no JSON, or describes no denoiser, or a larger one.
    """
    content = read_json(path, "the config.json of a run")
    try:
        options = dict(content["denoiser"])
        denoiser = registered_denoiser(options.pop("class"))
        if 4 * sum(map(math.prod, denoiser.stored_shapes(options))) > largest:
            raise ValueError("it is larger than the state of the run")
        return denoiser.from_config(options)
    except MemoryError:
        raise
    except Exception as error:  # Keras raises whatever the damaged part happened to cause.
        raise InputError(
            f"{path} does not say which network was trained: {reason_of(error)}"
        ) from error
