"""Training on wavelet bands, from images to a multi-scale denoiser."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from networks import with_unit_gammas
from PIL import Image

from keras_gahr import BFCNN, InputError, MultiScaleDenoiser, _backend
from keras_gahr.datasets import band_arrays
from keras_gahr.denoisers import Inference, build_conditional_denoiser
from keras_gahr.noise import NoiseLaw
from keras_gahr.psnr import psnr_at
from keras_gahr.training import Adam, BlindTraining
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches
from keras_gahr.training.watch.event_file import read_events
from keras_gahr.training.watch.events import Events
from keras_gahr.training.watch.levels import LevelRecorder

pytestmark = pytest.mark.one_backend


def trained(denoiser, images):
    """The same denoiser after 20 steps, whose second half has a lower loss than the first."""
    law = NoiseLaw("linear", 0.1, 0.2)
    condition = denoiser.input_channels - denoiser.output_channels
    model = BlindTraining(with_unit_gammas(denoiser), law)
    model.compile(Adam(3e-3), jit_compile=_backend.jit_compile())
    history = model.fit(
        TiledBatches(images, 80, 8, seed=0),
        validation_data=NoisyBatches(images, law, 8, seed=0, condition=condition),
        epochs=2,
        shuffle=False,
        verbose=0,
    ).history
    assert history["loss"][1] < 0.7 * history["loss"][0]
    assert np.isfinite(history["val_psnr"]).all()
    return denoiser


def test_networks_of_the_bands_make_a_multi_scale_denoiser(smooth_images):
    images = smooth_images(16, 16, 16)
    details = trained(
        build_conditional_denoiser("bf-cnn-rf", 4, receptive_field=5, num_kernels=6, seed=0),
        band_arrays(images),
    )
    low_band = trained(BFCNN(num_layers=3, num_kernels=6, seed=1), band_arrays(images, low=True))
    # The noise is on the details alone, and has its own deviation there.
    before, _ = psnr_at(Inference(details), band_arrays(images[:2]), 0.2)
    assert np.mean(before) == pytest.approx(-20 * np.log10(0.2), abs=0.5)
    denoiser = MultiScaleDenoiser(low_band, [details])
    assert denoiser.num_scales == 1
    assert denoiser.predict_on_batch(images).shape == images.shape


def test_a_test_image_has_no_noise_on_its_condition(smooth_images):
    bands = band_arrays(smooth_images(3, 8, 8))
    batch = NoisyBatches(bands, NoiseLaw(), 3, seed=0, condition=1)[0]
    assert np.array_equal(batch["clean"], bands)
    assert batch["clean"].min() < 0
    assert np.all(batch["noise"][..., 0] == 0)
    whole = NoisyBatches(bands, NoiseLaw(), 3, seed=0)[0]
    assert np.array_equal(batch["noise"][..., 1:], whole["noise"][..., 1:])
    assert np.array_equal(TiledBatches(bands[:1], 1, 1, seed=0)[0], bands[:1])


def test_pictures_of_details_are_bands_side_by_side_around_grey(tmp_path, smooth_images):
    bands = band_arrays(smooth_images(3, 16, 16))
    denoiser = build_conditional_denoiser("bf-cnn-rf", 4, receptive_field=5, num_kernels=2, seed=0)
    levels = LevelRecorder(tmp_path / "levels.csv", bands, (), denoiser=lambda: denoiser, shown=2)
    levels.on_epoch_end(0)
    for _, clean, noisy, denoised in levels.pictures:
        assert clean.shape == noisy.shape == denoised.shape == (2, 8, 24, 1)
        assert clean.dtype == noisy.dtype == denoised.dtype == np.float32
        for k in range(3):
            band = bands[:2, ..., k + 1 : k + 2]
            np.testing.assert_allclose(clean[:, :, 8 * k : 8 * k + 8], band + 0.5, atol=1e-6)
    sigma, clean, noisy, _ = levels.pictures[1]
    assert np.std(noisy - clean) == pytest.approx(sigma, rel=0.2)
    events = Events(tmp_path / "events", TiledBatches(bands, 3, 3, seed=0), levels)
    events.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=1e-3)))
    events.on_epoch_begin(0)
    events.on_epoch_end(0, {})
    events.close()
    (path,) = (tmp_path / "events").iterdir()
    found = [value for _, event in read_events(path) for value in event.summary.value]
    pictures = [value.image for value in found if value.HasField("image")]
    assert len(pictures) == len(levels.pictures)
    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(picture.encoded_image_string)).convert("RGB"))
        assert pixels.shape == (12, 2 * 54 + 4, 3)
        assert np.all(pixels == pixels[..., :1])


def test_other_networks_are_refused():
    with pytest.raises(InputError, match="expected bf-cnn-rf"):
        build_conditional_denoiser("unet", 4)
    with pytest.raises(InputError, match="gahr data bands"):
        build_conditional_denoiser("bf-cnn-rf", 1)
