"""The option that chooses the backend, and what a backend that cannot be loaded is told by."""

from typing import Annotated

import typer

_NO_MEMORY = (
    "failed to map segment",
    "cannot allocate memory",
    "bad_alloc",
    "can't start new thread",
    # Of a library that could not make the exception either.
    "error return without exception set",
)
"""What the system and the libraries say of it while they are loaded."""

BackendOption = Annotated[
    str | None,
    typer.Option(
        metavar="[tensorflow|torch|jax]",
        help="Keras backend; default: KERAS_BACKEND, keras.json, or the one that is installed.",
        show_default=False,
    ),
]


def lacks_memory(error):
    """Whether a library could not be loaded since there is no memory for it."""
    while error is not None:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False
