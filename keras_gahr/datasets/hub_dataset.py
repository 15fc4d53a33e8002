"""Pictures in a `Dataset` of the library `datasets`, which need not be installed otherwise."""

import copy
import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from PIL import ImageOps

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular

from .entries import Entries, check_size
from .rows import row_names


class HubDataset(Protocol):
    """What acts like a dataset of `datasets`: numbered rows, each a dictionary, and what is in them."""

    @property
    def features(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: int, /) -> Any: ...


_LOSSLESS_IN_PNG = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}


def is_hub_dataset(source: Any) -> bool:
    """Whether it is a dataset of `datasets`, or acts like one: it has features.

    Raises:
        InputError: if it is several of them, or one that is streamed.
    """
    if isinstance(source, Mapping):
        raise InputError(
            f"received several datasets ({', '.join(map(str, source))}), expected one: pass one of them, "
            "such as data['train']"
        )
    if not hasattr(source, "features"):
        return False
    if not hasattr(source, "__getitem__") or not hasattr(source, "__len__"):
        raise InputError(
            "received a dataset that is streamed, whose rows have no numbers: load it with "
            "streaming=False"
        )
    return True


def name_of(dataset: Any) -> str:
    """What a manifest calls it: the name of the data set and the split, as far as it has them."""
    names = [getattr(getattr(dataset, "info", None), "dataset_name", None)]
    names.append(getattr(dataset, "split", None))
    return "/".join(str(name) for name in names if name) or type(dataset).__name__


def read_hub_dataset(dataset: Any, column: str | None = None, limit: int | None = None) -> Entries:
    """The pictures in a column as `Entries`, whose names are the numbers of the rows.

    The bytes are those of the files, as far as the dataset has them; no picture is decoded before.

    Args:
        dataset: see `is_hub_dataset`.
        column: the name of the column; by default the only one with pictures.
        limit: how many rows are needed; None for all.

    Raises:
        InputError: if it has no such column, or several.
    """
    features = dataset.features or {}
    pictures = [name for name, feature in features.items() if type(feature).__name__ == "Image"]
    if column is None and len(pictures) != 1:
        raise InputError(
            f"the dataset has {len(pictures)} columns of pictures ({', '.join(pictures) or 'none'}), "
            f"expected one: choose a column by its name, among {', '.join(map(str, features))}"
        )
    if column is None:
        [column] = pictures
    elif column not in features:
        raise InputError(
            f"the dataset has no column {column!r}: it has {', '.join(map(str, features))}"
        )
    # Other columns need not be decoded, nor this one by another library or into tensors.
    for method, arguments in {
        "select_columns": ([column],),
        "with_format": (None,),
        "cast_column": (column, _undecoded(features[column])),
    }.items():
        if hasattr(dataset, method) and arguments[-1] is not _AS_IT_IS:
            dataset = getattr(dataset, method)(*arguments)
    lock = threading.Lock()

    def read(name):
        with lock:
            cell = dataset[int(name)][column]
        return _bytes_of(cell, f"row {name} of the dataset")

    return Entries(row_names(len(dataset), limit, "the dataset"), {}, {}, read)


_AS_IT_IS = object()


def _undecoded(feature):
    """The feature that gives the bytes in files in place of pictures."""
    if not getattr(feature, "decode", False):
        return _AS_IT_IS
    undecoded = copy.copy(feature)
    undecoded.decode = False
    return undecoded


def _bytes_of(cell, name):
    if isinstance(cell, dict) and cell.get("bytes") is None and cell.get("path"):
        try:
            path = check_regular(Path(cell["path"]), f"a picture for {name}")
            check_size(path, path.stat().st_size)
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"{cell['path']} cannot be read: {error.strerror}") from error
    if isinstance(cell, dict):
        cell = cell.get("bytes")
    if isinstance(cell, bytes):
        check_size(name, len(cell))
        return cell
    if hasattr(cell, "save") and hasattr(cell, "mode"):
        picture, file = ImageOps.exif_transpose(cell), io.BytesIO()
        if picture.mode in _LOSSLESS_IN_PNG:
            picture.save(file, "PNG", compress_level=1)
        else:
            picture.save(file, "TIFF")
        return file.getvalue()
    raise InputError(f"{name} holds {type(cell).__name__}, expected a picture or its bytes")
