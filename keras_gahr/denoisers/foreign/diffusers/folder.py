"""Networks in folders that diffusers' `save_pretrained` wrote, which may be anybody's."""

from __future__ import annotations

import importlib
import math
import os
from pathlib import Path

import keras
import safetensors

from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.names import printable, reason_of

from .network import AUTOENCODERS, TRANSFORMERS, Trained
from .scheduler import SCHEDULERS

NETWORKS = ("UNet2DModel", *TRANSFORMERS)
"""The classes that are made of a folder; no other is imported."""

_PARTS = ("unet", "transformer")

_WEIGHTS = "diffusion_pytorch_model.safetensors"

_COUNTS = {
    "UNet2DModel": ("layers_per_block",),
    "DiTTransformer2DModel": (
        "num_layers",
        "sample_size",
        "patch_size",
        "num_attention_heads",
        "attention_head_dim",
    ),
}
"""What makes a network large besides its weights."""

_MOST_POSITIONS = 10**7

_MOST_STEPS = 100_000

_COUNTED = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "rescale_betas_zero_snr",
    "prediction_type",
    "timestep_type",
    "sigma_data",
    "invert_sigmas",
)
"""What a scheduler's configuration says of the training. How it would step is not asked, and may take
memory: a solver keeps a list as long as its order."""

_INSTALL = 'pip install "keras-gahr[diffusers]"'


def load_folder(folder: str | os.PathLike) -> Trained:
    """A network of diffusers and its scheduler, which `wrap` takes.

    Nothing of the folder is executed and nothing is downloaded: of a pipeline only its index, the network
    and the scheduler are read, of classes that are known here; weights only in the form of safetensors; and a
    network with more numbers than its file of weights has is not made.

    Args:
        folder: of a pipeline (with a model_index.json), or of a network (with a config.json), whose scheduler
            (scheduler_config.json) may be within it, in a folder `scheduler` or not.

    Returns:
        A `Trained`; its scheduler is None if the folder has none.

    Raises:
        InputError: for a folder that is something else, lacks something or has other classes; if diffusers
            is not installed; and on other backends than PyTorch.
    """
    folder = Path(folder)
    index = folder / "model_index.json"
    latent = False
    if index.exists():
        parts = _settings(index)
        part = next((name for name in _PARTS if _class_of(parts.get(name))), None)
        if part is None:
            raise InputError(f"{index} names no unet and no transformer: give a pipeline of images")
        _known(index, _class_of(parts[part]), NETWORKS)
        latent = any(_is_there(parts.get(name)) for name in AUTOENCODERS)
        network, scheduler = folder / part, folder / "scheduler"
    else:
        network = folder
        inner = folder / "scheduler"
        scheduler = inner if inner.is_dir() else folder
    if not (network / "config.json").exists():
        raise InputError(
            f"{network} has no config.json: give the folder of a pipeline or a network that diffusers' "
            "save_pretrained wrote"
        )
    return Trained(_network(network), _scheduler(scheduler), latent)


def _network(folder):
    path = folder / "config.json"
    config = _settings(path)
    kind = _known(path, config.get("_class_name"), NETWORKS)
    if "quantization_config" in config:
        raise InputError(f"{path} is of a quantized network, which is not read: save it as float32")
    weights = folder / _WEIGHTS
    if not weights.is_file() or (folder / f"{_WEIGHTS}.index.json").exists():
        raise InputError(
            f"{folder} has no {_WEIGHTS} in one part: other forms of weights can execute code and are not "
            "read; write it with save_pretrained"
        )
    sizes = _sizes(weights)
    _check_counts(path, kind, config, len(sizes), sum(sizes))
    library = _library()
    try:
        needed = library.numbers_of(kind, config)
    except Exception as error:  # Whatever a wrong configuration raises.
        raise InputError(
            f"{path} is not of a {kind}: {reason_of(error, with_class=True)}"
        ) from error
    if needed > sum(sizes):
        raise InputError(
            f"{path} is of a network of {needed} numbers, but {_WEIGHTS} has {sum(sizes)}"
        )
    try:
        network, other = library.load_network(kind, folder)
    except Exception as error:
        raise InputError(
            f"{weights} cannot be read: {reason_of(error, with_class=True)}"
        ) from error
    if other:
        raise InputError(
            f"{weights} is not of the network of {path}: {len(other)} arrays are missing, too many or of "
            f"another shape, such as {printable(str(other[0]))[:80]}"
        )
    return network


