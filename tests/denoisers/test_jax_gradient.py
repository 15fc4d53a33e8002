"""The convolution on JAX against XLA's own: results and derivatives in every mode."""

import keras
import numpy as np
import pytest

from tests.tolerances import GRADIENT, WINOGRAD

if keras.backend.backend() != "jax":
    pytest.skip("a convolution for JAX", allow_module_level=True)

import jax

from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import jax_tiles
from keras_gahr._backend.convolution.jax_gradient import convolve


def xla(images, kernel):
    return jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def kernel_gradient(function, images, kernel, directions):
    return jax.vjp(function, images, kernel)[1](directions)


def both_tangents(function, images, kernel, directions):
    return jax.jvp(function, (images, kernel), (images[::-1], kernel + 1))


def image_tangent(function, images, kernel, directions):
    return jax.jvp(lambda images: function(images, kernel), (images,), (images[::-1],))


def mixed_second_derivative(function, images, kernel, directions):
    def slope(kernel):
        gradient = jax.grad(lambda images: (function(images, kernel) ** 3).sum())(images)
        return (gradient**2).sum()

    return jax.grad(slope)(kernel)


def hessian(function, images, kernel, directions):
    return jax.hessian(lambda kernel: (function(images, kernel) ** 3).sum())(kernel)


KERNELS = [
    *(((before, after), (3, 3)) for before, after in ((1, 3), (3, 3), (3, 2), (3, 1))),
    *((channels, shape) for channels in ((1, 3), (3, 2)) for shape in ((5, 3), (1, 7))),
]


@pytest.mark.parametrize(
    ("derivative", "channels", "shape"),
    [
        *((first, *kernel) for first in (kernel_gradient, both_tangents) for kernel in KERNELS),
        (image_tangent, *KERNELS[2]),
        # Of the first, whose kernels these are: few and many channels, of squares and of others.
        *(
            (again, *kernel)
            for again in (mixed_second_derivative, hessian)
            for kernel in KERNELS[::3]
        ),
    ],
)
def test_derivatives_are_xlas(derivative, shape, channels):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, 7, 6, channels[0])).astype("float32")
    kernel = generator.normal(size=(*shape, *channels)).astype("float32")
    directions = generator.normal(size=(2, 7, 6, channels[1])).astype("float32")
    check(derivative, images, kernel, directions)


def check(derivative, images, kernel, directions):
    # Compiled as a whole, as in use, and once; each operation on its own takes longer.
    @jax.jit
    def both(*arrays):
        return [derivative(function, *arrays) for function in (convolve, xla)]

    ours, theirs = map(jax.tree.leaves, both(images, kernel, directions))
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=0, atol=GRADIENT * np.abs(their).max())


def gradients_of_each_image(function, images, kernel, directions):
    def of_one(kernel, image):
        return (function(image[None], kernel) ** 3).sum()

    return jax.vmap(jax.grad(of_one, argnums=(0, 1)), in_axes=(None, 0))(kernel, images)


def gradients_of_each_kernel(function, images, kernel, directions):
    def of_one(kernel):
        return (function(images, kernel) ** 3).sum()

    return jax.vmap(jax.grad(of_one), in_axes=-1)(jax.numpy.stack([kernel, kernel + 1], -1))


@pytest.mark.parametrize("side", [2, 4])
@pytest.mark.parametrize(
    ("derivative", "size"),
    [
        *((kernel_gradient, size) for size in ((2, 8, 12), (1, 5, 7), (3, 1, 2))),
        (both_tangents, (2, 5, 7)),
        (mixed_second_derivative, (2, 5, 7)),
        (hessian, (1, 3, 5)),
        (gradients_of_each_image, (3, 4, 5)),
        (gradients_of_each_kernel, (2, 4, 5)),
    ],
)
def test_derivatives_by_tiles_are_xlas(monkeypatch, derivative, size, side):
    monkeypatch.setattr(jax_tiles, "tile_side", lambda *shapes: side)
    generator = np.random.default_rng(0)
    images = generator.normal(size=(*size, 3)).astype("float32")
    kernel = generator.normal(size=(3, 3, 3, 2)).astype("float32")
    directions = generator.normal(size=(*size, 2)).astype("float32")
    check(derivative, images, kernel, directions)


