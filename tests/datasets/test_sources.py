"""Every entry of a folder or an archive is read, or skipped with a reason, or the command stops."""

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import tarfile
import tracemalloc
import zipfile

import pytest
from archives import tar_of, zip_of
from systems import needs_pipes

from keras_gahr import folder_tree
from keras_gahr.datasets import entries, unpacked
from keras_gahr.datasets.sources import Wanted, open_source
from keras_gahr.errors import InputError

PICTURES = {f"{k}.png": bytes([k]) * (300 + 100 * k) for k in range(4)}


def listed(path, **options):
    """What a source has: {name: bytes}, and {name: reason} of what was skipped."""
    with open_source(path, Wanted(**options)) as source:
        skipped = {entry["name"]: entry["reason"] for entry in source.skipped}
        return {name: source.read(name) for name in source.names}, skipped


@pytest.fixture
def refuse(tmp_path):
    """A function that checks that bytes are refused as a source in one line, and returns it."""

    def check(data, message):
        path = tmp_path / "archive"
        path.write_bytes(data)
        with pytest.raises(InputError, match=message) as caught, open_source(path) as source:
            for name in source.names:
                source.read(name)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return check


def forms(files, tmp_path):
    """The same files in a folder, in a tar, in compressed tars and in a zip."""
    folder = tmp_path / "folder"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    packed = {
        "a.tar": tar_of(files),
        "pax.tar": tar_of(files, format=tarfile.PAX_FORMAT),
        "old.tar": tar_of(files, format=tarfile.USTAR_FORMAT),
        "a.tar.gz": tar_of(files, "w:gz"),
        "a.tar.bz2": tar_of(files, "w:bz2"),
        "a.tar.xz": tar_of(files, "w:xz"),
        "a.zip": zip_of(files),
        "stored.zip": zip_of(files, zipfile.ZIP_STORED),
        "a-bz2.zip": zip_of(files, zipfile.ZIP_BZIP2),
        "a-xz.zip": zip_of(files, zipfile.ZIP_LZMA),
    }
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    return [folder, *(tmp_path / name for name in packed)]


def test_all_forms_hold_the_same(tmp_path):
    others = {
        "list.txt": b"text",
        "._0.png": b"fork",
        ".ipynb_checkpoints/0-checkpoint.png": b"copy",
        "deep/.thumbnails/more/0.png": b"small",
        "__MACOSX/0.png": b"fork",
        f"{'long' * 24}/.hidden": b"",
    }
    inner = {f"deep/er/{'long' * 24}.png": b"data", "deep/\N{SNOWMAN}.PNG": b"", "..a/b.png": b"x"}
    pictures = PICTURES | {name: data for name, data in inner.items() if name[0] != "."}
    for path in forms(pictures | others | inner, tmp_path):
        read, skipped = listed(path)
        assert read == dict(sorted(pictures.items())), path
        assert skipped == {
            "list.txt": "not a picture by its suffix",
            **{name: "hidden" for name in [*others, "..a/b.png"] if name != "list.txt"},
        }


def test_a_folder_of_links(tmp_path):
    (tmp_path / "src" / "real").mkdir(parents=True)
    (tmp_path / "src" / "real" / "0.png").write_bytes(b"0")
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "1.png").write_bytes(b"1")
    for name, target in {"more": "../away", "more2": "../away", "real/up": ".."}.items():
        (tmp_path / "src" / name).symlink_to(target)
    read, skipped = listed(tmp_path / "src")
    assert read == {"more/1.png": b"1", "real/0.png": b"0"}
    assert skipped == {
        "more2": "the same folder as more",
        "real/up": "a link to a folder that it is in",
    }


