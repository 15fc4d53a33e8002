"""Pickles as plain values, executed by nobody.

Python's unpickler is a machine with instructions that import and call. This one has a stack, a memo
and the instructions that `torch.save` and NumPy write with the pickle protocols 2 to 5. It imports
nothing, and calls nothing but the functions that its caller gives for a few names. What a pickle makes of any
other name, calls, builds and fills included, is a `Made`, which does nothing. No key but a text is
hashed and no nested value is walked, so that neither deep nor self-repeating values cost anything.
"""

import pickletools
from dataclasses import dataclass, field
from typing import Any

from keras_gahr.errors import InputError

from .quoting import quoted

# Each makes one small object at most. A state dict takes 20 for each of its tensors, CIFAR-100 four for
# each image.
_MOST_INSTRUCTIONS = 2**20
# A copy of a list of pairs in each dictionary that is made of it would be quadratic.
_MOST_PAIRS = 100_000
_LONGEST_NAME = 500
_PROTOCOLS = range(2, 6)


@dataclass(frozen=True, slots=True)
class Global:
    """A name that a pickle mentions, as in "torch.FloatStorage". Nothing is imported.

    Args:
        name: module and name, with a point between.
    """

    name: str


@dataclass(eq=False, slots=True)
class Made:
    """What stands for an object of a class, or an answer of a function, that nobody made or called.

    Args:
        name: of the class or function.
        items: what was set in it, if it is a kind of dictionary.
        state: what its attributes were made of: a dictionary, a tuple, or anything else.
    """

    name: str
    items: dict = field(default_factory=dict)
    state: Any = None


@dataclass(frozen=True, eq=False, slots=True)
class Key:
    """A key of a dictionary that is no text; two of them are never equal.

    Numbers with equal hashes are easily found, and a tuple can be deeper than any stack.
    """

    value: Any


def unpickle(data, answers, load_persistent=None, read_old=None):
    """The value of a pickle: of texts, numbers, lists, tuples, dictionaries, `Global` and `Made`.

    Args:
        data: the bytes, of which what follows the pickle is ignored, or an open file, which is left
            at the end of the pickle.
        answers: a dictionary "module.name" -> function from the tuple of arguments that a pickle
            calls the name with to the value. None stands for no answer, and becomes a `Made`.
        load_persistent: a function from a persistent id to the value it stands for; None if the
            pickle may not have any.
        read_old: a function from a string of Python 2, with a character for each of its bytes, to
            the value; by default it is text in UTF-8, as names are.

    Raises:
        InputError: for an instruction that those do not write, a damaged pickle, or one of
            more than `_MOST_INSTRUCTIONS`.
    """
    machine = _Machine(answers, load_persistent, read_old or _old_text)
    steps = machine.steps
    left = _MOST_INSTRUCTIONS
    try:
        for opcode, argument, _ in pickletools.genops(data):
            step = steps.get(opcode.name)
            if step is None:
                raise InputError(
                    f"its pickle has the instruction {opcode.name}, which is not allowed"
                )
            step(argument)
            left -= 1
            if not left:
                raise InputError(
                    f"its pickle has more than {_MOST_INSTRUCTIONS} instructions, more than any state dict"
                )
        (value,) = machine.stack
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise InputError("its pickle is damaged or truncated") from error
    finally:
        # The machine is part of a cycle, and would keep large values until that is collected.
        machine.stack.clear()
        machine.memo.clear()
    return value


