"""The files that may be shown: those below one folder, and nothing that links lead to outside of it."""

import os
import stat
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.files import kind_of
from keras_gahr.folder_tree import is_hidden
from keras_gahr.json_file import LARGEST_JSON, parse_json


class ViewedFolder:
    """A folder. Names of what is in it are relative to it, with "/" between their parts; it is "" itself.

    Args:
        path: of the folder.

    Raises:
        InputError: if it is none.
    """

    def __init__(self, path):
        found = kind_of(path)
        if found != "folder":
            found = "does not exist" if found == "missing" else f"is a {found}"
            raise InputError(f"{path} {found}: give a folder of results")
        self.path = Path(os.path.realpath(path))

    def place(self, name):
        """The real path of what has this name.

        Raises:
            InputError: if that is hidden, or lies outside of the folder.
        """
        parts = name.split("/") if name else []
        strange = {"", ".", "..", os.pardir, os.curdir}
        if (
            is_hidden(name)
            or strange & {*parts}
            or any("\0" in part or Path(part).name != part for part in parts)
        ):
            raise InputError(f"{name!r} is no name of a file to show")
        real = Path(os.path.realpath(self.path.joinpath(*parts)))
        if real != self.path and self.path not in real.parents:
            raise InputError(f"{name!r} is a link that leads out of the folder")
        return real

    def files(self, name):
        """The regular files in a folder, with their `os.stat_result`s, and the names of its folders.

        Hidden ones, links to folders, and links that lead out are passed over.
        """
        files, folders = {}, []
        with os.scandir(self.place(name)) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if is_hidden(entry.name):
                    continue
                try:
                    if entry.is_symlink():
                        self.place(name_below(name, entry.name))
                    found = entry.stat()
                except (OSError, InputError):
                    continue
                if stat.S_ISREG(found.st_mode):
                    files[entry.name] = found
                elif stat.S_ISDIR(found.st_mode) and not entry.is_symlink():
                    folders.append(entry.name)
        return files, folders

    def open(self, name):
        """A regular file, open for reading bytes.

        Raises:
            InputError: if there is none that may be shown.
        """
        path = self.place(name)
        # A pipe is not waited for, and what became a link meanwhile is not followed.
        careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(path, os.O_RDONLY | careful | getattr(os, "O_BINARY", 0))
        except (OSError, ValueError) as error:
            raise InputError("it cannot be opened") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise InputError("it is no file")
        return open(handle, "rb")

    def read(self, name, largest=LARGEST_JSON):
        """All bytes of a file.

        Raises:
            InputError: as `open`, or if there are more than `largest`.
        """
        with self.open(name) as file:
            size = os.fstat(file.fileno()).st_size
            # Python makes room for all that is asked for.
            content = file.read(size + 1) if size <= largest else None
        if content is None or len(content) > largest:
            raise InputError(f"it has more than {largest / 2**20:.0f} MiB")
        return content

    def json(self, name):
        """The object in a JSON file.

        Raises:
            InputError: as `read`.
            ValueError: if that is damaged, or no object.
        """
        value = parse_json(self.read(name))
        if not isinstance(value, dict):
            raise ValueError("it holds no JSON object")
        return value


def name_below(folder, name):
    """The name of what is in a folder that has a name itself."""
    return f"{folder}/{name}" if folder else name
