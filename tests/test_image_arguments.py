"""What public functions take for images: one rule for all of them.

uint8 is 0..255, floats are in units of [0, 1]; all else is one line with what to do about it.
"""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import keras_gahr as kg
from keras_gahr.psnr import psnr
from keras_gahr.ssim import ssim

SIDE = 12
PIXELS = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 1)).astype(np.uint8)
CLEAN = (PIXELS / 255).astype(np.float32)
SCHEDULE = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.3)
HOLE = kg.measurements.Inpainting((SIDE, SIDE, 1), (4, 4))


@pytest.fixture(scope="module")
def network():
    return kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2, seed=0)


@pytest.fixture(scope="module")
def optimum():
    return kg.baselines.Wiener.from_images(PIXELS, sigma=0.1)


@dataclasses.dataclass(frozen=True)
class Takes:
    """A function of images, and of the fixtures above.

    Args:
        call: returns numbers that depend on the images.
        one: whether it takes one image, not several.
        any_unit: whether floats may be of any size, as with much noise they are.
        diverged: whether some may be not finite, as where others are to go on.
    """

    call: Callable
    one: bool = False
    any_unit: bool = False
    diverged: bool = False


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def sampled(network, **options):
    shape = (SIDE, SIDE, 1)
    found = kg.sample(network, shape, count=5, schedule=SCHEDULE, progress=False, **options)
    return found.images


def restored(network, images):
    found = kg.restore(network, images, HOLE, schedule=SCHEDULE, progress=False)
    return [each.mean for each in found]


def drawn(image):
    axes = Figure().subplots()
    kg.plot.show_image(axes, image)
    return axes.images[0].get_array()


def teacher():
    law = kg.datasets.mixture_law(size=SIDE, rank=3, floor=0.1)
    return kg.baselines.GaussianMixture(law, sigma=0.1)


def written(image, folder):
    kg.datasets.write_image(folder / "image.png", image)
    return kg.datasets.read_image(folder / "image.png")


analysis, datasets, baselines = kg.analysis, kg.datasets, kg.baselines