class _Machine:
    def __init__(self, answers, load_persistent, read_old):
        self.answers = answers
        self.load_persistent = load_persistent
        self.stack = []
        self.marks = []
        self.memo = {}
        self.names = {}
        self.pairs_left = _MOST_PAIRS
        push = self.stack.append
        self.steps = {
            "PROTO": _check_protocol,
            "FRAME": _nothing,
            "STOP": _nothing,
            **dict.fromkeys(_LITERALS, push),
            **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda text: push(read_old(text))),
            "NONE": lambda _: push(None),
            "NEWTRUE": lambda _: push(True),
            "NEWFALSE": lambda _: push(False),
            "EMPTY_DICT": lambda _: push({}),
            "EMPTY_LIST": lambda _: push([]),
            "EMPTY_TUPLE": lambda _: push(()),
            "EMPTY_SET": lambda _: push(Made("builtins.set")),
            "TUPLE1": lambda _: push(tuple(self.pop_last(1))),
            "TUPLE2": lambda _: push(tuple(self.pop_last(2))),
            "TUPLE3": lambda _: push(tuple(self.pop_last(3))),
            "MARK": lambda _: self.marks.append(len(self.stack)),
            "TUPLE": lambda _: push(tuple(self.pop_marked())),
            "FROZENSET": lambda _: (self.pop_marked(), push(Made("builtins.frozenset"))),
            "POP": lambda _: self.pop_last(1),
            "POP_MARK": lambda _: self.pop_marked(),
            "APPEND": lambda _: self.extend(self.pop_last(1)),
            "APPENDS": lambda _: self.extend(self.pop_marked()),
            "ADDITEMS": lambda _: self.extend(self.pop_marked()),
            "SETITEM": lambda _: self.update(self.pop_last(2)),
            "SETITEMS": lambda _: self.update(self.pop_marked()),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self.memoize),
            "MEMOIZE": lambda _: self.memoize(len(self.memo)),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda place: push(self.memo[place])),
            "BINPERSID": lambda _: push(self.load(*self.pop_last(1))),
            "GLOBAL": lambda name: self.find(*name.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self.find(*self.pop_last(2)),
            "REDUCE": lambda _: self.call(*self.pop_last(2)),
            "NEWOBJ": lambda _: self.make(*self.pop_last(2)),
            "NEWOBJ_EX": lambda _: self.make(*self.pop_last(3)),
            "BUILD": lambda _: self.build(*self.pop_last(1)),
        }

    def memoize(self, place):
        self.memo[place] = self.stack[-1]

    def pop_last(self, count):
        if count > len(self.stack):
            raise IndexError("empty stack")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def pop_marked(self):
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def extend(self, items):
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif type(target) is not Made:
            raise InputError("its pickle appends to something that is no list")

    def update(self, items):
        target = self.stack[-1]
        if type(target) is Made:
            target = target.items
        if type(target) is not dict:
            raise InputError("its pickle sets items of something that is no dictionary")
        self.fill(target, zip(items[::2], items[1::2], strict=True))

    def fill(self, target, pairs):
        for key, value in pairs:
            if type(key) is not str:
                key = Key(key)
            elif key in target:
                raise InputError(f"it has the key {quoted(key)} twice")
            target[key] = value

    def load(self, persistent_id):
        if self.load_persistent is None:
            raise InputError("its pickle asks for a value that is not in it")
        return self.load_persistent(persistent_id)

    def find(self, module, name):
        if type(module) is not str or type(name) is not str:
            raise InputError("it refers to something by a name that is no text")
        # Long ones could be glued together again and again.
        if len(module) + len(name) > _LONGEST_NAME:
            raise InputError(f"it refers to a name of {len(module) + len(name)} characters")
        name = f"{module}.{name}"
        self.stack.append(self.names.setdefault(name, Global(name)))

    def call(self, function, arguments):
        if type(function) not in (Global, Made) or type(arguments) is not tuple:
            raise InputError("its pickle calls something that may not be called")
        answer = None
        if function.name in _DICTIONARIES:
            answer = self.dictionary(arguments)
        elif function.name in self.answers:
            answer = self.answers[function.name](arguments)
        self.stack.append(Made(function.name) if answer is None else answer)

    def dictionary(self, arguments):
        """What `OrderedDict`, `Counter` or `defaultdict` makes of these, or None if it is unknown."""
        match arguments:
            case () | (Global() | Made() | None,):
                return {}
            case (dict() as made,) | (_, dict() as made):
                return made
            # As Python 2 wrote ordered dictionaries.
            case (list() as pairs,):
                self.pairs_left -= len(pairs)
                if self.pairs_left < 0:
                    raise InputError("it makes more dictionaries of lists than any state dict")
                if all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
                    made = {}
                    self.fill(made, pairs)
                    return made
        return None

    def make(self, kind, arguments, names=None):
        if type(kind) not in (Global, Made) or type(arguments) is not tuple:
            raise InputError("its pickle makes an object that may not be made")
        self.stack.append(Made(kind.name))

    def build(self, state):
        target = self.stack[-1]
        if type(target) is Made:
            target.state = state
        # The attributes of a state dict are versions of modules: nothing about weights.
        elif type(target) is not dict:
            raise InputError("its pickle sets attributes of something that has none")


_LITERALS = (
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "BYTEARRAY8",
)

_DICTIONARIES = {
    "collections.Counter",
    "collections.OrderedDict",
    "collections.defaultdict",
}


def _nothing(_):
    pass


def _old_text(text):
    return text.encode("latin-1").decode("utf-8", "replace")


def _check_protocol(protocol):
    if protocol not in _PROTOCOLS:
        raise InputError(f"its pickle has protocol {protocol}, expected 2 to {_PROTOCOLS[-1]}")
