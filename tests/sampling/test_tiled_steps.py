"""Samplers whose images are computed in tiles."""

import numpy as np
import pytest

from keras_gahr.denoisers import Inference
from keras_gahr.denoisers.footprint import footprint
from keras_gahr.sampling import AscentSchedule, NoiseLevels, prepare, sample
from keras_gahr.sampling.measurements import SuperResolution
from tests import tolerances

SHAPE = (64, 128, 1)


@pytest.fixture
def memory(tiny_denoiser):
    """What two tiles of an image of `SHAPE` take, beside the image itself."""
    height, width, _ = SHAPE
    needed = footprint(Inference(tiny_denoiser).network)
    return 16 * height * width + needed.bytes(0.7 * height * width)


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [
        ("ascent", AscentSchedule(max_steps=1)),
        pytest.param("heun", NoiseLevels(steps=2), marks=pytest.mark.slow),
    ],
)
def test_tiles_give_the_same_samples(tiny_denoiser, memory, sampler, schedule):
    measurement = SuperResolution(SHAPE, 4)
    options = {"count": 2, "schedule": schedule, "sampler": sampler, "measurement": measurement}
    options["measured"] = np.full((1, 16, 32, 1), 0.4, np.float32)
    run = prepare(
        tiny_denoiser,
        SHAPE,
        schedule=schedule,
        sampler=sampler,
        measurement=measurement,
        memory=memory,
    )
    assert not run._inference.fits((2, *SHAPE))
    whole = sample(tiny_denoiser, SHAPE, **options)
    tiled = sample(tiny_denoiser, SHAPE, prepared=run, **options)
    assert tiled.steps.tolist() == whole.steps.tolist()
    np.testing.assert_allclose(tiled.images, whole.images, atol=tolerances.SAMPLER_IMAGE)
