"""Functions of parameters and images, as JAX's libraries have them."""

import keras
import numpy as np
import pytest

import keras_gahr as kg

if keras.backend.backend() != "jax":
    pytest.skip("pairs of parameters and a function are wrapped on JAX", allow_module_level=True)

import jax
import jax.numpy as jnp


def apply(params, images, sigma):
    kernel, bias = params["params"]["conv"]["kernel"], params["params"]["conv"]["bias"]
    convolved = jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return jnp.tanh(convolved + bias) / (1 + sigma[:, None, None, None])


def params_of(channels):
    kernel = jax.random.normal(jax.random.key(0), (3, 3, channels, channels))
    return {"params": {"conv": {"kernel": kernel, "bias": jnp.ones(channels)}}}


def test_parameters_and_a_function():
    params = params_of(3)
    denoiser = kg.wrap((params, apply), "image", "sigma", channels=3)
    assert denoiser.num_parameters == 3 * 3 * 3 * 3 + 3
    images = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)
    expected = apply(params, images, jnp.full(2, 0.3))
    np.testing.assert_allclose(kg.denoise(denoiser, images, sigma=0.3), expected, atol=1e-6)
    jacobian = kg.analysis.Linearizer(denoiser).at(images[0], 0.3)
    v = np.random.default_rng(1).standard_normal((2, 8, 8, 3)).astype(np.float32)
    for direction, found in zip(v, jacobian.apply(v), strict=True):
        _, product = jax.jvp(
            lambda x: apply(params, x[None], jnp.full(1, 0.3))[0], (images[0],), (direction,)
        )
        np.testing.assert_allclose(found, product, atol=1e-5)


def test_a_function_with_a_derivative_of_its_own():
    @jax.custom_vjp
    def squash(x):
        return jnp.tanh(x)

    squash.defvjp(
        lambda x: (jnp.tanh(x), jnp.tanh(x)), lambda found, gradient: (gradient * (1 - found**2),)
    )
    denoiser = kg.wrap(lambda y: squash(2 * y), "image", channels=1)
    noisy = np.random.default_rng(0).random((8, 8, 1)).astype(np.float32)
    jacobian = kg.analysis.Linearizer(denoiser).at(noisy)
    v = np.random.default_rng(1).standard_normal((3, 8, 8, 1)).astype(np.float32)
    slope = 2 * (1 - np.tanh(2 * noisy) ** 2)
    for _ in range(2):
        np.testing.assert_allclose(jacobian.apply(v), slope * v, atol=1e-5)


def halved(y):
    return y / 2


@jax.jit
def halved_apart(y):
    return jax.lax.stop_gradient(y) / 2


@jax.custom_vjp
def halved_without(y):
    return y / 2


halved_without.defvjp(lambda y: (y / 2, y), lambda y, gradient: (jnp.zeros_like(y),))


def scanned(y, part):
    _, parts = jax.lax.scan(lambda carry, row: (carry, part(row)), 0.0, jnp.moveaxis(y, 1, 0))
    return jnp.moveaxis(parts, 0, 1)


@pytest.mark.parametrize(
    "network",
    [
        lambda y: jax.lax.stop_gradient(y) / 2,
        halved_apart,
        lambda y: scanned(y, halved_apart),
        lambda y: jnp.round(255 * y) / 255,
        halved_without,
        jnp.zeros_like,
    ],
    ids=["function", "jit", "scan", "round", "custom", "constant"],
)
def test_a_function_that_cuts_off_derivatives(network):
    """Their Jacobian would be one of zeros."""
    denoiser = kg.wrap(network, "image", channels=1)
    images = np.random.default_rng(0).random((1, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(kg.denoise(denoiser, images), network(images), atol=1e-7)
    with pytest.raises(kg.InputError, match=r"cut off .* no derivatives"):
        kg.eigenbasis(denoiser, images[0], 4)


@pytest.mark.parametrize(
    "network",
    [
        halved,
        jax.jit(halved),
        jax.checkpoint(halved),
        lambda y: scanned(y, halved),
        lambda y: y - halved_apart(y) * 0 - halved(y),
    ],
    ids=["function", "jit", "checkpoint", "scan", "partly"],
)
def test_a_function_that_has_derivatives_keeps_them(network):
    denoiser = kg.wrap(network, "image", channels=1)
    images = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    matrix = kg.analysis.Linearizer(denoiser).at(images).matrix()
    np.testing.assert_allclose(matrix, np.eye(16) / 2, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float8_e4m3fn, jnp.float8_e5m2, jnp.float16])
def test_parameters_of_few_digits(dtype):
    def half(params, images):
        return images * params["gain"].astype(images.dtype)

    found = [
        kg.wrap(({"gain": jnp.full((1,), gain, dtype)}, half), "image", channels=1)
        for gain in (0.5, 0.25)
    ]
    images = np.random.default_rng(0).random((2, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(found[0].denoise(images), images / 2)
    assert found[0].fingerprint() != found[1].fingerprint()


@pytest.mark.parametrize("leaf", [jax.random.key(0), np.array(["a"])])
def test_parameters_that_are_no_numbers_are_one_line(leaf):
    params = {"gain": jnp.ones(()), "odd": leaf}
    with pytest.raises(kg.InputError, match=r"the parameters hold .* no array of numbers"):
        kg.wrap((params, lambda params, images: images * params["gain"]), "image", channels=1)
