"""TFRecord files, as TensorFlow writes them, and with damage."""

import struct
import sys

import numpy as np
import pytest
from encoded_pictures import png

from keras_gahr.datasets import make_folder, tfrecord
from keras_gahr.errors import InputError

crc32c = pytest.importorskip("google_crc32c", reason="it is an optional extra")

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


def field(number, data):
    """A field of a message with so many bytes."""
    size = len(data)
    return bytes([number << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + data


def example(**values):
    """An `Example` with features of bytes, and one of whole numbers."""
    features = b"".join(
        field(1, field(1, name.encode()) + field(2, field(1, field(1, value))))
        for name, value in values.items()
    )
    label = field(1, field(1, b"label") + field(2, field(3, b"\x0a\1\5")))
    return field(1, label + features)


def framed(*records):
    """The records with their lengths and checksums, by the writer of tensorboardX."""
    from tensorboardX.record_writer import masked_crc32c

    parts = []
    for record in records:
        size = len(record).to_bytes(8, "little")
        checksums = [struct.pack("<I", masked_crc32c(data)) for data in (size, record)]
        parts += [size, checksums[0], record, checksums[1]]
    return b"".join(parts)


def imagenet(images, **more):
    return framed(
        *(
            example(**{"image/encoded": png(image), "image/format": b"PNG"} | more)
            for image in images
        )
    )


def test_shards_of_imagenet(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train-00001-of-00002").write_bytes(imagenet(IMAGES[4:]))
    (tmp_path / "in" / "train-00000-of-00002").write_bytes(imagenet(IMAGES[:4]))
    made = make_folder(tmp_path / "in", tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)
    assert made.sources[4]["name"] == "train-00001-of-00002/0000000"
    few = make_folder(tmp_path / "in" / "train-00000-of-00002", tmp_path / "few", count=3)
    assert len(few) == 3


@pytest.mark.slow
def test_files_of_tensorflow(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="it writes the file")

    def feature(*values):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as file:
        for k, image in enumerate(IMAGES):
            features = {
                "image": feature(tf.io.encode_png(image).numpy()),
                "names": feature(b"a", b"b"),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[k, -k])),
                "box": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1.5])),
            }
            record = tf.train.Example(features=tf.train.Features(feature=features))
            file.write(record.SerializeToString())
            found = tfrecord.features(record.SerializeToString())
            assert {name: bytes(data) for name, data in found.items()} == {
                "image": features["image"].bytes_list.value[0]
            }
    made = make_folder(tmp_path / "a.tfrecord", tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no records"),
        (b"<html>", "was cut off"),
        (b"<html>" * 9, "the record at byte 0 is damaged, or this is no"),
        (imagenet(IMAGES)[:-1], "was cut off"),
        (imagenet(IMAGES) + bytes(3), "was cut off"),
        (imagenet(IMAGES)[:-60] + b"!" + imagenet(IMAGES)[-59:], "checksum is another one"),
        (framed((2**62).to_bytes(8, "little"))[:12], "was cut off"),
        (framed(b"\xff" * 20), "a number in it does not end"),
        (framed(b"\x0a\x7f"), "a feature leaves its record"),
        (framed(b"\x0b"), "a field of the kind 3"),
        (framed(example(x=b"text")), "0 features of the first .*bytes: x"),
        (imagenet(IMAGES, mask=png(IMAGES[0])), "2 features .*: image/encoded, image/format, mask"),
        (framed(example(x=png(IMAGES[0])), example(y=b"")), "record 0000001 .* no picture 'x'"),
    ],
)
def test_what_cannot_be_used(data, message, tmp_path):
    (tmp_path / "a.tfrecords").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        make_folder(tmp_path / "a.tfrecords", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_one_of_several_pictures(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(imagenet(IMAGES, mask=png(IMAGES[0])))
    made = make_folder(tmp_path / "a.tfrecord", tmp_path / "out", column="mask", color=True)
    np.testing.assert_allclose(made.images, np.stack([IMAGES[0]] * 6) / 255, atol=1e-6)


def test_without_checksums(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    (tmp_path / "a.tfrecord").write_bytes(b"")
    with pytest.raises(InputError, match=r"pip install 'keras-gahr\[tfrecord\]'"):
        make_folder(tmp_path / "a.tfrecord", tmp_path / "out")
