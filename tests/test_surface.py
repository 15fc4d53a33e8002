"""What `import keras_gahr as kg` gives."""

import ast
import doctest
import inspect
import shutil
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gahr as kg

ROOT = Path(__file__).resolve().parents[1]
DENOISER = "denoiser", "inference", "path", "text"
FOR_EVER = 300
"""Seconds after which a process hangs."""


@pytest.fixture(scope="module")
def ways(tiny_denoiser, tiny_model):
    """One denoiser in all the ways it can be given."""
    given = (tiny_denoiser, kg.Inference(tiny_denoiser), tiny_model, str(tiny_model))
    return dict(zip(DENOISER, given, strict=True))


@pytest.fixture(scope="module")
def image(smooth_images):
    return smooth_images(1, 16, 16)[0]


def test_importing_loads_nothing_else():
    code = (
        "import sys, keras_gahr as kg\n"
        "assert not {'keras', 'numpy', 'jax', 'tensorflow', 'torch'} & set(sys.modules)\n"
        "assert set(dir(kg)) >= {'analysis', 'measurements', 'denoise', 'sample'}\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=FOR_EVER)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", kg.__all__)
def test_every_name_is_there(name):
    assert getattr(kg, name) is not None


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="unknown"):
        kg.unknown  # noqa: B018


def exported():
    """Every function and class that users call, once, by one of its names."""
    names = {}
    for room in ("", *kg._ROOMS):
        module = getattr(kg, room) if room else kg
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isroutine(value) or inspect.isclass(value):
                names[value] = f"{room}.{name}".lstrip(".")
    return {name: value for value, name in names.items()}


EXPORTED = exported()

MUCH_TO_COMPILE = {
    "analysis.Explanation",
    "analysis.copies_by_dimension",
    "analysis.explain",
    "analysis.noise_calibration",
    "baselines.GaussianMixture",
    "baselines.LocalBayes",
    "plot.densities_of_sets",
    "restoration.restore_files",
    "sampling.sample_multi_scale",
    "training.ClockCallback",
    "training.MemorizationClock",
    "training.Tracker",
    "training.run_config",
    "training.run_training",
    "training.train",
}
"""Of what is tested on each backend elsewhere, or in parts."""


@pytest.mark.filterwarnings("ignore:some images are still noise")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.one_backend) if name in MUCH_TO_COMPILE else name
        for name in EXPORTED
    ],
)
def test_every_function_and_class_has_an_example_that_runs(name):
    finder = doctest.DocTestFinder(recurse=False)
    [example] = finder.find(EXPORTED[name], name, globs={})
    assert example.examples
    assert not doctest.DocTestRunner(verbose=False).run(example).failed


