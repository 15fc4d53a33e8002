"""`kg.restore`."""

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.sampling import SAMPLERS

QUICK = {"schedule": kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.4), "seed": 3}


@pytest.fixture(scope="module")
def mask():
    mask = np.ones((16, 16), bool)
    mask[4:8, 4:8] = False
    return mask


@pytest.fixture(scope="module")
def colour(smooth_images):
    return kg.baselines.Wiener.from_images(smooth_images(4, 16, 16, channels=3))


@pytest.fixture(scope="module")
def photos(smooth_images):
    return smooth_images(2, 16, 16)


@pytest.fixture(scope="module")
def wiener(smooth_images):
    return kg.baselines.Wiener.from_images(smooth_images(8, 16, 16))


def test_one_image_and_several(wiener, photos, mask):
    hole = kg.measurements.inpainting(mask)
    both = kg.restore(wiener, hole(photos), hole, clean=photos, repeat=2, **QUICK)
    assert [found.name for found in both] == ["image-0", "image-1"]
    assert both[1].quality()["psnr_mean"] > 10
    listed = kg.restore(wiener, list(hole(photos)), hole, repeat=2, **QUICK)
    for k, found in enumerate(both):
        alone = kg.restore(wiener, hole(photos[k])[..., 0], hole, repeat=2, **QUICK)
        assert alone.name == "image" and alone.clean is None
        for other in (alone, listed[k]):
            np.testing.assert_allclose(other.samples, found.samples, atol=1e-5)


def test_a_mask_serves_for_any_channels(colour, smooth_images, mask):
    hole = kg.measurements.inpainting(mask.astype(np.uint8) * 255)
    photo = smooth_images(1, 16, 16, channels=3)[0]
    found = kg.restore(colour, photo, hole, **QUICK)
    assert found.mean.shape == photo.shape
    assert np.all(found.minimum_norm[4:8, 4:8] == 0)
    np.testing.assert_allclose(found.minimum_norm[mask], photo[mask])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_sampler_is_the_one_asked_for(wiener, photos, tmp_path, sampler):
    text, options = "super-resolution:4", {"sampler": sampler, "repeat": 2, "seed": 3}
    options["schedule"] = SAMPLERS[sampler].schedule(sigma_end=0.3)
    observed = kg.measurements.parse_measurement(text, (16, 16, 1))(photos)
    found = kg.restore(wiener, observed, text, **options)
    np.save(tmp_path / "photos.npy", photos)
    files = kg.restoration.InputImages([tmp_path / "photos.npy"], text, 1)
    kg.restoration.restore_files(wiener, files, tmp_path / "out", **options)
    for name, each in zip(files.names, found, strict=True):
        assert each.settings["sampler"] == sampler
        assert each.status == ("converged", "converged")
        expected = np.load(tmp_path / "out" / name / "samples.npy")
        np.testing.assert_allclose(each.samples, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:some images are still noise")
@pytest.mark.one_backend
def test_a_list_of_different_sizes():
    untrained = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2)
    small = [np.full((4, 4), 128, np.uint8), np.full((4, 8), 0.5)]
    found = kg.restore(untrained, small, "super-resolution:2", **QUICK)
    assert [each.mean.shape for each in found] == [(8, 8, 1), (8, 16, 1)]
    assert found[0].observed.max() == pytest.approx(128 / 255)


def test_a_measurement_gives_what_is_observed(photos):
    halved = kg.measurements.SuperResolution((16, 16, 1), 2)
    whole = np.rint(photos * 255).astype(np.uint8)
    observed = halved(whole[0, ..., 0])
    assert isinstance(observed, np.ndarray) and observed.dtype == np.float32
    expected = (whole[0].reshape(8, 2, 8, 2).mean(axis=(1, 3)) / 255)[..., None]
    np.testing.assert_allclose(observed, expected, atol=1e-6)
    assert halved(whole).shape == (2, 8, 8, 1)
    with pytest.raises(kg.InputError, match="expected \\(16, 16, 1\\)"):
        halved(photos[:, :8])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"measurement": 3}, "kg.measurements.inpainting"),
        ({"measurement": "random-basis:0.1", "observed": np.zeros(9)}, "do not say the size"),
        ({"observed": [np.zeros((9, 9))]}, "image 0: .* has shape"),
        ({"observed": np.zeros((16, 16)), "clean": np.zeros((8, 8))}, "clean images of shape"),
        ({"observed": [np.zeros((16, 16))] * 2, "clean": np.zeros((1, 16, 16))}, "1 clean"),
        ({"measurement": kg.measurements.Synthesis((16, 16, 3))}, "for a denoiser of 1"),
    ],
)
def test_what_does_not_fit_is_refused(wiener, mask, change, expected):
    given = {
        "observed": np.zeros((16, 16)),
        "measurement": kg.measurements.inpainting(mask),
        **change,
    }
    with pytest.raises(kg.InputError, match=expected):
        kg.restore(wiener, **given)