def _check_counts(path, kind, config, arrays, numbers):
    """Raises `InputError` for a network that would take far more than its weights do."""
    counts = {name: config.get(name) for name in _COUNTS[kind]}
    blocks = config.get("block_out_channels", [])
    found = [*counts.values(), *blocks] if isinstance(blocks, list) else [None]
    if not all(isinstance(count, int) and 0 < count <= numbers for count in found):
        raise InputError(
            f"{path} has layers or sizes that are no numbers, or are larger than {_WEIGHTS}"
        )
    if kind == "UNet2DModel":
        layers, positions = counts["layers_per_block"] * len(blocks), 0
    else:
        layers, side, patch, *width = counts.values()
        positions = (side // patch) ** 2 * math.prod(width)
    # Each layer has an array or more. Positions are no weights; those of small networks may be more.
    if layers > arrays or positions > numbers + _MOST_POSITIONS:
        raise InputError(f"{path} is of a far larger network than {_WEIGHTS}")


def _scheduler(folder):
    path = folder / "scheduler_config.json"
    if not path.exists():
        return None
    config = _settings(path)
    kind = _known(path, config.get("_class_name"), SCHEDULERS)
    steps = config.get("num_train_timesteps", 1000)
    if type(steps) is not int or not 1 < steps <= _MOST_STEPS:
        raise InputError(
            f"{path} has num_train_timesteps = {steps!r:.40}, expected at most {_MOST_STEPS}"
        )
    betas = config.get("trained_betas") or []
    if not isinstance(betas, list) or len(betas) > _MOST_STEPS:
        raise InputError(
            f"{path} has trained_betas of {len(betas)}, expected a list of at most {_MOST_STEPS}"
        )
    try:
        return _library().make_scheduler(
            kind, {name: config[name] for name in _COUNTED if name in config}
        )
    except Exception as error:  # Whatever a wrong configuration raises.
        raise InputError(
            f"{path} is not of a {kind}: {reason_of(error, with_class=True)}"
        ) from error


def _settings(path):
    settings = read_json(path, f"the {path.name} of diffusers")
    if not isinstance(settings, dict):
        raise InputError(f"{path} has no settings: expected the {path.name} of diffusers")
    return settings


def _class_of(part):
    """The class that a pipeline's index names for a part: ["diffusers", name]."""
    found = isinstance(part, list) and len(part) == 2 and part[0] == "diffusers"
    return part[1] if found else None


def _is_there(part):
    """Whether a pipeline's index names a class for a part, of whatever library: [null, null] if not."""
    return isinstance(part, list) and any(part)


def _known(path, kind, kinds):
    if kind not in kinds:
        raise InputError(f"{path} is of a {printable(str(kind))[:60]}, expected {', '.join(kinds)}")
    return kind


def _sizes(path):
    """How many numbers each array of a file has; it is checked that the file is as long as that."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return [math.prod(file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read: {reason_of(error, with_class=True)}") from error


def _library():
    if keras.backend.backend() != "torch":
        raise InputError(
            f"networks of diffusers are PyTorch's, and the backend is {keras.backend.backend()}: set "
            "KERAS_BACKEND=torch"
        )
    try:
        return importlib.import_module("keras_gahr._backend.foreign.diffusers")
    except ImportError as error:
        raise InputError(f"diffusers is not installed: {_INSTALL}") from error
