"""Options: fields of frozen dataclasses that know all about themselves.

Whatever offers an option reads it from its field: constructors, JSON files, the command line, Python
functions and the documentation.
"""

import dataclasses
import inspect
import math
import numbers
import types
import typing

from keras_gahr.errors import InputError

_KEY = "option"


@dataclasses.dataclass(frozen=True)
class Option:
    """What is known of an option besides its name, its type and its default.

    Args:
        help: one or two sentences; how large it may be and what it is by default need not be said.
        panel: the heading under which it is listed, or None.
        least, most: of a number, both included.
        above, below: the same, excluded.
        choices: the texts that it may be; () for any.
        written: the type of what is written on a command line, if it is another one: `pathlib.Path` for
            the name of a file, `str` for a noise level such as 25/255.
        flag: whether one that is true or false has no form that says false.
        unset: what it is if it is None, in words.
    """

    help: str
    panel: str | None = None
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    written: type | None = None
    flag: bool = False
    unset: str | None = None

    def description(self, default=None):
        """The help with all choices, and with the default where None stands for one."""
        text = self.help if self.help.endswith("...") else self.help.removesuffix(".")
        if self.choices:
            text = f"{text}: {', '.join(self.choices[:-1])} or {self.choices[-1]}"
        if default is None and self.unset is not None:
            text = f"{text}; default: {self.unset}"
        return text if text.endswith(".") else f"{text}."


@dataclasses.dataclass(frozen=True)
class Declared:
    """An option and the field that declares it.

    Args:
        name: of the field.
        kind: its type, such as `int | None`.
        default: its default.
        option: the `Option`.
    """

    name: str
    kind: object
    default: object
    option: Option

    @property
    def description(self):
        """See `Option.description`."""
        return self.option.description(self.default)

    @property
    def types(self):
        """The types that make up `kind`, without None."""
        kinds = (
            typing.get_args(self.kind) if isinstance(self.kind, types.UnionType) else (self.kind,)
        )
        return tuple(kind for kind in kinds if kind is not type(None))

    @property
    def may_be_none(self):
        return type(None) in typing.get_args(self.kind)

    def checked(self, value):
        """The value, if it is one that the option may have; numbers of NumPy become Python's.

        Raises:
            ValueError: with what was expected.
        """
        if value is None and self.may_be_none:
            return None
        for kind in self.types:
            found = _converted(value, kind)
            if found is not None and self._is_within(found):
                return found
        raise ValueError(self.expected)

    def _is_within(self, value):
        option = self.option
        if option.choices and value not in option.choices:
            return False
        return not (
            (option.least is not None and value < option.least)
            or (option.most is not None and value > option.most)
            or (option.above is not None and value <= option.above)
            or (option.below is not None and value >= option.below)
        )

    @property
    def expected(self):
        """What it may be, in words."""
        option = self.option
        if option.choices:
            words = f"one of {', '.join(option.choices)}"
        else:
            words = " or ".join(map(type_in_words, self.types))
        limits = [
            f"{word} {_short(limit)}"
            for word, limit in (
                ("of at least", option.least),
                ("above", option.above),
                ("up to", option.most),
                ("below", option.below),
            )
            if limit is not None
        ]
        return " ".join([words, " and ".join(limits)]).strip() + " or none" * self.may_be_none


def option(default, help, panel=None, **about):
    """A field of a dataclass that declares an option.

    Args:
        default: of the field.
        help, panel, **about: see `Option`.
    """
    known = Option(help, panel, **about)
    return dataclasses.field(default=default, metadata={_KEY: known})


def declared(kind):
    """The options that a dataclass declares: `Declared`s by name, in the order of its fields."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: Declared(field.name, hints[field.name], field.default, field.metadata[_KEY])
        for field in dataclasses.fields(kind)
        if _KEY in field.metadata
    }


def check_options(settings):
    """Raises `InputError` unless every option of a frozen dataclass has a value that it may have.

    Numbers of NumPy become Python's.
    """
    for name, each in declared(type(settings)).items():
        value = getattr(settings, name)
        try:
            object.__setattr__(settings, name, each.checked(value))
        except ValueError as error:
            raise InputError(f"received {name} = {value!r:.80}, expected {error}") from None


def describes_options(kind):
    """A decorator of a class of options: its docstring lists them, the first under `Args:`."""
    lines = "".join(f"    {name}: {each.description}\n" for name, each in declared(kind).items())
    kind.__doc__ = inspect.cleandoc(kind.__doc__).replace("Args:\n", "Args:\n" + lines)
    return kind


def takes_options(kind, without=(), parameter=None):
    """A decorator that shows the options of a dataclass in a signature, in the place of `**options`.

    Args:
        kind: the dataclass.
        without: names of options that are left out.
        parameter: a function of a `Declared` that returns type and default of a parameter; by default
            those of the field.
    """
    parameter = parameter or (lambda each: (each.kind, each.default))

    def decorate(function):
        signature = inspect.signature(function)
        groups = {True: [], False: []}
        for one in signature.parameters.values():
            if one.kind is not one.VAR_KEYWORD:
                groups[one.kind is one.KEYWORD_ONLY].append(one)
        made = []
        for name, each in declared(kind).items():
            if name not in without:
                annotation, default = parameter(each)
                keyword = inspect.Parameter.KEYWORD_ONLY
                one = inspect.Parameter(name, keyword, default=default, annotation=annotation)
                made.append(one)
        function.__signature__ = signature.replace(
            parameters=[*groups[False], *made, *groups[True]]
        )
        return function

    return decorate


def type_in_words(kind):
    """What a value of a type is called in errors."""
    if isinstance(kind, types.UnionType):
        return " or ".join(map(type_in_words, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return f"{type_in_words(typing.get_args(kind)[0])}, several with commas"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names.get(kind, "none")


def _converted(value, kind):
    """The value as one of int, float, bool or str; None if it is none of that kind."""
    # NumPy, whose own it may be, is not imported for that.
    is_bool = type(value).__name__ in {"bool", "bool_"}
    if kind is bool:
        return bool(value) if is_bool else None
    if kind is int:
        return int(value) if isinstance(value, numbers.Integral) and not is_bool else None
    if kind is float:
        if not isinstance(value, numbers.Real) or is_bool:
            return None
        try:
            value = float(value)
        except OverflowError:
            return None
        return value if math.isfinite(value) else None
    return value if isinstance(value, kind) else None


def _short(limit):
    return "2**64 - 1" if limit == 2**64 - 1 else f"{limit:g}"
