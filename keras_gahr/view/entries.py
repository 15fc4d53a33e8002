"""The results in a folder: what each one is, and the picture that stands for it."""

import dataclasses
import itertools
import posixpath

from keras_gahr.json_file import LARGEST_JSON
from keras_gahr.names import printable
from keras_gahr.runs.find import Run, read_run

from .viewed_folder import ViewedFolder, name_below

PICTURES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Endings of files that browsers show as pictures, with their types."""

MOST_ENTRIES, MOST_FOLDERS, _MOST_INSIDE = 1000, 20_000, 100

RUN, DATASET, REPORT, LOOSE = "training run", "dataset", "report", "pictures"

_NAMED = {
    "bias_variance": "bias and variance",
    "calibration": "calibrated local machine",
    "comparison": "comparison of two networks",
    "copying": "copies among samples",
    "denoising": "denoised images",
    "explanation": "explanation",
    "noise_calibration": "calibrated noise levels",
    "patch_sources": "sources of patches",
    "psnr": "PSNR curves",
    "restoration": "restored images",
    "sampling": "samples",
}
"""What results are that are known by a JSON file of this name; others are called as the file."""

_FIRST = ("levels", "contact_sheet", "eigenvectors", "explanation", "samples", "clock")
"""Names of pictures that say most, without their endings."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A folder with a result.

    Args:
        name: in the `ViewedFolder`.
        kind: in words.
        files: the names of the files in it, with their `os.stat_result`s.
        folders: the names of the folders in it.
        mark: the JSON file by which it is known; "" for loose pictures.
        run: a `Run`, of trainings.
        about: what was trained, in a few words.
    """

    name: str
    kind: str
    files: dict
    folders: list
    mark: str = ""
    run: Run | None = None
    about: str = ""

    @property
    def changed(self):
        """When its files last changed, in seconds since 1970."""
        return max((found.st_mtime for found in self.files.values()), default=0.0)

    @property
    def stem(self):
        """The name of that file without its ending."""
        return posixpath.splitext(self.mark)[0]

    @property
    def pictures(self):
        """The names of pictures in it, those first that say most."""
        names = [name for name in self.files if ending(name) in PICTURES]
        rank = {stem: k for k, stem in enumerate(_FIRST)}
        return sorted(
            names, key=lambda name: (rank.get(posixpath.splitext(name)[0], len(rank)), name)
        )


def find_entries(folder: ViewedFolder):
    """All results in a folder, sorted by name, and whether there are more than are looked for.

    What is inside of a result is a part of it, but for loose pictures, whose folders may hold others.
    """
    found = []
    for seen, entry in enumerate(_looked_through(folder, [""]), 1):
        if seen > MOST_FOLDERS or len(found) == MOST_ENTRIES:
            return found, True
        if entry is not None:
            found.append(entry)
    return found, False


def entries_inside(folder: ViewedFolder, entry: Entry):
    """The results inside of one, sorted by name, as far as they are in the first folders.

    Loose pictures are a part of it, and what is inside of the others is theirs.
    """
    names = [name_below(entry.name, below) for below in entry.folders]
    inside = itertools.islice(_looked_through(folder, names), _MOST_INSIDE)
    return [each for each in inside if each is not None and each.kind != LOOSE]


def entry_at(folder: ViewedFolder, name):
    """The `Entry` of this name, or None if there is no result.

    Raises:
        InputError: if the name is none of a folder that may be shown.
        OSError: if it cannot be listed.
    """
    return _look_at(folder, name)[0]


def ending(name):
    """That of a file name, in small letters, with its dot."""
    return posixpath.splitext(name)[1].lower()


def _looked_through(folder, names):
    """Yields for folders of these names, and those below them that are in no result, an `Entry` or None."""
    waiting = names[::-1]
    while waiting:
        name = waiting.pop()
        try:
            entry, folders = _look_at(folder, name)
        except OSError:
            entry, folders = None, []
        yield entry
        if entry is None or entry.kind == LOOSE:
            waiting += (name_below(name, below) for below in reversed(folders))


def _look_at(folder, name):
    files, folders = folder.files(name)
    kind, mark, run = _kind(folder, name, files)
    about = _about(folder, name) if run else ""
    return (Entry(name, kind, files, folders, mark, run, about) if kind else None), folders


_STRANGE = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What becomes of JSON that is not there or has another form than ours."""


def _about(folder, name):
    """What a training is called in its sweep, its network and the number of its training images."""
    parts = [_label(folder, name)]
    try:
        config = folder.json(name_below(name, "config.json"))
        network, size = config["denoiser"].get("class"), config["data"].get("train_size")
    except _STRANGE:
        network, size = None, None
    if isinstance(network, str):
        parts.append(printable(network)[:40])
    if type(size) is int and size < 2**63:
        parts.append(f"N = {size:,}")
    return ", ".join(filter(None, parts))


def _label(folder, name):
    """That of runs/HASH in a workspace, which stands in tasks/HASH/task.json; "" of other runs."""
    above, own = posixpath.split(name)
    workspace, rooms = posixpath.split(above)
    if rooms != "runs":
        return ""
    try:
        label = folder.json(name_below(workspace, f"tasks/{own}/task.json"))["label"]
    except _STRANGE:
        return ""
    return printable(label)[:60] if isinstance(label, str) else ""


def _kind(folder, name, files):
    if "config.json" in files:
        readable = {file for file, found in files.items() if found.st_size <= LARGEST_JSON}
        if run := read_run(folder.place(name), readable):
            return RUN, "config.json", run
    if {"manifest.json", "images.npy"} <= files.keys():
        return DATASET, "manifest.json", None
    if {"numbers.json", "report.html"} <= files.keys():
        return REPORT, "numbers.json", None
    for file in sorted(files, key=lambda file: (posixpath.splitext(file)[0] not in _NAMED, file)):
        if ending(file) == ".json" and _is_ours(folder, name_below(name, file)):
            stem = posixpath.splitext(file)[0]
            return _NAMED.get(stem, stem.replace("_", " ")), file, None
    loose = any(ending(file) in PICTURES for file in files)
    return (LOOSE, "", None) if loose else (None, "", None)


def _is_ours(folder, name):
    """Whether a JSON file begins as those do that results of this package are saved in."""
    try:
        with folder.open(name) as file:
            return b'"package": "keras-gahr' in file.read(200)
    except (OSError, ValueError):
        return False
