"""The page that shows the clock in loops of others."""

import re
from pathlib import Path

import keras
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "know-when-it-memorizes.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=["PyTorch", "Keras"])
def test_what_the_page_shows_runs(code, tmp_path, monkeypatch):
    if "import torch" in code and keras.backend.backend() != "torch":
        pytest.skip("it is for PyTorch")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, PAGE.name, "exec"), names)
    looks = names["clock"].looks
    assert [look.step for look in looks][:2] == [10, 13]
    # Every look saw other weights.
    assert len({look.train_error for look in looks}) == len(looks)
    if "torch" in names:
        assert names["network"].training
        assert (tmp_path / "clock" / "clock.csv").is_file()
