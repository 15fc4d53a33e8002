"""Quality against passes."""

import json

import pytest

from benchmarks import passes


@pytest.mark.slow
def test_a_small_run(tmp_path):
    assert passes.main(["--smoke", "--out", str(tmp_path)]) == 0
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert len(numbers["rows"]) == passes.SMOKE.samplers
    assert all(row["drawn"]["passes"] > 2 for row in numbers["rows"])
    assert (tmp_path / "table.md").read_text().count("\n") == 2 + passes.SMOKE.samplers
    assert (tmp_path / "passes.png").stat().st_size > 1000


def test_half_of_a_problem_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        passes.main(["--out", str(tmp_path), "--denoiser", "disks-24-unet"])
    assert "both" in capsys.readouterr().err
