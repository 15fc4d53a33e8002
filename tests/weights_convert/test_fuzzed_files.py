"""Hypothesis against the readers of checkpoints: a right answer or one line, and little memory."""

import struct
import tracemalloc
import zipfile

import handmade
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_gahr.errors import InputError
from weights_convert import read_checkpoint
from weights_convert.layouts import find_networks
from weights_convert.read import open_checkpoint

pytestmark = pytest.mark.slow

# No more than this, in bytes: the files have some thousands, so nothing in them asks for much.
MOST_MEMORY = 64 * 2**20
STATE = {f"conv_layers.{i}.weight": np.full((2, 2, 3, 3), i, "f4") for i in range(3)}
VALUES = np.full(4, 2, "<f4").tobytes()
TENSOR = handmade.tensor(handmade.storage("0", 4, view=b"N"), (2, 2), (2, 1))
GOOD = handmade.dictionary(
    [("epoch", handmade.number(3)), ("state_dict", handmade.dictionary([("a", TENSOR)]))]
)
SOUND = {
    "zip": handmade.checkpoint(STATE),
    "deflated": handmade.archive(GOOD, {"data/0": VALUES}, zipfile.ZIP_DEFLATED),
    "legacy": handmade.legacy(GOOD, [("0", 4, VALUES)]),
}

fuzzing = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
edits = st.lists(
    st.tuples(
        st.integers(0, 2**20),
        st.sampled_from(["set", "cut", "add", "end"]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def edited(data, edits):
    for place, kind, new in edits:
        place %= len(data) + 1
        if kind == "set":
            data = data[:place] + new + data[place + len(new) :]
        elif kind == "cut":
            data = data[:place] + data[place + len(new) :]
        elif kind == "add":
            data = data[:place] + new + data[place:]
        else:
            data = data[:place]
    return data


def check(path, data):
    """Reads a file; what is found has the type that is promised, what is refused is said in a line."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        state = open_checkpoint(path, split=find_networks).state
    except InputError as error:
        assert str(error).removeprefix(str(path)).isprintable()
    else:
        assert all(type(name) is str and type(a) is np.ndarray for name, a in state.items())
        assert sum(a.nbytes for a in state.values()) <= 32 * max(len(data), 2**20)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MEMORY


@pytest.mark.parametrize("kind", SOUND)
@fuzzing
@given(edits=edits)
def test_bytes_of_sound_files(tmp_path, kind, edits):
    check(tmp_path / "x.pt", edited(SOUND[kind], edits))


# Instructions whose arguments are sound, in any order: what no damage would make.
small = st.integers(0, 3)
instruction = st.one_of(
    st.sampled_from([bytes([c]) for c in b"N\x88\x89}])(tuseaR\x81\x92bQ0\x8f\x90\x91\x85\x86\x87\x94\x93"]),
    small.map(lambda i: b"h%c" % i),
    small.map(lambda i: b"q%c" % i),
    st.integers(-(2**70), 2**70).map(handmade.number),
    st.sampled_from(["a", "state_dict", "storage", "0", "cpu", "collections"]).map(handmade.text),
    st.sampled_from(
        [
            b"ccollections\nOrderedDict\n",
            b"ccollections\nCounter\n",
            b"ctorch._utils\n_rebuild_tensor_v2\n",
            b"ctorch._utils\n_rebuild_tensor_v3\n",
            b"ctorch._utils\n_rebuild_parameter\n",
            b"ctorch._tensor\n_rebuild_from_type_v2\n",
            b"ctorch\nFloatStorage\n",
            b"ctorch\nfloat32\n",
            b"cos\nsystem\n",
            TENSOR,
            GOOD,
            handmade.storage("0", 4),
            handmade.storage("0", 16, "UntypedStorage"),
        ]
    ),
    st.binary(max_size=4).map(lambda data: b"\x8e" + struct.pack("<Q", len(data)) + data),
)  # fmt: skip


@pytest.mark.parametrize("zipped", [True, False])
@fuzzing
@given(code=st.lists(instruction, max_size=30).map(b"".join))
def test_pickles_of_sound_instructions(tmp_path, zipped, code):
    for root in (
        code,
        b"}" + handmade.text("a") + code + b"s" + handmade.text("b") + TENSOR + b"s",
    ):
        if zipped:
            check(tmp_path / "x.pt", handmade.archive(root, {"data/0": VALUES}))
        else:
            check(tmp_path / "x.pt", handmade.legacy(root, [("0", 4, VALUES)]))


numbers = st.one_of(st.integers(0, 6), st.integers(-2, 2**66))


@fuzzing
@given(
    size=st.lists(numbers, max_size=4),
    stride=st.lists(numbers, max_size=4),
    offset=numbers,
    kind=st.sampled_from(["FloatStorage", "HalfStorage", "BFloat16Storage", "ByteStorage"]),
    count=st.one_of(st.integers(0, 40), numbers),
)
def test_views_of_a_storage_are_those_of_numpy(tmp_path, size, stride, offset, kind, count):
    data = np.arange(16, dtype="u1").tobytes()
    view = handmade.tensor(handmade.storage("0", count, kind), size, stride, offset)
    file = handmade.archive(handmade.dictionary([("a", view)]), {"data/0": data})
    check(tmp_path / "x.pt", file)
    try:
        found = read_checkpoint(tmp_path / "x.pt")["a"]
    except InputError:
        return
    format = {"FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "<u2"}.get(kind, "u1")
    values = np.frombuffer(data, format)
    for place in np.ndindex(*found.shape):
        expected = values[offset + sum(i * s for i, s in zip(place, stride, strict=True))]
        if kind == "BFloat16Storage":
            expected = (np.uint32(expected) << np.uint32(16)).view(np.float32)
        np.testing.assert_array_equal(found[place], expected)
