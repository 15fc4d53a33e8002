"""Denoisers of published checkpoints in memory, wherever these are."""

from pathlib import Path

from keras_gahr.checkpoint_address import join_said
from keras_gahr.errors import InputError
from keras_gahr.names import printable
from keras_gahr.pretrained.catalogue import is_model_name

from .catalogue import fetch, find_published
from .conversion import build_from_checkpoint
from .multi_scale import build_from_folder
from .suffixes import is_checkpoint_name


def is_published(source):
    """Whether a source is for `load_published`, by its name."""
    source = Path(source)
    return source.is_dir() or is_checkpoint_name(source) or is_model_name(source)


def load_published(source, said, called):
    """The denoiser of a published checkpoint, verified layer by layer; see `build_from_checkpoint`.

    Args:
        source: a PyTorch checkpoint, a folder of multi-scale ones, or a name in the catalogue, which is
            downloaded unless it is in the cache.
        said: what the checkpoint cannot tell: arguments of `build_from_checkpoint` by name.
        called: how the user calls it.

    Returns:
        The denoiser, and one line on what of it nobody said; empty if nothing.

    Raises:
        InputError: if it cannot be had, read or converted.
    """
    path, build = Path(source), build_from_checkpoint
    if path.is_dir():
        build = build_from_folder
    elif is_model_name(path):
        published = find_published(str(path))
        if published.architecture is None:
            raise InputError(
                f"{path} cannot be converted: it has biases or is none of this package's networks"
            )
        path = fetch(published)
    denoiser, conversion = build(path, **said)
    return denoiser, _line(called, conversion.unsaid, said)


def _line(called, unsaid, said):
    """The line on what was assumed: what it is, and how to say that, or the other."""
    if not unsaid:
        return ""
    facts, sayable = [], {}
    for each in unsaid:
        if each.other:
            facts.append(f"{each.fact} ({each.argument}={each.value}, or {each.other})")
            sayable[each.argument] = each.value
        else:
            facts.append(f"{each.fact} (else convert it by itself)")
    line = f"{called} cannot tell, so that this was assumed: {'; '.join(facts)}"
    if sayable:
        line += (
            f"; say it to load_denoiser, or after its path as '{join_said(called, said | sayable)}'"
        )
    return printable(line)
