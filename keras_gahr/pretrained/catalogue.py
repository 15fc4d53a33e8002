"""The denoisers that come with the package, by name.

They were trained by `gahr reproduce pretrained --scale paper`, and are published under the licence of the
package. `release/pretrained.py` puts them here.
"""

import functools
import hashlib
import importlib.resources
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keras_gahr.errors import InputError

LICENCE = "MIT"


@dataclass(frozen=True)
class PretrainedDenoiser:
    """One of them.

    Args:
        name: images, their side, and the network: "disks-24-unet".
        architecture: as `build_denoiser` calls it.
        data: what it was trained on, in words.
        train_size: number of these images.
        seed: of weights, images and noise.
        psnr: in dB, of test images: {"sigma" (in units of [0, 1]), "noisy", "denoised"}.
        useful_from: the noise level, in units of [0, 1], below which images are better left as they are.
        slope: of the PSNR of C^alpha images in dB per dB, with its interval and the optimal one:
            {"slope", "interval", "optimal"}; None of other images.
        size: bytes.
        sha256: of the content.
    """

    name: str
    architecture: str
    data: str
    train_size: int
    seed: int
    psnr: Mapping[str, float]
    useful_from: float
    slope: Mapping[str, object] | None
    size: int
    sha256: str

    @property
    def path(self) -> Path:
        """The .keras file."""
        return _folder() / f"{self.name}.keras"

    def card(self) -> str:
        """Data, recipe, seed and quality, as Markdown."""
        return self.path.with_suffix(".md").read_text(encoding="utf-8")

    def check(self) -> None:
        """Compares the file with what it must be.

        Raises:
            InputError: if it is not there or altered.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read ({error.strerror}): install the package again"
            ) from error
        if len(content) != self.size or hashlib.sha256(content).hexdigest() != self.sha256:
            raise InputError(f"{self.path} is not as it came with the package: install that again")


@functools.cache
def pretrained_denoisers() -> Mapping[str, PretrainedDenoiser]:
    """All of them, by name."""
    text = (_folder() / "catalogue.json").read_text(encoding="utf-8")
    return {item["name"]: PretrainedDenoiser(**item) for item in json.loads(text)}


def find_pretrained(source: str | os.PathLike[str]) -> PretrainedDenoiser | None:
    """The one that is meant, or None; a file or folder of that name goes first."""
    text = os.fspath(source)
    found = pretrained_denoisers().get(text) if isinstance(text, str) else None
    return None if found is None or os.path.lexists(text) else found


def is_model_name(source: str | os.PathLike[str]) -> bool:
    """Whether a source is meant as the name of a denoiser, of these or a published one.

    It has neither folder nor ending, and no file or folder is called so.
    """
    path = Path(source)
    return len(path.parts) == 1 and not path.suffix and not path.exists()


def _folder():
    return Path(str(importlib.resources.files(__package__)))
