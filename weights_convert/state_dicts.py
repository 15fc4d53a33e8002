"""State dicts, wherever they are in what a checkpoint holds."""

import itertools
from collections import deque
from dataclasses import dataclass

from keras_gahr.errors import InputError
from keras_gahr.pickles import Global, Key, Made
from keras_gahr.quoting import quoted

from .tensors import TensorView

# Training programs put them into two or three of each other.
_MOST_STEPS = 8
# A name can be there often, and each part of it is looked at.
_LONGEST_NAME = 300
# A small file may name one dictionary in any number of places.
_MOST_FOUND = 200
# Of all modules together, whose parts may be the same ones.
_MOST_MODULE_PARTS = 200_000


@dataclass(frozen=True)
class StateDict:
    """Tensors with names, in one place of a file.

    Args:
        steps: the texts and numbers that lead there from the root.
        tensors: a dictionary name -> `TensorView`.
        others: a dictionary name -> value of the entries that are no tensors.
    """

    steps: tuple
    tensors: dict
    others: dict


def find_state_dicts(root):
    """All dictionaries in a value that hold more tensors than other things, the outermost first.

    Dictionaries, lists, tuples and the attributes of objects are looked into. A module that was saved
    whole counts as its state dict.

    Returns:
        A list of `StateDict`; a dictionary that is in two places is there twice.

    Raises:
        InputError: if the modules have more parts than those of any network.
    """
    found, kinds, left = [], {}, itertools.count(_MOST_MODULE_PARTS, -1)
    queue = deque([((), root)])
    while queue and len(found) < _MOST_FOUND:
        steps, value = queue.popleft()
        first_time = id(value) not in kinds
        if first_time:
            kinds[id(value)] = _split(value, left)
        tensors, others = kinds[id(value)]
        if len(tensors) > len(others):
            found.append(StateDict(steps, tensors, others))
        if first_time and len(steps) < _MOST_STEPS:
            queue.extend((steps + step, child) for step, child in _children(value))
    return found


# One for all: a file may hold very many values that are none.
_NO_STATE = ({}, {})


def _split(value, left):
    """The tensors and the other entries of a value, if it is a dictionary of names or a module."""
    if _is_module(value):
        return _module_tensors(value, left), {}
    if type(value) is not dict or not all(
        type(name) is str and len(name) <= _LONGEST_NAME for name in value
    ):
        return _NO_STATE
    tensors = {name: item for name, item in value.items() if type(item) is TensorView}
    others = {name: item for name, item in value.items() if type(item) is not TensorView}
    return tensors, others


def _children(value):
    """(steps, child) of what in a value may hold state dicts."""
    if type(value) is Made and not _is_module(value):
        # Many objects may have one dictionary, which is walked once.
        yield from (((), child) for child in (value.items, _attributes(value)) if child)
    elif type(value) is dict:
        for key, child in value.items():
            if type(key) is str and len(key) <= _LONGEST_NAME and _may_hold(child):
                yield (key,), child
    elif type(value) in (list, tuple):
        yield from (((place,), child) for place, child in enumerate(value) if _may_hold(child))


def _may_hold(value):
    return type(value) is Made or (type(value) in (dict, list, tuple) and len(value) > 0)


def _attributes(made):
    """The attributes of an object: a dictionary, or the first of a pair with those of slots."""
    if type(made.state) is tuple and len(made.state) == 2 and type(made.state[0]) is dict:
        return made.state[0]
    return made.state if type(made.state) is dict else {}


# Where PyTorch keeps them in a module; TorchScript makes attributes of all.
_MODULE_PARTS = ("_parameters", "_buffers", "_modules")


def _is_module(value):
    if type(value) is not Made:
        return False
    attributes = _attributes(value)
    return value.name.startswith("__torch__.") or all(part in attributes for part in _MODULE_PARTS)


def _module_tensors(module, left):
    """What `state_dict()` would give."""
    tensors = {}
    queue = deque([("", module)])
    while queue:
        prefix, module = queue.popleft()
        for name, item in _module_items(module):
            if next(left) <= 0:
                raise InputError("its modules have more parts than those of any network")
            if type(name) is str and len(prefix) + len(name) <= _LONGEST_NAME:
                if type(item) is TensorView:
                    tensors[prefix + name] = item
                elif _is_module(item):
                    queue.append((f"{prefix}{name}.", item))
    return tensors


def _module_items(module):
    """(name, parameter, buffer or module) of a module."""
    attributes = _attributes(module)
    parts = [attributes[part] for part in _MODULE_PARTS if part in attributes] or [attributes]
    for part in parts:
        # An ordered dictionary of some versions is an object with items.
        part = part.items if type(part) is Made else part
        yield from part.items() if type(part) is dict else ()


def described(value):
    """What a value is, for an error: "a list", "an object of 'os.system'"."""
    if type(value) in (Made, Global):
        return f"an object of {quoted(value.name)}"
    if type(value) is Key:
        number = type(value.value) in (int, float)
        return f"the key {quoted(value.value)}" if number else f"a key, {described(value.value)}"
    if type(value) is TensorView:
        return "a tensor"
    if type(value) is dict and not value:
        return "an empty dictionary"
    return f"a {type(value).__name__}"
