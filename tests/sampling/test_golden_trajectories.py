"""The sampler against the published code, step by step, with its noise."""

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import nhwc

from keras_gahr.sampling import AscentSchedule, Measurement, sample


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


class KnownPixels(Measurement):
    """A measurement for the test: the pixels where the mask is 1 are known."""

    def __init__(self, mask):
        self.mask = ops.convert_to_tensor(mask)

    def measure(self, images):
        return images * self.mask

    def back_project(self, measured):
        return measured * self.mask


@pytest.mark.parametrize("name", ["inpainting", "random_pixels"])
def test_the_interface_for_measurements(tiny_denoiser, golden, golden_index, name):
    arrays = np.load(golden / "measurements.npz")
    mask, measured = (nhwc(arrays[f"{name}/{part}"]) for part in ("mask", "measurement"))
    assert_golden(
        tiny_denoiser,
        golden,
        golden_index["sampler"][name],
        name,
        measurement=KnownPixels(mask),
        measured=measured[None],
    )