FUNCTIONS = {
    "denoise": Takes(lambda x, d, w: kg.denoise(d, x, progress=False)),
    "Denoiser.denoise": Takes(lambda x, d, w: array(d.denoise(x)), any_unit=True, diverged=True),
    "Inference.denoise": Takes(
        lambda x, d, w: kg.Inference(d).denoise(x), any_unit=True, diverged=True
    ),
    "Inference.residual": Takes(
        lambda x, d, w: kg.Inference(d).residual(x), any_unit=True, diverged=True
    ),
    "estimate_sigma": Takes(
        lambda x, d, w: array(baselines.EmpiricalBayes(CLEAN).estimate_sigma(x)),
        any_unit=True,
        diverged=True,
    ),
    "psnr_curve": Takes(lambda x, d, w: kg.psnr_curve(d, x, [0.1], progress=False).after),
    "psnr": Takes(lambda x, d, w: psnr(x, CLEAN / 2)),
    "psnr of": Takes(lambda x, d, w: psnr(CLEAN / 2, x)),
    "ssim": Takes(lambda x, d, w: ssim(x, CLEAN / 2)),
    "Wiener": Takes(lambda x, d, w: baselines.Wiener.from_images(x, sigma=0.1).denoise(CLEAN)),
    "EmpiricalBayes": Takes(
        lambda x, d, w: baselines.EmpiricalBayes(x, sigma=0.1).denoise(CLEAN / 2)
    ),
    "LocalBayes": Takes(lambda x, d, w: baselines.LocalBayes(x, 3, sigma=0.1).denoise(CLEAN / 2)),
    "MaskedBayes": Takes(lambda x, d, w: baselines.MaskedBayes(x, sigma=0.1).denoise(CLEAN / 2)),
    "OracleThresholding": Takes(
        lambda x, d, w: baselines.OracleThresholding((SIDE, SIDE, 1), clean=x, sigma=0.1).denoise(
            CLEAN
        ),
        one=True,
    ),
    "GaussianMixture.log_density": Takes(lambda x, d, w: teacher().log_density(x), any_unit=True),
    "GaussianMixture.jacobian": Takes(
        lambda x, d, w: teacher().jacobian(x), one=True, any_unit=True
    ),
    "compare": Takes(
        lambda x, d, w: (
            kg.compare([w, w], [x, x], count=2, schedule=SCHEDULE, progress=False).closest
        )
    ),
    "memorization_report": Takes(
        lambda x, d, w: kg.memorization_report(x, CLEAN / 2, progress=False).ratio
    ),
    "memorization_report of": Takes(
        lambda x, d, w: kg.memorization_report(CLEAN / 2, x, progress=False).ratio
    ),
    "memorization_report with": Takes(
        lambda x, d, w: kg.memorization_report(CLEAN, CLEAN, x, progress=False).twin_ssim
    ),
    "closest": Takes(lambda x, d, w: analysis.closest(x, CLEAN / 2)["distance"].value),
    "similarity_matrix": Takes(
        lambda x, d, w: analysis.similarity_matrix(x, CLEAN / 2, "distance")
    ),
    "paired_similarity": Takes(
        lambda x, d, w: analysis.paired_similarity(CLEAN / 2, x, "distance")
    ),
    "patch_sources": Takes(lambda x, d, w: analysis.patch_sources(CLEAN, x, side=4).correlation),
    "bias_variance": Takes(lambda x, d, w: analysis.bias_variance([d, w], x, 0.1).error),
    "eigenbasis": Takes(
        lambda x, d, w: kg.eigenbasis(d, x, 2, "exact", progress=False).shrinkage, one=True
    ),
    "eigenbases": Takes(
        lambda x, d, w: analysis.eigenbases(d, x, [0.1], 2, "exact", progress=False)[0].shrinkage,
        one=True,
    ),
    "posterior_components": Takes(
        lambda x, d, w: analysis.posterior_components(d, x, 0.1, draws=4, count=2).mean, one=True
    ),
    "dct_coefficients": Takes(
        lambda x, d, w: analysis.dct_coefficients(x), one=True, any_unit=True
    ),
    "wavelet_coefficients": Takes(
        lambda x, d, w: analysis.wavelet_coefficients(x), one=True, any_unit=True
    ),
    "sample from": Takes(lambda x, d, w: sampled(w, initial=x), any_unit=True, diverged=True),
    "sample measured": Takes(
        lambda x, d, w: sampled(w, measurement=HOLE, measured=x), any_unit=True
    ),
    "Measurement": Takes(lambda x, d, w: HOLE(x)),
    "restore": Takes(lambda x, d, w: restored(w, x)),
    "find_repeats": Takes(lambda x, d, w: datasets.find_repeats(x).first),
    "find_overlap": Takes(lambda x, d, w: datasets.find_overlap(CLEAN, x).correlation),
    "intensities": Takes(lambda x, d, w: datasets.intensities(x).image_means),
    "band_arrays": Takes(lambda x, d, w: datasets.band_arrays(x)),
    "ray_images": Takes(lambda x, d, w: datasets.ray_images(2, x, seed=0), one=True),
    "train": Takes(
        lambda x, d, w: (
            kg.train(
                x,
                denoiser=d,
                epochs=1,
                batch_size=2,
                images_per_epoch=2,
                train_size=3,
                test_size=2,
                progress=False,
            ).history
        )
    ),
}
"""By name, each a function of images, a network and the best linear denoiser."""


def fed(name, network, optimum, make=lambda images: images):
    """What a function makes of one image or several that are given in some way."""
    takes = FUNCTIONS[name]
    return takes.call(make(CLEAN[0] if takes.one else CLEAN), network, optimum)


ALL = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(scope="module")
def expected(network, optimum):
    """By name, a function that returns what a function makes of floats."""
    return functools.cache(lambda name: fed(name, network, optimum))


@pytest.mark.one_backend
@ALL
def test_bytes_are_fractions_of_255(name, network, optimum, expected):
    if name == "train":
        pytest.skip("draws its images at random")
    found = fed(name, network, optimum, lambda x: np.rint(255 * x).astype(np.uint8))
    np.testing.assert_allclose(found, expected(name), rtol=1e-4, atol=1e-5)


@ALL
@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.one_backend
def test_the_order_of_bytes_does_not_matter(name, order, network, optimum, expected):
    if name == "train":
        pytest.skip("draws its images at random")
    found = fed(name, network, optimum, lambda x: x.astype(f"{order}f4"))
    np.testing.assert_allclose(found, expected(name), rtol=1e-4, atol=1e-5)


def masked(images):
    return np.ma.masked_array(images, images > 0.5)