def unread(function):
    """The arguments that the body of a function never reads."""
    function = inspect.unwrap(function)
    code = function.__code__
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {*arguments} - {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_no_function_ignores_an_argument():
    # What a single dispatch falls back on refuses all; methods may have arguments for their kind's sake.
    functions = {
        name: value
        for name, value in EXPORTED.items()
        if inspect.isfunction(value) and not hasattr(value, "registry")
    }
    assert len(functions) > 100
    ignored = {name: unread(value) for name, value in functions.items()}
    assert not {name: some for name, some in ignored.items() if some}


def found_by(given, image):
    """What functions find of a denoiser."""
    schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
    return (
        kg.denoise(given, image),
        kg.psnr_curve(given, image[None], [0.1]).after,
        kg.sample(given, (16, 16), schedule=schedule, seed=1).images,
        kg.eigenbasis(given, image, 4, "exact").shrinkage,
    )


@pytest.fixture(scope="module")
def expected(ways, image):
    return found_by(ways[DENOISER[0]], image)


@pytest.mark.parametrize("way", DENOISER[1:])
def test_every_function_takes_a_denoiser_in_every_way(way, ways, image, expected):
    *found, basis = found_by(ways[way], image)
    *wanted, wanted_basis = expected
    for each, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(each, other)
    np.testing.assert_allclose(basis, wanted_basis, rtol=1e-6)


def test_checkpoints_are_loaded(golden, image, tiny_denoiser, tmp_path):
    expected = kg.denoise(tiny_denoiser, image)
    checkpoint = golden / "tiny_unet_trained.pt"
    np.testing.assert_array_equal(kg.denoise(checkpoint, image), expected)
    shutil.copy(checkpoint, tmp_path / "WEIGHTS.PTH")
    np.testing.assert_array_equal(kg.denoise(tmp_path / "WEIGHTS.PTH", image), expected)


def test_a_published_checkpoint_is_loaded_by_its_name(golden, image, tiny_denoiser, monkeypatch):
    content = golden / "tiny_unet_trained.pt"
    entry = types.SimpleNamespace(architecture="unet", first_layer=None)
    monkeypatch.setattr("weights_convert.loading.find_published", {"tiny": entry}.__getitem__)
    monkeypatch.setattr("weights_convert.loading.fetch", lambda published: content)
    np.testing.assert_array_equal(kg.denoise("tiny", image), kg.denoise(tiny_denoiser, image))


def test_a_name_that_is_not_published_says_which_are_close():
    with pytest.raises(kg.InputError, match="did you mean"):
        kg.load_denoiser("unet-celeba-80-n9932")


def test_a_run_is_loaded_by_its_directory(tiny_model, tmp_path, tiny_denoiser, image):
    shutil.copy(tiny_model, tmp_path / "model.keras")
    np.testing.assert_array_equal(kg.denoise(tmp_path, image), kg.denoise(tiny_denoiser, image))


@pytest.mark.parametrize("wrong", [3, None, np.zeros((4, 4))])
def test_what_is_no_denoiser_is_refused(wrong, image):
    with pytest.raises(kg.InputError, match="expected a denoiser"):
        kg.denoise(wrong, image)


@pytest.mark.one_backend
def test_whole_numbers_are_0_to_255(tiny_denoiser, image):
    whole = np.rint(image * 255).astype(np.uint8)
    float_ = whole / np.float32(255)
    np.testing.assert_array_equal(
        kg.denoise(tiny_denoiser, whole), kg.denoise(tiny_denoiser, float_)
    )
    curves = [kg.psnr_curve(tiny_denoiser, each[None], [0.1]).after for each in (whole, float_)]
    np.testing.assert_array_equal(*curves)


@pytest.mark.one_backend
def test_the_result_has_the_axes_of_what_was_given(tiny_denoiser, image):
    expected = kg.denoise(tiny_denoiser, image[..., 0])
    assert expected.shape == (16, 16) and expected.dtype == np.float32
    for given, layout in (
        (image, None),
        (image[None], None),
        (np.moveaxis(image, -1, 0)[None], "NCHW"),
    ):
        found = kg.denoise(tiny_denoiser, given, layout=layout)
        assert found.shape == given.shape
        np.testing.assert_array_equal(found.reshape(16, 16), expected)
    colour = np.repeat(image, 3, axis=-1)
    np.testing.assert_allclose(
        kg.denoise(tiny_denoiser, colour), np.repeat(expected[..., None], 3, -1), atol=1e-6
    )


def test_values_in_other_units_are_refused(tiny_denoiser, image):
    with pytest.raises(kg.InputError, match="divide it by 255"):
        kg.denoise(tiny_denoiser, image * 255)
    with pytest.raises(kg.InputError, match=r"-1\.\.1"):
        kg.psnr_curve(tiny_denoiser, image[None] * 2 - 1, [0.1])


@pytest.mark.one_backend
def test_lists_of_images_of_different_sizes(tiny_denoiser, smooth_images):
    listed = [smooth_images(1, 16, 16)[0], smooth_images(1, 12, 8)[0, ..., 0]]
    for found, image in zip(kg.denoise(tiny_denoiser, listed), listed, strict=True):
        np.testing.assert_array_equal(found, kg.denoise(tiny_denoiser, image))
    curve = kg.psnr_curve(tiny_denoiser, listed, [0.1], draws=2)
    assert curve.after.shape == (1, 2, 2)
    alone = kg.psnr_curve(tiny_denoiser, listed[0], [0.1], draws=2)
    np.testing.assert_array_equal(curve.after[..., 0], alone.after[..., 0])
    values = [kg.psnr.psnr(a[None], a[None] + 0.1)[0] for a in listed]
    np.testing.assert_array_equal(kg.psnr.psnr(listed, [a + 0.1 for a in listed]), values)


UNITS = {
    "denoise": lambda d, x: kg.denoise(d, x),
    "inference": lambda d, x: kg.Inference(d).denoise(kg.datasets.stacks.as_stack(x)),
    "method": lambda d, x: d.denoise(kg.datasets.stacks.as_stack(x)),
    "psnr_curve": lambda d, x: kg.psnr_curve(d, x, [0.1]).after,
    "eigenbasis": lambda d, x: kg.eigenbasis(d, x[0], 3, "exact").shrinkage,
    "eigenbases": lambda d, x: kg.analysis.eigenbases(d, x[0], [0.1], 3, "exact")[0].shrinkage,
    "memorization_report": lambda d, x: kg.memorization_report(x[:2], x).closest["distance"].value,
    "closest": lambda d, x: kg.analysis.closest(x[:2], x)["correlation"].value,
    "similarity_matrix": lambda d, x: kg.analysis.similarity_matrix(x[:2], x, "cosine"),
    "patch_sources": lambda d, x: kg.analysis.patch_sources(x[:2], x, 4).correlation,
    "bias_variance": lambda d, x: kg.analysis.bias_variance([d, d], x, 0.1).error,
    "posterior": lambda d, x: kg.analysis.posterior_components(d, x[0], 0.1, 4, 2).mean,
    "wiener": lambda d, x: kg.denoise(kg.baselines.Wiener.from_images(x), x[0]),
    "empirical_bayes": lambda d, x: kg.denoise(kg.baselines.EmpiricalBayes(x, 0.1), x[0]),
    "local": lambda d, x: kg.denoise(kg.baselines.LocalBayes(x, 3, sigma=0.1), x[0]),
    "masked": lambda d, x: kg.denoise(kg.baselines.MaskedBayes(x, 0.1), x[0]),
    "restore": lambda d, x: kg.restore(d, x[0], "random-pixels:0.5", schedule=QUICK).samples,
    "initial": lambda d, x: kg.sample(d, (8, 8), initial=_all(x[:1]), schedule=QUICK).images,
    "psnr": lambda d, x: kg.psnr.psnr(x, x[::-1]),
    "ssim": lambda d, x: kg.ssim.ssim(*np.tile(_all(x), (2, 1, 2, 2, 1))),
}
QUICK = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)


def _all(images):
    return kg.datasets.stacks.as_stack(images)


@pytest.mark.one_backend
@pytest.mark.filterwarnings("ignore:some images are still noise")
@pytest.mark.parametrize("name", UNITS)
def test_every_function_takes_whole_numbers_and_images_without_channels(name):
    """uint8 means 0..255 and floats [0, 1]; what comes out is NumPy's."""
    import keras_gahr.ssim  # noqa: F401

    denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2)
    whole = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
    found = UNITS[name](denoiser, whole)
    assert isinstance(found, np.ndarray)
    for other in (whole / 255, whole[..., None]):
        np.testing.assert_allclose(
            np.squeeze(UNITS[name](denoiser, other)), np.squeeze(found), rtol=1e-4, atol=1e-5
        )


def test_denoising_by_the_method_gives_what_it_was_given(tiny_denoiser, image):
    array = tiny_denoiser.denoise(image[None])
    assert isinstance(array, np.ndarray) and array.dtype == np.float32
    tensor = tiny_denoiser.denoise(keras.ops.convert_to_tensor(image[None]))
    assert keras.ops.is_tensor(tensor)
    np.testing.assert_allclose(array, kg.denoise(tiny_denoiser, image)[None], atol=1e-5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), array, atol=1e-6)