@pytest.mark.parametrize("side", [2, 4])
def test_a_gradient_by_tiles_in_parts(side):
    """Several images, and rows of tiles, after the other; against one part."""
    from keras_gahr._backend.convolution.winograd import jax as winograd

    generator = np.random.default_rng(0)
    images = generator.normal(size=(5, 2 * side + 1, 2 * side, 2)).astype("float32")
    gradient = generator.normal(size=(5, 2 * side + 1, 2 * side, 3)).astype("float32")
    sizes = [2**24, *(4 * rows * (side + 2) ** 2 * 2 * 3 for rows in (1, 2, 3, 7))]

    # Compiled at once, which takes less time than each operation on its own.
    @jax.jit
    def gradients(images, gradient):
        return [winograd.kernel_gradient(images, gradient, side, at_once) for at_once in sizes]

    whole, *in_parts = gradients(images, gradient)
    for parts in in_parts:
        np.testing.assert_allclose(parts, whole, rtol=0, atol=WINOGRAD * np.abs(whole).max())


def test_where_tiles_help(monkeypatch):
    """For kernels of 3x3 with many channels, in float32, but for few pixels."""

    def helps(images, kernel, dtype="float32"):
        return jax_tiles.helps(
            jax.ShapeDtypeStruct(images, dtype), jax.ShapeDtypeStruct(kernel, dtype)
        )

    assert helps((1, 64, 64, 64), (3, 3, 64, 64))
    assert not helps((1, 64, 64, 64), (3, 3, 64, 64), "bfloat16")
    assert not helps((1, 32, 32, 64), (3, 3, 64, 64))
    assert not helps((1, 20, 20, 512), (3, 3, 512, 512))
    assert not helps((1, 64, 64, 64), (1, 1, 64, 64))
    monkeypatch.setenv(convolution.VARIABLE, "1")
    assert not helps((1, 64, 64, 64), (3, 3, 64, 64))


@pytest.mark.parametrize("channels", [(2, 4), (4, 2)])
def test_gradients_in_bfloat16_are_summed_in_float32(channels):
    generator = np.random.default_rng(0)
    images = jax.numpy.asarray(generator.normal(size=(1, 64, 64, channels[0])), "bfloat16")
    kernel = jax.numpy.asarray(generator.normal(size=(3, 3, *channels)), "bfloat16")
    directions = jax.numpy.ones((1, 64, 64, channels[1]), "bfloat16")
    wide = [array.astype("float32") for array in (images, kernel, directions)]
    compiled = jax.jit(kernel_gradient, static_argnums=0)
    _, gradient = compiled(convolve, images, kernel, directions)
    _, expected = compiled(xla, *wide)
    assert gradient.dtype == "bfloat16"
    # One rounding to 8 bits of a sum of 4096 terms.
    np.testing.assert_allclose(
        gradient.astype("float32"), expected, rtol=0, atol=2**-8 * np.abs(expected).max()
    )


def test_a_training_takes_no_memory_for_shifted_images():
    images = jax.ShapeDtypeStruct((64, 32, 32, 16), "float32")
    kernel = jax.ShapeDtypeStruct((3, 3, 16, 16), "float32")

    def gradient(images, kernel):
        return jax.grad(lambda kernel: (convolve(images, kernel) ** 2).sum())(kernel)

    memory = jax.jit(gradient).lower(images, kernel).compile().memory_analysis()
    one_copy = 64 * 32 * 32 * 16 * 4
    # The result and its cotangent; copies at each of the nine shifts would be nine more.
    assert memory.temp_size_in_bytes < 5 * one_copy


def test_more_convolutions_by_tiles_take_no_more_memory(monkeypatch):
    """XLA once made the arrays for the results of all layers before the first was computed."""
    from keras_gahr._backend.convolution.winograd import jax as winograd
    from keras_gahr._backend.convolution.winograd import transform_kernel

    monkeypatch.setattr(winograd, "_AT_ONCE", 2**16)
    kernels = transform_kernel(np.ones((3, 3, 8, 8), np.float32), 4)
    images = np.ones((1, 64, 64, 8), np.float32)

    def memory(layers):
        def chain(images):
            for _ in range(layers):
                images = winograd.convolve_tiles(images, kernels)
            return images

        return jax.jit(chain).lower(images).compile().memory_analysis().temp_size_in_bytes

    assert memory(6) < memory(2) + images.nbytes
