"""A file of a repository, in the cache of the Hub's own library."""

import dataclasses
import hashlib
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.names import printable

from .address import HubAddress
from .library import NAMED, Unreachable, hub_errors, hub_library

MODEL = "model.keras"
"""What is read of a repository or folder."""

SUFFIXES = (".keras", ".pt", ".pth", ".ckpt")
"""Of files that may be asked for: those that are read without executing anything of them."""

LARGEST_FILE = 2**31
"""Bytes of a file that is fetched."""

_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class HubFile:
    """A file that was fetched.

    Args:
        address: a `HubAddress` with the commit and the path in the repository.
        path: where it lies now, in the cache.
        licence: what the repository states, or None.
        licence_known: whether it was asked; what comes from the cache has its licence nowhere beside it.
    """

    address: HubAddress
    path: Path
    licence: str | None = None
    licence_known: bool = True


def fetch_from_hub(address: HubAddress, largest: int = LARGEST_FILE) -> HubFile:
    """Downloads the one file of a repository that is asked for, unless it is in the cache.

    Before anything comes, the Hub is asked which files the revision has and how large this one is; what
    has come is compared with the hash that the Hub keeps of it. The cache is that of the Hub's own library
    (HF_HOME, HF_HUB_CACHE), and so are tokens. Without a network the file is taken from the cache, if it
    is there.

    Args:
        address: a `HubAddress`.
        largest: bytes that the file may have.

    Raises:
        InputError: if there is no such file, if it is of another kind or larger, or if it cannot be had.
    """
    kept = _cached(address) if address.is_pinned else None
    if kept is not None:
        return kept
    try:
        return _fetched(address, largest)
    except Unreachable:
        kept = _cached(address)
        if kept is None:
            raise
        return kept


def _cached(address):
    """The `HubFile` in the cache, or None."""
    hub = hub_library()
    with hub_errors(address):
        for name in _candidates(address):
            path = hub.try_to_load_from_cache(
                address.repository, name, revision=address.revision or "main"
            )
            if isinstance(path, str):
                found = HubAddress(address.repository, _commit(path, name), name)
                return HubFile(found, Path(path), licence_known=False)
    return None


def _commit(path, name):
    """The commit of a file in the cache: CACHE/models--OWNER--NAME/snapshots/COMMIT/NAME."""
    return Path(path).parents[name.count("/")].name


def _candidates(address):
    """The names that the file may have, if the repository is not asked."""
    if address.path.endswith(SUFFIXES):
        return (address.path,)
    return (f"{address.path}/{MODEL}".lstrip("/"),)


def _fetched(address, largest):
    hub = hub_library()
    with hub_errors(address):
        api = hub.HfApi(**NAMED)
        info = api.model_info(address.repository, revision=address.revision)
        name = _chosen(address, [file.rfilename for file in info.siblings or ()])
        found = HubAddress(address.repository, info.sha, name)
        (entry,) = api.get_paths_info(address.repository, [name], revision=info.sha)
        if entry.size > largest:
            raise InputError(
                f"{found} has {entry.size / 2**20:.0f} MiB, more than the {largest / 2**20:.0f} MiB that are "
                "fetched: download it by `hf download`, and give the file"
            )
        # By its own name, which the cache then knows without a network.
        revision = address.revision or "main"
        path = hub.hf_hub_download(address.repository, name, revision=revision, **NAMED)
    if _commit(path, name) != info.sha:
        raise InputError(f"{address} was changed just now: try again")
    _check(found, Path(path), entry)
    licence = getattr(info.card_data, "license", None)
    return HubFile(found, Path(path), printable(licence)[:80] if licence else None)


def _chosen(address, names):
    """The path of the file that is meant, of those in the repository."""
    if address.path.endswith(SUFFIXES):
        if address.path in names:
            return address.path
        raise InputError(f"{address} is not there: {_offer(address, names)}")
    folder = f"{address.path}/" if address.path else ""
    if f"{folder}{MODEL}" in names:
        return f"{folder}{MODEL}"
    below = [name for name in names if name.startswith(folder) and name.endswith(".keras")]
    if len(below) == 1:
        return below[0]
    raise InputError(f"{address} has no {MODEL}: {_offer(address, names)}")


def _offer(address, names):
    known = [printable(name)[:100] for name in sorted(names) if name.endswith(SUFFIXES)]
    if not known:
        return (
            f"nor any other file that is read here ({', '.join(SUFFIXES)}); give another repository"
        )
    more = f" or another of {len(known)}" if len(known) > _SHOWN else ""
    place = f"hf://{address.repository}"
    place += f"@{address.revision}" if address.revision else ""
    return f"give {' or '.join(f'{place}/{name}' for name in known[:_SHOWN])}{more}"


def _check(address, path, entry):
    """Refuses a file that is not the one that the Hub has, and removes it."""
    size = path.stat().st_size
    if entry.lfs is not None:
        digest, expected = hashlib.sha256(), entry.lfs.sha256
    else:
        # As git counts it.
        digest, expected = hashlib.sha1(b"blob %d\0" % size), entry.blob_id
    if size == entry.size:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    if size != entry.size or digest.hexdigest() != expected:
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise InputError(
            f"{address} is not what the Hub says that it is, and was removed: try again, or see whether "
            "HF_ENDPOINT is the right one"
        )
