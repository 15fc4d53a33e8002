"""Files that are written whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from keras_gahr.errors import InputError


def check_output(path, overwrite=False):
    """The path, if it may be written.

    Raises:
        InputError: if it exists and `overwrite` is false, or if it would lie inside a file.
    """
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
        # mkstemp makes private files; the user's umask decides who may read the final one.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
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
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
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
