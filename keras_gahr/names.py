"""Text that comes from elsewhere, as every terminal and every reader of JSON takes it."""

_LONGEST_REASON = 250


def printable(text):
    r"""The text in one line, with what cannot be shown or encoded as in a Python string.

    Names of files may hold anything: bytes that are no UTF-8 (`\xe9`), line breaks and escape sequences
    (`\n`, `\x1b`), marks that turn the direction of writing (`\u202e`).
    """
    return "".join(map(_shown, str(text)))


def reason_of(error, with_class=False):
    """What an exception says, as part of a line: its first line, short and `printable`.

    Libraries say what is wrong with a file or a network in the words of its author, and at any length.

    Args:
        with_class: whether its class goes before; it stands alone where an exception says nothing.
    """
    kind = type(error).__name__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return kind
    said = printable(lines[0][:_LONGEST_REASON])
    return f"{kind}: {said}" if with_class else said


def encodable(text):
    """The text, all of which can be encoded as UTF-8: what cannot be is as in `printable`."""
    if text.isascii():
        return text
    return "".join(_shown(c) if "\ud800" <= c <= "\udfff" else c for c in text)


def _shown(character):
    if character.isprintable():
        return character
    # Python keeps a byte that it could not decode as a surrogate of this range.
    if 0xDC80 <= ord(character) <= 0xDCFF:
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
