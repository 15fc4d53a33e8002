"""Datasets in memory of the library `datasets`, and what acts like one."""

import dataclasses

import numpy as np
import pytest
from encoded_pictures import png
from PIL import Image as Pillow

from keras_gahr.datasets import make_folder
from keras_gahr.errors import InputError

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)


@dataclasses.dataclass
class Image:
    """As the feature of this name."""

    decode: bool = True


class Rows:
    """As little as a dataset may be."""

    def __init__(self, features, *rows):
        self.features, self.rows = features, rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[row]


def test_the_library(tmp_path):
    # Not the folder of these tests.
    pytest.importorskip("datasets.features", reason="it brings many packages, and is not needed")
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    rows = {
        "image": [{"bytes": png(image), "path": None} for image in IMAGES],
        "label": list(range(5)),
    }
    data = datasets.Dataset.from_dict(rows, features=features)
    for k, given in enumerate(
        (data, data.with_format("numpy"), data.cast_column("image", datasets.Image(decode=False)))
    ):
        made = make_folder(given, tmp_path / f"out{k}", color=True, dtype="uint8")
        np.testing.assert_array_equal(made.images, IMAGES)
    saved = tmp_path / "saved"
    data.save_to_disk(saved)
    made = make_folder(saved, tmp_path / "disk", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)
    data.to_parquet(tmp_path / "a.parquet")
    made = make_folder(tmp_path / "a.parquet", tmp_path / "parquet", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)
    with pytest.raises(InputError, match=r"several datasets \(train, test\).*data\['train'\]"):
        make_folder(datasets.DatasetDict(train=data, test=data), tmp_path / "no")
    with pytest.raises(InputError, match="streaming=False"):
        make_folder(data.to_iterable_dataset(), tmp_path / "no")


def test_what_acts_like_one(tmp_path):
    Pillow.fromarray(IMAGES[3]).save(tmp_path / "3.png")
    cells = [
        Pillow.fromarray(IMAGES[0]),
        png(IMAGES[1]),
        {"bytes": png(IMAGES[2]), "path": "2.png"},
        {"bytes": None, "path": str(tmp_path / "3.png")},
    ]
    data = Rows({"image": Image(), "label": 0}, *({"image": cell} for cell in cells))
    made = make_folder(data, tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES[:4])
    assert [file["name"] for file in made.sources[:2]] == ["0000000", "0000001"]
    assert made.manifest["parameters"]["source"] == "Rows"
    few = make_folder(data, tmp_path / "few", color=True, count=2, column="image")
    assert len(few) == 2


def test_pictures_of_pillow_keep_their_values(tmp_path):
    grey = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    deep = Pillow.fromarray((grey * 65535).astype(np.uint16))
    cells = [Pillow.fromarray(grey), deep]
    data = Rows({"image": Image()}, *({"image": cell} for cell in cells))
    made = make_folder(data, tmp_path / "out")
    np.testing.assert_allclose(made.images[:, ..., 0], [grey, grey], atol=2e-5)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (Rows({"a": Image(), "b": Image()}), {}, r"2 columns of pictures \(a, b\)"),
        (Rows({"a": 0}), {}, r"0 columns of pictures \(none\), .*among a"),
        (Rows({"a": Image()}), {"column": "b"}, "no column 'b'"),
        (Rows({"a": Image()}), {}, "no rows"),
        (Rows({"a": Image()}, {"a": [1, 2]}), {}, "row 0000000 .* holds list"),
        (Rows({"a": Image()}, {"a": {"bytes": None, "path": "/dev/zero"}}), {}, "is a device"),
        (Rows({"a": Image()}, {"a": b"text"}), {}, "is a text"),
    ],
)
def test_what_cannot_be_used(data, options, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        make_folder(data, tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
