"""Local dimensions of images whose dimension is known."""

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.analysis import LocalDimension, local_dimension
from keras_gahr.baselines import EmpiricalBayes, Wiener

QUIET = {"progress": False}


def directions(count):
    return np.linalg.qr(np.random.default_rng(1).standard_normal((64, count)))[0]


def images_at(points):
    """Points of few coordinates as images of 8x8 pixels."""
    values = 0.5 + points @ directions(points.shape[1]).T
    return values.reshape(-1, 8, 8, 1).astype(np.float32)


def sphere(count, dimension, rng):
    points = rng.standard_normal((count, dimension + 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def ball(count, rng):
    return sphere(count, 2, rng) * rng.random((count, 1)) ** (1 / 3)


def torus(count, rng):
    angles = rng.uniform(0, 2 * np.pi, (2, count))
    return np.stack([np.cos(angles[0]), np.sin(angles[0]), np.cos(angles[1]), np.sin(angles[1])], 1)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (lambda rng: 0.7 * sphere(4000, 1, rng), 1),
        (lambda rng: 0.6 * sphere(6000, 2, rng), 2),
        (lambda rng: 0.4 * torus(6000, rng), 2),
        (lambda rng: 0.8 * ball(6000, rng), 3),
    ],
    ids=["circle", "sphere", "torus", "ball"],
)
def test_known_dimensions(points, expected):
    """Of many points, at noise between their distances and their curvature."""
    images = images_at(points(np.random.default_rng(0)))
    # Within the ball, whose middle is far from its surface.
    near = images[np.argsort(np.square(images - 0.5).sum(axis=(1, 2, 3)))[:6]]
    found = local_dimension(EmpiricalBayes(images), near, [0.03, 0.05, 0.08, 0.12], **QUIET)
    assert abs(found.value.mean() - expected) < 0.15 * expected + 3 * found.value_error.mean()


@pytest.mark.parametrize("own", [True, False], ids=["told", "estimates the level"])
def test_a_plane_by_all_estimates(own):
    plane = Wiener(
        np.full((8, 8, 1), 0.5), directions(4), np.full(4, 9.0), sigma=0.2 if own else None
    )
    images = images_at(np.random.default_rng(0).standard_normal((20, 4)))
    found = local_dimension(plane, images, [0.01, 0.1], draws=8, **QUIET)
    assert found.trace.shape == found.error.shape == found.flipd.shape == (2, 20)
    for values, errors in ((found.trace, found.trace_error), (found.error, found.error_error)):
        # Of the mean over images, whose noise is independent.
        of_mean = np.sqrt(np.sum(errors**2, axis=1)) / 20
        assert np.all(np.abs(values.mean(axis=1) - 4) < 4 * of_mean)
        assert np.mean(np.abs(values - 4) < 3 * errors) > 0.8
    assert abs(found.flipd.mean() - 4) < 0.5
    assert found.size == 64


def of_curves(*curves):
    """A `LocalDimension` of images with these curves of (tr J, error / sigma^2), known exactly."""
    trace, error = np.array(curves, np.float64).transpose(1, 2, 0)
    exact = np.zeros_like(trace)
    sigmas = np.geomspace(0.01, 1, len(trace))
    return LocalDimension(sigmas, trace, exact, error, exact, np.full_like(trace, np.nan), 64)


@pytest.mark.one_backend
def test_the_level_is_one_where_the_two_estimates_agree():
    # tr J is flat in little noise, too, where the network leaves an error of its own.
    network = ([20, 20, 19, 9, 5.1, 5, 4], [900, 90, 40, 10, 5, 5.2, 4])
    # They cross in the midst of nowhere.
    wrong = ([20, 20, 20, 20, 20, 20, 19], [900, 90, 21, 6, 4, 4, 4])
    best = ([5, 5, 5, 4, 3, 2, 1], [5, 5, 5, 4, 3, 2, 1])
    found = of_curves(network, wrong, best)
    assert found.level[0] == 5 and found.level[2] == 1
    assert found.agreed.tolist() == [True, False, True]
    np.testing.assert_array_equal(found.value, [5, 20, 5])
    assert found.numbers()["agreed"] == [True, False, True]


@pytest.mark.one_backend
def test_copies_have_fewer_directions_than_their_law():
    rng = np.random.default_rng(0)
    images = images_at(rng.standard_normal((200, 6)) * 0.3)
    law = Wiener(np.full((8, 8, 1), 0.5), directions(6), np.full(6, 0.09))
    few, many = (
        local_dimension(denoiser, images[:8], [0.01, 0.02, 0.03], **QUIET)
        for denoiser in (EmpiricalBayes(images[:8]), law)
    )
    assert few.value.max() < 0.5 < 3 < many.value.min()


@pytest.mark.one_backend
def test_a_blind_network_has_no_flipd_and_nothing_depends_on_the_batch(tiny_model):
    denoiser = kg.load_denoiser(tiny_model)
    images = np.random.default_rng(0).random((3, 8, 8))
    options = {"sigmas": [0.05, 0.1], "draws": 2, "probes": 2, **QUIET}
    found = local_dimension(denoiser, images, **options)
    assert np.isnan(found.flipd).all() and found.numbers()["levels"][0]["flipd"] is None
    other = local_dimension(denoiser, images[2:], first=2, batch_size=1, **options)
    np.testing.assert_allclose(other.trace, found.trace[:, 2:], rtol=1e-3)
    np.testing.assert_allclose(other.error, found.error[:, 2:], rtol=1e-3)
    assert found.plot().axes[0].get_ylabel() == "dimension"


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "words"),
    [({"draws": 1}, "draws"), ({"probes": 1}, "probes"), ({"sigmas": [0]}, "noise level")],
)
def test_what_is_refused(options, words):
    plane = Wiener(np.full((8, 8, 1), 0.5), directions(2), np.ones(2))
    with pytest.raises(InputError, match=words):
        local_dimension(plane, np.zeros((1, 8, 8, 1)), **options)


@pytest.mark.one_backend
def test_what_does_not_denoise_is_said():
    # It takes away more of the image than of noise, unless there is much.
    halving = kg.wrap(lambda y: y / 2, "image", channels=1)
    images, few = images_at(np.full((2, 3), 0.1)), {"draws": 2, "probes": 2}
    with pytest.warns(
        UserWarning, match=r"does no good at 2 of 3 noise levels, sigma = 0.01 to 0.1: "
    ):
        local_dimension(halving, images, [0.01, 0.1, 1.0], **few, **QUIET)
