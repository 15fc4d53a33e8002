"""The HDF5 file in a `.keras` file, checked before its arrays are read."""

import io
import math
from collections import Counter
from dataclasses import dataclass

import h5py

from .configuration import quoted_value

_LARGEST_ITEM = 4 * 8
"""Bytes for a value: a number in double precision, and three more if an optimizer is there too."""

_OPTIMIZER = "/optimizer/"
"""Where Keras puts the arrays of one, if it has trained the network. They are not read."""

_OVERHEAD = 2**14
"""Bytes that HDF5 takes for an array and the groups around it, at most; it takes about 3,000."""

_OWN_OVERHEAD = 2**16

_NUMBER = 4
"""Bytes of a number that layers make which the file does not have."""


@dataclass(frozen=True)
class StoredOtherwise:
    """In what the arrays that Keras writes of its own layers differ from the weights of the network.

    Args:
        copies: how many arrays may be there a second time.
        ranks: of layers with weights of low rank, of which Keras writes the sum with the layer's kernel:
            two arrays of each are not there.
    """

    copies: int = 0
    ranks: tuple[int, ...] = ()


_AS_THEY_ARE = StoredOtherwise()


def largest_weights_file(shapes):
    """Bytes that a file of arrays of these shapes has at most."""
    return _allowed(sum(math.prod(shape) for shape in shapes) * _LARGEST_ITEM, len(shapes))


def check_weights(content, shapes, otherwise=_AS_THEY_ARE):
    """Refuses an HDF5 file unless it holds arrays of these shapes and no others, plainly.

    An optimizer's may be there too. Values must lie in the file as they are: no compression, nothing in
    other files, nothing left out that would be filled in.

    Args:
        content: bytes of the file.
        shapes: tuples, in any order.
        otherwise: a `StoredOtherwise`.

    Raises:
        ValueError: what is wrong, in one line; h5py raises others for damaged files.
    """
    with h5py.File(io.BytesIO(content), "r") as file:
        arrays = list(_arrays(file, set()))
        found = Counter(array.shape for array in arrays if not array.name.startswith(_OPTIMIZER))
        expected = Counter(map(tuple, shapes))
        more, fewer = found - expected, expected - found
        if (
            more.total() > otherwise.copies
            or more.keys() - expected.keys()
            or not _are_of_low_rank(fewer, otherwise.ranks)
        ):
            raise ValueError(
                "its weights are not those of the network that its config.json describes"
            )
        if sum(math.prod(shape) * _NUMBER for shape in fewer.elements()) > len(content):
            raise ValueError("its weights of low rank (LoRA) would be larger than its weights file")
        if len(content) > _allowed(sum(array.nbytes for array in arrays), len(arrays)):
            raise ValueError("its weights file holds more than its arrays")


def _are_of_low_rank(shapes, ranks):
    """Whether they may be the two factors of layers of these ranks: (..., rank) and (rank, outputs)."""
    return shapes.total() <= 2 * len(ranks) and all(
        shape and {shape[0], shape[-1]} & {*ranks} for shape in shapes
    )


def _allowed(values, arrays):
    return values + _OVERHEAD * arrays + _OWN_OVERHEAD


def _arrays(group, seen):
    """All datasets in a group and below it; each object may be there once."""
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"its weights file has a link, {quoted_value(name)}")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            raise ValueError(f"its weights file has {quoted_value(name)} twice")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _arrays(item, seen)
        elif not isinstance(item, h5py.Dataset) or not _is_plain(item):
            raise ValueError(
                f"its weights file has {quoted_value(name)}, which is no plain array of numbers"
            )
        else:
            yield item


def _is_plain(array):
    return (
        array.shape is not None
        and array.dtype.kind in "fiu"
        and array.chunks is None
        and not array.is_virtual
        and not array.external
        and array.id.get_storage_size() == array.nbytes
    )
