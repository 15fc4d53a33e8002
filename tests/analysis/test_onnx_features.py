"""Features by a network in an ONNX file."""

import sys

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis import as_features

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper  # noqa: E402

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).random((5, 6, 8, 1)).astype(np.float32)


def means_file(
    folder, shape, *, nodes=None, initializers=(), dtype=TensorProto.FLOAT, outputs=None
):
    """An ONNX file of the mean of each channel of images of a declared shape."""
    axes = [2, 3] if shape[1] in {1, 3} else [1, 2]
    nodes = nodes or [helper.make_node("ReduceMean", ["images"], ["means"], axes=axes, keepdims=0)]
    images = helper.make_tensor_value_info("images", dtype, shape)
    outputs = outputs or [helper.make_tensor_value_info("means", dtype, [None, None])]
    graph = helper.make_graph(nodes, "means", [images], outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / "means.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "shape",
    [
        ["n", 1, "h", "w"],
        ["n", "h", "w", 1],
        [None, 1, 6, 8],
        [2, 6, 8, 1],
        [5, 1, None, 8],
        [1, 1, 6, 8],
    ],
)
def test_an_onnx_file_is_given_images_in_the_form_that_it_declares(tmp_path, shape):
    features = as_features(str(means_file(tmp_path, shape)))
    assert features.name == "means.onnx"
    np.testing.assert_allclose(features.of(IMAGES), IMAGES.mean(axis=(1, 2)), rtol=1e-6)


def test_an_onnx_file_gets_grey_images_in_three_channels_and_its_size(tmp_path):
    found = as_features(means_file(tmp_path, [2, 3, 12, 16])).of(IMAGES)
    assert found.shape == (5, 3)
    np.testing.assert_allclose(found, IMAGES.mean(axis=(1, 2)).repeat(3, axis=1), atol=0.03)
    double = means_file(tmp_path, ["n", 1, "h", "w"], dtype=TensorProto.DOUBLE)
    np.testing.assert_allclose(as_features(double).of(IMAGES), IMAGES.mean(axis=(1, 2)), rtol=1e-6)


def test_the_first_output_of_vectors_is_taken(tmp_path):
    nodes = [
        helper.make_node("Identity", ["images"], ["maps"]),
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("maps", TensorProto.FLOAT, [None] * 4),
        helper.make_tensor_value_info("means", TensorProto.FLOAT, [None] * 2),
    ]
    path = means_file(tmp_path, ["n", 1, "h", "w"], nodes=nodes, outputs=outputs)
    np.testing.assert_allclose(as_features(path).of(IMAGES), IMAGES.mean(axis=(1, 2)), rtol=1e-6)
    path = means_file(tmp_path, ["n", 1, "h", "w"], nodes=nodes[:1], outputs=outputs[:1])
    with pytest.raises(kg.InputError, match=r"expected \(5, k\)"):
        as_features(path).of(IMAGES)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        (["n", "c", "h", "w"], TensorProto.FLOAT, "do not declare 1 or 3 channels"),
        (["n", 4, "h", "w"], TensorProto.FLOAT, "do not declare 1 or 3 channels"),
        (["n", 1, "h", "w", 3], TensorProto.FLOAT, "take arrays of 5 axes, expected images"),
        (["n", 1, "h", "w"], TensorProto.INT32, r"takes tensor\(int32\), expected floats"),
        ([10**6, 3, 10**4, 10**4], TensorProto.FLOAT, "values at once, expected 268435456 at most"),
    ],
)
def test_onnx_files_that_take_other_things_are_refused(tmp_path, shape, dtype, message):
    with pytest.raises(kg.InputError, match=message):
        as_features(means_file(tmp_path, shape, dtype=dtype))


def test_weights_in_other_files_are_refused_wherever_they_are(tmp_path):
    outside = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../etc/passwd")
    inside = helper.make_node("Constant", [], ["weights"], value=outside)
    means = helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0)
    for path in (
        means_file(tmp_path, ["n", 1, "h", "w"], initializers=[outside]),
        means_file(tmp_path, ["n", 1, "h", "w"], nodes=[inside, means]),
    ):
        with pytest.raises(kg.InputError, match="keeps weights in another file"):
            as_features(path)


def test_damaged_and_hostile_onnx_files_are_refused(tmp_path):
    path = means_file(tmp_path, ["n", 1, "h", "w"])
    content = path.read_bytes()
    large = TensorProto(name="large", data_type=TensorProto.FLOAT, dims=[10**10], raw_data=b"0000")
    added = [
        helper.make_node("ReduceMean", ["images"], ["few"], axes=[2, 3], keepdims=0),
        helper.make_node("Add", ["few", "large"], ["means"]),
    ]
    custom = helper.make_node("Run", ["images"], ["means"], domain="anybody")
    for bad, message in [
        (content[: len(content) // 2], "not an ONNX file, or damaged|cannot be run"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG picture"),
        (
            means_file(tmp_path, ["n", 1, 4, 4], nodes=added, initializers=[large]).read_bytes(),
            "cannot be run",
        ),
        (means_file(tmp_path, ["n", 1, 4, 4], nodes=[custom]).read_bytes(), "cannot be run"),
    ]:
        path.write_bytes(bad)
        with pytest.raises(kg.InputError, match=message):
            as_features(path)
    with pytest.raises(kg.InputError, match="does not exist"):
        as_features(tmp_path / "none.onnx")
    with pytest.raises(kg.InputError, match="folder"):
        (tmp_path / "folder.onnx").mkdir()
        as_features(tmp_path / "folder.onnx")


def test_an_onnx_file_that_asks_for_too_much_memory_is_refused(tmp_path):
    huge = onnx.numpy_helper.from_array(np.array([2**42], np.int64), "huge")
    nodes = [
        helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
        helper.make_node("ReduceMean", ["images"], ["few"], axes=[2, 3], keepdims=0),
        helper.make_node("Add", ["few", "zeros"], ["means"]),
    ]
    with pytest.raises(kg.InputError, match="cannot be"):
        as_features(means_file(tmp_path, ["n", 1, "h", "w"], nodes=nodes, initializers=[huge])).of(
            IMAGES
        )


def test_a_missing_package_is_named_with_the_command(tmp_path, monkeypatch):
    path = means_file(tmp_path, ["n", 1, "h", "w"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(kg.InputError, match=r"pip install 'keras-gahr\[onnx\]'"):
        as_features(path)
