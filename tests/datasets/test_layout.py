"""The axes of arrays of images."""

import itertools

import numpy as np
import pytest

from keras_gahr.datasets.layout import find_layout, from_images, to_images
from keras_gahr.errors import InputError


@pytest.mark.parametrize(
    ("shape", "channels", "layout"),
    [
        ((9, 8), None, "HW"),
        ((9, 8, 1), None, "HWC"),
        ((48, 40, 3), None, "HWC"),
        ((48, 40, 3), 1, "HWC"),
        ((48, 40, 3), 3, "HWC"),
        ((5, 9, 8), None, "NHW"),
        ((1, 9, 8), 3, "NHW"),
        ((3, 9, 8), 1, "NHW"),
        ((4, 9, 8), 1, "NHW"),
        ((5, 4, 4), None, "NHW"),
        ((5, 9, 8, 1), None, "NHWC"),
        ((5, 9, 8, 3), 1, "NHWC"),
        ((3, 1, 8, 3), None, "NHWC"),
        ((9, 8, 2), 2, "HWC"),
    ],
)
def test_shapes_that_say_what_they_are(shape, channels, layout):
    assert find_layout(shape, "x.npy", channels) == layout


@pytest.mark.parametrize(
    ("shape", "channels", "mend"),
    [
        ((), None, "expected (H, W)"),
        ((8,), None, "expected (H, W)"),
        ((1, 2, 9, 8, 3), None, "expected (H, W)"),
        ((0, 9, 8), None, "empty"),
        ((3, 9, 8), None, "layout NHW or CHW (--layout)"),
        ((3, 9, 8), 3, "layout NHW or CHW (--layout)"),
        ((4, 9, 8), 3, "layout NHW or CHW (--layout)"),
        ((5, 3, 9, 8), 3, "layout NCHW"),
        ((5, 3, 9, 8), None, "layout NCHW"),
        ((5, 1, 9, 8), 1, "layout NCHW"),
        ((5, 4, 9, 8), 1, "layout NCHW"),
        ((9, 8, 4), None, "array[:, :, :3]"),
        ((9, 8, 2), None, "array[:, :, :1]"),
        ((5, 9, 8, 4), 3, "array[:, :, :, :3]"),
        ((5, 9, 8, 7), None, "C = 1 or 3"),
    ],
)
def test_shapes_that_do_not(shape, channels, mend):
    with pytest.raises(InputError) as caught:
        find_layout(shape, "x.npy", channels)
    assert mend in str(caught.value)
    assert str(caught.value).startswith("x.npy ")
    assert "\n" not in str(caught.value)


def test_a_layout_that_is_said():
    assert find_layout((3, 9, 8), "x.npy", layout="chw") == "CHW"
    assert find_layout((9, 8, 3, 5), "x.npy", layout="HWCN") == "HWCN"
    for layout, shape, message in (
        ("NCHW", (3, 9, 8), "would have 4 axes"),
        ("CHWX", (3, 9, 8, 1), "expected the letters"),
        ("HWW", (3, 9, 8), "expected the letters"),
        ("NC", (3, 9), "expected the letters"),
        ("", (3, 9), "expected the letters"),
        ("NCHW", (5, 4, 9, 8), "array[:, :3, :, :]"),
        ("CHW", (9, 8, 3), "9"),
    ):
        with pytest.raises(InputError) as caught:
            find_layout(shape, "x.npy", layout=layout)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    "layout",
    [
        "".join(axes)
        for more in ("", "N", "C", "NC")
        for axes in itertools.permutations("HW" + more)
    ],
)
def test_there_and_back(layout):
    sizes = {"N": 2, "H": 4, "W": 5, "C": 3}
    array = np.arange(np.prod([sizes[axis] for axis in layout]))
    array = array.reshape([sizes[axis] for axis in layout])
    images = to_images(array, layout)
    assert images.shape == tuple(sizes[axis] if axis in layout else 1 for axis in "NHWC")
    assert np.shares_memory(images, array)
    # Row h, column w: whatever the order of the axes.
    index = tuple({"N": 0, "H": 2, "W": 3, "C": 0}[axis] for axis in layout)
    assert images[0, 2, 3, 0] == array[index]
    np.testing.assert_array_equal(from_images(images, layout), array)
