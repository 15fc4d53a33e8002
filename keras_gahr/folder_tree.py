"""The files in a folder and its subfolders, by one rule for everything that is looked for in them."""

import os
import posixpath
import stat
from pathlib import Path

from keras_gahr.errors import InputError

HIDDEN = "hidden"
NOT_A_FILE = "not a file, but a pipe, a device or a socket"


def walk(folder):
    """All files below a folder, and all else but folders.

    Links to files and folders are followed. No folder is read twice, so links cannot lead round in a
    circle: where there are several names for one, that which is no link counts, then the first, and
    the others are left out. Hidden folders are looked into, but links in them are not followed.

    Args:
        folder: the path.

    Returns:
        The files, sorted; a dictionary from what was left out (all that is hidden, further names of
        a folder, pipes and devices) to the reason; and one from what cannot be looked into (folders
        that cannot be listed, links that lead nowhere) to the reason. All are names relative to the
        folder, with "/" between their parts.

    Raises:
        InputError: if the folder itself cannot be listed.
    """
    tree = _Tree(Path(folder))
    tree.walk()
    hidden = dict.fromkeys(filter(is_hidden, [*tree.files, *tree.others, *tree.unreadable]), HIDDEN)
    return (
        sorted({*tree.files} - hidden.keys()),
        tree.others | hidden,
        {name: why for name, why in tree.unreadable.items() if name not in hidden},
    )


class _Tree:
    """The entries of a folder, sorted into those that `Entries` has."""

    def __init__(self, path):
        self.files, self.others, self.unreadable = [], {}, {}
        self._path = path
        self._names = {}  # From the real path of a folder to the name under which it is listed.
        self._links = []

    def walk(self):
        """Lists the folders that are there, then those that links lead to, in order of the names."""
        self._list_all("")
        while self._links:
            self._links.sort(reverse=True)
            self._list_all(self._links.pop())

    def _list_all(self, name):
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if is_hidden(name) or self._is_new(name):
                waiting += self._list(name)

    def _is_new(self, name):
        """Whether a folder was not listed under another name."""
        real = os.path.realpath(self._path / name)
        above = os.path.realpath((self._path / name).parent)
        if name and os.path.join(above, "").startswith(os.path.join(real, "")):
            self.others[name] = "a link to a folder that it is in"
        elif real in self._names:
            self.others[name] = f"the same folder as {self._names[real] or self._path.name}"
        else:
            self._names[real] = name
            return True
        return False

    def _list(self, folder):
        """Sorts in what a folder holds; returns the names of its folders, the last one first."""
        try:
            with os.scandir(self._path / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            if not folder:
                raise InputError(f"{self._path} cannot be listed: {error.strerror}") from error
            self.unreadable[folder] = f"cannot be listed: {error.strerror}"
            return []
        folders = []
        for entry in entries:
            name = posixpath.join(folder, entry.name)
            try:
                mode = entry.stat().st_mode
            except FileNotFoundError:
                self.unreadable[name] = "is a link to what does not exist"
                continue
            except OSError as error:
                self.unreadable[name] = f"cannot be read: {error.strerror}"
                continue
            if stat.S_ISREG(mode):
                self.files.append(name)
            elif not stat.S_ISDIR(mode):
                self.others[name] = NOT_A_FILE
            elif not entry.is_symlink():
                folders.append(name)
            elif is_hidden(name):
                self.others[name] = "a link to a folder"
            else:
                self._links.append(name)
        return folders


def is_hidden(name):
    """Whether a file or a folder that it is in begins with a dot, or is what macOS adds to archives."""
    return any(
        part == "__MACOSX" or (part.startswith(".") and part not in {".", ".."})
        for part in name.replace("\\", "/").split("/")
    )
