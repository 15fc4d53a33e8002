"""Choices that were measured on a machine, in a JSON file that a person can read and take elsewhere."""

import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import keras

from keras_gahr import __version__, _backend
from keras_gahr._backend.processor import processor
from keras_gahr.cache_folder import cache_folder
from keras_gahr.errors import InputError
from keras_gahr.files import Busy, locked, replacing
from keras_gahr.json_file import read_json, write_json

_LARGEST = 2**20
"""Bytes; a choice has some hundred."""

_LONGEST = 1e300
"""Milliseconds; of JSON a whole number may be too large for a float."""

_LIMITS = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "TF_ENABLE_ONEDNN_OPTS",
    "XLA_FLAGS",
)
"""Environment variables that make a processor look like a lesser one."""

_WAITS = 20
_WAIT = 0.05
"""How often and for how many seconds another process, which writes a choice, is waited for."""


class Choice(NamedTuple):
    """What a file says of a question.

    Args:
        way: the name of the one that is chosen.
        seconds: what each way takes, by its name; None where that is not known.
    """

    way: str
    seconds: Mapping[str, float] | None = None


class ChoicesFile:
    """A file `{"machine": text, "choices": {question: {"way": name, "milliseconds": {name: number}}}}`.

    Args:
        path: the file; it need not be there.
        machine: what it says of the machine.
        given: whether a user has named it, so that what is wrong with it is an error; else it is as if it
            were not there.
    """

    def __init__(self, path, machine="", given=False):
        self.path = Path(path)
        self._machine = machine
        self._given = given

    def choice(self, question):
        """The `Choice`, or None. Of a file that a user has named the way alone is followed.

        Raises:
            InputError: for such a file, if it cannot be read or has another form.
        """
        choice = _choice_in(self._choices(), question)
        return Choice(choice.way) if choice and self._given else choice

    def keep(self, question, choice):
        """Keeps a `Choice`, unless another process was faster, whose choice stays.

        A file that cannot be written, as in a folder of somebody else's, is no error: the choice is then
        made again by the next process.

        Returns:
            The one that is kept.
        """
        with contextlib.suppress(InputError, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _waiting_for(self.path.parent):
                choices = self._choices()
                theirs = _choice_in(choices, question)
                if theirs and theirs.way in choice.seconds:
                    return theirs
                milliseconds = {name: round(1e3 * each, 4) for name, each in choice.seconds.items()}
                choices[question] = {"way": choice.way, "milliseconds": milliseconds}
                with replacing(self.path) as temporary:
                    write_json(temporary, {"machine": self._machine, "choices": choices})
        return choice

    def _choices(self):
        try:
            content = read_json(self.path, "a file of choices", _LARGEST)
            choices = content.get("choices") if isinstance(content, dict) else None
            if isinstance(choices, dict):
                return choices
            raise InputError(f'{self.path} has no "choices": give a file of choices')
        except InputError:
            if self._given:
                raise
            return {}


def _choice_in(choices, question):
    """The `Choice` among those from a file, or None."""
    entry = choices.get(question)
    way = entry.get("way") if isinstance(entry, dict) else None
    if not isinstance(way, str):
        return None
    milliseconds = entry.get("milliseconds")
    known = isinstance(milliseconds, dict) and all(map(_is_time, milliseconds.values()))
    return Choice(way, {n: each / 1e3 for n, each in milliseconds.items()} if known else None)


def _is_time(value):
    return isinstance(value, int | float) and 0 < value < _LONGEST


@contextlib.contextmanager
def _waiting_for(folder):
    for attempt in range(_WAITS):
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(folder))
            except Busy:
                if attempt == _WAITS - 1:
                    raise
            else:
                yield
                return
        time.sleep(_WAIT)


def machine_file():
    """The `ChoicesFile` of this machine, backend and number of threads, or None for a user without a home."""
    try:
        folder = cache_folder()
    except InputError:
        return None
    machine = _machine(_backend.threads(), *map(os.environ.get, _LIMITS))
    digest = hashlib.sha256(machine.encode()).hexdigest()[:12]
    name = f"{keras.backend.backend()}-{digest}.json"
    return ChoicesFile(folder / "choices" / name, machine)


@functools.cache
def _machine(threads, *limits):
    """What choices depend on, in words."""
    named = [
        f"{name}={value}" for name, value in zip(_LIMITS, limits, strict=True) if value is not None
    ]
    versions = f"keras-gahr {__version__}, {keras.backend.backend()} {_backend.version()}"
    return ", ".join([versions, processor(), f"{threads} threads", *named])
