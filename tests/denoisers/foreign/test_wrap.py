"""Networks that somebody already has, behind the interface of a denoiser."""

import itertools
import json

import keras
import numpy as np
import pytest
from keras import ops
from known_networks import Mixture, wavy

import keras_gahr as kg
from keras_gahr.denoisers import AlphaBars

BACKEND = keras.backend.backend()
LAST = {"channels": 1, "layout": "NHWC"}


def images_of(count, side=8, channels=1):
    return np.random.default_rng(0).random((count, side, side, channels)).astype(np.float32)


def drawn(shape, dtype=None):
    """Initial weights by NumPy, whose draws need not be compiled."""
    return 0.2 * np.random.default_rng(0).standard_normal(shape, np.float32)


def keras_network(channels=1, told=False, level="float32", **options):
    """A network of Keras' own layers, with everything that ours have not: biases, norms, GELU."""
    like = {"kernel_initializer": drawn}
    noisy = keras.Input((None, None, channels))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="gelu", **like)(noisy)
    inputs = noisy
    if told:
        sigma = keras.Input((), dtype=level)
        inputs = [noisy, sigma]
        number = ops.cast(keras.layers.Reshape((1,))(sigma), "float32")
        scale = keras.layers.Dense(8, **like)(number)
        x = x * keras.layers.Reshape((1, 1, 8))(scale)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GroupNormalization(4)(x)
    outputs = keras.layers.Conv2D(channels, 3, padding="same", **like)(x)
    return keras.Model(inputs, outputs, **options)


@pytest.mark.parametrize(
    ("channels", "told"), [(1, True), pytest.param(3, False, marks=pytest.mark.one_backend)]
)
def test_a_keras_model(channels, told):
    network = keras_network(channels, told)
    denoiser = kg.wrap(network, "image", "sigma" if told else None)
    assert (denoiser.input_channels, denoiser.told) == (channels, told)
    assert denoiser.num_parameters == network.count_params()
    images = images_of(3, channels=channels)
    given = [images, np.full(3, 0.2, np.float32)] if told else images
    expected = ops.convert_to_numpy(network(given, training=False))
    np.testing.assert_allclose(denoiser.denoise(images, 0.2), expected, atol=1e-6)
    np.testing.assert_allclose(kg.denoise(denoiser, images, sigma=0.2), expected, atol=1e-6)
    # Its weights are the network's own.
    network.set_weights([2 * weight for weight in network.get_weights()])
    changed = ops.convert_to_numpy(network(given, training=False))
    assert np.abs(changed - expected).max() > 0.01
    np.testing.assert_allclose(kg.denoise(denoiser, images, sigma=0.2), changed, atol=1e-5)


def test_a_keras_model_that_is_not_built():
    network = keras.Sequential([keras.layers.Conv2D(1, 3, padding="same")])
    denoiser = kg.wrap(network, "image", channels=1)
    images = images_of(2)
    expected = ops.convert_to_numpy(network(images))
    np.testing.assert_allclose(kg.denoise(denoiser, images), expected, atol=1e-6)


def test_a_subclassed_keras_model():
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.convolution = keras.layers.Conv2D(1, 3, padding="same")

        def call(self, images, sigma):
            return self.convolution(images) / (1 + sigma[:, None, None, None])

    network = Network()
    denoiser = kg.wrap(network, "image", "sigma", channels=1)
    images = images_of(2)
    expected = ops.convert_to_numpy(network(images, np.full(2, 0.5, np.float32)))
    np.testing.assert_allclose(kg.denoise(denoiser, images, sigma=0.5), expected, atol=1e-6)


def test_one_of_our_own_networks_is_itself():
    network = kg.UNet(num_channels=1, num_blocks=1, num_kernels=4, seed=0)
    denoiser = kg.wrap(network, "residual")
    assert denoiser.size_multiple == network.size_multiple == 2
    noisy = images_of(1)[0]
    np.testing.assert_allclose(kg.denoise(denoiser, noisy), kg.denoise(network, noisy), atol=1e-5)
    theirs, ours = (kg.eigenbasis(each, noisy, 8, "exact") for each in (denoiser, network))
    # By derivatives, and by frozen gates.
    np.testing.assert_allclose(theirs.shrinkage, ours.shrinkage, atol=1e-5)
    assert theirs.products == ours.products == 64