WRONG = {
    "integers": (lambda x: (255 * x).astype(np.int16), "has type int16.*save 0..255 as uint8"),
    "complex numbers": (lambda x: x.astype(complex), "has type complex128"),
    "NaN": (lambda x: np.where(x > 0.9, np.nan, x), "not finite|holds NaN"),
    "infinity": (lambda x: np.where(x > 0.9, -np.inf, x), "not finite"),
    "objects": (lambda x: x.astype(object), "expected an array of numbers"),
    "masked": (masked, r"masked array.*array\.filled"),
    "empty": (lambda x: x[..., :0, :], "empty"),
    "bytes of 0 and 1": (lambda x: (x > 0.5).astype(np.uint8), "multiply it by 255"),
    "channels first": (
        lambda x: np.moveaxis(x.repeat(3, -1), -1, -3),
        "channels (come )?first|--layout|expected",
    ),
    "opacity": (
        lambda x: x.reshape(-1, SIDE, SIDE, 1)[0].repeat(2, -1),
        "2 channels|expected|would be observed",
    ),
    "text": (lambda x: "photo.png", "read_image|photo.png does not exist"),
    "a dictionary": (lambda x: {"images": x}, "received a builtins dict"),
}


@ALL
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.one_backend
def test_all_else_is_one_line(name, kind, network, optimum):
    if kind == "opacity" and name.endswith("coefficients"):
        return  # Of which any number of channels may be taken.
    if kind in {"NaN", "infinity"} and FUNCTIONS[name].diverged:
        return
    make, expected = WRONG[kind]
    with pytest.raises(kg.InputError, match=expected) as caught:
        fed(name, network, optimum, make)
    assert "\n" not in str(caught.value)


@ALL
@pytest.mark.one_backend
def test_floats_up_to_255_are_told_so(name, network, optimum):
    if FUNCTIONS[name].any_unit:
        return
    with pytest.raises(kg.InputError, match="divide it by 255"):
        fed(name, network, optimum, lambda x: 255 * x)


def as_tensor(images):
    return keras.ops.convert_to_tensor(images)


TENSORS = {
    "of the backend": as_tensor,
    "list": lambda images: images.tolist() if images.ndim < 4 else [as_tensor(x) for x in images],
}


@ALL
@pytest.mark.parametrize("kind", TENSORS)
def test_tensors_are_arrays(name, kind, network, optimum, expected):
    if name == "train":
        pytest.skip("draws its images at random")
    if kind == "list" and name in {"denoise", "restore", "psnr_curve", "psnr", "psnr of"}:
        return  # Which take each by itself.
    found = fed(name, network, optimum, TENSORS[kind])
    np.testing.assert_allclose(found, expected(name), rtol=1e-4, atol=1e-5)


@ALL
@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch has such tensors")
def test_tensors_that_are_differentiated_or_have_no_values(name, network, optimum, expected):
    if name != "train":
        found = fed(name, network, optimum, lambda x: as_tensor(x).cpu().requires_grad_())
        np.testing.assert_allclose(found, expected(name), rtol=1e-4, atol=1e-5)
    if name in {"Denoiser.denoise", "estimate_sigma"}:
        return  # Which computes on such tensors.
    with pytest.raises(kg.InputError, match="of which NumPy cannot make an array"):
        fed(name, network, optimum, lambda x: as_tensor(x).to("meta"))


@pytest.mark.parametrize("name", ["Denoiser.denoise", "estimate_sigma", "denoise", "closest"])
def test_tensors_in_bytes(name, network, optimum, expected):
    found = fed(name, network, optimum, lambda x: as_tensor(np.rint(255 * x).astype(np.uint8)))
    np.testing.assert_allclose(found, expected(name), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["Denoiser.denoise", "estimate_sigma", "denoise", "closest"])
def test_tensors_of_other_whole_numbers(name, network, optimum):
    with pytest.raises(kg.InputError, match=r"has type int(32|64): expected uint8 in 0\.\.255"):
        fed(name, network, optimum, lambda x: as_tensor(np.rint(255 * x).astype(np.int32)))


def test_calling_a_denoiser_takes_the_same(network, optimum):
    """Of a tensor or an array, as `denoise` does."""
    levels = np.full(len(CLEAN), 0.1, np.float32)
    told = kg.wrap(lambda y, sigma: 0.5 * y, "residual", "sigma", channels=1, layout="NHWC")

    def with_levels(y):
        # Keras takes tensors or arrays, not some of each.
        return told([y, levels if isinstance(y, np.ndarray) else as_tensor(levels)])

    for call in (network, optimum, with_levels):
        expected = array(call(CLEAN))
        for given in (PIXELS, as_tensor(PIXELS), CLEAN.astype(np.float64)):
            np.testing.assert_allclose(array(call(given)), expected, rtol=1e-5, atol=1e-6)
        with pytest.raises(kg.InputError, match=r"has type int(32|64): expected uint8"):
            call(PIXELS.astype(np.int32))


def test_bfloat16(network):
    images = keras.ops.cast(CLEAN, "bfloat16")
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(images, "float32"))
    np.testing.assert_array_equal(
        kg.denoise(network, images, progress=False), kg.denoise(network, rounded, progress=False)
    )
