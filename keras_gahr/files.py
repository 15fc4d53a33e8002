"""Files that are read, and files that are written whole or not at all."""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from pathlib import Path

from keras_gahr.errors import InputError

try:
    import fcntl
except ImportError:  # Windows has none.
    fcntl = None


_ALWAYS_ALLOWED = 128
"""Bytes in a name."""

_LONGEST_SUFFIX = 16
"""Bytes: `.safetensors` has 12; what is longer tells nobody the format."""


_AT_A_TIME = 8
"""Processes that write to the same path: of more, what is left of killed ones stays."""

_NEW, _OLD = "new", "old"
"""Names in temporary folders: of what is written, and of what it replaces."""


class Busy(InputError):
    """Another process has what is asked for."""


def check_regular(path, expected="a file"):
    """The path, if a regular file is there (or a link to one); to be called before it is opened.

    A pipe would be waited for, and a device such as /dev/zero never ends.

    Args:
        path: the file.
        expected: what the error asks for, such as "a .keras file".

    Raises:
        InputError: if it is missing, cannot be reached, or is a folder, a pipe, a device or a socket.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind != "file":
        found = "does not exist" if kind == "missing" else f"is a {kind}"
        raise InputError(f"{path} {found}: give {expected}")
    return path


def kind_of(path):
    """What is at a path, links followed: "file", "folder", "pipe", "device", "socket" or "missing".

    Raises:
        InputError: if it cannot be told, as in a folder that may not be read.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError) as error:  # ValueError: a null character in the name.
        raise InputError(f"{path} cannot be read: {_reason(error)}") from error
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe"}
    return kinds.get(stat.S_IFMT(mode), "socket" if stat.S_ISSOCK(mode) else "device")


def check_output_file(path, overwrite=False):
    """The path, if a file may be written there.

    Raises:
        InputError: if it exists and `overwrite` is false, if it is a folder, or if it would lie
            inside a file.
    """
    path = _check_output(path, overwrite)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected the name of a file")
    return path


def check_output_folder(path, overwrite=False, *, known_by, contents):
    """The path, if a folder may be written there.

    An old folder is only replaced if this package made it and nobody has put anything into it since.

    Args:
        path: the folder.
        overwrite: whether an old one may be replaced.
        known_by: a text file in every such folder that names this package.
        contents: names of all that such a folder may hold; of a name in a subfolder, such as "a/b",
            the subfolder may hold nothing else, otherwise whatever it likes.

    Raises:
        InputError: if it exists and may not be replaced, or if it would lie inside a file.
    """
    path = _check_output(path, overwrite)
    if not path.exists():
        return path
    if not path.is_dir():
        raise InputError(f"{path} is not a folder, and one is written there: choose another name")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise InputError(f"{path} is not writable and cannot be replaced: choose another name")
    mark = path / known_by
    if not mark.is_file() or "gahr" not in mark.read_text(encoding="utf-8", errors="replace"):
        raise InputError(
            f"{path} has no {known_by} of this package and will not be replaced: choose another name"
        )
    foreign = sorted(str(item.relative_to(path)) for item in others_in(path, contents))
    if foreign:
        raise InputError(
            f"{path} also holds {foreign[0]}, which is not ours to delete: move it or choose another "
            "name"
        )
    return path


def others_in(folder, contents):
    """Yields the paths in a folder that are not among its contents: see `check_output_folder`.

    What a killed process left of those is passed over.
    """
    left = {item.name for item in _leftovers(folder, contents)}
    below = {}
    for first, *rest in (Path(name).parts for name in contents):
        below.setdefault(first, []).append(Path(*rest))
    for item in folder.iterdir():
        names = below.get(item.name)
        if names is None:
            if item.name not in left:
                yield item
        elif Path() not in names and item.is_dir() and not item.is_symlink():
            yield from others_in(item, names)


def _check_output(path, overwrite):
    path = Path(path)
    if path.parts[:1] == ("~",):
        raise InputError(
            f"{path} begins with ~, which only a shell understands: write the folder out"
        )
    try:
        if not overwrite and (path.exists() or path.is_symlink()):
            raise InputError(f"{path} exists: choose another name or pass --overwrite")
        for parent in path.absolute().parents:
            if parent.exists():
                if not parent.is_dir():
                    raise InputError(f"{path} cannot be made: {parent} is not a folder")
                if not os.access(parent, os.W_OK):
                    raise InputError(f"{path} cannot be made: {parent} is not writable")
                _check_lengths(path, parent)
                break
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror or error}") from error
    return path