def test_products_are_those_of_finite_differences():
    """Forwards and backwards, at images of float32: central differences are exact to a part in 1000."""
    denoiser = kg.wrap(wavy, "noise", "sigma", value_range=(-1, 1), **LAST)
    noisy, sigma, step = images_of(1, 4)[0], 0.3, 1e-2
    jacobian = kg.analysis.Linearizer(denoiser).at(noisy, sigma)
    matrix = jacobian.matrix()
    directions = np.eye(16, dtype=np.float32).reshape(-1, 4, 4, 1)
    transposed = jacobian.apply_transposed(directions).reshape(16, 16)
    np.testing.assert_allclose(transposed, matrix, atol=1e-6)
    ahead, behind = (denoiser.denoise(noisy + sign * step * directions, sigma) for sign in (1, -1))
    differences = ((ahead - behind) / (2 * step)).reshape(16, 16).T
    np.testing.assert_allclose(differences, matrix, atol=2e-3 * np.abs(matrix).max())


def test_a_function_of_arrays_has_no_derivatives_but_all_else():
    def network(y, sigma):
        assert type(y) is np.ndarray and sigma.shape == (len(y),)
        return np.clip(y, 0, 1) * 0.5

    denoiser = kg.wrap(network, "image", "sigma", **LAST)
    images = images_of(3)
    np.testing.assert_array_equal(kg.denoise(denoiser, images, sigma=0.1), images / 2)
    assert kg.psnr_curve(denoiser, images, [0.1, 0.2]).mean.shape == (2,)
    schedule = kg.sampling.NoiseLevels(steps=3)
    found = kg.sample(denoiser, (8, 8), sampler="heun", schedule=schedule)
    assert found.images.shape == (1, 8, 8, 1)
    with pytest.raises(kg.InputError, match=rf"NumPy arrays.*no derivatives.*{BACKEND}"):
        kg.eigenbasis(denoiser, images[0], 4, sigma=0.1)


def test_a_function_may_work_in_place_on_the_arrays_that_it_is_given():
    """They are no memory of the denoiser's, from which its residual is taken."""

    def network(y, sigma, gain):
        assert type(y) is np.ndarray
        y *= 1 / (1 + sigma[:, None, None, None])
        sigma[:] = 0
        gain *= 2
        return y * gain

    images, gain = images_of(3), np.array(0.25, np.float32)
    denoiser = kg.wrap(network, "image", "sigma", condition={"gain": gain}, **LAST)
    levels = np.array([0.5, 1, 2], np.float32)
    expected = images / 2 / (1 + levels)[:, None, None, None]
    for _ in range(2):
        np.testing.assert_allclose(denoiser.denoise(images, levels), expected, rtol=1e-6)
    assert gain == 0.25


def test_parameters_of_a_function_are_copied():
    weights = np.ones(3, np.float32)
    denoiser = kg.wrap(({"w": weights}, lambda params, y: y * params["w"][0]), "image", channels=1)
    before = denoiser.fingerprint()
    weights *= 2
    np.testing.assert_allclose(denoiser.denoise(images_of(1)), images_of(1))
    assert denoiser.fingerprint() == before


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX says it itself")
def test_a_keras_model_that_is_cut_off_from_its_images():
    import tensorflow as tf

    class CutOff(keras.layers.Layer):
        def call(self, x):
            return tf.reshape(tf.numpy_function(np.copy, [x], tf.float32), tf.shape(x))

        def compute_output_shape(self, shape):
            return shape

    images = keras.Input((None, None, 1))
    outputs = keras.layers.Conv2D(1, 3, padding="same")(CutOff()(images))
    denoiser = kg.wrap(keras.Model(images, outputs), "image")
    assert kg.denoise(denoiser, images_of(1)).shape == (1, 8, 8, 1)
    with pytest.raises(kg.InputError, match=r"cut off .* no derivatives"):
        kg.eigenbasis(denoiser, images_of(1)[0], 4)


