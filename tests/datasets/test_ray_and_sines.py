import numpy as np
import pytest

from keras_gahr.datasets import (
    draw_sines,
    load,
    make_ray,
    make_sines,
    ray_images,
    ray_parameters,
    ray_tangent,
    sine_images,
    sine_parameters,
    sine_tangent,
    write_image,
)
from keras_gahr.errors import InputError


@pytest.fixture
def picture(tmp_path, smooth_images):
    path = tmp_path / "picture.png"
    write_image(path, smooth_images(1, 12, 10, 3)[0])
    return path


def test_rays_are_multiples_of_the_image(smooth_images):
    (image,) = smooth_images(1, 6, 5)
    images = ray_images(300, image, 7)
    intensities = ray_parameters(300, 7)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, intensities[..., None, None] * image, atol=1e-6)
    assert intensities.min() < 0.05
    assert intensities.max() > 0.95
    np.testing.assert_array_equal(ray_images(20, image, 7, start=30), images[30:50])
    basis = ray_tangent(image)
    assert basis.shape == (1, 1, 6, 5, 1)
    along = (images * basis[0, 0]).sum((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(along * basis[0], images, atol=1e-6)


def test_dataset_of_a_ray(picture, tmp_path):
    dataset = make_ray(picture, tmp_path / "out", 9, 1)
    assert dataset.images.shape == (9, 12, 10, 3)
    parameters = load(tmp_path / "out").manifest["parameters"]
    assert parameters["image"] == "picture.png"
    assert len(parameters["image_sha256"]) == 64
    assert make_ray(picture, tmp_path / "grey", 9, 1, channels=1).images.shape == (9, 12, 10, 1)


def test_a_ray_through_an_image_of_a_dataset(picture, tmp_path):
    first = make_ray(picture, tmp_path / "first", 3, 1)
    dataset = make_ray(tmp_path / "first", tmp_path / "out", 4, 2)
    np.testing.assert_array_equal(dataset.images, ray_images(4, first.as_float(0), 2))
    source = dataset.manifest["parameters"]["source"]
    assert source["recipe"] == "ray"
    assert source["sha256"] == first.manifest["sha256"]


def test_images_without_a_ray(tmp_path):
    write_image(tmp_path / "black.png", np.zeros((4, 4)))
    with pytest.raises(InputError, match="black"):
        make_ray(tmp_path / "black.png", tmp_path / "out", 2, 0)
    with pytest.raises(InputError, match="does not exist"):
        make_ray(tmp_path / "missing.png", tmp_path / "out", 2, 0)
    assert not (tmp_path / "out").exists()


def test_sines_have_one_period_and_their_range():
    images = sine_images(200, 16, 3)
    assert images.shape == (200, 16, 16, 1)
    power = np.abs(np.fft.fft2(images[..., 0])).mean(0)
    rest = power.copy()
    rest[[0, 1, -1], [0, 1, -1]] = 0
    assert rest.max() < 1e-5 * power[1, 1]
    phase, intensity = sine_parameters(200, 16, 3).T
    np.testing.assert_allclose(images.mean((1, 2, 3)), intensity / 2, atol=1e-6)
    assert np.ptp(phase) > 6
    assert np.ptp(intensity) > 0.95
    np.testing.assert_array_equal(sine_images(20, 16, 3, start=30), images[30:50])


def test_the_tangent_space_of_sines_is_that_of_finite_differences():
    parameters = sine_parameters(5, 16, 0)
    basis = sine_tangent(parameters, 16).reshape(5, 2, -1)
    np.testing.assert_allclose(
        basis @ basis.swapaxes(1, 2), np.tile(np.eye(2), (5, 1, 1)), atol=1e-12
    )
    for k, move in enumerate(1e-3 * np.eye(2)):
        change = (draw_sines(parameters + move, 16) - draw_sines(parameters - move, 16)).reshape(
            5, -1
        )
        cosine = (basis[:, k] * change).sum(1) / np.linalg.norm(change, axis=1)
        np.testing.assert_allclose(cosine, 1, atol=1e-4)


def test_dataset_of_sines(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.generated.BLOCK", 4)
    dataset = make_sines(tmp_path / "out", 10, 8, 5)
    np.testing.assert_array_equal(dataset.images, sine_images(10, 8, 5))
    assert dataset.manifest["parameters"] == {"count": 10, "size": 8, "seed": 5}


@pytest.mark.parametrize("arguments", [{"count": 0}, {"seed": -1}, {"start": -1}])
def test_arguments_out_of_range(arguments):
    with pytest.raises(InputError, match="expected"):
        ray_parameters(**{"count": 2, "seed": 0} | arguments)
    with pytest.raises(InputError, match="expected"):
        sine_images(**{"count": 2, "size": 8, "seed": 0} | arguments)
