"""Files that go to a repository together, as one revision."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path

from keras_gahr.errors import InputError

from .address import HubAddress
from .library import NAMED, hub_errors, hub_library


@dataclasses.dataclass(frozen=True)
class HubRevision:
    """A revision that was written.

    Attributes:
        address: a `HubAddress` with the commit, for `load_denoiser`.
        url: of its page.
    """

    address: HubAddress
    url: str


def commit_files(
    address: HubAddress,
    files: Mapping[str, Path],
    message: str,
    *,
    instead_of: Collection[str] = (),
    private: bool = False,
) -> HubRevision:
    """Writes files into a repository as one commit, so that no revision has a part of them.

    A repository that is not there is made. What others have put into it stays, and so do its earlier
    revisions.

    Args:
        address: a `HubAddress` without a path; its revision is the branch.
        files: paths by their names in the repository.
        message: of the commit.
        instead_of: names of files that an earlier such commit may have left: those that are not among
            `files` are removed by this one.
        private: whether only its owner may see it.

    Returns:
        `HubRevision`.

    Raises:
        InputError: if it may not be written, or if it is to be private and is public already.
    """
    hub = hub_library()
    with hub_errors(address, writing=True):
        api = hub.HfApi(**NAMED)
        api.create_repo(address.repository, private=private or None, exist_ok=True)
        there = api.model_info(address.repository, revision=address.revision)
        if private and not there.private:
            raise InputError(
                f"{address} is public already: make it private in its settings, or choose another name"
            )
        names = {file.rfilename for file in there.siblings or ()}
        stale = sorted((names & set(instead_of)) - files.keys())
        operations = [
            *(hub.CommitOperationAdd(name, str(path)) for name, path in files.items()),
            *map(hub.CommitOperationDelete, stale),
        ]
        made = api.create_commit(
            address.repository,
            operations,
            commit_message=message,
            revision=address.revision,
            # Nobody else's commit comes between what was looked at and this one.
            parent_commit=there.sha,
        )
    return HubRevision(HubAddress(address.repository, made.oid), str(made.commit_url))
