"""What networks predict and how they are told the noise level, against formulas in float64."""

import numpy as np
import pytest
from keras import ops
from known_networks import Mixture, wavy, wavy_exact

import keras_gahr as kg
from keras_gahr.denoisers import EDM, AlphaBars, FlowTime

LEVELS = np.geomspace(0.02, 2.0, 10)
RANGES = [
    (-1.0, 1.0),
    # The same conversion, with other numbers.
    *(pytest.param(each, marks=pytest.mark.one_backend) for each in ((0.0, 1.0), (0.0, 255.0))),
]

ROUNDING = 1e-5
"""Of float32, of the largest value: a dozen operations, a few of them of numbers that nearly cancel."""

ALPHA_BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def exact(predicts, schedule, y, sigma):
    """D(y) for the network's own images, as the table of formulas has it."""
    power = sigma**2
    if schedule == "blind":
        return wavy_exact(y) if predicts == "image" else y - wavy_exact(y)
    if schedule == "sigma":
        found = wavy_exact(y, sigma)
        return {
            "image": found,
            "residual": y - found,
            "noise": y - sigma * found,
            "score": y + power * found,
        }[predicts]
    if schedule == "edm":
        total = power + 0.25
        found = wavy_exact(y / np.sqrt(total), np.log(sigma) / 4)
        return 0.25 / total * y + 0.5 * sigma / np.sqrt(total) * found
    if schedule == "flow":
        t = sigma / (1 + sigma)
        x = (1 - t) * y
        found = wavy_exact(x, 1000 * t)
        return {"flow": x - t * found, "image": found, "noise": y - sigma * found}[predicts]
    a = 1 / (1 + power)
    z = np.sqrt(a) * y
    table = np.sqrt((1 - ALPHA_BARS) / ALPHA_BARS)
    found = wavy_exact(z, np.abs(np.log(table / sigma)).argmin())
    return {
        "image": found,
        "residual": (z - found) / np.sqrt(a),
        "noise": (z - np.sqrt(1 - a) * found) / np.sqrt(a),
        "score": (z + (1 - a) * found) / np.sqrt(a),
        "velocity": np.sqrt(a) * z - np.sqrt(1 - a) * found,
    }[predicts]


SCHEDULES = {
    "blind": None,
    "sigma": "sigma",
    "alpha-bar": AlphaBars(ALPHA_BARS),
    "edm": EDM(0.5),
    "flow": FlowTime(1000),
}

CASES = [
    ("blind", "image"),
    ("blind", "residual"),
    *(("sigma", predicts) for predicts in ("image", "residual", "noise", "score")),
    *(("alpha-bar", each) for each in ("image", "residual", "noise", "score", "velocity")),
    ("edm", "edm"),
    *(("flow", predicts) for predicts in ("flow", "image", "noise")),
]


@pytest.mark.parametrize("value_range", RANGES, ids=str)
@pytest.mark.parametrize(("schedule", "predicts"), CASES)
def test_a_denoiser_is_what_the_formula_says(schedule, predicts, value_range):
    low, high = value_range
    denoiser = kg.wrap(
        wavy,
        predicts,
        SCHEDULES[schedule],
        value_range=value_range,
        channels=3,
        layout="NHWC",
    )
    images = np.random.default_rng(0).random((10, 5, 6, 3)).astype(np.float32)
    # Of values up to 255 a sine would only show the rounding of its argument.
    unit = 100 if high == 255 else 1
    images, levels = images / unit, LEVELS / unit
    found = denoiser.denoise(images, levels)
    width = high - low
    for image, sigma, one in zip(images.astype(np.float64), levels, found, strict=True):
        level = width * float(np.float32(sigma))
        expected = (exact(predicts, schedule, width * image + low, level) - low) / width
        np.testing.assert_allclose(one, expected, atol=ROUNDING * max(1, np.abs(expected).max()))


def test_time_may_run_the_other_way():
    """Noise at t = 0, where the velocity has the other sign."""
    there = kg.wrap(
        lambda x, t: x * (1 + t[:, None, None, None]), "flow", channels=1, layout="NHWC"
    )
    back = kg.wrap(
        lambda x, t: -x * (2 - t[:, None, None, None]),
        "flow",
        FlowTime(reverse=True),
        channels=1,
        layout="NHWC",
    )
    images = np.random.default_rng(0).random((4, 8, 8, 1))
    np.testing.assert_allclose(there.denoise(images, 0.3), back.denoise(images, 0.3), atol=ROUNDING)


