"""The page that shows how networks of each kind are wrapped."""

import re
from pathlib import Path

import keras
import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "bring-your-own-denoiser.md"
BLOCKS = re.findall(
    r"^## ([^\n]*)\n(?:(?!^## ).)*?^```python\n(.*?)^```$|^```python\n(.*?)^```$",
    PAGE.read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
CODE = [first or later for _, first, later in BLOCKS]
BACKEND = keras.backend.backend()


def needed(code):
    """What a block imports of what is not installed with the package."""
    return set(re.findall(r"^import (torch|jax|tensorflow|diffusers)$", code, re.MULTILINE))


@pytest.mark.filterwarnings("ignore:the factors")
@pytest.mark.parametrize("place", range(len(CODE)))
def test_what_the_page_shows_runs(place):
    code = CODE[place]
    libraries = needed(code)
    if libraries and not libraries & {BACKEND} and libraries != {"diffusers"}:
        pytest.skip(f"it is for {', '.join(libraries)}")
    if "diffusers" in libraries:
        if BACKEND != "torch":
            pytest.skip("diffusers needs PyTorch")
        pytest.importorskip("diffusers", reason="it is an optional extra")
    names = {}
    exec(compile(code, f"{PAGE.name}, block {place}", "exec"), names)
    assert "denoiser" in names and ({"basis", "image"} & set(names))


def test_there_is_a_block_for_each_kind():
    assert len(CODE) == 6
