"""Context variables that have another value for a while."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def within(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Gives the variable a value until the context ends."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
