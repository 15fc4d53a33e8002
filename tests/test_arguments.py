"""Arguments of public functions that are not what they should be: one line each."""

import numpy as np
import pytest
from keras import ops

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.denoisers.foreign.schedule import schedule_of

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).random((4, 16, 16, 1)).astype(np.float32)
SHAPE = IMAGES.shape[1:]


@pytest.fixture(scope="module")
def network():
    return kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2, seed=0)


UNITS = r"levels are in units of \[0, 1\]; 25 of 255 is 25/255"
TOLD = kg.wrap(lambda y, sigma: 0 * y, "image", "sigma", channels=1, layout="NHWC")
WIENER = kg.baselines.Wiener.from_images(IMAGES)


SMALL = {"epochs": 1, "images_per_epoch": 4, "batch_size": 4, "num_kernels": 4, "num_blocks": 1}


def wrapped(**options):
    given = {"predicts": "image", "channels": 1, "layout": "NHWC"}
    return kg.wrap(lambda y: 0 * y, **given, **options)


def law():
    return kg.datasets.mixture_law(size=8, rank=2, floor=0.1)


analysis, datasets, measurements = kg.analysis, kg.datasets, kg.measurements

MISTAKES = {
    "no images": (lambda d: kg.psnr_curve(d, []), "received no images"),
    "a generator": (lambda d: kg.denoise(d, (x for x in IMAGES)), "received a builtins generator"),
    "nothing": (lambda d: kg.denoise(d, None), "NoneType"),
    "a dataset for an array": (
        lambda d: kg.memorization_report(IMAGES, datasets.Dataset(IMAGES, {})),
        "received a keras_gahr Dataset",
    ),
    "no noise level": (lambda d: kg.psnr_curve(d, IMAGES, []), "above 0"),
    "text for noise levels": (lambda d: kg.psnr_curve(d, IMAGES, "high"), "noise level 'high'"),
    "half a size": (lambda d: wrapped(size=16.0), r"received size 16\.0, expected one number or"),
    "a list for a condition": (lambda d: wrapped(condition=[1]), r"received condition \[1\]"),
    "text for a provenance": (lambda d: wrapped(provenance="me"), "received provenance 'me'"),
    "bright images": (
        lambda d: kg.psnr_curve(d, 0.5 + 2 * IMAGES),
        r"expected \[0, 1\]; (clip it, or )?scale it$",
    ),
    "measured of one image": (
        lambda d: kg.sample(
            d, SHAPE, measurement=measurements.Inpainting(SHAPE, (4, 4)), measured=IMAGES[:, :8]
        ),
        r"expected \(1, \d+[^()]*\): call",
    ),
    "a column of levels": (
        lambda d: kg.denoise(TOLD, IMAGES, sigma=np.full((4, 1), 0.1)),
        r"noise levels of shape \(4, 1\)",
    ),
    "columns of levels": (
        lambda d: kg.psnr_curve(d, IMAGES, np.full((9, 50), 0.1)),
        r"received noise level array\(\[0.1",
    ),
    "levels of 0..255": (lambda d: kg.psnr_curve(d, IMAGES, [0.1, 25]), f"noise level 25: {UNITS}"),
    "a level of 0..255": (lambda d: d.at(25), UNITS),
    "a level of 0..255 that a blind network ignores": (
        lambda d: kg.denoise(d, IMAGES, sigma=25),
        UNITS,
    ),
    "a level of 0..255 for each image": (
        lambda d: kg.denoise(TOLD, IMAGES, sigma=[0.1, 0.1, 0.1, 25]),
        UNITS,
    ),
    "a level of 0..255 of added noise": (
        lambda d: analysis.bias_variance([d, d], IMAGES, 25),
        UNITS,
    ),
    "a level of 0..255 of many noises": (
        lambda d: analysis.posterior_components(d, IMAGES[0], 25.0),
        UNITS,
    ),
    "a level of 0..255 of a basis": (lambda d: kg.eigenbasis(d, IMAGES[0], 4, sigma=25), UNITS),
    "levels of 0..255 of bases": (lambda d: analysis.eigenbases(d, IMAGES[0], [25], 4), UNITS),
    "a level of 0..255 of a risk": (lambda d: analysis.sure(d, IMAGES, 25), UNITS),
    "levels of 0..255 of a dimension": (
        lambda d: analysis.local_dimension(d, IMAGES, [25, 50]),
        UNITS,
    ),
    "levels of 0..255 of a density": (
        lambda d: kg.log_density(d, IMAGES, sigmas=[0.01, 25]),
        UNITS,
    ),
    "levels of 0..255 of a formula's density": (
        lambda d: kg.log_density(WIENER, IMAGES, sigmas=[25, 50]),
        UNITS,
    ),
    "own noise of 0..255": (lambda d: kg.log_density(d, IMAGES, dequantize=5), "noise level 5: "),
    "a formula's level of 0..255": (
        lambda d: kg.baselines.Wiener.from_images(IMAGES, sigma=25),
        UNITS,
    ),
    "levels of 0..255 to calibrate at": (
        lambda d: analysis.calibrate(d, IMAGES, IMAGES, sigmas=[25]),
        UNITS,
    ),
    "levels of 0..255 to train for": (lambda d: kg.train(IMAGES, sigma_max=25, **SMALL), UNITS),
    "half a draw": (lambda d: kg.psnr_curve(d, IMAGES, [0.1], draws=1.5), "received draws 1.5"),
    "half a factor": (lambda d: kg.eigenbasis(d, IMAGES[0], 4.5), "received count 4.5"),
    "negative products": (
        lambda d: kg.eigenbasis(d, IMAGES[0], 4, max_products=-1),
        "received max_products -1",
    ),
    "half an image": (lambda d: analysis.closest(IMAGES, IMAGES, count=1.5), "received count 1.5"),
    "one network": (lambda d: analysis.bias_variance(d, IMAGES, 0.1), "at least two"),
    "noise below zero": (
        lambda d: analysis.bias_variance([d, d], IMAGES, -0.1),
        "received noise level -0.1",
    ),
    "one set": (lambda d: kg.compare([d, d], [IMAGES], count=2), "other training sets"),
    "three networks": (lambda d: kg.compare([d, d, d], [IMAGES] * 2, count=2), "other denoisers"),
    "an image for a shape": (lambda d: kg.sample(d, IMAGES[0]), "received shape array"),
    "text for a measurement": (
        lambda d: kg.sample(d, SHAPE, measurement="inpainting:4x4"),
        "received a str, expected a measurement",
    ),
    "nothing measured": (
        lambda d: kg.sample(d, SHAPE, measurement=measurements.Inpainting(SHAPE, (4, 4))),
        "but not what it measured",
    ),
    "no measurement": (lambda d: kg.sample(d, SHAPE, measured=IMAGES), "but no measurement"),
    "other measurements": (
        lambda d: kg.sample(
            d, SHAPE, measurement=measurements.Inpainting(SHAPE, (4, 4)), measured=IMAGES[:, :8]
        ),
        "received measurements of shape",
    ),
    "a measurement of other images": (
        lambda d: kg.sample(
            d,
            SHAPE,
            measurement=measurements.inpainting(np.ones((1, 16))),
            measured=np.ones((1, 1, 16, 1)),
        ),
        r"images of shape \(1, 16, 1\), expected \(16, 16, 1\)",
    ),
    "two sides": (lambda d: measurements.SuperResolution((16, 16), 4), r"image shape \(16, 16\)"),
    "half a side": (lambda d: measurements.RandomPixels((16, 1.5, 1), 0.1), "received a side"),
    "two sides of an oracle": (
        lambda d: kg.baselines.OracleThresholding((16, 16)),
        r"image shape \(16, 16\)",
    ),
    "text for sigma": (
        lambda d: kg.baselines.Wiener.from_images(IMAGES, sigma="a"),
        "received noise level 'a', expected a number such as",
    ),
    "text for regularity": (lambda d: datasets.c_alpha_images(2, 16, 0, "2"), "alpha = '2'"),
    "text for a slope": (lambda d: analysis.optimal_slope("2"), "alpha = '2'"),
    "text for a threshold": (lambda d: datasets.find_repeats(IMAGES, "a"), "threshold = 'a'"),
    "text for a blur": (lambda d: measurements.gaussian_kernel("2"), "sigma = '2'"),
    "text for a fraction": (lambda d: measurements.RandomPixels(SHAPE, "0.1"), "fraction = '0.1'"),
    "text for a noise law": (lambda d: kg.noise.NoiseLaw(high="a"), "noise level 'a'"),
    "half a disk": (lambda d: datasets.disk_images(2.5, 16, 0), "received count = 2.5"),
    "another order": (lambda d: datasets.shuffle(IMAGES, [0, 1]), "a permutation"),
    "no columns": (lambda d: datasets.contact_sheet(IMAGES, columns=0), "one column or more"),
    "several pictures": (
        lambda d: datasets.write_image("never.png", IMAGES),
        r"shape \(4, 16, 16, 1\).*one image at a time",
    ),
    "channels first": (
        lambda d: datasets.write_image("never.png", np.zeros((3, 16, 16))),
        r"shape \(3, 16, 16\)",
    ),
    "several drawn": (lambda d: kg.plot.image_row([("a", IMAGES)]), "one image at a time"),
    "nothing drawn": (lambda d: kg.plot.image_row([]), "received no pictures"),
    "a number for a layout": (lambda d: kg.denoise(d, IMAGES, layout=3), "received layout 3"),
    "no batch": (lambda d: kg.Inference(d, batch_size=0), "received batch_size 0"),
    "much memory": (lambda d: kg.denoise(d, IMAGES, memory="much"), "expected an amount"),
    "a number for a file": (lambda d: kg.load_denoiser(3), "received a int, expected the path"),
    "another suffix": (lambda d: kg.save_denoiser(d, "never.h5"), "ends in .keras"),
    "no denoiser": (lambda d: kg.save_denoiser(3, "never.keras"), "received a int"),
    "nothing to run": (lambda d: kg.Inference(None), "NoneType, expected a denoiser"),
    "nothing to prepare": (lambda d: kg.sampling.prepare(3, SHAPE), "int, expected a denoiser"),
    "no denoiser to round": (
        lambda d: kg.denoisers.with_precision(IMAGES, "mixed_bfloat16"),
        "ndarray, expected a denoiser",
    ),
    "no low band": (lambda d: kg.MultiScaleDenoiser(None, []), "NoneType, expected a denoiser"),
    "one scale": (
        lambda d: kg.sampling.sample_multi_scale(d, SHAPE),
        "received a BFCNN, expected a multi-scale denoiser",
    ),
    "a level of 0..255 that is set": (
        lambda d: kg.baselines.Wiener.from_images(IMAGES, sigma=0.1).set_sigma(25),
        UNITS,
    ),
    "a level of 0..255 of a law": (lambda d: law().log_density(IMAGES[:, :8, :8], 25), UNITS),
    "true for a level": (lambda d: analysis.bias_variance([d, d], IMAGES, True), "level True"),
    "true for levels": (lambda d: kg.psnr_curve(d, IMAGES, True), "noise level True"),
    "no number for an oracle": (
        lambda d: analysis.oracle_shrinkage(np.ones(3), np.nan),
        "received noise level nan",
    ),
    "text for an oracle": (
        lambda d: analysis.oracle_psnr(IMAGES[0], IMAGES[1], "a", np.ravel),
        "received noise level 'a'",
    ),
    "half a seed of noise": (
        lambda d: kg.noise.keyed_normal(1.5, [0], 0, SHAPE),
        r"received seed 1\.5",
    ),
    "half an index": (lambda d: kg.noise.keyed_signs(0, [0.5], 0, SHAPE), r"received image 0\.5"),
    "a step below 0": (lambda d: kg.noise.keyed_uniform(0, [0], -1), "received step -1"),
    "half a seed of networks": (lambda d: kg.UNet(seed=0.5), r"received seed 0\.5"),
    "a seed below 0 of pixels": (
        lambda d: kg.restore(d, IMAGES[0], "random-pixels:0.5", seed=-1),
        "received seed -1",
    ),
    "no seed of a basis": (
        lambda d: measurements.RandomBasis(SHAPE, 0.1, seed=None),
        "received seed None",
    ),
    "text for the seed of a transform": (
        lambda d: measurements.RandomTransform(SHAPE, 0.1, seed="1"),
        "received seed '1'",
    ),
    "a seed below 0 of networks that are compared": (
        lambda d: analysis.bias_variance([d, d], IMAGES, 0.1, seed=-1),
        "received seed -1",
    ),
    "half a layer": (lambda d: kg.BFCNN(num_layers=2.5), r"num_layers = 2\.5, expected a whole"),
    "half a receptive field": (
        lambda d: kg.ReceptiveFieldBFCNN(receptive_field=9.0),
        r"a receptive field of 9\.0",
    ),
    "half a patch": (lambda d: analysis.patch_sources(IMAGES, IMAGES, 2.5), r"received side 2\.5"),
    "half a grid": (lambda d: datasets.find_repeats(IMAGES, side=2.5), r"received side 2\.5"),
    "half a hole": (lambda d: measurements.Inpainting(SHAPE, (2.5, 4)), r"in a hole 2\.5"),
    "one side of a hole": (lambda d: measurements.Inpainting(SHAPE, 4), "received a hole 4"),
    "half a column": (lambda d: datasets.contact_sheet(IMAGES, 2.5), r"received columns 2\.5"),
    "half a permutation": (lambda d: datasets.permutation(2.5, 4, 0), r"received a side 2\.5"),
    "no directions at once": (
        lambda d: analysis.Linearizer(d, batch_size=0),
        "received batch_size 0",
    ),
    "no probes": (
        lambda d: analysis.probe_statistics(analysis.Linearizer(d).at(IMAGES[0]), 0),
        "received probes 0",
    ),
    "directions of another size": (
        lambda d: analysis.Linearizer(d).at(IMAGES[0]).apply(np.ones((1, 8, 8, 1))),
        r"shape \(1, 8, 8, 1\), expected \(count, 16, 16, 1\)",
    ),
    "coefficients of another size": (
        lambda d: kg.eigenbasis(d, IMAGES[0], 2, "exact").coefficients(np.ones((8, 8))),
        r"shape \(8, 8, 1\), expected \(16, 16, 1\)",
    ),
    "a fact that is no JSON": (
        lambda d: kg.psnr_curve(d, IMAGES, [0.1, 0.2]).save("never", by={1, 2}),
        "received a set to write as JSON",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name, network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, expected = MISTAKES[name]
    with pytest.raises(kg.InputError, match=expected) as caught:
        call(network)
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_one_noise_level_and_texts(network):
    """A number of NumPy keeps its value."""
    for sigmas in (0.2, [0.2], ["51/255"], "51/255", np.array([0.2])):
        assert kg.psnr_curve(network, IMAGES, sigmas, progress=False).sigmas.tolist() == [0.2]
    single = np.float32(0.1)
    assert kg.psnr_curve(network, IMAGES, single, progress=False).sigmas[0] == float(single)


def test_noise_levels_of_other_libraries(network):
    """Tensors and arrays without axes are numbers, and those with one are several."""
    scalar, several = ops.convert_to_tensor(0.25), ops.convert_to_tensor([0.25, 0.5])
    for one in (scalar, np.array(0.25), np.float32(0.25)):
        assert kg.noise.parse_sigma(one) == 0.25
        assert TOLD.at(one).sigma == 0.25
        assert kg.denoise(TOLD, IMAGES, sigma=one).shape == IMAGES.shape
        assert kg.psnr_curve(network, IMAGES, one, progress=False).sigmas.tolist() == [0.25]
    curve = kg.psnr_curve(network, IMAGES, several, progress=False)
    assert curve.sigmas.tolist() == [0.25, 0.5]
    assert kg.denoise(TOLD, IMAGES[:2], sigma=several).shape == (2, 16, 16, 1)


def test_memory_as_text(network):
    assert kg.Inference(network, memory="1MB").memory == 10**6


def test_a_sheet_of_bytes_is_on_white():
    pixels = np.rint(255 * IMAGES).astype(np.uint8)
    sheet = datasets.contact_sheet(pixels[..., 0])
    np.testing.assert_array_equal(sheet, np.rint(255 * datasets.contact_sheet(pixels / 255)))


def test_levels_above_those_of_pixels_that_a_denoiser_says_it_knows():
    """Of diffusion, whose images are noise; and the highest that the lab's networks are trained for."""
    options = {"channels": 1, "layout": "NHWC", "value_range": (-1, 1)}
    for predicts, schedule in (("edm", kg.denoisers.EDM()), ("image", kg.denoisers.FlowTime())):
        denoiser = kg.wrap(lambda y, sigma: 0 * y, predicts, schedule, **options)
        assert denoiser.at(40).sigma == 40
        assert kg.denoise(denoiser, IMAGES, sigma=25).shape == IMAGES.shape
    for schedule, values in (("sigma", (-1, 1)), ("sigma:80", (-1, 1)), ("sigma:50", (0, 1))):
        denoiser = kg.wrap(
            lambda y, sigma: 0 * y, "image", schedule, **options | {"value_range": values}
        )
        assert kg.denoise(denoiser, IMAGES, sigma=25).shape == IMAGES.shape
        assert schedule_of(denoiser.schedule.numbers()).limits == denoiser.schedule.limits
    with pytest.raises(InputError, match="knows noise levels from 0 to 50"):
        kg.denoise(denoiser, IMAGES, sigma=60)
    for wrong in ("sigma:0", "sigma:high", "sigmas"):
        with pytest.raises(InputError, match="received"):
            kg.wrap(lambda y, sigma: 0 * y, "image", wrong, **options)
    assert kg.noise.NoiseLaw("inv_sq", 1 / 255, 765 / 255).high == 3
    assert kg.log_density(WIENER, IMAGES[:1], sigmas=[0.01, 30], progress=False).sigmas[-1] <= 30


LEVELS = {
    "a baseline": lambda level: kg.baselines.Wiener.from_images(IMAGES, sigma=level).denoise(
        IMAGES
    ),
    "one that is set": lambda level: set_to(level).denoise(IMAGES),
    "a law": lambda level: law().log_density(IMAGES[:, :8, :8], level),
    "the derivative of a law": lambda level: law().jacobian(IMAGES[0, :8, :8], level),
    "a teacher": lambda level: kg.baselines.GaussianMixture(law()).jacobian(
        IMAGES[0, :8, :8], level
    ),
    "an oracle": lambda level: analysis.oracle_shrinkage(np.arange(3.0), level),
    "an oracle of images": lambda level: analysis.oracle_psnr(*IMAGES[:2], level, np.ravel)[0],
    "a noise law": lambda level: kg.noise.NoiseLaw(high=level).mean_square(),
    "a schedule": lambda level: kg.sampling.AscentSchedule(sigma_0=level).max_steps,
    "the end of a schedule": lambda level: kg.sampling.NoiseLevels(sigma_end=level).level(3),
    "a slope": lambda level: analysis.fit_slope(CURVE, high=level).slope,
}
CURVE = analysis.PSNRCurve(
    np.array([0.1, 0.2, 0.25]), *np.random.default_rng(0).random((2, 3, 1, 4))
)


def set_to(level):
    baseline = kg.baselines.Wiener.from_images(IMAGES, sigma=0.1)
    baseline.set_sigma(level)
    return baseline


@pytest.mark.parametrize("name", LEVELS)
def test_wherever_a_level_is_taken_it_may_be_a_text_or_a_scalar(name):
    expected = LEVELS[name](0.25)
    for level in (
        "63.75/255",
        "0.25",
        np.float32(0.25),
        np.array(0.25),
        ops.convert_to_tensor(0.25),
    ):
        np.testing.assert_array_equal(LEVELS[name](level), expected)


SMALL_NUMBERS = {
    "disks": lambda n: datasets.disk_images(2, n(100), 0),
    "many disks": lambda n: datasets.disk_images(n(100), 8, 0),
    "later disks": lambda n: datasets.disk_images(60, 8, 0, start=n(100)),
    "sines": lambda n: datasets.sine_images(2, n(100), 0, start=n(100)),
    "rays": lambda n: datasets.ray_images(n(100), IMAGES[0], 0),
    "contours": lambda n: datasets.c_alpha_images(1, n(100), 0, 2.0),
    "later contours": lambda n: datasets.c_alpha_images(60, 8, 0, 2.0, start=n(100)),
    "a permutation": lambda n: datasets.permutation(n(100), n(100), 0),
    "low frequencies": lambda n: measurements.low_frequencies((n(100), n(100), n(1)), 0.5),
    "a sheet": lambda n: datasets.contact_sheet(IMAGES, n(3), n(100)),
    "an oracle": lambda n: kg.baselines.OracleThresholding((n(100), n(100), n(1))).image_shape,
}


@pytest.mark.parametrize("name", SMALL_NUMBERS)
def test_numbers_of_few_bits_count_as_those_of_python(name):
    for kind in (np.uint8, np.int8, np.uint16):
        np.testing.assert_array_equal(SMALL_NUMBERS[name](kind), SMALL_NUMBERS[name](int))


def test_a_denoiser_may_be_named_wherever_one_is_taken(network, tmp_path):
    path = tmp_path / "model.keras"
    kg.save_denoiser(kg.Inference(network), path)
    expected = network.fingerprint()
    for given in (path, str(path), kg.Inference(network)):
        assert kg.Inference(given).denoiser.fingerprint() == expected
        assert kg.denoisers.with_precision(given).fingerprint() == expected
        assert kg.denoisers.DirectDenoiser(given).network.fingerprint() == expected
        prepared = kg.sampling.prepare(given, SHAPE)
        options = {"seed": 1, "progress": False}
        found = kg.sample(network, SHAPE, prepared=prepared, **options).images
        np.testing.assert_array_equal(found, kg.sample(network, SHAPE, **options).images)
