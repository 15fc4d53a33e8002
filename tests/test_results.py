"""What functions return: a short repr, a picture of itself, files like those of the commands."""

import dataclasses
import inspect
import io
import json

import numpy as np
import pytest
from PIL import Image

import keras_gahr as kg
from keras_gahr.analysis.numbers import eigenbasis_verdict
from keras_gahr.view.frames import BasisVectors
from keras_gahr.view.viewed_folder import ViewedFolder

pytestmark = pytest.mark.one_backend

SHAPE = (16, 16, 1)
SCHEDULE = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.4)


@pytest.fixture(scope="module")
def denoiser(smooth_images):
    return kg.baselines.Wiener.from_images(smooth_images(8, *SHAPE[:2]))


@pytest.fixture(scope="module")
def images(smooth_images):
    return smooth_images(3, *SHAPE[:2])


def samples(denoiser, images):
    return kg.sample(denoiser, SHAPE, count=3, schedule=SCHEDULE)


def restoration(denoiser, images):
    return kg.restore(denoiser, images[0], "random-pixels:0.5", schedule=SCHEDULE, repeat=2)


def eigenbasis(denoiser, images):
    return kg.eigenbasis(denoiser, images[0], 4, "exact")


def psnr_curve(denoiser, images):
    return kg.psnr_curve(denoiser, images, [0.1, 0.5], draws=2)


def memorization_report(denoiser, images):
    return kg.memorization_report(images[:2], images, images[1:])


def comparison(denoiser, images):
    return kg.compare([denoiser, denoiser], [images, images], count=2, schedule=SCHEDULE)


def bias_variance(denoiser, images):
    return kg.analysis.bias_variance([denoiser, denoiser], images, 0.1)


def posterior(denoiser, images):
    return kg.analysis.posterior_components(denoiser, images[0], 0.1, draws=8, count=3)


def patch_sources(denoiser, images):
    return kg.analysis.patch_sources(images[:2], images, side=8)


def closest(denoiser, images):
    return kg.analysis.closest(images[:2], images, ["distance"], count=2)["distance"]


def calibration(denoiser, images):
    return kg.analysis.calibrate(denoiser, images, images[:2], [0.1, 0.5], (3, 5), "local")


def noise_calibration(denoiser, images):
    return kg.analysis.noise_calibration(denoiser, images, [0.1, 0.5])


FILES = {
    samples: {"samples.npy", "samples.png", "sampling.json"},
    restoration: {"restoration.json", "restoration.csv", "image"},
    eigenbasis: {
        "eigenbasis.json",
        "eigenbasis.npz",
        "spectrum.svg",
        "eigenvectors.svg",
        "denoising.svg",
    },
    psnr_curve: {"psnr.json", "psnr.csv", "psnr.npz", "psnr.svg"},
    memorization_report: {"memorization.json", "memorization.npz", "similarity.svg"},
    bias_variance: {"bias_variance.json", "bias_variance.npz", "bias_variance.svg"},
    posterior: {"posterior.json", "posterior.npz", "posterior.svg"},
    patch_sources: {"patch_sources.json", "patch_sources.npz", "patch_sources.svg"},
    calibration: {
        "calibration.json",
        "calibration.npz",
        "calibration.csv",
        "calibration.svg",
    },
    noise_calibration: {
        "noise_calibration.json",
        "noise_calibration.npz",
        "noise_calibration.svg",
    },
    closest: {"closest.json", "closest.npz", "closest.svg"},
    comparison: {"comparison.json", "comparison.npz", "samples.svg", "similarity.svg"},
}


@pytest.fixture(scope="module", params=FILES, ids=lambda make: make.__name__)
def made(request, denoiser, images):
    """A result, and the names of its files."""
    return request.param(denoiser, images), FILES[request.param]


def test_it_is_a_frozen_dataclass_whose_attributes_are_documented(made):
    result, _ = made
    fields = dataclasses.fields(result)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, fields[0].name, None)
    described = type(result).__doc__.partition("Attributes:")[2]
    assert described and all(field.name in described for field in fields)


def test_its_repr_is_short(made):
    lines = repr(made[0]).splitlines()
    assert 1 <= len(lines) <= 5 and all(len(line) <= 100 for line in lines)
    assert type(made[0]).__name__ in lines[0]


def test_it_draws_itself(made):
    assert type(made[0].plot()).__name__ == "Figure"


def test_it_draws_itself_under_a_title(made):
    result, _ = made
    titled = "title" in inspect.signature(result.plot).parameters
    assert titled == (type(result) is not kg.analysis.Eigenbasis)
    if titled:
        assert "Mine" in result.plot(title="Mine").get_suptitle()


def test_it_saves_itself_whole_and_replaces_nothing_unasked(made, tmp_path):
    result, files = made
    options = {} if "samples.npy" in files else {"figures": "svg"}
    folder = result.save(tmp_path / "out", note="mine", **options)
    assert {path.name for path in folder.iterdir()} == files
    known_by = next(name for name in files if name.endswith(".json"))
    assert '"note": "mine"' in (folder / known_by).read_text()
    with pytest.raises(kg.InputError, match="exists"):
        result.save(folder)
    (folder / "mine.txt").touch()
    with pytest.raises(kg.InputError, match=r"mine\.txt"):
        result.save(folder, overwrite=True)
    (folder / "mine.txt").unlink()
    result.save(folder, overwrite=True)
    assert not (folder / "spectrum.svg").exists()


