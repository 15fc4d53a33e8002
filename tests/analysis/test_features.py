"""By which vectors images are compared."""

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis import Features, as_features

IMAGES = np.random.default_rng(0).random((5, 6, 8, 1)).astype(np.float32)


def test_pixels_are_the_images_themselves():
    for given in (None, "pixels", as_features()):
        features = as_features(given)
        assert features.name == "pixels"
        np.testing.assert_array_equal(features.of(IMAGES), IMAGES.reshape(5, -1))
    beyond = IMAGES + 1
    np.testing.assert_array_equal(as_features().of(beyond), beyond.reshape(5, -1))
    bytes_ = (255 * IMAGES).astype(np.uint8)
    np.testing.assert_array_equal(
        as_features().of(bytes_), np.divide(bytes_, 255, dtype=np.float32).reshape(5, -1)
    )


def test_a_function_sees_blocks_of_clipped_floats(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.analysis.features._IMAGES", 2)
    path = tmp_path / "images.npy"
    np.save(path, (255 * IMAGES).astype(np.uint8))
    seen = []

    def corner(images):
        seen.append((images.shape, images.dtype, images.min() >= 0, images.max() <= 1))
        return images[:, 0, 0].astype(np.float64)

    features = as_features(corner)
    found = features.of(np.load(path, mmap_mode="r"))
    assert features.name == "corner" and found.dtype == np.float32 and found.shape == (5, 1)
    np.testing.assert_array_equal(found[:, 0], np.load(path)[:, 0, 0, 0] / np.float32(255))
    assert [shape[0] for shape, *_ in seen] == [2, 2, 1]
    assert all(dtype == np.float32 and low and high for _, dtype, low, high in seen)
    features.of(3 * IMAGES - 1)
    assert seen[-1][2] and seen[-1][3]


def test_a_function_may_return_tensors_of_the_backend():
    found = as_features(lambda images: keras.ops.mean(images, axis=(1, 2))).of(IMAGES)
    np.testing.assert_allclose(found, IMAGES.mean(axis=(1, 2)), rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images: images, r"have shape \(5, 6, 8, 1\) for 5 images, expected \(5, k\)"),
        (lambda images: images.mean(axis=(1, 2))[1:], r"have shape \(4, 1\) for 5 images"),
        (lambda images: np.zeros((5, 0)), r"have shape \(5, 0\)"),
        (lambda images: np.full((5, 2), np.nan), "not finite"),
        (lambda images: np.full((5, 2), 1e300), "not finite"),
        (lambda images: np.full((5, 2), 1j), "complex128, expected floats"),
        (
            lambda images: 1 / 0,
            "cannot be computed of images of .*: ZeroDivisionError: division by",
        ),
        (lambda images: None, "received a"),
    ],
)
def test_what_is_no_vector_for_each_image_is_refused(function, message):
    with pytest.raises(kg.InputError, match=message):
        as_features(function).of(IMAGES)


def test_as_many_features_are_expected_of_every_block(monkeypatch):
    monkeypatch.setattr("keras_gahr.analysis.features._IMAGES", 3)
    with pytest.raises(kg.InputError, match="3 numbers for some images and 2 for others"):
        as_features(lambda images: np.zeros((len(images), len(images)))).of(IMAGES)


@pytest.mark.parametrize("given", [3, np.zeros(3), b"pixels", "inception", "model.pt"])
def test_other_things_are_no_features(given):
    with pytest.raises(kg.InputError, match="received"):
        as_features(given)


def network(shape):
    """A Keras model with noise and a norm, which differ in training."""
    layers = [
        keras.Input(shape),
        keras.layers.GaussianNoise(1.0),
        keras.layers.Dropout(0.5),
        keras.layers.GlobalAveragePooling2D(),
    ]
    return keras.Sequential(layers, name="means")


def test_a_keras_model_is_run_in_evaluation_mode():
    features = as_features(network((None, None, 1)))
    assert features.name == "means"
    np.testing.assert_allclose(features.of(IMAGES), IMAGES.mean(axis=(1, 2)), rtol=1e-5)


def test_a_keras_model_gets_the_channels_and_size_that_it_declares():
    found = as_features(network((12, 16, 3))).of(IMAGES)
    assert found.shape == (5, 3)
    np.testing.assert_array_equal(found[:, :1].repeat(3, axis=1), found)
    # Bicubic enlarging keeps means but at the borders.
    np.testing.assert_allclose(found[:, 0], IMAGES.mean(axis=(1, 2, 3)), atol=0.03)
    with pytest.raises(kg.InputError, match="images of 3 channels, the features means take 1"):
        as_features(network((None, None, 1))).of(IMAGES.repeat(3, axis=3))


def test_a_model_that_was_never_called_is_built():
    class Means(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, kernel_initializer="ones")

        def call(self, images):
            return self.dense(keras.ops.mean(images, axis=(1, 2)))

    found = as_features(Means()).of(IMAGES)
    np.testing.assert_allclose(found, IMAGES.mean(axis=(1, 2)).repeat(2, axis=1), rtol=1e-5)


def test_a_keras_file_is_read_without_executing_it(tmp_path):
    network((None, None, 1)).save(tmp_path / "means.keras")
    features = as_features(tmp_path / "means.keras")
    assert features.name == "means.keras"
    np.testing.assert_allclose(features.of(IMAGES), IMAGES.mean(axis=(1, 2)), rtol=1e-5)
    code = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Lambda(lambda x: x[:, 0, 0])])
    code.save(tmp_path / "code.keras")
    with pytest.raises(kg.InputError, match="Lambda layer, whose code is not executed"):
        as_features(tmp_path / "code.keras")
    images, layers = keras.Input((4, 4, 1)), keras.layers
    large = layers.GlobalAveragePooling2D()(layers.UpSampling2D(10**5)(images))
    keras.Model(images, large).save(tmp_path / "large.keras")
    with pytest.raises(
        kg.InputError, match=r"too large tensors, such as one of .*x400000x400000x1"
    ):
        as_features(tmp_path / "large.keras").of(IMAGES)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="a module of PyTorch")
def test_a_module_of_pytorch_is_given_channels_first():
    import torch

    class Means(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = torch.nn.Dropout(0.5)

        def forward(self, images):
            return self.drop(images.mean(dim=(2, 3)))

    found = as_features(Means().train()).of(IMAGES.repeat(3, axis=3))
    np.testing.assert_allclose(found, IMAGES.mean(axis=(1, 2)).repeat(3, axis=1), rtol=1e-5)


def test_features_have_a_short_repr():
    assert repr(as_features()) == "Features('pixels')"
    assert isinstance(as_features(as_features()), Features)
