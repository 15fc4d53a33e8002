"""PyTorch checkpoints as dictionaries of NumPy arrays, without PyTorch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor

from .archive import Archive
from .legacy import LegacyFile
from .pickles import unpickle
from .quoting import listed, quoted
from .tensors import TensorReader

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80\x02"
# The pickle holds names and shapes only: the largest published one has 16 kB.
_MOST_PICKLE_BYTES = 4 * 2**20

# Where training programs keep the weights among other things, the first choice first.
_WRAPPERS = ("model_state_dict", "state_dict", "model")
# How many wrappers may lie in each other.
_MOST_WRAPPERS = 4


@dataclass(frozen=True)
class Checkpoint:
    """The weights in a file that `torch.save` wrote.

    Args:
        state: the state dict, a dictionary name -> array. Arrays have PyTorch's shapes and are
            contiguous; half and bfloat16 become float32.
        place: where in the file it is, as in `['model'][0]`; empty if it is all of the file.
        others: places of further state dicts beside it or around it.
    """

    state: dict
    place: str = ""
    others: tuple = ()

    @property
    def notes(self):
        """Lines on which part of the file was used, if there was a choice."""
        if not self.place:
            return ()
        others = f"; the file also holds {listed(self.others)}" if self.others else ""
        return (f"the weights are those under {self.place}{others}",)


def read_checkpoint(path):
    """The state dict in a file that `torch.save` wrote: a dictionary name -> array.

    The same as `open_checkpoint(path).state`.
    """
    return open_checkpoint(path).state


def open_checkpoint(path):
    """The state dict in a file that `torch.save` wrote, in the zip format or the one before it.

    The state dict is all of the file or lies under `model_state_dict`, `state_dict` or `model`,
    there perhaps as the first of a list. Nothing in the file is executed, whatever it asks for, and
    no more memory is used than a few times its size.

    Returns:
        A `Checkpoint`.

    Raises:
        InputError: if there is no such file, or if it holds no state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file: give a PyTorch checkpoint (.pt)")
    with path.open("rb") as file:
        try:
            return _find_state_dict(read_root(file))
        except InputError as error:
            raise impostor(path, "a PyTorch checkpoint", {"pickle", "zip"}) or InputError(
                f"{path} cannot be read as a PyTorch checkpoint: {error}"
            ) from error


def read_root(file):
    """The value at the root of a checkpoint, an open file, with arrays for tensors.

    Raises:
        InputError: if it cannot be read.
    """
    start = file.read(4)
    if start == _ZIP:
        records = Archive(file)
    elif start.startswith(_PICKLE):
        records = LegacyFile(file, _MOST_PICKLE_BYTES)
    else:
        raise InputError("it does not begin as a file of torch.save does")
    if records.size_of("data.pkl") > _MOST_PICKLE_BYTES:
        raise InputError("its pickle is larger than that of any state dict")
    tensors = TensorReader(records)
    return unpickle(records.read("data.pkl"), tensors.allowed, tensors.load_storage)


def _find_state_dict(root):
    found = list(_candidates(root, "", _MOST_WRAPPERS, {}))
    chosen = next(((value, place) for value, place, in_wrapper in found if in_wrapper), None)
    if chosen is None:
        raise InputError(_why_not(root))
    value, place = chosen
    return Checkpoint(value, place, tuple(other for _, other, _ in found if other != place))


def _candidates(value, place, depth, seen):
    """State dicts at or in a value, with their places, and whether only wrappers are around them.

    Args:
        value: at `place`.
        depth: how many wrappers it may be wrapped in.
        seen: answers of `_is_state_dict` by id, so that a value that is there often is walked once.
    """
    if _is_state_dict(value, seen):
        yield value, place, True
        return
    wrappers = _wrappers(value) if depth else []
    for step in wrappers:
        yield from _candidates(value[step], _inside(place, step), depth - 1, seen)
    if wrappers:
        steps = value if type(value) is dict else range(len(value))
        for step in steps:
            if step not in wrappers and _is_state_dict(value[step], seen):
                yield value[step], _inside(place, step), False


def _wrappers(value):
    """Keys under which the weights may be, the first choice first."""
    if type(value) in (list, tuple):
        return [0] if value else []
    if type(value) is dict:
        return [key for key in _WRAPPERS if type(value.get(key)) in (dict, list, tuple)]
    return []


def _inside(place, step):
    return f"{place}[{quoted(step)}]"


def _is_state_dict(value, seen):
    if type(value) is not dict:
        return False
    if id(value) not in seen:
        seen[id(value)] = len(value) > 0 and all(
            type(name) is str and type(item) is np.ndarray for name, item in value.items()
        )
    return seen[id(value)]


def _why_not(root):
    """What is wrong with the place where the weights were looked for."""
    value, place = root, ""
    for _ in range(_MOST_WRAPPERS):
        wrappers = _wrappers(value)
        if not wrappers:
            break
        value, place = value[wrappers[0]], _inside(place, wrappers[0])
    where = f"under {place} " if place else ""
    expected = "expected a state dict (names and tensors)"
    if type(value) is not dict or not value:
        kind = "an empty dictionary" if type(value) is dict else f"a {type(value).__name__}"
        return f"{where}it holds {kind}, {expected}"
    for name, item in value.items():
        if type(name) is not str:
            return f"{where}it holds the key {quoted(name)}, {expected}"
        if type(item) is not np.ndarray:
            kind = type(item).__name__
            return f"{where}its entry {quoted(name)} is of type {kind}, {expected}"
    return f"its weights lie in more than {_MOST_WRAPPERS} wrappers, {expected}"