def test_a_condition_is_given_to_every_image():
    def network(y, label, row, name):
        assert name == "fixed"
        factor = ops.cast(label, "float32") + row[:, 0]
        return y * factor[:, None, None, None]

    condition = {"label": 3, "row": ops.convert_to_tensor([[0.5]]), "name": "fixed"}
    denoiser = kg.wrap(network, "image", condition=condition, **LAST)
    images = images_of(2)
    np.testing.assert_allclose(denoiser.denoise(images), 3.5 * images, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 3])
def test_arrays_of_a_condition_are_tensors_for_one_image_as_for_many(count):
    def network(y, row, table):
        assert ops.is_tensor(row) and ops.is_tensor(table) and len(row) == len(y)
        return y * (row[:, 0] + table[1])[:, None, None, None]

    condition = {"row": np.array([[0.5]], np.float32), "table": np.array([1, 2], np.float32)}
    denoiser = kg.wrap(network, "image", condition=condition, **LAST)
    np.testing.assert_allclose(
        denoiser.denoise(images_of(count)), 2.5 * images_of(count), rtol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_number_types_within_a_network_are_known(dtype):
    def network(y):
        return ops.cast(ops.cast(y, dtype) / 2, "float32")

    denoiser = kg.wrap(network, "image", **LAST)
    assert denoiser.network.number_types == {"float32", dtype}
    np.testing.assert_allclose(denoiser.denoise(images_of(1)), images_of(1) / 2, rtol=0.01)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_bfloat16"])
def test_a_keras_model_in_half_precision(dtype):
    images = keras.Input((None, None, 1))
    outputs = keras.layers.Conv2D(1, 1, kernel_initializer="ones", dtype=dtype)(images)
    network = keras.Model(images, outputs)
    denoiser = kg.wrap(network, "image")
    np.testing.assert_allclose(denoiser.denoise(images_of(1)), images_of(1), rtol=0.01)
    before = denoiser.fingerprint()
    network.set_weights([2 * weight for weight in network.get_weights()])
    assert kg.wrap(network, "image").fingerprint() != before


def test_axes_are_as_the_network_wants_them():
    def network(y):
        return y * ops.reshape(ops.arange(3, dtype="float32"), (1, 3, 1, 1))

    denoiser = kg.wrap(network, "image", channels=3, layout="NCHW")
    images = images_of(2, 4, 3)
    np.testing.assert_allclose(denoiser.denoise(images), images * [0, 1, 2], rtol=1e-6)


LEVELS = kg.sampling.NoiseLevels(steps=4)


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("ancestral", 1), ("heun", 2)])
def test_samplers_pass_on_the_levels_of_their_schedule(sampler, order):
    told = []

    def network(y, sigma):
        told.append(np.array(sigma))
        return 0.5 * np.asarray(y)

    denoiser = kg.wrap(network, "image", "sigma", **LAST)
    told.clear()
    kg.sample(denoiser, (8, 8), count=2, sampler=sampler, schedule=LEVELS)
    steps = [LEVELS.level(t) for t in range(1, 6)]
    # The look at the last image is a step that is not taken.
    expected = []
    for before, after in itertools.pairwise(steps):
        expected += [before] + [after] * (order - 1)
    expected += [steps[4]] + [steps[1]] * (order - 1)
    np.testing.assert_allclose(told, [[level] * 2 for level in expected], rtol=1e-6)


def test_the_ascent_passes_on_what_is_left_of_the_noise():
    told = []

    def network(y, sigma):
        told.append(np.array(sigma))
        return 0 * np.asarray(y)

    denoiser = kg.wrap(network, "image", "sigma", **LAST)
    told.clear()
    schedule = kg.sampling.AscentSchedule(max_steps=3)
    trajectory = kg.sampling.Trajectory(every=1)
    kg.sample(denoiser, (8, 8), schedule=schedule, trajectory=trajectory)
    # r(y) = y here: what the network sees is the size of the image itself.
    seen = np.sqrt(np.mean(np.square(trajectory.y[:, 0]), axis=(1, 2, 3)))
    level, expected = 1.0, [1.0]
    for t in (1, 2, 3):
        h, gain = schedule.numbers(t)
        level = np.sqrt(((1 - h) * level) ** 2 + (gain * seen[t - 1]) ** 2)
        expected.append(level)
    np.testing.assert_allclose(np.ravel(told), expected, rtol=1e-5)