def test_what_cannot_be_looked_into_stops_or_is_listed(tmp_path, monkeypatch):
    source = tmp_path / "src"
    (source / "locked" / "in").mkdir(parents=True)
    (source / "0.png").write_bytes(b"")
    (source / "locked" / "1.png").write_bytes(b"")
    (source / ".gone").symlink_to("nothing")
    scandir = os.scandir

    def deny(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(folder_tree.os, "scandir", deny)
    with pytest.raises(InputError, match=r"locked cannot be listed: Permission denied.*--skip-bad"):
        listed(source)
    assert listed(source, skip_bad=True)[1] == {
        ".gone": "hidden",
        "locked": "cannot be listed: Permission denied",
    }
    monkeypatch.undo()
    (source / "gone").symlink_to("nothing")
    (source / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="gone is a link to what does not exist"):
        listed(source)
    skipped = listed(source, skip_bad=True)[1]
    assert skipped["gone"] == "is a link to what does not exist"
    assert skipped["loop"].startswith("cannot be read: Too many levels")


@needs_pipes
def test_pipes_and_devices_are_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # A socket's name has at most about 100 bytes.
    os.mkdir("src")
    (tmp_path / "src" / "0.png").write_bytes(b"")
    os.mkfifo("src/pipe.png")
    os.mkfifo("pipe.tar")
    os.symlink("/dev/zero", "src/zeros.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("src/socket.png")
    skipped = listed("src")[1]
    assert list(skipped) == ["pipe.png", "socket.png", "zeros.png"]
    assert set(skipped.values()) == {"not a file, but a pipe, a device or a socket"}
    for path in ("pipe.tar", "/dev/zero", "src/socket.png"):
        with pytest.raises(InputError, match=r"is a (pipe|device|socket): give a folder"):
            listed(path)


def test_entries_of_archives_that_are_no_files(tmp_path):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind, link in [
            ("0.png", tarfile.REGTYPE, ""),
            ("pipe.png", tarfile.FIFOTYPE, ""),
            ("device.png", tarfile.CHRTYPE, ""),
            ("hard.png", tarfile.LNKTYPE, "0.png"),
            ("in/soft.png", tarfile.SYMTYPE, "../hard.png"),
            ("folder", tarfile.DIRTYPE, ""),
            ("strange.png", b"Q", ""),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            archive.addfile(member)
    (tmp_path / "a.tar").write_bytes(file.getvalue())
    read, skipped = listed(tmp_path / "a.tar")
    assert list(read) == ["0.png", "hard.png", "in/soft.png"]
    assert list(skipped) == ["device.png", "pipe.png", "strange.png"]


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_links_in_archives_lead_to_their_members_only(tmp_path, pack):
    files = {"in/0.png": b"data", "a.png": "in/./0.png", "in/b.png": "../a.png", "dir": None}
    (tmp_path / "good").write_bytes(pack(files))
    assert listed(tmp_path / "good")[0] == dict.fromkeys(("a.png", "in/0.png", "in/b.png"), b"data")
    for target in ("/etc/passwd", "../../etc/passwd", "dir", "bad.png", "round.png"):
        (tmp_path / "bad").write_bytes(pack(files | {"bad.png": target, "round.png": "bad.png"}))
        with pytest.raises(InputError, match=r"bad\.png cannot be read .* is a link to"):
            listed(tmp_path / "bad")


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_two_names_for_one_file(tmp_path, pack, refuse):
    refuse(pack({"a/0.png": b"", "./a//0.png": b"x"}), "holds .*a//?0.png twice")


def test_sound_archives_of_other_writers(tmp_path):
    blank = bytes(512)
    whole = tar_of(PICTURES)
    used = whole.rstrip(b"\0")
    used += bytes(-len(used) % 512)
    pax = tar_of(PICTURES, format=tarfile.PAX_FORMAT, pax_headers={"comment": "some commit"})
    for data in (used + 2 * blank, used + 400 * blank, pax):
        (tmp_path / "a.tar").write_bytes(data)
        assert listed(tmp_path / "a.tar")[0] == PICTURES
    long = {f"{'long' * 100}.png": b"data", "short.png": f"{'long' * 100}.png"}
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (tmp_path / "a.tar").write_bytes(tar_of(long, format=format))
        assert listed(tmp_path / "a.tar")[0] == dict.fromkeys(long, b"data")
    dotted = {"./in/0.png": b"data", "./a.png": "in/0.png", "./in/b.png": "./../a.png"}
    for pack in (tar_of, zip_of):  # As `tar -C FOLDER .` names them.
        (tmp_path / "a").write_bytes(pack(dotted))
        assert listed(tmp_path / "a")[0] == dict.fromkeys(sorted(dotted), b"data")
    dated = tarfile.TarInfo("0.png")
    dated = bytearray(dated.tobuf(tarfile.GNU_FORMAT))
    dated[345:357] = b"15301673420\0"  # The time of the last access, as in GNU's incremental ones.
    dated[148:156] = f"{sum(dated) - sum(dated[148:156]) + 8 * 32:06o}\0 ".encode()
    (tmp_path / "a.tar").write_bytes(bytes(dated) + 2 * blank)
    assert listed(tmp_path / "a.tar")[0] == {"0.png": b""}
    half = len(whole) // 2
    for new in (gzip.compress, bz2.compress, lzma.compress):  # As pigz, pbzip2 and pixz write them.
        (tmp_path / "a").write_bytes(new(whole[:half]) + new(whole[half:]) + bytes(1000))
        assert listed(tmp_path / "a")[0] == PICTURES
    with zipfile.ZipFile(Piped(), "w", zipfile.ZIP_DEFLATED) as archive:  # As `zip - > FILE`.
        for name, data in PICTURES.items():
            archive.writestr(name, data)
        archive.comment = b"pictures"
    (tmp_path / "a.zip").write_bytes(archive.fp.getvalue() if archive.fp else Piped.last)
    assert listed(tmp_path / "a.zip")[0] == PICTURES
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w") as archive:
        for name, data in PICTURES.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    (tmp_path / "a.zip").write_bytes(large.getvalue())
    assert listed(tmp_path / "a.zip")[0] == PICTURES


class Piped(io.RawIOBase):
    """A file that cannot be rewound, as a pipe."""

    last = b""

    def __init__(self):
        Piped.last = b""

    def writable(self):
        return True

    def write(self, data):
        Piped.last += bytes(data)
        return len(data)


def test_a_tar_is_read_to_its_proven_end(refuse):
    whole = tar_of(PICTURES)
    starts = [whole.index(name.encode()) for name in PICTURES]
    for start in starts[1:]:
        damaged = bytearray(whole)
        damaged[start + 148] ^= 1
        refuse(bytes(damaged), f"the header at byte {start} is damaged")
        for size in (start, start + 100, start + 511, start + 512, start + 700):
            refuse(whole[:size], "it was cut off")
    end = len(whole.rstrip(b"\0"))
    end += -end % 512
    for size in (end - 1, end, end + 511, end + 512, end + 1023):
        refuse(whole[:size], "it was cut off")
    refuse(whole + b"x", "more bytes follow")
    refuse(whole + whole, "more bytes follow")
    refuse(whole[: end + 1024] + whole, "ignore-zeros")
    damaged = bytearray(whole)
    damaged[0] ^= 1
    refuse(bytes(damaged), "header at byte 0 is damaged")


def header(name, kind, size, data=b""):
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def pax(records):
    data = b""
    for key, value in records.items():
        length = len(key) + len(value) + 3
        length += len(str(length + len(str(length))))
        data += f"{length} {key}={value}\n".encode()
    return header("pax", tarfile.XHDTYPE, len(data), data)


END = bytes(1024)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header("a.png", tarfile.GNUTYPE_SPARSE, 5, b"12345") + END, "sparse"),
        (pax({"GNU.sparse.major": "1"}) + header("a.png", b"0", 512, bytes(512)) + END, "sparse"),
        (header("a.png", b"M", 3, b"abc") + END, "several volumes"),
        (header("a.png", b"0", 2**62) + END, r"cut off in a\.png"),
        (header("a.png", b"0", -5) + END, r"cut off in a\.png|damaged"),
        (pax({"size": "9" * 5000}) + header("a.png", b"0", 0) + END, "pax header"),
        (pax({"size": "-1"}) + header("a.png", b"0", 0) + END, "pax header"),
        (pax({"size": "99999999"}) + header("a.png", b"0", 0) + END, "cut off"),
        (header("x", tarfile.XHDTYPE, 7, b"7 a=bc\n") + END, "cut off|damaged"),
        (
            header("x", tarfile.XHDTYPE, 9, b"9999 a=b\n") + header("a.png", b"0", 0) + END,
            "damaged",
        ),
        (
            header("x", tarfile.XHDTYPE, 9, b"0 abcde=\n") + header("a.png", b"0", 0) + END,
            "damaged",
        ),
        (header("x", tarfile.GNUTYPE_LONGNAME, 2**40) + END, "declares 1099511627776 bytes"),
        (header("x", tarfile.XGLTYPE, -1) + END, "declares -1 bytes"),
        (pax({"path": "b.png"}) + END, "cut off"),
        (END, "has no .jpg"),
    ],
)
def test_hostile_headers_of_tars(data, message, refuse):
    refuse(data, message)


