"""Files that are not what their names say, known by their first bytes.

A clone without Git LFS leaves pointers in place of arrays, a download leaves the page that says why
there is none. What reads files asks here before it calls one damaged.
"""

import codecs
import pathlib
import typing

from .errors import InputError

START = 1024
"""So many first bytes are looked at."""

_AGAIN = "get it again"
_UNPACK = "unpack it first"
_PNG = "save it as PNG"
_NPY = "save it with numpy.save"


class _Kind(typing.NamedTuple):
    """What a file is, how that is mended (or the suffix it should have), and its group of kinds."""

    name: str
    mend: str
    group: str | None = None


_PICKLE = _Kind("a Python pickle", _NPY, "pickle")
_MEDIA = {
    b"avif": _Kind("an AVIF picture", _PNG, "picture"),
    b"heic": _Kind("a HEIC picture", _PNG, "picture"),
    b"heix": _Kind("a HEIC picture", _PNG, "picture"),
    b"mif1": _Kind("a HEIF picture", _PNG, "picture"),
}
_SIGNATURES = (
    (0, b"version https://git-lfs", _Kind("a Git LFS pointer", "run `git lfs pull`")),
    (0, b"version https://hawser", _Kind("a Git LFS pointer", "run `git lfs pull`")),
    (0, b"/annex/objects/", _Kind("a git-annex pointer", "run `git annex get`")),
    (0, b"\x89PNG", _Kind("a PNG picture", ".png", "picture")),
    (0, b"\xff\xd8\xff", _Kind("a JPEG picture", ".jpg", "picture")),
    (0, b"GIF8", _Kind("a GIF picture", ".gif", "picture")),
    (0, b"II*\0", _Kind("a TIFF picture", ".tif", "picture")),
    (0, b"MM\0*", _Kind("a TIFF picture", ".tif", "picture")),
    (8, b"WEBP", _Kind("a WebP picture", ".webp", "picture")),
    (0, b"\0\0\0\x0cJXL ", _Kind("a JPEG XL picture", _PNG, "picture")),
    (0, b"\x93NUMPY", _Kind("a NumPy array", ".npy", "array")),
    (0, b"\x89HDF\r\n", _Kind("an HDF5 file", "save what is in it in that form")),
    (0, b"MATLAB 5.0", _Kind("a MATLAB file", _NPY)),
    (128, b"DICM", _Kind("a DICOM file", _PNG)),
    (0, b"SIMPLE  =", _Kind("a FITS file", _NPY)),
    (0, b"%PDF", _Kind("a PDF document", _PNG)),
    (0, b"PK\x03\x04", _Kind("a zip archive", _UNPACK, "zip")),
    (257, b"ustar", _Kind("a tar archive", _UNPACK, "tar")),
    (0, b"\x1f\x8b", _Kind("compressed by gzip", _UNPACK, "gzip")),
    (0, b"BZh", _Kind("compressed by bzip2", _UNPACK)),
    (0, b"\xfd7zXZ", _Kind("compressed by xz", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", _Kind("compressed by Zstandard", _UNPACK)),
    (0, b"7z\xbc\xaf", _Kind("a 7z archive", _UNPACK)),
    (0, b"Rar!", _Kind("a RAR archive", _UNPACK)),
    *((0, bytes([0x80, protocol]), _PICKLE) for protocol in range(2, 6)),
)


def impostor(path, expected, own=()):
    """The error for a file that is of another kind than expected, or None.

    It is read again, from its beginning; use it where a file could not be read.

    Args:
        path: of the file.
        expected: what the file should be, such as "an array".
        own: groups of kinds that the reader reads, among "array", "gzip", "json", "pickle",
            "picture", "tar" and "zip": such a file is none.
    """
    if not pathlib.Path(path).is_file():  # A pipe would be waited for.
        return None
    try:
        with open(path, "rb") as file:
            start = file.read(START)
    except OSError:
        return None
    return impostor_from(start, path, expected, own)


def impostor_from(start, name, expected, own=()):
    """As `impostor`, for the first bytes (at least `START`, or all) of what the error calls `name`."""
    kind = _kind_of(start[:START])
    if kind is None or kind.group in own:
        return None
    mend = kind.mend
    if mend.startswith("."):
        named_so = pathlib.PurePath(name).suffix.lower() == mend
        mend = f"give {expected}" if named_so else f"end its name in {mend}"
    return InputError(f"{name} is {kind.name}, not {expected}: {mend}")


def _kind_of(start):
    if not start:
        return _Kind("empty (0 bytes)", _AGAIN)
    for place, signature, kind in _SIGNATURES:
        if start.startswith(signature, place):
            return kind
    if start[4:8] == b"ftyp":
        return _MEDIA.get(start[8:12])
    return _text(start)


def _text(start):
    """The kind of a text, or None if the bytes are no text in UTF-8."""
    try:
        # The last character may be cut in two, which is no error for a decoder that waits for more.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError:
        return None
    if any(ord(character) < 32 and not character.isspace() for character in text):
        return None
    text = text.strip()
    lower = text.lower()
    if lower.startswith("<") and ("<html" in lower or "<!doctype html" in lower):
        return _Kind("an HTML page", "download it again")
    if lower.startswith("<"):
        return _Kind("an XML text", "download it again")
    if lower.startswith(("{", "[")):
        return _Kind("a JSON text", "download it again", "json")
    words = text.splitlines()[0][:40] if text else ""
    return _Kind(f"a text ({words!r})", _AGAIN)
