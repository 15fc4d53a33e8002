"""The batches of CIFAR-10 and CIFAR-100, as they are published, and what only looks like them."""

import builtins
import pickle
import struct

import numpy as np
import pytest
from archives import tar_of

from keras_gahr.datasets import cifar, load, make_folder
from keras_gahr.errors import InputError

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
PLANES = IMAGES.transpose(0, 3, 1, 2).reshape(12, 3072)
LABELS = np.arange(12, dtype=np.uint8) % 10


def binary(part, fine=False):
    labels = [LABELS[part], LABELS[part] + 90] if fine else [LABELS[part]]
    return np.concatenate([np.stack(labels, 1), PLANES[part]], 1).tobytes()


def old_text(data):
    """A string as Python 2 pickles it."""
    return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + packed(data)


def packed(data):
    return struct.pack("<i", len(data)) + data


def published(part, fine=False):
    """A batch as Python 2 pickled it: the instructions in the files of CIFAR."""
    pixels = PLANES[part]
    labels = b"](" + b"".join(b"K" + bytes([k]) for k in LABELS[part]) + b"e"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\0\x85U\1b\x87Rq\x09"
        b"(K\1" + b"M" + struct.pack("<H", len(pixels)) + b"M\0\x0c\x86"
        b"cnumpy\ndtype\nq\x0aU\2u1K\0K\1\x87Rq\x0b(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
        b"\x89" + old_text(pixels.tobytes()) + b"tb"
    )
    names = b"](" + b"".join(old_text(b"leptodactylus_%d.png" % k) for k in LABELS[part]) + b"e"
    kinds = [b"fine_labels", b"coarse_labels"] if fine else [b"labels"]
    items = [
        (b"batch_label", old_text(b"training batch 1 of 5")),
        *((kind, labels) for kind in kinds),
    ]
    items += [(b"data", array), (b"filenames", names)]
    return b"\x80\2}q\1(" + b"".join(old_text(key) + value for key, value in items) + b"u."


def test_the_pickles_are_as_python_reads_them():
    read = pickle.loads(published(slice(0, 12)), encoding="bytes")
    np.testing.assert_array_equal(read[b"data"], PLANES)


FIRST, SECOND, LAST = slice(0, 5), slice(5, 10), slice(10, 12)
PUBLISHED = {
    "cifar-10-binary.tar.gz": {
        "cifar-10-batches-bin/batches.meta.txt": b"airplane",
        "cifar-10-batches-bin/data_batch_1.bin": binary(FIRST),
        "cifar-10-batches-bin/data_batch_2.bin": binary(SECOND),
        "cifar-10-batches-bin/test_batch.bin": binary(LAST),
    },
    "cifar-10-python.tar.gz": {
        "cifar-10-batches-py/batches.meta": b"\x80\2}.",
        "cifar-10-batches-py/data_batch_1": published(FIRST),
        "cifar-10-batches-py/data_batch_2": published(SECOND),
        "cifar-10-batches-py/test_batch": published(LAST),
    },
    "cifar-100-binary.tar.gz": {
        "cifar-100-binary/coarse_label_names.txt": b"fish",
        "cifar-100-binary/test.bin": binary(slice(0, 10), fine=True),
        "cifar-100-binary/train.bin": binary(LAST, fine=True),
    },
    "cifar-100-python.tar.gz": {
        "cifar-100-python/meta": b"\x80\2}.",
        "cifar-100-python/test": published(slice(0, 10), fine=True),
        "cifar-100-python/train": published(LAST, fine=True),
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_archives(name, tmp_path, monkeypatch):
    monkeypatch.setattr(builtins, "eval", None)
    (tmp_path / name).write_bytes(tar_of(PUBLISHED[name], "w:gz"))
    made = make_folder(tmp_path / name, tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)
    batches = sorted(file for file in PUBLISHED[name] if cifar.is_batch(file))
    assert made.sources[0]["name"] == f"{batches[0]}/00000"
    assert made.sources[-1]["name"] == f"{batches[-1]}/00001"
    assert [file["name"] for file in made.manifest["skipped"]] == [
        file for file in PUBLISHED[name] if file not in batches
    ]


def test_the_training_images_alone_and_in_grey(tmp_path):
    for name, data in PUBLISHED["cifar-10-python.tar.gz"].items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    made = make_folder(tmp_path / "in", tmp_path / "out", only="data_batch_*", count=7)
    np.testing.assert_allclose(made.images[..., 0], IMAGES[:7].mean(-1) / 255, atol=1e-6)
    assert {"only", "count"} < made.manifest["parameters"].keys()
    one = make_folder(tmp_path / "in" / "cifar-10-batches-py" / "data_batch_2", tmp_path / "one")
    np.testing.assert_array_equal(one.images[:2], made.images[5:])
    with pytest.raises(InputError, match=r"none of 12 pictures .*'train\*': the first is cifar-10"):
        make_folder(tmp_path / "in", tmp_path / "no", only="train*")


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("order", ["C", "F"])
def test_pickles_of_newer_pythons(protocol, order):
    data = pickle.dumps({"data": np.asarray(PLANES, order=order), "labels": [1]}, protocol)
    np.testing.assert_array_equal(cifar.images_in(data, "x"), PLANES)


class Evil:
    def __reduce__(self):
        return eval, ("1/0",)


def array_in(**changes):
    facts = {"version": 1, "shape": (12, 3072), "dtype": np.dtype("u1"), "order": False}
    facts |= {"data": PLANES.tobytes()} | changes

    class Array:
        def __reduce__(self):
            return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), tuple(facts.values())

    return pickle.dumps({"data": Array()}, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Evil()), "holds no dictionary"),
        (pickle.dumps({"data": Evil()}), "'data' is no array"),
        (pickle.dumps({"labels": [1]}), "'data' is no array"),
        (pickle.dumps({"data": PLANES.astype("u2")}, 4), "no uint8 values"),
        (pickle.dumps({"data": PLANES[:, :100].copy()}, 4), "no uint8 values"),
        (array_in(shape=(2**60, 3072)), "no uint8 values"),
        (array_in(shape=(-1, 3072)), "no uint8 values"),
        (array_in(shape=(True, 3072), data=bytes(3072)), "no uint8 values"),
        (array_in(data=b"short"), "no uint8 values"),
        (array_in(data="\N{SNOWMAN}"), "no uint8"),
        (array_in(dtype=Evil()), "no uint8 values"),
        (published(FIRST)[:-20], "damaged or truncated"),
        (b"\x80\2T\xff\xff\xff\x7f.", "damaged or truncated"),
        (binary(FIRST)[:-1], "is not a batch of CIFAR: 15364 bytes"),
        (b"\x0a" + binary(FIRST)[1:], "is not a batch of CIFAR"),
        (b"", "is empty"),
        (b"<html>", "is an HTML page"),
    ],
)
def test_what_only_looks_like_a_batch(data, message, tmp_path):
    (tmp_path / "data_batch_1").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        make_folder(tmp_path / "data_batch_1", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_killed_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.pictures.BLOCK", 2)
    (tmp_path / "a.tar").write_bytes(tar_of(PUBLISHED["cifar-10-binary.tar.gz"]))

    def stop(done, total):
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_folder(tmp_path / "a.tar", tmp_path / "out", color=True, progress=stop)
    made = make_folder(tmp_path / "a.tar", tmp_path / "out", color=True)
    np.testing.assert_array_equal(load(tmp_path / "out").images, made.images)
    np.testing.assert_array_equal(np.rint(made.images * 255), IMAGES)
