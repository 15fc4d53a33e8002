"""Pickles as plain values, executed by nobody.

Python's unpickler is a machine with instructions that import and call. This one has a stack, a memo
and the few instructions that `torch.save` writes (pickle protocol 2). It calls nothing but the
functions that its caller gives for the names that its caller allows, hashes no key that is not a
string or a number, and never walks a nested value, so that neither deep nor self-repeating values
cost anything.
"""

import pickletools
from dataclasses import dataclass
from typing import Any

from keras_gahr.errors import InputError

from .quoting import quoted

_MOST_ATTRIBUTES = 10_000


@dataclass(frozen=True, slots=True)
class Global:
    """A name that a pickle may mention.

    Args:
        value: what the name stands for as an argument.
        call: the function that answers when the pickle calls the name; None if it may not.
        plain: whether an object of this class, made without arguments, stands for a dictionary of its
            attributes.
    """

    value: Any = None
    call: Any = None
    plain: bool = False


def unpickle(data, allowed, load_persistent):
    """The value of a pickle.

    Args:
        data: the bytes, of which what follows the pickle is ignored, or an open file, which is left
            at the end of the pickle.
        allowed: a dictionary "module name" -> `Global`.
        load_persistent: a function from a persistent id to the value it stands for.

    Raises:
        InputError: for a name that is not allowed, an instruction that `torch.save` does not write,
            or a damaged pickle.
    """
    machine = _Machine(allowed, load_persistent)
    try:
        for opcode, argument, _ in pickletools.genops(data):
            machine.step(opcode.name, argument)
        (value,) = machine.stack
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise InputError("its pickle is damaged or truncated") from error
    return value


class _Machine:
    def __init__(self, allowed, load_persistent):
        self.allowed = allowed
        self.load_persistent = load_persistent
        self.stack = []
        self.marks = []
        self.memo = {}
        # Objects without attributes yet, by id; kept here, so that no other value takes an id.
        self.objects = {}
        self.attributes_left = _MOST_ATTRIBUTES

    def step(self, name, argument):
        stack = self.stack
        match name:
            case "PROTO":
                if argument != 2:
                    raise InputError(f"its pickle has protocol {argument}, expected 2")
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE":
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self.pop_last(int(name[-1]))))
            case "MARK":
                self.marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(self.pop_marked()))
            case "APPEND":
                self.extend([stack.pop()])
            case "APPENDS":
                self.extend(self.pop_marked())
            case "SETITEM":
                self.update(self.pop_last(2))
            case "SETITEMS":
                self.update(self.pop_marked())
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "BINPERSID":
                stack.append(self.load_persistent(stack.pop()))
            case "GLOBAL":
                stack.append(self.find(argument))
            case "REDUCE":
                self.call(*self.pop_last(2))
            case "NEWOBJ":
                self.make(*self.pop_last(2))
            case "BUILD":
                self.build(stack.pop())
            case "STOP":
                pass
            case _:
                raise InputError(f"its pickle has the instruction {name}, which is not allowed")

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
        if type(target) is not list:
            raise InputError("its pickle appends to something that is no list")
        target.extend(items)

    def update(self, items):
        target = self.stack[-1]
        if type(target) is not dict:
            raise InputError("its pickle sets items of something that is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int, float):
                raise InputError(f"it has a dictionary key of type {type(key).__name__}")
            if key in target:
                raise InputError(f"it has the key {quoted(key)} twice")
            target[key] = value

    def find(self, name):
        if name not in self.allowed:
            raise InputError(
                f"it refers to {quoted(name.replace(' ', '.', 1))}, expected only tensors in a "
                "dictionary; nothing was executed"
            )
        return self.allowed[name]

    def call(self, function, arguments):
        if (
            not isinstance(function, Global)
            or function.call is None
            or type(arguments) is not tuple
        ):
            raise InputError("its pickle calls something that may not be called")
        self.stack.append(function.call(*arguments))

    def make(self, kind, arguments):
        if not isinstance(kind, Global) or not kind.plain or arguments != ():
            raise InputError("its pickle makes an object that may not be made")
        made = {}
        self.objects[id(made)] = made
        self.stack.append(made)

    def build(self, attributes):
        target = self.stack[-1]
        if type(target) is not dict:
            raise InputError("its pickle sets attributes of something that is no dictionary")
        # The attributes of a state dict are versions of modules: nothing about weights.
        if self.objects.pop(id(target), None) is None:
            return
        if type(attributes) is not dict or any(type(name) is not str for name in attributes):
            raise InputError("its pickle gives attributes that are no dictionary of names")
        # Otherwise a large dictionary could be given to many objects.
        self.attributes_left -= len(attributes)
        if self.attributes_left < 0:
            raise InputError("its objects have more attributes than any training settings")
        target.update(attributes)
