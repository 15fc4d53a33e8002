"""What `gahr train` was asked for, as one value that can be written and read."""

import dataclasses
import json
import math
import os
import types
import typing

from keras_gahr.denoisers.configuration import registered_denoiser
from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.noise import NoiseLaw, parse_sigma

from .settings import TrainingSettings


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Images, network and settings of a run, one field for each option of the command line.

    Args:
        dataset: a dataset folder or an array file.
        train_size, test_size, half: which of its images; see `Dataset.split`.
        layout: of an array, such as "NCHW"; see `find_layout`.
        architecture: a key of `ARCHITECTURES`.
        num_kernels, num_blocks, num_layers, receptive_field: of it; None leaves its default.
        conditional: whether the images hold a low band to be given and details to be denoised.
        skip: whether the network computes the residual; otherwise the denoised image.
        start_from: a `.keras` file with the initial weights, or None.
        noise_law, sigma_min, sigma_max: of the noise; levels as `25/255` or a number.
        data_on_device: see `train`.

    The others are those of `TrainingSettings`.
    """

    dataset: str
    train_size: int | None = None
    test_size: int | None = None
    half: str = "A"
    layout: str | None = None
    architecture: str = "unet"
    num_kernels: int = 64
    num_blocks: int | None = None
    num_layers: int | None = None
    receptive_field: int | None = None
    conditional: bool = False
    skip: bool = True
    start_from: str | None = None
    epochs: int = TrainingSettings.epochs
    images_per_epoch: int = TrainingSettings.images_per_epoch
    batch_size: int = TrainingSettings.batch_size
    learning_rate: float = TrainingSettings.learning_rate
    halve_every: int | None = TrainingSettings.halve_every
    optimizer: str = TrainingSettings.optimizer
    schedule: str = TrainingSettings.schedule
    weight_decay: float | None = TrainingSettings.weight_decay
    clip_norm: float | None = TrainingSettings.clip_norm
    ema: float | None = TrainingSettings.ema
    patience: int | None = TrainingSettings.patience
    noise_law: str = NoiseLaw.name
    sigma_min: str = "0"
    sigma_max: str = "1"
    rescale: bool = TrainingSettings.rescale
    precision: str = TrainingSettings.precision
    steps_per_execution: int = TrainingSettings.steps_per_execution
    jit_compile: bool | None = TrainingSettings.jit_compile
    devices: int = TrainingSettings.devices
    data_on_device: bool | None = None
    seed: int = TrainingSettings.seed

    def settings(self):
        """The `TrainingSettings` among them; raises `InputError` for what they refuse."""
        fields = {field.name for field in dataclasses.fields(TrainingSettings)} - {"noise_law"}
        law = NoiseLaw(self.noise_law, parse_sigma(self.sigma_min), parse_sigma(self.sigma_max))
        return TrainingSettings(noise_law=law, **{name: getattr(self, name) for name in fields})

    def network(self):
        """The arguments of `build_denoiser` that were given, without channels and provenance."""
        options = {
            name: getattr(self, name)
            for name in ("num_kernels", "num_blocks", "num_layers", "receptive_field", "seed")
            if getattr(self, name) is not None
        }
        return {"architecture": self.architecture, **options}


def read_options(path):
    """The options in a config.json of a run, or in a JSON file that holds only some of them.

    Returns:
        A dictionary of fields of `RunConfig`; a `~` before paths is the user's folder.

    Raises:
        InputError: if the file is missing or no JSON, or holds an unknown option or a wrong type.
    """
    content = read_json(path, "a JSON file of options")
    if isinstance(content, dict) and isinstance(content.get("options"), dict):
        content = content["options"]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no options, expected a JSON object of them")
    known = typing.get_type_hints(RunConfig)
    for name, value in content.items():
        if name not in known:
            raise InputError(f"{path} has {name}, expected some of {', '.join(known)}")
        if not _is_of(value, known[name]):
            kind = getattr(known[name], "__name__", known[name])
            raise InputError(f"{path} has {name} = {json.dumps(value)}, expected {kind}")
    paths = {name: content[name] for name in ("dataset", "start_from") if content.get(name)}
    return content | {name: os.path.expanduser(path) for name, path in paths.items()}


def read_network(path, largest):
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
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} does not say which network was trained: {reason[:150]}"
        ) from error


def _is_of(value, kind):
    """Whether a JSON value fits a field's type; whole numbers are numbers, booleans are not."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if float in kinds:
        kinds = (*kinds, int)
    return type(value) in kinds
