"""The multi-scale denoiser: against the published one, in a file, and what it refuses."""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import nhwc, relative_difference, with_unit_gammas

from keras_gahr import (
    BFCNN,
    InputError,
    MultiScaleDenoiser,
    ReceptiveFieldBFCNN,
    UNet,
    load_denoiser,
    save_denoiser,
)
from keras_gahr.denoisers import Inference
from keras_gahr.denoisers.haar import haar_pyramid
from keras_gahr.training import BlindTraining
from weights_convert.multi_scale import build_from_folder


def small(scales=2, low_band=None):
    """A denoiser of small random networks."""
    details = [
        ReceptiveFieldBFCNN(receptive_field=5, num_kernels=12, coarse=False, seed=scale)
        for scale in range(scales)
    ]
    for part in details:
        with_unit_gammas(part)
    low_band = low_band or BFCNN(num_layers=4, num_kernels=4, seed=9)
    return MultiScaleDenoiser(with_unit_gammas(low_band), details, provenance={"source": "a test"})


@pytest.fixture
def noisy():
    return np.random.default_rng(0).random((2, 16, 24, 1), np.float32)


def arrays(tensors):
    return [ops.convert_to_numpy(ops.stop_gradient(tensor)) for tensor in tensors]


def test_the_published_denoiser(shared):
    folder = shared / "checkpoints" / "local_probability" / "multi_scale" / "celebA_160x160_gray"
    golden = np.load(shared / "golden" / "real_multi_scale.npz")
    denoiser, _ = build_from_folder(folder)
    noisy = nhwc(golden["noisy"])
    assert denoiser.num_parameters == 665_856 + 2 * 214_144
    for scale, detail in enumerate(denoiser.details):
        assert f"scale_{scale}/" in detail.provenance["source"]

    low, details = haar_pyramid(noisy, 2)
    for scale in (0, 1):
        expected = nhwc(golden[f"coeffs{scale}"])[..., 1:]
        assert relative_difference(arrays(details)[scale], expected) < tolerances.OUTPUT
    assert relative_difference(*arrays([low]), nhwc(golden["coeffs1"])[..., :1]) < tolerances.OUTPUT

    bands, _ = denoiser.denoise_bands(noisy)
    for level, band in enumerate(arrays(bands)):
        assert relative_difference(band, nhwc(golden[f"low{level}"])) < tolerances.OUTPUT
    found = Inference(denoiser).denoise(noisy)
    assert relative_difference(found, nhwc(golden["low2"])) < tolerances.OUTPUT


def test_bands_are_of_the_pyramid_of_the_denoised_image(noisy):
    denoiser = small()
    bands, details = denoiser.denoise_bands(noisy)
    bands, details = arrays(bands), arrays(details)
    assert [band.shape[1:3] for band in bands] == [(4, 6), (8, 12), (16, 24)]
    image = noisy - denoiser.predict_on_batch(noisy)
    assert relative_difference(bands[-1], image) < tolerances.OUTPUT
    low, expected = haar_pyramid(image, 2)
    assert relative_difference(bands[0], *arrays([low])) < tolerances.OUTPUT
    for found, band in zip(details, arrays(expected), strict=True):
        assert np.max(np.abs(found - band)) < tolerances.OUTPUT


def test_each_part_denoises_its_own_bands(noisy):
    denoiser = small()
    low, details = haar_pyramid(noisy, 2)
    low, *details = arrays([low, *details])
    bands, found = (arrays(tensors) for tensors in denoiser.denoise_bands(noisy))
    expected = low - denoiser.low_band.predict_on_batch(low)
    assert relative_difference(bands[0], expected) < tolerances.OUTPUT
    for scale, given in ((1, bands[0]), (0, bands[1])):
        condition = np.concatenate([given, details[scale]], axis=-1)
        expected = details[scale] - denoiser.details[scale].predict_on_batch(condition)
        assert relative_difference(found[scale], expected) < tolerances.OUTPUT


def test_a_saved_denoiser_is_the_same(tmp_path, noisy):
    denoiser = small(low_band=UNet(num_blocks=1, num_kernels=4, seed=2))
    denoiser.low_band.provenance = {"source": "a part"}
    save_denoiser(denoiser, tmp_path / "x.keras")
    for loaded in (
        load_denoiser(tmp_path / "x.keras"),
        keras.saving.load_model(tmp_path / "x.keras"),
    ):
        assert type(loaded) is MultiScaleDenoiser
        assert loaded.get_config() == denoiser.get_config()
        assert loaded.provenance == {"source": "a test"}
        assert loaded.low_band.provenance == {"source": "a part"}
        assert loaded.num_parameters == denoiser.num_parameters
        assert np.array_equal(loaded.predict_on_batch(noisy), denoiser.predict_on_batch(noisy))


def test_a_fingerprint_is_of_all_parts_but_not_of_where_they_are_from():
    denoiser, others = small(), [small() for _ in range(3)]
    others[0].low_band.provenance = {"source": "a part"}
    for part in (others[1].low_band, others[2].details[1]):
        part.set_weights([1.01 * weight for weight in part.get_weights()])
    found = [other.fingerprint() == denoiser.fingerprint() for other in others]
    assert found == [True, False, False]


def test_sizes_and_parameters():
    denoiser = small()
    parts = [denoiser.low_band, *denoiser.details]
    assert denoiser.num_parameters == sum(part.num_parameters for part in parts)
    assert denoiser.num_scales == 2
    assert denoiser.size_multiple == 4
    assert small(1, UNet(num_blocks=2, num_kernels=4)).size_multiple == 8
    with pytest.raises(InputError, match="multiples of 4"):
        denoiser.denoise_bands(np.zeros((1, 6, 8, 1), np.float32))


def test_every_weight_is_trained(noisy):
    denoiser = small(1)
    before = denoiser.get_weights()
    model = BlindTraining(denoiser)
    model.compile(keras.optimizers.SGD(1e-3))
    model.train_on_batch({"clean": 0.5 * noisy, "noise": 0.5 * noisy})
    assert all(np.any(a != b) for a, b in zip(before, denoiser.get_weights(), strict=True))


def test_parts_that_do_not_fit_are_refused():
    def detail(channels=1):
        return ReceptiveFieldBFCNN(channels, receptive_field=5, num_kernels=4, coarse=False)

    def low_band(channels=1):
        return BFCNN(channels, num_layers=3, num_kernels=4)

    for parts, message in (
        ((detail(), [detail()]), "low-band denoiser from 4 channels to 3"),
        ((low_band(), [detail(), low_band()]), "for scale 1 a denoiser from 1 channels to 1"),
        # The published conditional network has one low-band channel whatever the images have.
        ((low_band(3), [detail(3)]), "expected from 12 "),
        ((low_band(), []), "no detail denoisers"),
        ((low_band(), [detail()] * 2), "for two parts"),
    ):
        with pytest.raises(InputError, match=message):
            MultiScaleDenoiser(*parts)
