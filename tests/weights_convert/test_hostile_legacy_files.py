"""Files in the legacy format made to harm the reader: refused in one line, and nothing in them runs."""

import builtins
import os
import pickle

import handmade
import numpy as np
import pytest

from keras_gahr.errors import InputError
from weights_convert import read_checkpoint

pytestmark = pytest.mark.one_backend

VALUES = np.arange(4, dtype="<f4").tobytes()
STORES = [("0", 4, VALUES)]
STORE = handmade.storage("0", 4, view=b"N")
GOOD = handmade.dictionary([("a", handmade.tensor(STORE, (4,), (1,)))])
ONE = handmade.number(1)


def test_the_good_file_is_read(tmp_path):
    """The control of all others."""
    (tmp_path / "good.pt").write_bytes(handmade.legacy(GOOD, STORES))
    np.testing.assert_array_equal(read_checkpoint(tmp_path / "good.pt")["a"], np.arange(4))


def test_state_dicts_of_python_2(tmp_path):
    """An ordered dictionary is made of a list of pairs there, and names are bytes."""
    tensor = handmade.tensor(STORE, (4,), (1,))
    pair = b"](U\x02\xc3\xa4" + tensor + b"e"
    code = b"ccollections\nOrderedDict\n](" + pair + b"e\x85R"
    (tmp_path / "old.pt").write_bytes(handmade.legacy(code, STORES))
    found = read_checkpoint(tmp_path / "old.pt")
    np.testing.assert_array_equal(found["\N{LATIN SMALL LETTER A WITH DIAERESIS}"], np.arange(4))


