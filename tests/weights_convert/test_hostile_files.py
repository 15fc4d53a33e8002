"""Files made to harm the reader: all are refused in one line and nothing in them runs."""

import builtins
import io
import os
import pickle
import struct
import zipfile

import handmade
import numpy as np
import pytest

from keras_gahr import pickles
from keras_gahr.errors import InputError
from weights_convert import archive, read, read_checkpoint

pytestmark = pytest.mark.one_backend

FOUR = {"data/0": np.arange(4, dtype="<f4").tobytes()}
GOOD = handmade.tensor(handmade.storage("0", 4), (4,), (1,))


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def in_archive(pickle_bytes):
    """A checkpoint with this complete pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        zip_file.writestr("archive/data.pkl", pickle_bytes)
    return file.getvalue()


def test_nothing_runs(tmp_path, refused, monkeypatch):
    sentinel = tmp_path / "sentinel"
    command = f"touch {sentinel}"
    code = f"open({str(sentinel)!r}, 'w').close()"
    attacks = [
        Calls(os.system, command),
        Calls(builtins.eval, code),
        Calls(builtins.exec, code),
        Calls(builtins.open, str(sentinel), "w"),
        Calls(builtins.print, Calls(os.system, command)),
        Calls(builtins.getattr, Calls(__import__, "os"), "system"),
        {"weights": Calls(os.system, command)},
        [Calls(os.mkdir, str(sentinel))],
        {Calls(os.mkdir, str(sentinel)): 1},
    ]
    for attack in attacks:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            refused(in_archive(pickle.dumps(attack, protocol)))
    assert not sentinel.exists()
    # The control: Python's own unpickler does run them.
    pickle.loads(pickle.dumps(attacks[0]))
    assert sentinel.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "posix.system",
        "builtins.eval",
        "builtins.getattr",
        "torch.hub.load",
        "torch._utils._rebuild_sparse_tensor",
        "torch.storage._load_from_bytes",
        "torch.load",
        "numpy.core.multiarray._reconstruct",
        "collections.OrderedDict.fromkeys",
        "collections.namedtuple",
        "argparse.ArgumentParser",
        "torch.FloatStorage.__init__",
    ],
)
def test_other_names_are_refused_by_name(refused, name):
    message = refused(handmade.archive(handmade.call(name, handmade.text("x"))))
    assert f"'{name}'" in message
    assert "nothing was executed" in message


def test_names_cannot_break_the_line(refused):
    code = "cmod\r\x1b[2Jule\nna\x00me\u202e\n)R".encode()
    message = refused(handmade.archive(code))
    assert message.isprintable()
    assert refused(handmade.archive(b"c" + b"m" * 100_000 + b"\nf\n)R"))


NUMBERS = {
    "negative offset": ((1,), (1,), -1),
    "offset beyond": ((1,), (1,), 4),
    "size beyond": ((5,), (1,), 0),
    "stride beyond": ((2,), (4,), 0),
    "negative size": ((-1,), (1,), 0),
    "negative stride": ((2,), (-1,), 3),
    "two negative sizes": ((-2, -2), (1, 1), 0),
    "product that overflows 64 bits to 0": ((2**32, 2**32), (0, 0), 0),
    "offset that overflows": ((1,), (1,), 2**64),
    "stride that overflows": ((2,), (2**63,), 0),
    "giant with stride 0": ((10**12,), (0,), 0),
    "giant of 1500 bits": ((2**1500,), (0,), 0),
    "empty but giant": ((0, 2**62), (1, 1), 0),
    "more strides": ((2,), (1, 1), 0),
    "many axes": ((1,) * 33, (1,) * 33, 0),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_tensors_that_leave_their_storage(refused, case):
    size, stride, offset = NUMBERS[case]
    hostile = handmade.tensor(handmade.storage("0", 4), size, stride, offset)
    refused(handmade.archive(handmade.dictionary([("a", hostile)]), FOUR))


def test_a_giant_stride_of_a_short_axis_is_harmless(tmp_path):
    harmless = handmade.tensor(handmade.storage("0", 4), (1, 4), (2**70, 1))
    (tmp_path / "a.pt").write_bytes(handmade.archive(handmade.dictionary([("a", harmless)]), FOUR))
    np.testing.assert_array_equal(read_checkpoint(tmp_path / "a.pt")["a"], [[0, 1, 2, 3]])


ONE = handmade.number(1)
STORE = handmade.storage("0", 4)
ARGUMENTS = {
    "tensor of nothing": handmade.call("torch._utils._rebuild_tensor_v2"),
    "tensor of texts": handmade.call("torch._utils._rebuild_tensor_v2", *[handmade.text("x")] * 6),
    "tensor of a tensor": handmade.tensor(GOOD, (4,), (1,)),
    "tensor with a list for a size": handmade.call(
        "torch._utils._rebuild_tensor_v2", STORE, ONE, b"]", b")", b"\x89", b"}"
    ),
    "tensor with a tensor in its size": handmade.call(
        "torch._utils._rebuild_tensor_v2",
        STORE,
        ONE,
        handmade.tuple_of(GOOD),
        handmade.tuple_of(ONE),
        b"\x89",
        b"}",
    ),
    "parameter of nothing": handmade.call("torch._utils._rebuild_parameter"),
    "parameter of a text": handmade.call(
        "torch._utils._rebuild_parameter", handmade.text("x"), b"\x89", b"}"
    ),
    "ordered dictionary of a text": handmade.call("collections.OrderedDict", handmade.text("ab")),
    "storage called": handmade.call("torch.FloatStorage", ONE),
    "text called": handmade.text("x") + b")R",
    "call with a list": b"ccollections\nOrderedDict\n]R",
    "attributes of a text": handmade.text("x") + b"}b",
    "attributes of a function": b"ctorch._utils\n_rebuild_tensor_v2\n}"
    + handmade.text("__code__")
    + b"Nsb",
    "items of a list": b"]" + ONE + ONE + b"s",
    "append to a dictionary": b"}" + ONE + b"a",
    "item without value": b"}(" + ONE + b"u",
    "tuple as key": b"}))s",
    "tensor as key": b"}" + GOOD + b"Ns",
    "the same key twice": handmade.dictionary([("a", GOOD), ("a", GOOD)]),
    "empty stack": b"R",
    "no mark": b"t",
    "unknown memo": b"h\x07",
    "nothing": b"",
    "two values": b"}}",
    "protocol 9": b"\x80\x09}",
    "extension registry": b"\x82\x01",
    "instance": b"(ios\nsystem\n",
    "new object": b"ccollections\nOrderedDict\n)\x81",
    "giant bytes": b"\x8e" + struct.pack("<Q", 2**62),
    "giant text": b"X" + struct.pack("<I", 2**32 - 1),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_allowed_names_in_odd_ways(refused, case):
    refused(handmade.archive(ARGUMENTS[case], FOUR))
    refused(handmade.archive(handmade.dictionary([("a", ARGUMENTS[case])]), FOUR))


PERSISTENT_IDS = {
    "number": ONE,
    "text": handmade.text("storage"),
    "empty": b")",
    "module": handmade.tuple_of(handmade.text("module"), ONE, ONE, ONE, ONE),
    "class as text": handmade.tuple_of(
        *map(handmade.text, ("storage", "FloatStorage", "0", "cpu", "4"))
    ),
    "function as class": handmade.tuple_of(
        handmade.text("storage"),
        b"ccollections\nOrderedDict\n",
        handmade.text("0"),
        handmade.text("cpu"),
        handmade.number(4),
    ),
}


@pytest.mark.parametrize("case", PERSISTENT_IDS)
def test_odd_persistent_ids(refused, case):
    assert "no tensor storage" in refused(handmade.archive(PERSISTENT_IDS[case] + b"Q", FOUR))


@pytest.mark.parametrize("count", [-4, 0, 3, 5, 2**40, 2**2000])
def test_storages_of_another_size(refused, count):
    hostile = handmade.tensor(handmade.storage("0", count), (1,), (1,))
    message = refused(handmade.archive(handmade.dictionary([("a", hostile)]), FOUR))
    assert "does not hold" in message


@pytest.mark.parametrize("key", ["1", "../data.pkl", "/etc/passwd", "../../../../etc/passwd", ""])
def test_storages_that_are_not_there(refused, key):
    hostile = handmade.tensor(handmade.storage(key, 4), (4,), (1,))
    message = refused(handmade.archive(handmade.dictionary([("a", hostile)]), FOUR))
    assert "it has no record" in message


@pytest.mark.parametrize("name", ["../up", "data/../../up", "..\\up"])
def test_records_that_climb(refused, name):
    good = handmade.dictionary([("a", GOOD)])
    assert "leaves the archive" in refused(handmade.archive(good, {**FOUR, name: b"x"}))


def test_absolute_records(refused):
    good = handmade.dictionary([("a", GOOD)])
    assert "leaves the archive" in refused(handmade.archive(good, FOUR, folder="/archive"))


def test_compressed_records(refused):
    bomb = {"data/0": bytes(50_000_000)}
    hostile = handmade.tensor(handmade.storage("0", 12_500_000), (12_500_000,), (1,))
    data = handmade.archive(handmade.dictionary([("a", hostile)]), bomb, zipfile.ZIP_DEFLATED)
    assert len(data) < 100_000
    assert "larger than the file" in refused(data)
    pickle_bomb = handmade.archive(b"N0" * 10_000_000 + b"}", {}, zipfile.ZIP_DEFLATED)
    assert len(pickle_bomb) < 100_000
    assert "is compressed" in refused(pickle_bomb)


def test_records_twice(refused):
    good = handmade.dictionary([("a", GOOD)])
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = io.BytesIO(handmade.archive(good, FOUR))
        with zipfile.ZipFile(file, "a") as zip_file:
            zip_file.writestr("archive/data/0", bytes(16))
    assert "twice" in refused(file.getvalue())


def test_directory_that_claims_more_than_the_file(refused):
    data = bytearray(handmade.archive(handmade.dictionary([("a", GOOD)]), FOUR))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)
    assert "larger than the file" in refused(bytes(data))


def test_overlapping_records_do_not_multiply(refused):
    # Many directory entries for the same bytes: each is small, together they exceed the file.
    good = bytearray(handmade.archive(handmade.dictionary([("a", GOOD)]), {"x": bytes(100_000)}))
    entry = good.rindex(b"PK\x01\x02")
    end = good.rindex(b"PK\x05\x06")
    record = bytes(good[entry:end])
    copies = [record.replace(b"archive/x", b"archive/%c" % c) for c in b"abcdefgh"]
    directory_size = end - good.index(b"PK\x01\x02") + sum(map(len, copies))
    tail = bytearray(good[end:])
    tail[8:12] = struct.pack("<HH", 10, 10)
    tail[12:16] = struct.pack("<I", directory_size)
    assert "larger than the file" in refused(bytes(good[:end]) + b"".join(copies) + bytes(tail))


def test_many_tensors_of_one_storage_do_not_multiply(refused):
    count = 250_000
    shared = handmade.tensor(handmade.storage("0", count), (count,), (1,))
    items = [(f"a{i}", shared) for i in range(5000)]
    data = handmade.archive(handmade.dictionary(items), {"data/0": bytes(4 * count)})
    assert "claim to be larger" in refused(data)


def test_unknown_byte_orders(refused):
    good = handmade.dictionary([("a", GOOD)])
    for order in (b"", b"middle", b"little\n"):
        message = refused(handmade.archive(good, {**FOUR, "byteorder": order}))
        assert "neither little nor big" in message


DEEP = {
    "tuples": b")" + b"\x85" * 200_000,
    "lists": b"]" * 200_000 + b"a" * 199_999,
    "dictionaries": b"}K\x01" * 100_000 + b"N" + b"s" * 100_000,
    "deep key": b"}" + b")" + b"\x85" * 200_000 + b"Ns",
    "tuple that doubles": b")" + b"q\x00h\x00\x86" * 200,
    "doubling key": b"})" + b"q\x00h\x00\x86" * 200 + b"Ns",
    "list that holds itself": b"]q\x00h\x00a",
    "memo far away": b"}r" + struct.pack("<I", 2**32 - 1) + b"r" + struct.pack("<I", 2**31),
}


def test_a_number_of_thousands_of_digits(refused):
    giant = b"\x8b" + struct.pack("<I", 2**16) + b"\x7f" * 2**16
    assert "bits" in refused(handmade.archive(b"}" + giant + b"Ns"))
    refused(handmade.archive(handmade.tensor(STORE, (4,), (1,)).replace(ONE, giant), FOUR))
    refused(handmade.archive(handmade.storage("0", 4).replace(handmade.number(4), giant), FOUR))


def test_one_giant_number_as_a_key_again_and_again(refused):
    giant = b"\x8b" + struct.pack("<I", 2**20) + b"\x7f" * 2**20
    refused(handmade.archive(b"}" + giant + b"q\x00N(" + b"h\x00N" * 200_000 + b"us"))


def test_names_that_would_be_glued_again_and_again(refused):
    code = b"](" + handmade.text("a" * 2**20) + b"q\x00" + b"h\x00h\x00\x93" * 10_000 + b"e"
    assert "characters" in refused(handmade.archive(code))


def test_modules_that_share_their_parts(refused):
    parts = handmade.dictionary([(f"{i}", b"N") for i in range(50_000)])
    attributes = [("_parameters", parts), ("_buffers", b"}"), ("_modules", b"}")]
    module = b"](cA\nB\nq\x00" + handmade.dictionary(attributes) + b"q\x01"
    refused(handmade.archive(module + b"h\x00)\x81h\x01b" * 50_000 + b"e"))


def test_a_directory_larger_than_that_of_any_checkpoint(refused, monkeypatch):
    good = handmade.dictionary([("a", GOOD)])
    monkeypatch.setattr(archive, "_MOST_DIRECTORY_BYTES", 70_000)
    records = {f"data/{i}": b"" for i in range(1000)}
    assert "directory" in refused(handmade.archive(good, records))


@pytest.mark.parametrize("case", DEEP)
def test_deep_and_growing_values(refused, case):
    if case == "memo far away":
        # Harmless here: the memo is a dictionary. What is left is an empty dictionary.
        assert "an empty dictionary" in refused(handmade.archive(DEEP[case]))
    else:
        refused(handmade.archive(DEEP[case]))


def test_giant_pickles(refused, monkeypatch):
    monkeypatch.setattr(pickles, "_MOST_INSTRUCTIONS", 2**16)
    assert "instructions" in refused(handmade.archive(b"N0" * 2**15))
    monkeypatch.setattr(read, "_MOST_PICKLE_BYTES", 2**16)
    assert "pickle is larger" in refused(handmade.archive(b"N0" * 2**15))


def test_truncated_files(refused, golden):
    data = (golden / "unet_1block.pt").read_bytes()
    for length in [4, 30, 100, len(data) // 2, len(data) - 100, len(data) - 23, len(data) - 1]:
        refused(data[:length])


def test_random_damage_is_refused_or_harmless(tmp_path, golden):
    good = (golden / "unet_1block.pt").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged.pt"
    refusals = 0
    for trial in range(600):
        data = np.frombuffer(good, np.uint8).copy()
        # Half the trials damage the pickle at the start, half the zip's directory at the end.
        start, end = (0, 2200) if trial % 2 else (len(data) - 1500, len(data))
        places = rng.integers(start, end, size=rng.integers(1, 6))
        data[places] = rng.integers(0, 256, size=places.size)
        path.write_bytes(data.tobytes())
        try:
            read_checkpoint(path)
        except InputError:
            refusals += 1
    assert refusals > 400


def test_random_pickles_are_refused(tmp_path, golden):
    # Damage that the zip's checksums do not catch first.
    with zipfile.ZipFile(golden / "unet_1block.pt") as zip_file:
        records = {name: zip_file.read(name) for name in zip_file.namelist()}
    (name,) = [name for name in records if name.endswith("data.pkl")]
    folder = name.removesuffix("/data.pkl")
    good = records.pop(name)
    others = {key.removeprefix(f"{folder}/"): data for key, data in records.items()}
    rng = np.random.default_rng(1)
    path = tmp_path / "damaged.pt"
    refusals = 0
    for _ in range(600):
        data = bytearray(good)
        for place in rng.integers(0, len(data), size=rng.integers(1, 4)):
            data[place] = rng.integers(0, 256)
        path.write_bytes(handmade.archive(bytes(data)[2:-1], others))
        try:
            read_checkpoint(path)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > 300
