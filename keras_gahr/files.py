"""Files that are written whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from keras_gahr.errors import InputError


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


def check_output_folder(path, overwrite=False, *, known_by):
    """The path, if a folder may be written there.

    Args:
        path: the folder.
        overwrite: whether an old one may be replaced.
        known_by: a file that every such folder has. One without it was made by something else and is
            never replaced.

    Raises:
        InputError: if it exists and may not be replaced, or if it would lie inside a file.
    """
    path = _check_output(path, overwrite)
    if path.exists() and not (path / known_by).is_file():
        raise InputError(f"{path} has no {known_by} and will not be replaced: choose another name")
    return path


def _check_output(path, overwrite):
    path = Path(path)
    if not overwrite and (path.exists() or path.is_symlink()):
        raise InputError(f"{path} exists: choose another name or pass --overwrite")
    for parent in path.parents:
        if parent.exists():
            if not parent.is_dir():
                raise InputError(f"{path} cannot be made: {parent} is not a folder")
            break
    return path


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path beside `path`, with the same suffix; moves it there on success.

    On an exception the temporary file is removed and whatever was at `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix or ".partial"
    )
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing_folder(path):
    """Yields a temporary folder beside `path`; moves it there on success, replacing an old one.

    On an exception the temporary folder is removed and whatever was at `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    try:
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if path.exists():
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-old-"))
            path.replace(old / path.name)
            temporary.replace(path)
            shutil.rmtree(old)
        else:
            temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _umask():
    """The permissions a new file does not get; tempfile makes private ones whatever this says."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
