"""Images level by level from small random multi-scale denoisers."""

import dataclasses
import json

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import with_unit_gammas

from keras_gahr import BFCNN, InputError, MultiScaleDenoiser, ReceptiveFieldBFCNN
from keras_gahr.denoisers.haar import haar_pyramid
from keras_gahr.noise import keyed_normal
from keras_gahr.sampling import AscentSchedule, sample, sample_multi_scale

SHAPE = (16, 24, 1)
SCHEDULE = AscentSchedule(beta=0.5, h0=0.2, sigma_end=0.2, max_steps=12)


@pytest.fixture(scope="module")
def denoiser():
    details = [
        ReceptiveFieldBFCNN(receptive_field=5, num_kernels=4, coarse=False, seed=scale)
        for scale in range(2)
    ]
    parts = [BFCNN(num_layers=3, num_kernels=4, seed=9), *details]
    for part in parts:
        with_unit_gammas(part)
    return MultiScaleDenoiser(parts[0], details)


@pytest.fixture(scope="module")
def seen():
    """The progress of `samples`."""
    return []


@pytest.fixture(scope="module")
def samples(denoiser, seen):
    return sample_multi_scale(
        denoiser,
        SHAPE,
        count=3,
        seed=5,
        schedule=SCHEDULE,
        progress=lambda done, total: seen.append((done, total)),
    )


def test_levels_are_the_bands_of_the_images(samples):
    assert samples.names == ("low_band", "detail_1", "detail_0")
    low, details = haar_pyramid(samples.images, 2)
    for level, band in zip(samples.levels, [low, *reversed(details)], strict=True):
        assert level.images == pytest.approx(
            ops.convert_to_numpy(band), abs=tolerances.SAMPLER_BAND
        )
    assert np.array_equal(samples.steps, sum(level.steps for level in samples.levels))


def test_details_are_sampled_given_the_band_below(denoiser, samples):
    """The finest level is a run of the conditional denoiser, at half the noise of the image."""
    halved = dataclasses.replace(SCHEDULE, sigma_0=0.5, sigma_end=0.1, init_mean=0.0)
    low, _ = haar_pyramid(samples.images, 1)
    expected = sample(
        denoiser.details[0],
        (8, 12, 3),
        count=3,
        schedule=halved,
        condition=ops.convert_to_numpy(low),
        noise=lambda images, t: keyed_normal(5, images, 2**32 + t, (8, 12, 3)),
    )
    assert samples.levels[-1].images == pytest.approx(expected.images, abs=tolerances.SAME_IMAGE)


@pytest.mark.slow
def test_batches_do_not_matter(denoiser, samples):
    alone = sample_multi_scale(denoiser, SHAPE, seed=5, schedule=SCHEDULE, first_image=2)
    assert alone.images[0] == pytest.approx(samples.images[2], abs=tolerances.SAME_IMAGE)


@pytest.mark.parametrize(
    ("side", "names"),
    [(2, ("detail_0",)), pytest.param(4, ("detail_1", "detail_0"), marks=pytest.mark.slow)],
)
def test_a_given_low_band_is_kept(denoiser, smooth_images, side, names):
    low = smooth_images(2, SHAPE[0] // side, SHAPE[1] // side)
    found = sample_multi_scale(denoiser, SHAPE, count=2, schedule=SCHEDULE, low_band=low)
    assert found.names == names
    means = found.images.reshape(2, SHAPE[0] // side, side, SHAPE[1] // side, side, 1)
    assert means.mean(axis=(2, 4)) == pytest.approx(low, abs=1e-5)


def test_progress_and_report(samples, seen, tmp_path):
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert 2 <= seen[-1][0] <= seen[-1][1] == 3
    samples.save(tmp_path / "out")
    report = json.loads((tmp_path / "out" / "sampling.json").read_text())
    assert list(report["levels"]) == list(samples.names)
    assert len(report["levels"]["detail_0"]) == len(report["images"]) == 3


def test_what_does_not_fit_is_refused(denoiser):
    with pytest.raises(InputError, match="multiples of 4"):
        sample_multi_scale(denoiser, (18, 24, 1))
    with pytest.raises(InputError, match="low band of shape"):
        sample_multi_scale(denoiser, SHAPE, low_band=np.zeros((1, 5, 5, 1), np.float32))
    with pytest.raises(InputError, match="condition of shape"):
        sample(denoiser.details[0], (8, 8, 3), condition=np.zeros((1, 4, 4, 1), np.float32))
