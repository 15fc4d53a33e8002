"""Amounts of memory, what is free, and what is said when it is not enough."""

import keras
import pytest

from keras_gahr import InputError, _backend
from keras_gahr._backend import memory
from keras_gahr.memory import in_units, parse_memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2GB", 2 * 10**9),
        ("500MB", 5 * 10**8),
        ("2GiB", 2**31),
        ("1.5 gib", 3 * 2**29),
        ("750m", 75 * 10**7),
        ("123456789", 123456789),
    ],
)
def test_amounts(text, expected):
    assert parse_memory(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "2 XB", "-1GB", "0", "nan", "1e9", "٣GB", "9" * 30])
def test_what_is_no_amount(text):
    with pytest.raises(InputError, match="expected an amount such as 2GB"):
        parse_memory(text)


def test_amounts_are_written_so_that_they_suffice():
    assert in_units(10**9) == "1000MB"
    assert parse_memory(in_units(10**9 + 1)) > 10**9


def test_the_limit_of_a_control_group_counts(tmp_path, monkeypatch):
    for version, folder, names in (
        ("0::/pod/job", "pod", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:memory:/pod/job",
            "memory/pod",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ):
        group = tmp_path / folder
        (group / "job").mkdir(parents=True)
        limit, used, cached = names
        (group / limit).write_text("1000\n")
        (group / used).write_text("600\n")
        (group / "memory.stat").write_text(f"anon 500\n{cached} 100\n")
        (group / "job" / limit).write_text("max\n")
        (group / "job" / used).write_text("600\n")
        (group / "job" / "memory.stat").write_text(f"{cached} 100\n")
        monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
        assert list(memory.left_in_groups([version])) == [500]


def test_what_ulimit_leaves_counts(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1000, resource.RLIM_INFINITY))
    assert memory.host_memory_free() == 0


def test_running_out_of_memory_is_one_line(refused, monkeypatch):
    def allocate():
        # More than any machine can address.
        keras.ops.zeros((2**46,))

    monkeypatch.setattr("keras_gahr.denoisers.load_denoiser", lambda *arguments: allocate())
    line = refused("denoise", "d.keras", "y.png", "--out", "x.png")
    assert "not enough memory" in line
    assert "--memory" in line


def test_other_errors_are_no_lack_of_memory():
    for error in (RuntimeError("shapes differ"), ValueError("out of memory")):
        assert not _backend.is_out_of_memory(error)
