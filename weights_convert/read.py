"""PyTorch checkpoints as dictionaries of NumPy arrays, without PyTorch."""

from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError

from .archive import Archive
from .pickles import unpickle
from .quoting import quoted
from .tensors import TensorReader

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80\x02"
# The pickle holds names and shapes only: the largest published one has 10 kB.
_MOST_PICKLE_BYTES = 4 * 2**20


def read_checkpoint(path):
    """The state dict in a file that `torch.save` wrote: a dictionary name -> array.

    Arrays have PyTorch's shapes and are contiguous; half and bfloat16 become float32. Nothing in
    the file is executed, whatever it asks for, and no more memory is used than a few times its
    size.

    Raises:
        InputError: if there is no such file, or if it is anything else than a state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file: give a PyTorch checkpoint (.pt)")
    with path.open("rb") as file:
        try:
            return _state_dict(_read_root(file))
        except InputError as error:
            raise InputError(f"{path} cannot be read as a PyTorch checkpoint: {error}") from error


def _read_root(file):
    """The value at the root of the checkpoint, with arrays for tensors."""
    start = file.read(4)
    if start.startswith(_PICKLE):
        raise InputError(
            "it has the legacy format (before PyTorch 1.6), which is not supported: load it in "
            "PyTorch and save it again"
        )
    if start != _ZIP:
        raise InputError("it does not begin as a file of torch.save does")
    archive = Archive(file)
    if archive.size_of("data.pkl") > _MOST_PICKLE_BYTES:
        raise InputError("its pickle is larger than that of any state dict")
    tensors = TensorReader(archive)
    return unpickle(archive.read("data.pkl"), tensors.allowed, tensors.load_storage)


def _state_dict(root):
    """The root, if it is a state dict."""
    if type(root) is not dict or not root:
        kind = "an empty dictionary" if type(root) is dict else f"a {type(root).__name__}"
        raise InputError(f"it holds {kind}, expected a state dict (names and tensors)")
    for name, value in root.items():
        if type(name) is not str:
            raise InputError(
                f"it holds the key {quoted(name)}, expected a state dict (names and tensors)"
            )
        if type(value) is not np.ndarray:
            raise InputError(
                f"its entry {quoted(name)} is of type {type(value).__name__}, expected a state "
                "dict (names and tensors)"
            )
    return root
