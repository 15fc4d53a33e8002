"""PyTorch checkpoints as dictionaries of NumPy arrays, without PyTorch."""

import re
from dataclasses import dataclass

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular
from keras_gahr.impostors import impostor
from keras_gahr.pickles import unpickle
from keras_gahr.quoting import listed, quoted

from .archive import Archive
from .legacy import LegacyFile
from .state_dicts import described, find_state_dicts
from .tensors import REBUILD, TensorView, load_tensors, storage_asked_for

_ZIP = b"PK\x03\x04"
_PICKLES = tuple(b"\x80%c" % protocol for protocol in range(2, 6))
# Names, shapes and small values only: the largest published one has 16 kB. Histories of training
# that are NumPy arrays lie there too; how many objects it makes is bounded by `unpickle`.
_MOST_PICKLE_BYTES = 64 * 2**20

# Where training programs keep the weights among other things, the first choice first.
_WRAPPERS = ("model_state_dict", "state_dict", "model")
# Averages of the weights over the training, which are taken only if nothing else is there: a word of the
# name says so, as in "params_ema", "model-avg", "emaModel", "PolyakAverage" and "swa2".
_AVERAGED = {
    *("ema", "emas", "ewa", "ewma", "swa", "swag", "lawa", "polyak", "shadow", "target", "teacher"),
    *("avg", "average", "averages", "averaged", "averaging"),
}
_BETWEEN_WORDS = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
WHOLE = "."
"""The name of the weights that are all of a file."""