def _check_lengths(path, parent):
    """Refuses names that are too long before any work: those of folders that are not there yet too."""
    if not hasattr(os, "pathconf"):  # Windows has none.
        return
    most = os.pathconf(parent, "PC_NAME_MAX")
    for name in path.absolute().relative_to(parent).parts:
        if len(os.fsencode(name)) > most:
            raise InputError(
                f"{path} cannot be made: {name[:20]}... has {len(os.fsencode(name))} bytes, expected "
                f"a name of at most {most}"
            )


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path with the same suffix; moves the file to `path` on success.

    On an exception the temporary file is removed and whatever was at `path` is untouched. What a
    killed process left behind is removed by the next one that writes to the same path.

    Raises:
        InputError: if the file cannot be written.
    """
    path = Path(path)
    with _place_beside(path) as place:
        temporary = place / f"{_NEW}{_known_suffix(path.name)}"
        with _naming(path, temporary):
            yield temporary
            temporary.replace(path)


@contextlib.contextmanager
def replacing_folder(path, overwrite=False):
    """Yields a temporary folder; moves it to `path` on success.

    On an exception the temporary folder is removed and whatever was at `path` is untouched. What a
    killed process left behind is removed by the next one that writes to the same path.

    Args:
        path: the folder.
        overwrite: whether to replace one that is there by then; see `check_output_folder`.

    Raises:
        InputError: if the folder cannot be written, or if another process made it meanwhile.
    """
    path = _target(path)
    missing = not path.exists()
    with _place_beside(path) as place:
        if missing and not overwrite and path.exists():
            raise InputError(
                f"{path} was put back, as a process that replaced it was killed: choose another name "
                "or pass --overwrite"
            )
        temporary = place / _NEW
        with _naming(path, temporary):
            temporary.mkdir()
            yield temporary
            _move_folder(temporary, path, overwrite)


@contextlib.contextmanager
def resuming_folder(path, overwrite=False):
    """As `replacing_folder`, but a killed or interrupted process leaves the temporary folder.

    It is called `.NAME.partial` (shortened if that is long), and the next call for the same path
    yields it as it was left. It is removed on an error, but not on Ctrl-C or a full disk. Only one
    process at a time may have it.

    Raises:
        InputError: as for `replacing_folder`, or if another process has it.
    """
    path = _target(path)
    partial = path.with_name(_hidden(path.name, path.name, ".partial"))
    with _naming(path, partial):
        partial.mkdir(parents=True, exist_ok=True)
        with locked(partial, path):
            try:
                yield partial
                _move_folder(partial, path, overwrite)
            except Exception as error:
                if not _failed_to_write(error):
                    shutil.rmtree(partial, ignore_errors=True)
                raise


def _failed_to_write(error):
    """Whether an error comes from a disk: with room on it, work can go on where it was."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _WRITING:
            return True
        error = error.__cause__
    return False


@contextlib.contextmanager
def resuming_file(path):
    """As `replacing`, but what is written stays until it is complete, even after a kill.

    It is called `.NAME.partial` (shortened if that is long), and the next call for the same path yields
    it as it was left; who finds it useless empties it. While a process has it, others get a temporary
    path of their own.

    Raises:
        InputError: as for `replacing`.
    """
    path = Path(path)
    partial = path.with_name(_hidden(path.name, path.name, ".partial"))
    with _naming(path, partial), contextlib.ExitStack() as stack:
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        try:
            stack.enter_context(locked(partial, path))
        except Busy:
            yield stack.enter_context(replacing(path))
            return
        try:
            yield partial
            partial.replace(path)
        finally:
            if partial.exists() and not partial.stat().st_size:
                partial.unlink()


@contextlib.contextmanager
def locked(folder, path=None):
    """Holds a lock on a folder, which ends with the process.

    Where there are no locks, as on Windows and on some network file systems, it does nothing.

    Args:
        folder: an existing folder, or a file.
        path: what the error calls it; by default the folder.

    Raises:
        Busy: if another process has it.
    """
    try:
        handle = _lock(folder)
    except BlockingIOError as error:
        raise Busy(
            f"{path or folder} is being made by another process: wait, or stop it"
        ) from error
    try:
        yield
    finally:
        _unlock(handle)


def _lock(folder):
    """An open file that locks a folder until it is closed, or None where there are no locks.

    Raises:
        BlockingIOError: if another process has it, or removed it.
    """
    if fcntl is None:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:
        os.close(handle)
        return None
    try:
        if os.path.samestat(os.fstat(handle), os.stat(folder)):
            return handle
    except FileNotFoundError:
        pass
    os.close(handle)
    raise BlockingIOError


def _unlock(handle):
    if handle is not None:
        os.close(handle)


def _target(path):
    """The absolute path of a folder; of a link to one, which is to stay a link, what it points to."""
    path = Path(path).absolute()
    return path.resolve() if path.is_symlink() else path


def _move_folder(temporary, path, overwrite):
    if path.exists() and overwrite:
        _swap(temporary, path)
    elif path.exists():
        raise InputError(f"{path} was made by somebody else meanwhile: choose another name")
    else:
        temporary.rename(path)


