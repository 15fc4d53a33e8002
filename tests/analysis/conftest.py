"""A golden denoiser with the Jacobian of the published code."""

import numpy as np
import pytest
from networks import nhwc

from keras_gahr.analysis import Linearizer


@pytest.fixture(scope="session")
def noisy(golden):
    """The image (16, 16, 1) at which the golden Jacobian was taken."""
    return nhwc(np.load(golden / "jacobian_tiny.npz")["noisy"])[0]


@pytest.fixture(scope="session")
def golden_jacobian(golden):
    """D's Jacobian there, (256, 256): the stored one is the residual's."""
    return np.eye(256) - np.load(golden / "jacobian_tiny.npz")["residual_jacobian"]


@pytest.fixture(scope="session")
def linearizer(tiny_denoiser):
    """Compiled once for all tests."""
    return Linearizer(tiny_denoiser)