@dataclass(frozen=True)
class Weights:
    """The weights of one network in a file.

    Args:
        name: where they are, as in "model.0" or "state_dict.module"; "." if they are all of the file.
        tensors: a dictionary name -> `TensorView`, the names without what all of them begin with.
        beside: names in the same dictionary that are no part of them.
    """

    name: str
    tensors: dict
    beside: tuple = ()


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one network in a file that `torch.save` wrote.

    Args:
        state: the state dict, a dictionary name -> array. Arrays have PyTorch's shapes and are
            contiguous; half and bfloat16 become float32.
        place: where in the file it is, as in "model.0"; "." if it is all of the file.
        others: places of the weights of further networks in the file.
        beside: names of what lies with the weights and is no part of them.
    """

    state: dict
    place: str = WHOLE
    others: tuple = ()
    beside: tuple = ()

    @property
    def notes(self):
        """Lines on which part of the file was used, if there was a choice."""
        lines = []
        if self.others:
            others = listed(map(_shown, self.others))
            lines.append(
                f"the weights are those under {_shown(self.place)}; the file also holds {others}: choose "
                "with --weights NAME (weights=NAME in Python)"
            )
        elif self.place != WHOLE:
            lines.append(f"the weights are those under {_shown(self.place)}")
        if self.beside:
            lines.append(f"left aside, no part of it: {listed(map(quoted, self.beside), most=3)}")
        return tuple(lines)


def read_checkpoint(path):
    """The state dict in a file that `torch.save` wrote: a dictionary name -> array.

    The same as `open_checkpoint(path).state`.
    """
    return open_checkpoint(path).state


def open_checkpoint(path, weights=None, split=lambda tensors: {}):
    """The state dict in a file that `torch.save` wrote, in the zip format or the one before it.

    State dicts are found by what they hold, wherever in the file they are. Of several, the first is
    taken that is no average of weights, those in `model_state_dict`, `state_dict` and `model` first.
    Nothing in the file is executed, whatever it asks for, only the values of the chosen one are read,
    and no more memory is used than a few times the size of the file.

    Args:
        path: the file.
        weights: name of the ones to take, as `Checkpoint.place` and `others` give it.
        split: a function from a dictionary name -> `TensorView` to the networks in it: a dictionary
            of what their names begin with, as in "model.", to (dictionary of the rest of the name ->
            `TensorView`, names that are no part of any). Where it finds none in the whole file, a
            state dict is taken as it is.

    Returns:
        A `Checkpoint`.

    Raises:
        InputError: if there is no such file, if it holds no state dict, or none of this name.
    """
    path = check_regular(path, "a PyTorch checkpoint (.pt)")
    with path.open("rb") as file:
        try:
            root, records = read_root(file)
            dicts = find_state_dicts(root)
            if not dicts:
                raise InputError(_why_not(root))
            found, whole = _networks(dicts, split), _named((d, "", d.tensors, ()) for d in dicts)
            chosen = _choose(found or whole, weights, whole)
            state = load_tensors(chosen.tensors, records)
        except InputError as error:
            raise impostor(path, "a PyTorch checkpoint", {"pickle", "zip"}) or InputError(
                f"{path} cannot be read as a PyTorch checkpoint: {error}"
            ) from error
    others = tuple(other.name for other in found or whole if other.name != chosen.name)
    return Checkpoint(state, chosen.name, others, chosen.beside)


def read_root(file):
    """The value at the root of a checkpoint, with a `TensorView` for each tensor, and its records.

    Args:
        file: open for reading bytes.

    Returns:
        The value and an `Archive` or `LegacyFile`, as `load_tensors` takes it.

    Raises:
        InputError: if it cannot be read.
    """
    start = file.read(4)
    if start.startswith(_PICKLES):
        records = LegacyFile(file, _MOST_PICKLE_BYTES)
        return records.root, records
    if start != _ZIP:
        raise InputError("it does not begin as a file of torch.save does")
    records = Archive(file)
    if records.size_of("data.pkl") > _MOST_PICKLE_BYTES:
        raise InputError("its pickle is larger than that of any state dict")
    return unpickle(records.read("data.pkl"), REBUILD, storage_asked_for), records


def _networks(dicts, split):
    """`Weights` of all networks in some state dicts; see `open_checkpoint`."""
    # One dictionary may be in many places.
    splits = {id(state.tensors): state.tensors for state in dicts}
    splits = {key: split(tensors) for key, tensors in splits.items()}
    return _named(
        (state, prefix, *network)
        for state in dicts
        for prefix, network in splits[id(state.tensors)].items()
    )


def _named(places):
    """`Weights` of (`StateDict`, prefix, tensors, tensors beside them), the first choice first."""
    found, names = [], set()
    for state, prefix, tensors, beside in places:
        steps = [*map(str, state.steps), *filter(None, [prefix.removesuffix(".")])]
        name = ".".join(steps) or WHOLE
        # Nothing that a terminal obeys, and what the user sees is what can be typed.
        name = name if name.isprintable() else quoted(name)[1:-1]
        while name in names:
            name = f"{name}~"
        names.add(name)
        # What else lies there, but for what was looked into.
        plain = (n for n, item in state.others.items() if type(item) not in (dict, list, tuple))
        found.append(Weights(name, tensors, (*beside, *plain)))
    return sorted(found, key=_rank)


def _rank(weights):
    first = weights.name.split(".")[0]
    wrapper = _WRAPPERS.index(first) if first in _WRAPPERS else len(_WRAPPERS)
    return _is_average(weights.name), wrapper


def _is_average(name):
    return any(word.lower() in _AVERAGED for word in _BETWEEN_WORDS.split(name))


def _choose(found, name, all_places):
    """The ones of this name, or the first.

    Args:
        found: a list of `Weights`.
        name: or None.
        all_places: where the name may also be, so that the error says what is wrong there.

    Raises:
        InputError: if there are none of this name.
    """
    if name is None:
        return found[0]
    for weights in (*found, *all_places):
        if name in (weights.name, _shown(weights.name)):
            return weights
    names = listed(weights.name for weights in found)
    raise InputError(f"it holds no weights {quoted(name)}, expected one of {names}")


def _shown(name):
    return f"'{name}'"


def _why_not(root):
    """What is wrong with the place where the weights were looked for."""
    value, steps = root, []
    while len(steps) < len(_WRAPPERS) + 1:
        step = _wrapper(value)
        if step is None:
            break
        value = value[step]
        steps.append(str(step))
    where = f"under {_shown('.'.join(steps))} " if steps else ""
    expected = "expected a state dict (names and tensors); nothing was executed"
    if type(value) is dict:
        for name, item in value.items():
            if type(name) is not str:
                return f"{where}it holds {described(name)}, {expected}"
            if type(item) is not TensorView:
                return f"{where}its entry {quoted(name)} is {described(item)}, {expected}"
    return f"{where}it holds {described(value)}, {expected}"


def _wrapper(value):
    """The key under which the weights are first looked for, or None."""
    if type(value) in (list, tuple) and value:
        return 0
    if type(value) is dict:
        return next((k for k in _WRAPPERS if type(value.get(k)) in (dict, list, tuple)), None)
    return None
