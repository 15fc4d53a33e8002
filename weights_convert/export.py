"""From a `.keras` file to files for other libraries."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import safetensors.numpy

from keras_gahr.denoisers import (
    ARCHITECTURES,
    BFCNN,
    DilatedUNet,
    DirectDenoiser,
    FlexibleUNet,
    ReceptiveFieldBFCNN,
    UNet,
    load_denoiser,
)
from keras_gahr.denoisers.receptive_field_bf_cnn import receptive_field_kernel_sizes
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_file, replacing

from .layouts import bias_free_unet, flexible_unet, paper_bf_cnn, paper_unet
from .onnx_file import write_onnx
from .torch_file import write_torch_file

SUFFIXES = (".pt", ".safetensors", ".onnx")
"""What can be written."""


@dataclass(frozen=True)
class Export:
    """What an export made.

    Args:
        architecture, options: arguments of `build_denoiser`.
        arrays: how many were written, or None in an ONNX file.
        max_relative_difference: between ONNX Runtime and Keras, or None in the other files, which
            hold the very same numbers.
        untold: arguments of `convert` without which another denoiser comes of the arrays, or none, as
            they cannot tell; empty for an ONNX file, which is the whole denoiser.
    """

    architecture: str
    options: dict
    arrays: int | None = None
    max_relative_difference: float | None = None
    untold: dict = field(default_factory=dict)

    @property
    def notes(self):
        """Lines on what the arrays cannot tell."""
        return tuple(
            f"{_FACTS[name].format(value)}, which the arrays cannot tell: convert them with "
            f"--{name.replace('_', '-')} {value} ({name}={value!r} in Python)"
            for name, value in self.untold.items()
        )


_FACTS = {
    "first_layer": "a ReLU follows its first layer",
    "norm": "it has {} norm",
    "predicts": "it computes the {}",
}


def export_denoiser(src, dst, *, size=None, overwrite=False):
    """Writes a denoiser for PyTorch, as safetensors or as ONNX, by the suffix of the file.

    `.pt` and `.safetensors` hold a state dict with the names of the paper's published code (for a
    `DilatedUNet` and a `FlexibleUNet`, of their own), whose networks load it with `strict=True`. Neither
    needs PyTorch. Of a `DirectDenoiser` they hold the network that computes the image, which the arrays
    cannot tell: `Export.untold` has what `convert` must be told to make the same denoiser of them, and
    the metadata of a `.safetensors` file has it too. An ONNX file has the residual as of any other.
    `.onnx` goes through Keras' exporter: see `write_onnx`.

    Args:
        src: the `.keras` file.
        dst: the file to write, whole or not at all.
        size: (height, width) of the images, for ONNX only; None leaves them free.
        overwrite: whether an existing `dst` may be replaced.

    Returns:
        An `Export`.

    Raises:
        InputError: if `src` holds no denoiser, if it was never published as one state dict, if `dst`
            may not be written, or if the backend cannot write ONNX.
    """
    dst = Path(dst)
    if dst.suffix not in SUFFIXES:
        raise InputError(
            f"received the output {dst}, expected a name that ends in {', '.join(SUFFIXES)}"
        )
    if size is not None and dst.suffix != ".onnx":
        raise InputError(f"received a size for {dst}: only ONNX files have one, leave it out")
    check_output_file(dst, overwrite)
    # A graphics processor may round convolutions to TF32, which the comparison would see.
    with keras.device("cpu"):
        denoiser = load_denoiser(src)
        if denoiser.foreign:
            raise InputError(
                f"{src} is a network of somebody else's, of which nothing is written here: export it with "
                "its own program"
            )
        network = denoiser.network if isinstance(denoiser, DirectDenoiser) else denoiser
        architecture, options = _architecture(network), _options(network)
        if dst.suffix == ".onnx":
            with replacing(dst) as temporary:
                difference = write_onnx(denoiser, temporary, size)
            return Export(architecture, options, max_relative_difference=difference)
    state = published_state(network)
    with replacing(dst) as temporary:
        if dst.suffix == ".pt":
            write_torch_file(temporary, state)
        else:
            # The weights cannot tell all options, such as a ReLU after the first layer.
            metadata = {
                "format": "pt",
                "architecture": architecture,
                "options": json.dumps(options),
                "predicts": _predicts(denoiser, network),
            }
            safetensors.numpy.save_file(state, temporary, metadata)
    untold = _untold(denoiser, network)
    return Export(architecture, options, arrays=len(state), untold=untold)


def _untold(denoiser, network):
    """Arguments of `convert` that say what the weights cannot tell and `convert` would not assume."""
    untold = {}
    if type(network) is BFCNN and not network.first_layer_linear:
        untold["first_layer"] = "relu"
    if type(network) is FlexibleUNet and network.norm in ("layer", "instance"):
        untold["norm"] = network.norm
    if isinstance(denoiser, DirectDenoiser):
        untold["predicts"] = _predicts(denoiser, network)
    return untold


def _predicts(denoiser, network):
    """What a published network with the arrays returns."""
    # The published network of that kind computes the image, and ours subtracts it from the input.
    subtracted = type(network) is DilatedUNet
    return "residual" if isinstance(denoiser, DirectDenoiser) == subtracted else "image"


def has_published_state(denoiser):
    """Whether `export_denoiser` can write a denoiser as one state dict."""
    network = denoiser.network if isinstance(denoiser, DirectDenoiser) else denoiser
    return type(network) in (UNet, BFCNN, ReceptiveFieldBFCNN, DilatedUNet, FlexibleUNet)


def published_state(denoiser):
    """The weights of a denoiser as a state dict of the code it was published with.

    Args:
        denoiser: a `UNet`, `BFCNN`, `ReceptiveFieldBFCNN`, `DilatedUNet` or `FlexibleUNet`.

    Returns:
        A dictionary published name -> float32 array of PyTorch's shape.

    Raises:
        InputError: for another network.
    """
    entries = _entries(denoiser)
    return {
        name: _published(
            keras.ops.convert_to_numpy(getattr(denoiser.get_layer(entry.layer), entry.weight)),
            entry,
        )
        for name, entry in entries.items()
    }


def _entries(denoiser):
    """The layout table of a denoiser: published name -> `Entry`."""
    options = _options(denoiser)
    if type(denoiser) is UNet:
        return paper_unet.entries(**options)
    if type(denoiser) is DilatedUNet:
        return bias_free_unet.entries(**options)
    if type(denoiser) is FlexibleUNet:
        return flexible_unet.entries(**options)
    if type(denoiser) is BFCNN:
        sizes = [3] * denoiser.num_layers
    elif type(denoiser) is ReceptiveFieldBFCNN:
        sizes = receptive_field_kernel_sizes(denoiser.receptive_field)
    else:
        raise InputError(
            f"received a {type(denoiser).__name__}, which was never published as one state dict: it "
            "can be exported to .onnx only"
        )
    return paper_bf_cnn.entries(
        sizes, denoiser.num_kernels, denoiser.input_channels, denoiser.output_channels
    )


def _published(array, entry):
    """One of our arrays as published: the inverse of the transform of its entry."""
    published = np.transpose(array, (3, 2, 0, 1)) if array.ndim == 4 else array
    published = np.ascontiguousarray(published).reshape(entry.shape)
    if not np.array_equal(entry.transform(published), array, equal_nan=True):
        raise AssertionError(f"the layout of {entry.layer} {entry.weight} was not inverted")
    return published


def _architecture(denoiser):
    """The key of `ARCHITECTURES`, or the name of the class if it has none there."""
    names = (name for name, kind in ARCHITECTURES.items() if kind is type(denoiser))
    return next(names, type(denoiser).__name__)


def _options(denoiser):
    """What `build_denoiser` needs to make such a denoiser; nothing for one made of others."""
    if type(denoiser) not in ARCHITECTURES.values():
        return {}
    others = ("name", "seed", "provenance")
    return {name: value for name, value in denoiser.get_config().items() if name not in others}
