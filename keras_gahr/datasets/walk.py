"""The files in a folder and its subfolders."""

import os
from pathlib import Path

from keras_gahr.errors import InputError


def walk(folder):
    """All files below a folder, and what was left out.

    Links are followed, but each folder is read once: links may go round in circles.

    Args:
        folder: the path.

    Returns:
        The files, sorted, and a dictionary from what was left out to the reason: what is hidden, what
        is neither a file nor a folder, folders that were read already or cannot be listed, links that
        lead nowhere. Both are names relative to the folder, with "/" between their parts.

    Raises:
        InputError: if the folder itself cannot be listed.
    """
    files, left_out, seen = [], {}, {}
    # Links come last, so that a folder goes by its own name if it has one here.
    folders, links = [""], []
    while folders or links:
        name = folders.pop() if folders else links.pop(0)
        path = Path(folder, name)
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                same = seen[status.st_dev, status.st_ino]
                left_out[name] = f"the same folder as {same or 'the whole'}"
                continue
            seen[status.st_dev, status.st_ino] = name
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not name:
                raise InputError(f"{folder} cannot be read: {error.strerror}") from error
            left_out[name] = f"cannot be read: {error.strerror}"
            continue
        for entry in entries:
            full = f"{name}/{entry.name}" if name else entry.name
            if entry.name.startswith("."):
                left_out[full] = "hidden"
            elif entry.is_dir():
                (links if entry.is_symlink() else folders).append(full)
            elif entry.is_file():
                files.append(full)
            else:
                left_out[full] = "a link that leads nowhere" if entry.is_symlink() else "not a file"
    return sorted(files), left_out
