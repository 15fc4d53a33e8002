"""The files of a folder tree, and what in it is passed over."""

import os
import stat
from pathlib import Path


def files_in(root):
    """The files in a folder and the folders in it; links are followed, but no folder is read twice.

    Args:
        root: the folder.

    Returns:
        Three dictionaries from a path below the root: of the files, to the `Path` to open; of what is
        passed over, to the reason; of what should have been read and cannot be, to the reason.

    Raises:
        OSError: if the root cannot be listed.
    """
    root = Path(root)
    files, passed_over, unreadable = {}, {}, {}
    seen = set()
    # Folders that links lead to come after all others, so that of two names the real one counts.
    folders, links = [Path()], []
    while folders or links:
        name = folders.pop() if folders else links.pop(0)
        status = (root / name).stat()
        if (status.st_dev, status.st_ino) in seen:
            passed_over[name] = "a link to a folder that is read already"
            continue
        seen.add((status.st_dev, status.st_ino))
        try:
            entries = sorted(os.scandir(root / name), key=lambda entry: entry.name)
        except OSError as error:
            if name == Path():
                raise
            unreadable[name] = f"cannot be listed: {error.strerror}"
            continue
        for entry in entries:
            below = name / entry.name
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                dangling = isinstance(error, FileNotFoundError) and entry.is_symlink()
                unreadable[below] = (
                    "is a link to what does not exist" if dangling else f"{error.strerror}"
                )
                continue
            if entry.name.startswith("."):
                passed_over[below] = "hidden"
            elif stat.S_ISDIR(mode):
                (links if entry.is_symlink() else folders).append(below)
            elif stat.S_ISREG(mode):
                files[below] = root / below
            else:
                passed_over[below] = "no file, but a pipe, a device or a socket"
    return files, passed_over, unreadable