def test_a_level_between_two_of_a_table():
    schedule = AlphaBars([0.9, 0.5], indices=[7, 40])
    denoiser = kg.wrap(
        lambda z, t: z, "image", schedule, value_range=(-1, 1), channels=1, layout="NHWC"
    )
    low, high = np.sqrt([0.1 / 0.9, 1.0]) / 2
    assert denoiser.limits == pytest.approx((low, high))
    between = np.sqrt(low * high)
    # The nearest in log sigma.
    assert denoiser.nearest(0.99 * between) == pytest.approx(low)
    assert denoiser.nearest(1.01 * between) == pytest.approx(high)


def test_a_network_may_be_told_parts_of_whole_numbers():
    """Such as t / T, which no type of indices holds."""
    times = np.arange(1000) / 1000
    denoiser = kg.wrap(
        lambda z, t: z * (1 + t[:, None, None, None]),
        "image",
        AlphaBars(ALPHA_BARS, times),
        channels=1,
        layout="NHWC",
    )
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    table = np.sqrt((1 - ALPHA_BARS) / ALPHA_BARS)
    places = [0, 300, 999]
    sigmas = table[places]
    expected = images * ((1 + times[places]) / np.sqrt(1 + sigmas**2))[:, None, None, None]
    np.testing.assert_allclose(denoiser.denoise(images, sigmas), expected, atol=ROUNDING)


@pytest.mark.one_backend
def test_the_posterior_mean_of_a_mixture_and_its_jacobian():
    generator = np.random.default_rng(0)
    shape = (4, 4, 1)
    law = Mixture(generator.random((3, 16)), 0.01, shape)
    denoiser = kg.wrap(law, "image", "sigma", channels=1, layout="NHWC", size=4)
    assert denoiser.differentiable
    for sigma in (0.1, 0.4, 1.0):
        noisy = law.means[0].reshape(shape) + sigma * generator.standard_normal(shape)
        expected, jacobian = law.exact(noisy, sigma)
        found = kg.analysis.Linearizer(denoiser).at(noisy, sigma)
        np.testing.assert_allclose(found.denoised, expected, atol=ROUNDING)
        # Exponents of the weights of the mixture are differences of numbers about as large as d.
        np.testing.assert_allclose(found.matrix(), jacobian, atol=1e-4 * np.abs(jacobian).max())
        basis = kg.eigenbasis(denoiser.at(sigma), noisy, 16, "exact")
        eigenvalues = np.linalg.eigvalsh(jacobian)[::-1]
        np.testing.assert_allclose(basis.shrinkage, eigenvalues, atol=1e-4 * eigenvalues[0])


@pytest.mark.parametrize("value_range", RANGES, ids=str)
@pytest.mark.parametrize("told", [False, True])
def test_a_linear_network_has_its_matrix_as_jacobian(told, value_range):
    """Whatever its range of values, and however it is told the level."""
    generator = np.random.default_rng(0)
    matrix = generator.standard_normal((16, 16)) / 8
    symmetric = ops.convert_to_tensor((matrix + matrix.T).astype("float32"))

    def network(y, sigma=None):
        flat = ops.matmul(ops.reshape(y, (-1, 16)), symmetric)
        if sigma is not None:
            flat = flat / (1 + sigma[:, None])
        return ops.reshape(flat, (-1, 4, 4, 1))

    denoiser = kg.wrap(
        network,
        "image",
        "sigma" if told else None,
        value_range=value_range,
        channels=1,
        size=4,
        layout="NHWC",
    )
    sigma = 0.2
    width = value_range[1] - value_range[0]
    expected = np.linalg.eigvalsh(matrix + matrix.T)[::-1] / (1 + width * sigma if told else 1)
    noisy = generator.random((4, 4))
    for method in ("exact", "lanczos", "randomized"):
        basis = kg.eigenbasis(denoiser, noisy, 16, method, sigma=sigma)
        np.testing.assert_allclose(basis.shrinkage, expected, atol=1e-6)
    singular = kg.eigenbasis(denoiser, noisy, 16, "exact", sigma=sigma, symmetrize=False)
    np.testing.assert_allclose(singular.shrinkage, np.sort(np.abs(expected))[::-1], atol=1e-6)