def test_files_from_big_endian_machines(tmp_path, refused):
    """They turn the values round before they write them; old versions not so the numbers of values."""
    start = handmade.MAGIC + handmade.VERSION + BIG
    turned = int.from_bytes((4).to_bytes(8, "big"), "little")
    for count in (4, turned):
        data = handmade.legacy(GOOD, [("0", count, VALUES)], start=start)
        (tmp_path / "big.pt").write_bytes(data)
        np.testing.assert_array_equal(read_checkpoint(tmp_path / "big.pt")["a"], np.arange(4))
    assert "expected 4" in refused(handmade.legacy(GOOD, [("0", turned, VALUES)]))
    assert "expected 4" in refused(handmade.legacy(GOOD, [("0", 5, VALUES)], start=start))


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Builds:
    """Pickles as an object whose attributes are set by a call."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def test_nothing_runs(tmp_path, refused):
    sentinel = tmp_path / "sentinel"
    command = f"touch {sentinel}"
    attacks = [
        Calls(os.system, command),
        Calls(builtins.exec, f"open({str(sentinel)!r}, 'w').close()"),
        Calls(builtins.print, Calls(os.system, command)),
        {"model": [{"a": Calls(os.mkdir, str(sentinel))}]},
        Builds(a=Calls(os.system, command)),
    ]
    parts = [handmade.MAGIC, handmade.VERSION, handmade.MACHINE]
    good = [*parts, handmade.pickled(GOOD), handmade.pickled(b"]" + handmade.text("0") + b"a")]
    for attack in attacks:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            for place in range(5):
                pickles = [*good[:place], pickle.dumps(attack, protocol), *good[place + 1 :]]
                refused(b"".join(pickles) + handmade.legacy(b"}", STORES)[-24:])
    assert not sentinel.exists()
    pickle.loads(pickle.dumps(attacks[0]))
    assert sentinel.exists()


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "argparse.ArgumentParser", "argparse._sys.exit"]
)
def test_other_names_are_refused_by_name(refused, name):
    for code in (handmade.call(name, handmade.text("x")), handmade.made(name)):
        message = refused(handmade.legacy(code))
        assert f"'{name}'" in message
        assert "nothing was executed" in message


ODD_OBJECTS = {
    "called": handmade.call("argparse.Namespace"),
    "called with names": handmade.call("argparse.Namespace", handmade.text("x")),
    "made with arguments": b"cargparse\nNamespace\n" + handmade.tuple_of(ONE) + b"\x81",
    "made of a storage class": b"ctorch\nFloatStorage\n)\x81",
    "made of an ordered dictionary": b"ccollections\nOrderedDict\n)\x81",
    "attributes: a list": handmade.made("argparse.Namespace", b"]"),
    "attributes: a pair": handmade.made("argparse.Namespace", handmade.tuple_of(b"N", b"}")),
    "attributes: numbered": handmade.made("argparse.Namespace", b"}K\x01Ns"),
    "made by a function": handmade.made("os.system"),
    "the answer of a function": handmade.call("os.system", handmade.text("true")),
    "called again": handmade.call("os.system") + b")R",
    "items and attributes": handmade.call("os.system") + b"(" + ONE + ONE + b"u" + b"(Ne" + b"Nb",
}
BROKEN_OBJECTS = {
    "made of a text": handmade.text("argparse.Namespace") + b")\x81",
    "attributes of the class": b"cargparse\nNamespace\n}b",
}


def with_settings(settings):
    """Code of a checkpoint that has these among its weights."""
    return b"}(" + handmade.text("args") + settings + handmade.text("model") + GOOD + b"u"


@pytest.mark.parametrize("case", ODD_OBJECTS)
def test_settings_in_odd_ways_are_passed_over(tmp_path, case):
    wrapped = with_settings(ODD_OBJECTS[case])
    archived = handmade.archive(wrapped, {"data/0": VALUES})
    for data in (handmade.legacy(wrapped, STORES), archived):
        (tmp_path / "odd.pt").write_bytes(data)
        np.testing.assert_array_equal(read_checkpoint(tmp_path / "odd.pt")["a"], np.arange(4))


@pytest.mark.parametrize("case", BROKEN_OBJECTS)
def test_settings_that_no_pickle_has(refused, case):
    wrapped = with_settings(BROKEN_OBJECTS[case])
    for make in (lambda code: handmade.legacy(code, STORES), handmade.archive):
        message = refused(make(wrapped))
        assert "state dict" not in message


def test_settings_become_plain_and_set_nothing(tmp_path):
    attributes = handmade.dictionary([("__class__", b"N"), ("__init__", ONE), ("update", ONE)])
    settings = handmade.made("argparse.Namespace", attributes)
    code = handmade.dictionary([("args", settings), ("model", GOOD)])
    (tmp_path / "odd.pt").write_bytes(handmade.legacy(code, STORES))
    assert list(read_checkpoint(tmp_path / "odd.pt")) == ["a"]


def test_one_dictionary_of_attributes_for_many_objects(refused):
    attributes = b"}(" + b"".join(handmade.text(f"{i:05}") + b"N" for i in range(100_000)) + b"u"
    objects = b"h\x01)\x81h\x00b" * 100_000
    code = b"](" + attributes + b"q\x00" + b"cargparse\nNamespace\nq\x01" + objects + b"e"
    assert "expected a state dict" in refused(handmade.legacy(code))


def test_one_list_for_many_dictionaries(refused):
    """As Python 2 wrote ordered dictionaries; a copy for each would be quadratic."""
    pairs = b"](" + b"".join(b"]" + handmade.text(f"{i}") + b"aNa" for i in range(10_000)) + b"e"
    made = b"h\x01h\x00\x85R" * 100_000
    code = b"](" + pairs + b"q\x00" + b"ccollections\nOrderedDict\nq\x01" + made + b"e"
    assert "more dictionaries of lists" in refused(handmade.legacy(code))


STARTS = {
    "not one of torch.save": handmade.pickled(ONE),
    "version": handmade.MAGIC + handmade.pickled(handmade.number(1002)),
    "is 1001000": handmade.MAGIC + handmade.pickled(handmade.number(1001000)),
    "does not say": handmade.MAGIC + handmade.VERSION + handmade.pickled(b"]"),
}
BIG = handmade.pickled(handmade.dictionary([("little_endian", b"\x89")]))


@pytest.mark.parametrize("says", STARTS)
def test_odd_beginnings(refused, says):
    assert says in refused(handmade.legacy(GOOD, STORES, start=STARTS[says]))


KEYS = {
    "no list": b"}",
    "numbers": b"]" + ONE + b"a",
    "twice": b"](" + handmade.text("0") * 2 + b"e",
    "another": b"](" + handmade.text("1") + b"e",
    "one more": b"](" + handmade.text("0") + handmade.text("1") + b"e",
    "none": b"]",
    "a storage": STORE,
}


@pytest.mark.parametrize("case", KEYS)
def test_odd_keys(refused, case):
    refused(handmade.legacy(GOOD, STORES, keys=KEYS[case]))
    refused(handmade.legacy(GOOD, STORES * 2, keys=KEYS[case]))


@pytest.mark.parametrize("count", [-1, 0, 3, 5, 2**31, 2**62, 2**63 - 1])
def test_sizes_that_do_not_agree(refused, count):
    assert "expected 4" in refused(handmade.legacy(GOOD, [("0", count, VALUES)]))
    store = handmade.storage("0", count, view=b"N")
    hostile = handmade.dictionary([("a", handmade.tensor(store, (4,), (1,)))])
    assert f"expected {count}" in refused(handmade.legacy(hostile, STORES))


@pytest.mark.parametrize("count", [5, 2**31, 2**40, 2**62, 2**63 - 1])
def test_sizes_that_agree_and_are_too_large(refused, count):
    store = handmade.storage("0", count, view=b"N")
    hostile = handmade.dictionary([("a", handmade.tensor(store, (count,), (1,)))])
    assert "truncated" in refused(handmade.legacy(hostile, [("0", count, VALUES)]))


def test_negative_sizes_that_agree(refused):
    store = handmade.storage("0", -1, view=b"N")
    hostile = handmade.dictionary([("a", handmade.tensor(store, (0,), (1,)))])
    assert "has -1 values" in refused(handmade.legacy(hostile, [("0", -1, VALUES)]))


def test_one_storage_in_two_sizes(refused):
    other = handmade.storage("0", 2, "DoubleStorage", view=b"N")
    tensors = [handmade.tensor(STORE, (4,), (1,)), handmade.tensor(other, (2,), (1,))]
    hostile = handmade.dictionary(zip("ab", tensors, strict=True))
    assert "two sizes" in refused(handmade.legacy(hostile, STORES))


def test_views_of_storages(refused):
    view = handmade.tuple_of(handmade.text("1"), handmade.number(0), handmade.number(4))
    hostile = handmade.tensor(handmade.storage("0", 4, view=view), (4,), (1,))
    data = handmade.legacy(handmade.dictionary([("a", hostile)]), STORES)
    assert "no tensor storage" in refused(data)


def test_storages_that_leave_or_multiply(refused):
    outside = handmade.tensor(STORE, (2,), (4,))
    data = handmade.legacy(handmade.dictionary([("a", outside)]), STORES)
    assert "leaves it" in refused(data)
    count = 250_000
    whole = handmade.tensor(handmade.storage("0", count, view=b"N"), (count,), (1,))
    items = handmade.dictionary([(f"a{i}", whole) for i in range(5000)])
    data = handmade.legacy(items, [("0", count, bytes(4 * count))])
    assert "claim to be larger" in refused(data)


DEEP = {
    "tuples": b")" + b"\x85" * 50_000,
    "lists": b"]" * 50_000 + b"a" * 49_999,
    "dictionaries": b"}K\x01" * 25_000 + b"N" + b"s" * 25_000,
    "tuple that doubles": b")" + b"q\x00h\x00\x86" * 200,
    "doubling key": b"})" + b"q\x00h\x00\x86" * 200 + b"Ns",
    "list that holds itself": b"]q\x00h\x00a",
    "model that holds itself": b"}q\x00" + handmade.text("model") + b"h\x00s",
    "model that holds itself in a list": b"}q\x00" + handmade.text("model") + b"]h\x00as",
}


@pytest.mark.parametrize("case", DEEP)
def test_deep_and_growing_values(refused, case):
    refused(handmade.legacy(DEEP[case], STORES))
    refused(handmade.legacy(DEEP[case]))
    start = handmade.MAGIC + handmade.VERSION
    for begun in (b"", handmade.MAGIC, start):
        refused(handmade.legacy(GOOD, STORES, start=begun + handmade.pickled(DEEP[case])))
    refused(handmade.legacy(GOOD, STORES, keys=DEEP[case]))


def test_a_wide_value_that_is_there_often(refused):
    # Each of 300,000 entries is the same dictionary of 100,000: a walk through all would not end.
    wide = (
        b"}(" + b"".join(b"J" + i.to_bytes(4, "little") + b"N" for i in range(100_000)) + b"uq\x00"
    )
    items = b"".join(b"J" + i.to_bytes(4, "little") + b"h\x00" for i in range(300_000))
    code = b"}(" + handmade.text("model") + wide + items + b"u"
    refused(handmade.legacy(code, []))


def test_giant_pickles(refused):
    refused(handmade.legacy(b"0" * (4 * 2**20 + 1), STORES))


def test_truncation_at_every_byte(tmp_path):
    data = handmade.legacy(GOOD, STORES)
    path = tmp_path / "cut.pt"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"cannot be read|is empty") as caught:
            read_checkpoint(path)
        assert "\n" not in str(caught.value)


def test_bytes_after_the_end(refused):
    assert "goes on" in refused(handmade.legacy(GOOD, STORES) + b"x")


def test_random_damage_is_refused_or_harmless(tmp_path):
    items = [(f"layer.{i}.weight", handmade.tensor(handmade.storage(str(i), 4, view=b"N"), (2, 2), (2, 1)))
             for i in range(6)]  # fmt: skip
    settings = handmade.made("argparse.Namespace", handmade.dictionary([("lr", ONE)]))
    code = handmade.dictionary(
        [("model", b"]" + handmade.dictionary(items) + b"a"), ("args", settings)]
    )
    good = handmade.legacy(code, [(str(i), 4, VALUES) for i in range(6)])
    rng = np.random.default_rng(2)
    path = tmp_path / "damaged.pt"
    path.write_bytes(good)
    assert len(read_checkpoint(path)) == 6
    refusals = 0
    for _ in range(3000):
        data = bytearray(good)
        for place in rng.integers(0, len(good) - 150, size=rng.integers(1, 4)):
            data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            read_checkpoint(path)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > 1500
