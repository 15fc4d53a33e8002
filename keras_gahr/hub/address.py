"""Where a denoiser is on the Hugging Face Hub: a text such as `hf://lab/faces@main/large/model.keras`.

hf://OWNER/NAME                   the newest revision of a repository
hf://OWNER/NAME@REVISION          a commit, a branch, a tag, or refs/pr/3; a / in others is written %2F
hf://OWNER/NAME/PATH              a file in it, or a folder with a model.keras
"""

from __future__ import annotations

import dataclasses
import os
import re
import urllib.parse
from typing import Any

from keras_gahr.errors import InputError

HUB_FORM = "hf://OWNER/NAME (and @REVISION, /PATH)"
"""What such texts look like."""

_SCHEME = "hf:/"
_NAME = r"[A-Za-z0-9][\w.-]{0,95}"
# One slash is what `pathlib` leaves of two.
_ADDRESS = re.compile(
    rf"hf:/{{1,2}}(?P<repository>{_NAME}/{_NAME})"
    r"(?:@(?P<revision>refs/pr/\d{1,9}|[\w.%-]{1,200}))?(?:/(?P<path>[^\\@?#]{1,500}))?/?",
    re.ASCII,
)
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclasses.dataclass(frozen=True)
class HubAddress(os.PathLike):
    """A place on the Hub; whatever takes the path of a denoiser takes it.

    Args:
        repository: OWNER/NAME.
        revision: a commit, branch or tag, or None for the newest.
        path: of a file or folder in it; empty for the whole.
    """

    repository: str
    revision: str | None = None
    path: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether it names a commit, whose files never change."""
        return bool(_COMMIT.fullmatch(self.revision or ""))

    @property
    def name(self) -> str:
        return str(self)

    @property
    def stem(self) -> str:
        """A short name."""
        return self.repository.partition("/")[2]

    def __fspath__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        text = f"hf://{self.repository}"
        if self.revision is not None:
            kept = "/" if self.revision.startswith("refs/pr/") else ""
            text += f"@{urllib.parse.quote(self.revision, safe=kept)}"
        return f"{text}/{self.path}" if self.path else text


def is_hub_address(source: Any) -> bool:
    """Whether a text or path is meant as a place on the Hub; a file of that name goes first."""
    if not isinstance(source, str | os.PathLike):
        return False
    text = os.fspath(source)
    return isinstance(text, str) and text.startswith(_SCHEME) and not os.path.lexists(text)


def parse_hub_address(source: str | os.PathLike[str]) -> HubAddress:
    """The parts of a text for which `is_hub_address` holds.

    Raises:
        InputError: if they are not as above.
    """
    text = os.fspath(source)
    found = _ADDRESS.fullmatch(text)
    path = (found["path"] or "").strip("/") if found else ""
    parts = path.split("/") if path else []
    if not found or not path.isprintable() or {"", ".", ".."} & {*parts}:
        raise InputError(f"received {text!r:.120}, expected {HUB_FORM}")
    revision = None if found["revision"] is None else urllib.parse.unquote(found["revision"])
    return HubAddress(found["repository"], revision, path)
