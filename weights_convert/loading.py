"""Denoisers of published checkpoints in memory, wherever these are."""

from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.pretrained.catalogue import is_model_name

from .catalogue import fetch, find_published
from .conversion import build_from_checkpoint
from .multi_scale import build_from_folder
from .suffixes import is_checkpoint_name


def is_published(source):
    """Whether a source is for `load_published`, by its name."""
    source = Path(source)
    return source.is_dir() or is_checkpoint_name(source) or is_model_name(source)


def load_published(source, progress=lambda done, total: None):
    """The denoiser of a published checkpoint, verified layer by layer; see `build_from_checkpoint`.

    Args:
        source: a PyTorch checkpoint, a folder of multi-scale ones, or a name in the catalogue, which is
            downloaded unless it is in the cache.
        progress: of the download; see `fetch`.

    Raises:
        InputError: if it cannot be had, read or converted.
    """
    source, first_layer = Path(source), None
    if source.is_dir():
        return build_from_folder(source)[0]
    if is_model_name(source):
        published = find_published(str(source))
        if published.architecture is None:
            raise InputError(
                f"{source} cannot be converted: it has biases or is none of this package's networks"
            )
        source, first_layer = fetch(published, progress=progress), published.first_layer
    return build_from_checkpoint(source, first_layer)[0]