@pytest.mark.parametrize("new", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_tars_that_are_damaged(new, refuse):
    whole = tar_of({"a.png": os.urandom(5000)})
    packed = new(whole)
    for size in (11, len(packed) // 2, len(packed) - 1):
        refuse(packed[:size], "it was cut off")
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 255
    refuse(bytes(damaged), "it is damaged|it was cut off")
    refuse(packed + b"junk", "it is damaged|it was cut off")
    refuse(new(whole) + new(whole), "more bytes follow")
    refuse(new(whole[:3000]), "it was cut off")
    refuse(new(b"no tar"), "holds no tar")


def test_a_zip_is_what_its_directory_says(refuse):
    whole = zip_of(PICTURES)
    directory = whole.index(b"PK\1\2")
    for size in (10, directory, directory + 50, len(whole) - 22, len(whole) - 10, len(whole) - 1):
        refuse(whole[:size], "it was cut off")
    refuse(whole + b"junk", "more bytes follow")
    refuse(b"#!/bin/sh" + whole, "begin at its first byte")
    refuse(whole + whole, "begin at its first byte")
    # A directory that lost its first entry.
    second = whole.index(b"PK\1\2", directory + 4)
    lost = bytearray(whole[:directory] + whole[second:])
    count, size = (len(PICTURES) - 1,) * 2, len(lost) - 22 - directory
    struct.pack_into("<HHII", lost, len(lost) - 14, *count, size, directory)
    refuse(bytes(lost), "that its directory does not list")
    # Two entries for one member's bytes.
    twice = bytearray(whole)
    struct.pack_into("<I", twice, second + 42, 0)
    refuse(bytes(twice), "overlap")
    for place, value, message in [(4, 1, "several parts"), (8, 9, "several parts"), (20, 5, "cut")]:
        other = bytearray(whole)
        struct.pack_into("<H", other, len(other) - 22 + place, value)
        refuse(bytes(other), message)
    other = bytearray(whole)
    struct.pack_into("<HH", other, len(other) - 22 + 8, 3, 3)
    refuse(bytes(other), "lists 4 members, but says it has 3")


def test_members_of_zips_that_are_damaged(refuse):
    files = {"a.png": os.urandom(2000)}
    whole = zip_of(files)
    changed = bytearray(whole)
    changed[500] ^= 1
    refuse(bytes(changed), r"a\.png cannot be read from .*archive")
    directory = whole.index(b"PK\1\2")
    for place, value in [(8, 1), (10, 77)]:  # Encrypted, and by a method nobody knows.
        other = bytearray(whole)
        struct.pack_into("<H", other, directory + place, value)
        struct.pack_into("<H", other, place - 2, value)
        refuse(bytes(other), r"a\.png cannot be read|directory")
    shorter = bytearray(whole)
    struct.pack_into("<I", shorter, directory + 24, 1500)
    refuse(bytes(shorter), r"a\.png cannot be read")


def test_nothing_is_inflated_without_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "ALWAYS", 2**20)
    zeros = {"a.png": bytes(2**25)}
    archives = {"a.zip": zip_of(zeros), "a.tar.gz": tar_of(zeros, "w:gz")}
    declared = bytearray(archives["a.zip"])
    struct.pack_into("<I", declared, declared.index(b"PK\1\2") + 24, 100)
    archives["lie.zip"] = bytes(declared)
    del zeros
    tracemalloc.start()
    for name, data in archives.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=r"as no picture|a\.png cannot be read"):
            listed(tmp_path / name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The parts in hand while a tar is unpacked.
    assert peak < 2**23, peak


def test_files_larger_than_pictures_are_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match=r"1024\.0 GiB: expected a picture of at most 1 GiB"):
        listed(tmp_path)


def test_a_full_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "a.tar.gz").write_bytes(tar_of(PICTURES, "w:gz"))
    usage = unpacked.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(unpacked.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(unpacked.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match=r"has no room for the unpacked .*TMPDIR") as caught:
        listed(tmp_path / "a.tar.gz")
    assert str(caught.value).startswith(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_too_many_members(tmp_path, monkeypatch, refuse):
    monkeypatch.setattr("keras_gahr.datasets.tar_archive.MOST", 3)
    monkeypatch.setattr("keras_gahr.datasets.zip_archive.MOST", 3)
    refuse(tar_of(PICTURES), "more than 3 members; make several")
    refuse(zip_of(PICTURES), "more than 3 members; make several")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"<html>", "HTML page"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"x", "text"),
    ],
)
def test_what_is_no_archive(data, message, refuse):
    refuse(data, message)