def test_an_eigenbasis_says_nothing_of_a_clean_image_that_is_not_known(denoiser, images, tmp_path):
    sigma = 0.1
    clean = images[0]
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    basis = kg.eigenbasis(denoiser, noisy, 4, "exact", sigma=sigma)
    known = basis.save(tmp_path / "known", clean=clean, sigma=sigma)
    unknown = basis.save(tmp_path / "unknown", sigma=sigma)
    numbers = [json.loads((each / "eigenbasis.json").read_text()) for each in (known, unknown)]
    lost = numbers[0].keys() - numbers[1].keys()
    assert lost == {"psnr_noisy", "psnr_denoised", "oracle_psnr"}
    error = np.mean((basis.noisy - clean) ** 2)
    assert numbers[0]["psnr_noisy"] == pytest.approx(-10 * np.log10(error), abs=1e-3)
    trace = sigma**2 * basis.statistics.trace / basis.noisy.size
    assert numbers[1]["psnr_of_trace"] == pytest.approx(-10 * np.log10(trace), abs=1e-3)
    assert not any("oracle" in line for line in eigenbasis_verdict(numbers[1]))
    arrays = [np.load(each / "eigenbasis.npz") for each in (known, unknown)]
    assert set(arrays[0]) - set(arrays[1]) == {"clean", "coefficients", "oracle_shrinkage"}
    # In its place is shown what is known.
    pictures = [BasisVectors(ViewedFolder(each), "").png(0) for each in (known, unknown)]
    of_clean, of_noisy = (np.asarray(Image.open(io.BytesIO(each))) for each in pictures)
    assert of_clean.shape == of_noisy.shape and not np.array_equal(of_clean, of_noisy)


def test_the_coefficients_of_a_noisy_image_are_called_so(denoiser, images):
    basis = eigenbasis(denoiser, images)
    for clean, letter, name, oracle in (
        (images[0], "x", "clean", True),
        (None, "y", "noisy", False),
    ):
        factors, sizes = basis.plot(clean=clean, sigma=0.1).axes
        assert sizes.get_ylabel() == f"coefficient of the {name} image"
        assert f"|<{letter}, e_k>|" in sizes.get_legend_handles_labels()[1]
        assert ("oracle" in factors.get_legend_handles_labels()[1]) == oracle


def test_several_restorations_are_saved_in_a_folder(denoiser, images, tmp_path):
    found = kg.restore(denoiser, list(images[:2]), "random-pixels:0.5", schedule=SCHEDULE)
    kg.restoration.save_restorations(found, tmp_path / "out")
    assert np.array_equal(np.load(tmp_path / "out/image-1/sample.npy"), found[1].sample)
    assert (tmp_path / "out/restoration.csv").read_text().count("image-") == 2
    with pytest.raises(kg.InputError, match="two images called image-0"):
        kg.restoration.save_restorations([found[0]] * 2, tmp_path / "twice")


@pytest.mark.parametrize("make", [bias_variance, posterior, patch_sources, closest])
def test_what_is_saved_is_what_was_found(make, denoiser, images, tmp_path):
    result = make(denoiser, images)
    folder = result.save(tmp_path / "out")
    numbers = json.loads((folder / result.FILES[0]).read_text())
    assert numbers.items() >= result.numbers().items()
    with np.load(folder / result.FILES[1]) as arrays:
        for field in dataclasses.fields(result):
            value = getattr(result, field.name)
            found = arrays[field.name] if isinstance(value, np.ndarray) else None
            if found is None:
                assert value in numbers.values()
            else:
                np.testing.assert_array_equal(found, value)


def test_shares_of_components(denoiser, images):
    found = posterior(denoiser, images)
    assert 0 < found.shares.sum() <= 1
    constant = dataclasses.replace(found, variances=np.zeros(3), total_variance=0.0)
    assert not constant.shares.any()
    assert constant.plot().axes[1].get_title() == "1: 0.000"


def test_a_figure_in_an_unknown_format_is_refused(denoiser, images, tmp_path):
    with pytest.raises(kg.InputError, match="expected one of png, pdf, svg"):
        psnr_curve(denoiser, images).save(tmp_path / "out", figures="gif")
    assert not (tmp_path / "out").exists()


def test_what_has_no_figure_says_so(denoiser):
    with pytest.raises(TypeError, match="has no figure"):
        kg.plot.figures_of(denoiser)


@pytest.mark.parametrize("value", [np.full((2, 2), np.nan), np.array([], int), np.array(["a"])])
def test_any_array_has_a_short_repr(value):
    closest = kg.analysis.Closest(value, np.arange(3))
    assert "int64 (3,), 0 to 2" in repr(closest)


DATA = {
    "repeats": lambda images: kg.datasets.find_repeats(np.tile(images, (40, 1, 1, 1))),
    "overlap": lambda images: kg.datasets.find_overlap(images, images),
    "intensities": kg.datasets.intensities,
    "law": lambda images: kg.datasets.mixture_law(size=16, rank=3),
}


@pytest.mark.parametrize("name", DATA)
def test_what_is_found_of_data_has_a_short_repr(name, images):
    found = DATA[name](images)
    lines = repr(found).splitlines()
    assert len(lines) <= 5 and all(len(line) <= 100 for line in lines)
    assert lines[0].startswith(type(found).__name__)