def _swap(new, path):
    """Puts a new folder in the place of an old one and removes the old one."""
    with _place_beside(path) as place:
        old = place / _OLD
        path.rename(old)
        try:
            new.rename(path)
        except BaseException:
            old.rename(path)
            raise
        try:
            shutil.rmtree(old)
        except OSError as error:
            raise InputError(
                f"{path} is written, but what was there before is {old} now and cannot be removed: "
                f"{error.strerror}"
            ) from error


@contextlib.contextmanager
def _place_beside(path):
    """Yields a hidden folder beside `path` that no other process has; it is gone afterwards.

    It is locked as long as its process lives. So what killed processes left is known, and removed.

    Raises:
        InputError: if it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy_beside(path)
        place, handle = _new_place(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {_reason(error)}") from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        _unlock(handle)


def _tidy_beside(path):
    """Removes what killed processes left, but first puts back what one of them had just moved away."""
    for place in filter(Path.is_dir, _places(path)):
        with contextlib.suppress(BlockingIOError):
            if handle := _lock(place):
                with contextlib.suppress(OSError):
                    if (place / _OLD).is_dir() and not path.exists():
                        (place / _OLD).rename(path)
                shutil.rmtree(place, ignore_errors=True)
                _unlock(handle)


def _new_place(path):
    """A new folder and the open file that locks it."""
    for place in _places(path):
        with contextlib.suppress(FileExistsError, BlockingIOError):
            place.mkdir()
            return place, _lock(place)
    place = _temporary(path, secrets.token_hex(4))
    place.mkdir()
    return place, None


def _places(path):
    """The paths of the hidden folders of processes that write to the same path at a time."""
    return [_temporary(path, f"{k:08x}") for k in range(_AT_A_TIME)]


def remove_leftovers(folder, names):
    """Removes what a killed process left of files or folders `names` that it was replacing."""
    for leftover in _leftovers(folder, names):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _leftovers(folder, names):
    folder, around = Path(folder), {_around(os.fspath(name)) for name in names}
    for item in folder.iterdir() if folder.is_dir() else ():
        for suffix in {"", item.suffix}:
            rest = item.name.removesuffix(suffix)
            if (rest[:-8], suffix) in around and re.fullmatch("[0-9a-f]{8}", rest[-8:]):
                yield item


def _temporary(path, digits):
    """A path beside another one, with eight digits in its name."""
    before, after = _around(path.name)
    return path.with_name(f"{before}{digits}{after}")


def _known_suffix(name):
    suffix = Path(name).suffix
    return suffix if len(os.fsencode(suffix)) <= _LONGEST_SUFFIX else ""


def _around(name):
    """What stands before and after the digits in the temporary names of a file."""
    suffix = _known_suffix(name)
    stem = name.removesuffix(suffix)
    hidden = _hidden(name, stem, f"-{'0' * 8}{suffix}")
    cut = len(hidden) - len(suffix)
    return hidden[: cut - 8], suffix


def _hidden(name, stem, ending):
    """`.STEM` and an ending, short enough for every file system that takes `name`.

    Most of them take 255 bytes in a name, some 143. So one that is longer than 128 is no longer than
    `name` itself: the end of the stem gives way to a digest, without which two long names that begin
    alike would share their temporary ones.

    Args:
        name: of a file or folder.
        stem: the part of it to begin with.
        ending: what must stay.
    """
    most = max(_ALWAYS_ALLOWED, len(os.fsencode(name)))
    if len(os.fsencode(f".{stem}{ending}")) <= most:
        return f".{stem}{ending}"
    ending = f"~{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}{ending}"
    while len(os.fsencode(f".{stem}{ending}")) > most:
        stem = stem[:-1]
    return f".{stem}{ending}"


_WRITING = {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EROFS}
"""Errors of a file that is open and written to, which do not say its name."""


@contextlib.contextmanager
def _naming(path, temporary):
    """Errors of writing as one line about the file or folder that was asked for.

    Those of other files name these; what is not known to be of writing is left as it is.

    Args:
        path: what was asked for.
        temporary: what is written in its place.
    """
    try:
        yield
    except InputError as error:
        if str(temporary) in str(error):
            raise type(error)(str(error).replace(str(temporary), str(path))) from error
        raise
    except OSError as error:
        if isinstance(error.filename, str | bytes | os.PathLike):
            other = Path(os.fsdecode(error.filename))
            if not _concerns(other.absolute(), path.absolute(), temporary.absolute()):
                raise InputError(f"{other}: {_reason(error)}") from error
        elif error.errno is not None and error.errno not in _WRITING:
            raise
        raise InputError(f"{path} cannot be written: {_reason(error)}") from error


def _concerns(other, path, temporary):
    """Whether a path lies in what is written, or is a folder around it."""
    return other in path.parents or bool({path, temporary} & {other, *other.parents})


def _reason(error):
    # NumPy says how much it wrote, but not why that is not all.
    if getattr(error, "errno", 0) is None and " requested and " in str(error):
        return "not all of it was taken: the disk seems to be full"
    return getattr(error, "strerror", None) or str(error)
