"""Denoisers in files, and those that were published."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path

import keras

from keras_gahr import _backend
from keras_gahr.checkpoint_address import all_said, refuse_said
from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, replacing
from keras_gahr.hub.address import is_hub_address, parse_hub_address
from keras_gahr.hub.download import fetch_from_hub
from keras_gahr.impostors import impostor
from keras_gahr.model_address import is_address, parse_address
from keras_gahr.names import reason_of
from keras_gahr.pretrained.catalogue import find_pretrained

from .configuration import check_readable
from .denoiser import Denoiser
from .foreign import ForeignDenoiser, wrap
from .foreign.recipe import read_recipe, write_recipe
from .inference import Inference
from .keras_file import check_keras_file
from .precision import with_precision


def load_denoiser(
    source: str | os.PathLike[str],
    precision: str = "float32",
    *,
    first_layer: str | None = None,
    weights: str | None = None,
    norm: str | None = None,
    predicts: str | None = None,
) -> Denoiser:
    """The denoiser in a file, or one that was published.

    Nothing in a file is executed. Of a `.keras` file, written on any backend, the classes, options and
    sizes are checked before anything of it is built: reading it takes about four times as much memory as
    the file is long. A PyTorch checkpoint is converted in memory and verified layer by layer, which takes
    some seconds; PyTorch is not needed. What it cannot tell is assumed, and warned of in one line, unless it
    is said here or after the path: `model.pt?first_layer=relu&weights=params_ema`. The files that were
    published are known by their contents, so that nothing is assumed of them. A recipe of `save_denoiser`
    that names code to import is only followed if you type its address too, as in
    `torch:package.module:factory@recipe.json`.

    Args:
        source: a `.keras` file, the directory of a training run, a published PyTorch checkpoint (`.pt`
            and its like), a folder of multi-scale checkpoints, or a name that `gahr weights list` shows: that
            of a denoiser which comes with the package, such as "disks-24-unet", or of a published
            checkpoint, which is downloaded unless it is in the cache; a recipe (`.json`); or the address of
            a network, as `wrap` takes it, with its options after it:
            `keras:model.keras?predicts=image&schedule=sigma&value_range=-1,1`. Or a place on the Hugging Face
            Hub: `hf://OWNER/NAME`, after which a revision and a file may stand:
            `hf://OWNER/NAME@REVISION/large/model.keras`.
        precision: what it computes in; see `with_precision`.
        first_layer, weights, norm, predicts: of a PyTorch checkpoint, as for `weights_convert.convert`:
            "linear" or "relu", which a BF-CNN cannot tell; which weights of a file with those of several
            networks; "layer" or "instance", which a UNet_flex cannot tell and must be said; "residual" or
            "image", what the network was trained to compute. Default: what is known, or what is usual.

    Returns:
        A `Denoiser`, which is a `keras.Model`; its `provenance` has what was assumed.

    Raises:
        InputError: if there is no such file, if it does not hold a denoiser, for an unknown
            precision, or if something is said of what is no PyTorch checkpoint.

    Warns:
        UserWarning: if something is assumed of a PyTorch checkpoint.

    Examples:
        >>> import keras_gahr as kg, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> kg.save_denoiser(denoiser, f"{folder.name}/model.keras")
        >>> kg.load_denoiser(folder.name).num_parameters
        220
    """
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"received a {type(source).__name__}, expected the path of a denoiser or a published name"
        )
    said = {"first_layer": first_layer, "weights": weights, "norm": norm, "predicts": predicts}
    if is_address(source):
        refuse_said(source, {name: value for name, value in said.items() if value is not None})
        return _in_precision(_at_address(source), precision)
    source, known = all_said(source, said)
    path = Path(source)
    if is_hub_address(source):
        source = parse_hub_address(source)
        path = Path(fetch_from_hub(source).path)
    if (path / "model.keras").is_file():
        path = path / "model.keras"
    model, assumed = _read(path, known, source)
    if assumed:
        warnings.warn(assumed, UserWarning, stacklevel=2)
    return _in_precision(model, precision)


def _in_precision(model, precision):
    return model if precision == "float32" else with_precision(model, precision)


def _at_address(source):
    given = parse_address(source)
    if given.recipe is not None:
        return read_recipe(given.recipe, given.address)
    return wrap(str(given.address), **given.options)


def _read(path, said, called):
    """The denoiser, and one line on what was assumed of it; empty if nothing.

    Args:
        path: where it is.
        said: of a checkpoint; see `load_published`.
        called: how the user calls it.
    """
    if known := find_pretrained(path):
        known.check()
        path = known.path
    # Conversion builds on this room, and is only needed for files of others.
    from weights_convert.loading import is_published, load_published

    if is_published(path):
        return load_published(path, said, called)
    refuse_said(path, said)
    check_regular(path, "the .keras file of a denoiser")
    if path.suffix == ".json":
        return read_recipe(path), ""
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise impostor(path, "a .keras file", {"zip"}) or InputError(
            f"{path} is not a .keras file: give the .keras file of a denoiser"
        )
    try:
        with warnings.catch_warnings():
            # What Keras warns of in a foreign or damaged file is in the error that follows.
            warnings.simplefilter("ignore")
            check_keras_file(path)
            return keras.saving.load_model(path, compile=False, safe_mode=True), ""
    except Exception as error:  # Keras raises whatever the damaged part happened to cause.
        if _backend.is_out_of_memory(error):
            raise
        raise InputError(f"{path} cannot be read as a denoiser: {reason_of(error)}") from error


def save_denoiser(denoiser: Denoiser | Inference, path: str | os.PathLike[str]) -> None:
    """Writes a denoiser to a file, whole or not at all; an old file is replaced.

    One of this package becomes a `.keras` file. One that was wrapped by its address becomes a recipe, a
    `.json` file that holds neither code nor weights: the address, its options and how it was wrapped, and
    size and SHA-256 of the files that it was read from. These stay where they are, beside the recipe or
    below; `load_denoiser` refuses them if they have changed.

    Args:
        denoiser: a `Denoiser`, or the `Inference` of one.
        path: a name that ends in `.keras`, or in `.json` for a recipe.

    Raises:
        InputError: for another name, a wrapped network without an address, one whose weights have changed
            since it was made, or files that lie elsewhere; and for a class of your own whose file could not
            be read again, because it is not registered as "keras_gahr", or lacks `weight_shapes`.

    Examples:
        >>> import keras_gahr as kg, tempfile
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> path = tempfile.mkdtemp() + "/denoiser.keras"
        >>> kg.save_denoiser(denoiser, path)
        >>> kg.load_denoiser(path).num_parameters == denoiser.num_parameters
        True
    """
    if isinstance(denoiser, Inference):
        denoiser = denoiser.denoiser
    if not isinstance(denoiser, Denoiser):
        raise InputError(
            f"received a {type(denoiser).__name__}, expected a denoiser of this package"
        )
    suffix = Path(path).suffix if isinstance(path, str | os.PathLike) else None
    kept = isinstance(denoiser, ForeignDenoiser) and denoiser.recipe is not None
    if kept and suffix == ".json":
        write_recipe(denoiser, path)
        return
    if denoiser.foreign:
        denoiser.get_config()
    if suffix != ".keras":
        raise InputError(f"received the path {path!r:.80}, expected one that ends in .keras")
    check_readable(denoiser)
    with replacing(path) as temporary:
        denoiser.save(temporary)