@pytest.mark.one_backend
def test_samples_of_a_mixture_are_its_means():
    """Told the level, the best denoiser leads to what it was made of."""
    generator = np.random.default_rng(0)
    means = generator.random((2, 64))
    law = Mixture(means, 1e-4, (8, 8, 1))
    denoiser = kg.wrap(law, "image", "sigma", size=8, **LAST)
    for sampler, schedule in (
        ("ascent", kg.sampling.AscentSchedule(beta=0.2)),
        ("heun", kg.sampling.NoiseLevels(steps=30)),
    ):
        found = kg.sample(denoiser, (8, 8), count=6, sampler=sampler, schedule=schedule)
        distance = np.abs(found.images.reshape(6, 1, 64) - means).max(axis=-1)
        assert set(found.status) == {"converged"}
        assert (distance.min(axis=1) < 0.1).all()
        report = kg.memorization_report(found.images, means.reshape(2, 8, 8))
        assert report.verdict == "memorized"


def test_restoration_with_a_network_that_is_told_the_level():
    generator = np.random.default_rng(0)
    means = generator.random((2, 64))
    denoiser = kg.wrap(Mixture(means, 1e-4, (8, 8, 1)), "image", "sigma", size=8, **LAST)
    clean = means[1].reshape(8, 8, 1).astype(np.float32)
    mask = np.ones((8, 8), bool)
    mask[2:6, 2:6] = False
    hole = kg.measurements.inpainting(mask)
    schedule = kg.sampling.AscentSchedule(beta=0.2)
    found = kg.restore(denoiser, hole(clean), hole, clean=clean, schedule=schedule)
    assert found.quality()["psnr_mean"] > 30


def test_every_analysis_takes_it():
    denoiser = kg.wrap(wavy, "noise", "sigma", **LAST)
    images = images_of(4)
    curve = kg.psnr_curve(denoiser, images, [0.1, 0.3])
    assert curve.after.shape == (2, 1, 4)
    split = kg.analysis.bias_variance([denoiser, denoiser], images, 0.1)
    np.testing.assert_allclose(split.variance, 0, atol=1e-12)
    found = kg.analysis.posterior_components(denoiser, images[0], 0.1, draws=8, count=2)
    assert found.variances.shape == (2,)
    bases = kg.analysis.eigenbases(denoiser, images[0], [0.1, 0.3], 4, "exact")
    assert not np.allclose(bases[0].shrinkage, bases[1].shrinkage)
    twins = kg.compare(
        [denoiser, kg.baselines.Wiener.from_images(images)],
        [images, images],
        count=1,
        schedule=kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5),
    )
    assert twins.pairs.tolist() == [0]


