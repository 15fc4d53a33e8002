"""The sampler against the published code, step by step, with its noise."""

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import nhwc

from keras_gahr.sampling import AscentSchedule, sample
from keras_gahr.sampling.measurements import (
    Inpainting,
    KnownPixels,
    RandomBasis,
    SpectralSuperResolution,
    SuperResolution,
    low_frequencies,
)


def assert_golden(denoiser, golden, settings, name, **measured):
    arrays = np.load(golden / f"sampler_{name}.npz")
    schedule = AscentSchedule(
        sigma_0=settings["sig_0"],
        sigma_end=settings["sig_L"],
        h0=settings["h0"],
        beta=settings["beta"],
        fixed_h=settings.get("fixed_h", False),
        init_mean=settings["init_noise_mean"],
        max_steps=settings["max_T"],
    )
    noise, sigmas = nhwc(arrays["noise"]), []
    samples = sample(
        denoiser,
        (24, 24, 1),
        schedule=schedule,
        initial=nhwc(arrays["initial"])[None],
        noise=lambda images, t: noise[None, t - 1],
        callback=lambda images, t, y, sigma: sigmas.append(float(ops.convert_to_numpy(sigma)[0])),
        check_every=1,
        **measured,
    )
    assert samples.status == ("converged",)
    assert samples.steps[0] == settings["steps"] == len(sigmas)
    # The first golden value belongs to the initial image, the last to the final one.
    assert sigmas == pytest.approx(arrays["sigma"][1:-1], rel=tolerances.SAMPLER_SIGMA)
    assert samples.sigma[0] == pytest.approx(arrays["sigma"][-1], rel=tolerances.SAMPLER_SIGMA)
    expected = nhwc(arrays["sample"])[None]
    assert samples.images == pytest.approx(expected, abs=tolerances.SAMPLER_IMAGE)


@pytest.mark.parametrize("name", ["paper_beta", "default", "beta_half", "fixed_h"])
def test_synthesis(tiny_denoiser, golden, golden_index, name):
    name = f"synthesis_{name}"
    assert_golden(tiny_denoiser, golden, golden_index["sampler"][name], name)


SHAPE = (24, 24, 1)

MEASUREMENTS = {
    "inpainting": lambda arrays: Inpainting(SHAPE, (8, 8)),
    "random_pixels": lambda arrays: KnownPixels(nhwc(arrays["random_pixels/mask"]), 1),
    "super_resolution": lambda arrays: SuperResolution(SHAPE, 4),
    "random_basis": lambda arrays: RandomBasis.from_basis(SHAPE, arrays["random_basis/U"]),
    "spectral_super_resolution": lambda arrays: SpectralSuperResolution(
        SHAPE, low_frequencies(SHAPE, 0.2, published=True)
    ),
}


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_measurements(tiny_denoiser, golden, golden_index, name):
    arrays = np.load(golden / "measurements.npz")
    measurement = MEASUREMENTS[name](arrays)
    assert_golden(
        tiny_denoiser,
        golden,
        golden_index["sampler"][name],
        name,
        measurement=measurement,
        measured=measurement(nhwc(arrays["image"])[None]),
    )
