"""The published checkpoints, by name."""

import difflib
import functools
import hashlib
import importlib.resources
import json
import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keras_gahr.cache_folder import cache_folder
from keras_gahr.errors import InputError
from keras_gahr.pretrained.catalogue import pretrained_denoisers

from .download import download

URL_VARIABLE = "KERAS_GAHR_WEIGHTS_URL"
DEFAULT_URL = "https://raw.githubusercontent.com"
_PART_BYTES = 2**20


@dataclass(frozen=True)
class Published:
    """One published checkpoint.

    Args:
        name: ours: network, training images, their size, then what sets the checkpoint apart.
        repository, commit, path: where it is on GitHub.
        git_blob: SHA-1 of `blob SIZE`, a zero byte and the content, as git counts it.
        licence: of the repository, or None if it states none.
        architecture: what `convert` makes of it, or None if it has biases or is a network that this
            package does not have. It computes what `convert` takes unless told otherwise: a dilated UNet
            the image, all others the residual.
        first_layer: argument of `convert` for networks whose weights cannot tell, else None.
        data: what it was trained on, in words, or None.
        psnr: in dB, {"images", "sigma" (in units of [0, 1]), "noisy", "denoised"}, as this package measured
            it; None where that was not done.
        size: bytes, or None if not known.
        sha256: of the content, or None if not known.
    """

    name: str
    repository: str
    commit: str
    path: str
    git_blob: str
    licence: str | None
    architecture: str | None
    data: str | None = None
    psnr: Mapping[str, object] | None = None
    first_layer: str | None = None
    size: int | None = None
    sha256: str | None = None

    def url(self, base=None):
        """The address of the file.

        Args:
            base: what comes before /OWNER/REPOSITORY/COMMIT/PATH; by default the environment
                variable KERAS_GAHR_WEIGHTS_URL, or else GitHub.
        """
        base = base or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        return f"{base.rstrip('/')}/" + urllib.parse.quote(
            f"{self.repository}/{self.commit}/{self.path}"
        )

    def cached(self, cache=None):
        """The path of the file in a cache, whether or not it is there: folders as published.

        Args:
            cache: a folder; by default the environment variable KERAS_GAHR_CACHE, or else
                `keras-gahr` in the user's cache folder.

        Raises:
            InputError: if that is not known.
        """
        folder = Path(cache) if cache else cache_folder()
        return Path(folder, "weights", self.repository.split("/")[1], self.commit[:12], self.path)

    def check(self, path):
        """Compares a file with this checkpoint: its size and SHA-256 if known, and its git blob.

        Raises:
            InputError: if they differ.
        """
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            raise InputError(f"it has {size} bytes, expected {self.size}")
        if self.sha256 is not None:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            _compare("SHA-256", sha256, self.sha256)
        _compare("git blob", _git_blob(path), self.git_blob)


def _compare(kind, found, expected):
    if found != expected:
        raise InputError(f"its {kind} is {found}, expected {expected}")


def _git_blob(path):
    """See `Published.git_blob`."""
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            blob.update(part)
    return blob.hexdigest()


@functools.cache
def catalogue():
    """All published checkpoints: a dictionary name -> `Published`."""
    text = (importlib.resources.files(__package__) / "published.json").read_text()
    return {item["name"]: Published(**item) for item in json.loads(text)}


def find_published(name):
    """The `Published` of this name.

    Raises:
        InputError: if there is none.
    """
    if name in catalogue():
        return catalogue()[name]
    known = [*pretrained_denoisers(), *catalogue()]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    mend = f"did you mean {' or '.join(close)}?" if close else "see `gahr weights list`"
    raise InputError(f"received {name!r}, which is no published checkpoint: {mend}")


def published_file(path):
    """The first `Published` with this content, wherever the file lies and whatever its name; None if none."""
    found = _git_blob(path)
    return next((each for each in catalogue().values() if each.git_blob == found), None)


def is_fetched(published, cache=None):
    """Whether the checkpoint is in the cache, whole and unaltered."""
    path = published.cached(cache)
    try:
        published.check(path)
    except (InputError, FileNotFoundError):
        return False
    return True


def fetch(published, url=None, cache=None, progress=lambda done, total: None):
    """The path of a checkpoint in the cache; it is downloaded unless it is there and unaltered.

    Args:
        published: a `Published`.
        url, cache: see `Published.url` and `Published.cached`.
        progress: see `download`.

    Raises:
        InputError: if it cannot be downloaded, or what comes is not this checkpoint.
    """
    path = published.cached(cache)
    if not is_fetched(published, cache):
        download(published.url(url), path, published.check, progress=progress)
    return path


def fetched_path(published, cache=None):
    """The path of a checkpoint that is in the cache.

    Raises:
        InputError: if it is not there, or altered.
    """
    if not is_fetched(published, cache):
        raise InputError(
            f"{published.name} is not in the cache or is altered: run `gahr weights fetch "
            f"{published.name}`"
        )
    return published.cached(cache)