def test_the_levels_that_a_network_does_not_know_are_left_out_of_a_curve():
    schedule = AlphaBars(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    denoiser = kg.wrap(wavy, "noise", schedule, value_range=(-1, 1), **LAST)
    with pytest.warns(UserWarning, match=r"1 of 10 noise levels were left out.*0\.005"):
        curve = kg.psnr_curve(denoiser, images_of(2))
    assert len(curve.sigmas) == 9
    with pytest.raises(kg.InputError, match=r"sigma = 0\.004.*from 0\.005.* to 78\.7"):
        kg.psnr_curve(denoiser, images_of(2), [0.004])
    with pytest.raises(kg.InputError, match=r"sigma = 0\.001"):
        kg.sample(denoiser, (8, 8), schedule=kg.sampling.AscentSchedule(sigma_end=0.001))


def test_the_denoiser_of_a_level_leads_to_that_of_another():
    denoiser = kg.wrap(wavy, "noise", "sigma", **LAST)
    images = images_of(1)
    expected = denoiser.denoise(images, 0.2)
    np.testing.assert_array_equal(denoiser.at(0.1).at(0.2).denoise(images), expected)


def test_a_blind_denoiser_is_that_of_every_level(tiny_denoiser):
    assert tiny_denoiser.at(0.1) is tiny_denoiser
    images = images_of(1, 16)
    np.testing.assert_array_equal(
        kg.denoise(tiny_denoiser, images), kg.denoise(tiny_denoiser, images, sigma=0.3)
    )


def test_results_can_be_saved(tmp_path):
    denoiser = kg.wrap(wavy, "noise", "sigma", provenance={"from": "a test"}, **LAST)
    basis = kg.eigenbasis(denoiser, images_of(1)[0], 4, "exact", sigma=0.2)
    folder = basis.save(tmp_path / "basis", sigma=0.2)
    assert json.loads((folder / "eigenbasis.json").read_text())["products"] == 64
    schedule = kg.sampling.AscentSchedule(max_steps=2)
    samples = kg.sample(denoiser, (8, 8), schedule=schedule)
    saved = json.loads((samples.save(tmp_path / "samples") / "sampling.json").read_text())
    assert saved["provenance"] == {"from": "a test"}
    with pytest.raises(kg.InputError, match=r"recipe.*torch:package\.module:factory"):
        kg.save_denoiser(denoiser, tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()


REFUSED = {
    "a number": (lambda: kg.wrap(3, "image"), "received a int, expected a network"),
    "no prediction": (lambda: kg.wrap(wavy, **LAST), "no predicts, expected one of image"),
    "another prediction": (lambda: kg.wrap(wavy, "x0", **LAST), "predicts = 'x0'"),
    "noise of no level": (
        lambda: kg.wrap(wavy, "noise", **LAST),
        "predicts noise has one of the schedules sigma, alpha-bar, flow; received blind",
    ),
    "another schedule": (lambda: kg.wrap(wavy, "image", "cosine", **LAST), "schedule 'cosine'"),
    "a table of none": (lambda: kg.wrap(wavy, "image", [0.5], **LAST), r"shape \(1,\)"),
    "no alpha-bar": (lambda: kg.wrap(wavy, "image", [0.5, 1.5], **LAST), "not between 0 and 1"),
    "a time that is no number": (
        lambda: kg.wrap(wavy, "image", AlphaBars([0.9, 0.5], indices=[0, np.nan]), **LAST),
        "indices of alpha-bar that are no numbers",
    ),
    "levels cut off": (
        lambda: kg.wrap(keras_network(told=True, level="int32"), "image", "sigma"),
        r"takes whole numbers \(int32\) in the level's place",
    ),
    "a range upside down": (
        lambda: kg.wrap(wavy, "image", value_range=(1, -1), **LAST),
        r"\(black, white\)",
    ),
    "channels unknown": (lambda: kg.wrap(wavy, "image"), "how many channels"),
    "another layout": (
        lambda: kg.wrap(wavy, "image", channels=1, layout="HWC"),
        "received layout 'HWC'",
    ),
    "smaller images out": (
        lambda: kg.wrap(lambda y: y[:, 1:], "image", **LAST),
        "returns images of 31x32x1 for images of 32x32x1",
    ),
    "no images out": (
        lambda: kg.wrap(lambda y: ops.mean(y, axis=(1, 2)), "image", **LAST),
        r"returns an array of shape \(2, 1\)",
    ),
    "not the arguments": (
        lambda: kg.wrap(lambda y, t: y, "image", **LAST),
        "cannot be called with images of 32x32x1: TypeError",
    ),
    "told a blind network": (
        lambda: kg.wrap(lambda y: y, "image", "sigma", **LAST),
        r"and .*float32 levels of shape \(2,\): TypeError",
    ),
    "a condition that Keras passes over": (
        lambda: kg.wrap(keras_network(), "image", condition={"label": 3}),
        "condition 'label' for a functional Keras model",
    ),
    "the mean of a batch": (
        lambda: kg.wrap(lambda y: y - ops.mean(y, axis=0, keepdims=True), "image", **LAST),
        "depends on the others of its batch",
    ),
    "NaN": (lambda: kg.wrap(lambda y: y * np.float32("nan"), "image", **LAST), "NaN or infinity"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_wrapped(name):
    call, message = REFUSED[name]
    with pytest.raises(kg.InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(BACKEND == "torch", reason="there it is a network")
def test_a_module_of_pytorch_on_another_backend():
    module = type("Module", (), {"__module__": "torch.nn", "__call__": lambda self, x: x})()
    with pytest.raises(kg.InputError, match=f"module of PyTorch, on the backend {BACKEND}: set"):
        kg.wrap(module, "image", **LAST)


def test_a_network_that_remembers():
    calls = []

    def network(y):
        calls.append(1)
        return np.asarray(y) * len(calls)

    with pytest.raises(kg.InputError, match="keeps a state or draws random numbers"):
        kg.wrap(network, "image", **LAST)


def test_a_level_that_is_missing():
    denoiser = kg.wrap(wavy, "noise", "sigma", **LAST)
    images = images_of(2)
    for call in (
        lambda: kg.denoise(denoiser, images),
        lambda: kg.eigenbasis(denoiser, images[0]),
        lambda: denoiser.denoise(images),
    ):
        with pytest.raises(
            kg.InputError,
            match=r"pass sigma \(--sigma of commands\), or take denoiser\.at\(sigma\)",
        ):
            call()
    with pytest.raises(kg.InputError, match="3 noise levels for 2 images"):
        kg.denoise(denoiser, images, sigma=[0.1, 0.2, 0.3])
    with pytest.raises(kg.InputError, match="sigma = 0"):
        kg.denoise(denoiser, images, sigma=0)


def test_images_that_do_not_fit():
    network = kg.wrap(wavy, "noise", "sigma", channels=1, layout="NHWC", size=(8, 12))
    with pytest.raises(kg.InputError, match="16x16, but this network takes 8x12 only"):
        network.denoise(images_of(1, 16), 0.1)
    even = kg.wrap(wavy, "noise", "sigma", channels=1, layout="NHWC", size_multiple=4)
    assert kg.denoise(even, images_of(1, 9), sigma=0.1).shape == (1, 9, 9, 1)
    with pytest.raises(kg.InputError, match="multiples of 4"):
        kg.eigenbasis(even, images_of(1, 9)[0], sigma=0.1)


def test_a_fingerprint_tells_how_a_network_is_wrapped():
    """The same network, read in other ways, computes something else."""

    def network(noisy, sigma):
        return 0.1 * noisy

    options = {"channels": 1, "layout": "NHWC"}
    schedules = ("sigma", AlphaBars([0.9, 0.5]), AlphaBars([0.9, 0.6]))
    wrapped = [kg.wrap(network, "image", schedule, **options) for schedule in schedules]
    wrapped.append(kg.wrap(network, "residual", "sigma", **options))
    assert len({each.fingerprint() for each in wrapped}) == 4
    assert kg.wrap(network, "image", "sigma", **options).fingerprint() == wrapped[0].fingerprint()


def test_a_fingerprint_tells_conditions_and_the_order_of_axes():
    def network(noisy, sigma, gain=0.1, at=None):
        return 0.1 * noisy

    def fingerprint(layout="NHWC", **condition):
        options = {"channels": 1, "layout": layout, "condition": condition}
        return kg.wrap(network, "image", "sigma", **options).fingerprint()

    # So many values that text would leave out most of them.
    maps = np.zeros((1, 40, 40), np.float32), np.zeros((1, 40, 40), np.float32)
    maps[1][0, 20, 20] = 1
    of_arrays = [{"at": kind(array)} for array in maps for kind in (np.array, lambda a: [a])]
    of_numbers = [{}, {"gain": 3}, {"gain": 5}, {"gain": 3.0}]
    found = [fingerprint(**condition) for condition in [*of_numbers, *of_arrays]]
    assert len({*found, fingerprint("NCHW")}) == 9
    assert fingerprint(at=ops.convert_to_tensor(maps[0])) == fingerprint(at=maps[0])
    assert fingerprint(gain=3, at=2) == fingerprint(at=2, gain=3)
