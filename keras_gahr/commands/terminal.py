"""Output in which nothing but this package's own text moves the cursor or turns the writing."""

import contextlib
import sys

from keras_gahr.names import printable

_OWN = {"\n", "\t"}


class Printable:
    """A text stream that escapes what cannot be shown, such as control characters in names of files.

    It has no `buffer`, so that nothing is written past it; the progress bars of Rich, which move the
    cursor, write to `rich_proxied_file`.

    Args:
        stream: what is written to.
    """

    def __init__(self, stream):
        self.rich_proxied_file = stream

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"received {type(text).__name__}, expected text")
        shown = text if text.isprintable() else "".join(map(_shown, text))
        self.rich_proxied_file.write(shown)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.rich_proxied_file, name)


def _shown(character):
    return character if character in _OWN else printable(character)


@contextlib.contextmanager
def printable_output():
    """Within it, standard output and errors are `Printable`."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and Printable(stream) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def take_every_character():
    """Lets standard output and errors escape what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
