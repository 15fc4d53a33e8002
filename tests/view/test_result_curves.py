"""The curves on pages of results, from what results say of themselves."""

import json

import numpy as np
import pytest
from html_reader import HtmlReader
from viewed import ask, serving, write_result

from keras_gahr.analysis import (
    Calibration,
    Closest,
    CopiesByDimension,
    DensityComparison,
    LocalDimension,
    LogDensity,
    NoiseCalibration,
    PatchSources,
    PosteriorComponents,
    SpectralDensity,
    copying_report,
    memorization_report,
)
from keras_gahr.report.document import Document
from keras_gahr.report.page import write_report

pytestmark = pytest.mark.one_backend

RANDOM = np.random.default_rng(0)
SIGMAS = np.array([0.01, 0.1, 1.0])


def log_density(*values):
    """With the bits per dimension of some images."""
    bits = np.array(values)
    errors = np.full(len(bits), np.log(2))
    sizes = (1, "mmse", 0.0, (0.01, 1.0), 0)
    passes = np.ones(len(bits), int)
    curve = {"levels": (1.0, 0.01), "errors": np.stack([0.2 + 0 * bits, bits / 10], axis=1)}
    return LogDensity(-bits * np.log(2), errors, errors, passes, *sizes, **curve)


def density():
    images = RANDOM.random((3, 4, 4, 1))
    found = [log_density(2.0, -1.0, 1.0), log_density(4.0, 3.0), log_density(0.0, 5.0, 6.0)]
    return DensityComparison.of(found[0], images, *found[1:])


def spectrum():
    nodes = np.array([[[0.0, 0.2, 0.9, 1.1]]])
    return SpectralDensity(nodes, np.ones_like(nodes), np.zeros_like(nodes), 4)


def copies():
    dimension, ratio = np.array([[2.0, 3.0, 8.0, 9.0], [0.1, 0.9, 0.2, 0.8]])
    return CopiesByDimension(dimension, ratio, ratio < 1 / 3, 10)


def dimension():
    values = [RANDOM.random((3, 4)) + k for k in range(5)]
    return LocalDimension(SIGMAS, *values, 16, (spectrum(),) * 3, copies())


def memorization():
    images = RANDOM.random((3, 6, 8, 8))
    return memorization_report(*images)


RESULTS = {
    "calibration": lambda: Calibration(
        SIGMAS, np.array([3, 5]), RANDOM.random((3, 2, 4)), "equivariant", "cut", "denoised"
    ),
    "closest": lambda: Closest(np.array([[0, 1], [2, 0]]), np.array([[0.9, 0.8], [0.7, 0.6]])),
    "copies": copies,
    "density": density,
    "dimension": dimension,
    "memorization": memorization,
    "noise_calibration": lambda: NoiseCalibration(
        SIGMAS, {"plain": RANDOM.random((3, 2))}, np.full((3, 2), np.nan)
    ),
    "patch_sources": lambda: PatchSources(np.zeros((2, 4), int), RANDOM.random((2, 4))),
    "posterior": lambda: PosteriorComponents(
        np.zeros((4, 4, 1)), np.array([2.0, 1.0]), np.zeros((2, 4, 4, 1)), 4.0
    ),
    "spectrum": spectrum,
}

TITLES = {
    "density": ["Bits per dimension", "Errors of denoising over noise levels"],
    "dimension": [
        "Dimension over noise levels",
        "Dimension of each image",
        "Density of eigenvalues",
        "Eigenvalues above each value",
        "Copies told by a low dimension",
    ],
    "spectrum": ["Density of eigenvalues", "Eigenvalues above each value"],
}


def drawn(folder):
    """The curves of a page, as view.js gets them, and its text."""
    with serving(folder) as server:
        status, _, body = ask(server, "")
    assert status == 200
    found = HtmlReader(body.decode())
    assert "cannot be shown" not in found.text()
    figures = [figure["data-curves"] for figure in found.all("figure") if "data-curves" in figure]
    return [json.loads(figure) for figure in figures], found.text()


def curves(folder, name, numbers):
    return drawn(write_result(folder, name, **numbers))[0]


@pytest.mark.parametrize("name", RESULTS)
def test_results_have_their_curves(tmp_path, name):
    found = curves(tmp_path, name, RESULTS[name]().numbers())
    titles = [each["title"] for each in found]
    assert titles == TITLES.get(name, titles[:1]) and titles
    for each in found:
        for line in [line for frame in each["frames"] for line in frame]:
            assert len(line["x"]) == len(line["y"]) > 0
            assert all(low <= high for low, high in zip(line["low"], line["high"], strict=True))


def test_the_most_probable_image_comes_first(tmp_path):
    found, _ = curves(tmp_path, "density", density().numbers())
    ((own, twin, others),) = found["frames"]
    assert own["y"] == [-1, 1, 2] and own["low"] == pytest.approx([-2, 0, 1])
    # In the order of the same images, and in an order of their own.
    assert twin["y"] == [5, 6, 0] and others["y"] == [3, 4]


def test_a_density_is_shown_over_noise_levels(tmp_path):
    numbers = density().numbers()
    _, found = curves(tmp_path, "density", numbers)
    own, twin, others, unit = found["frames"][0]
    assert own["x"] == unit["x"] == [0.01, 1] and unit["y"][1] == 0.5
    assert own["y"] == pytest.approx([0.2 / 3, 0.2])
    assert [len(line["x"]) for line in (twin, others)] == [2, 2]


def test_a_density_of_an_earlier_version_is_shown(tmp_path):
    found = log_density(2.0, 1.0).numbers()
    del found["errors_of_denoising"]
    (shown,) = curves(tmp_path, "density", found)
    assert shown["title"] == "Bits per dimension"


def test_bounds_beyond_all_eigenvalues_are_none(tmp_path):
    """They are rounding, and on a logarithmic axis would leave no room for the rest."""
    numbers = spectrum().numbers()
    numbers["counts_above"][-1] = [1e-34, 1e-31]
    _, counts = curves(tmp_path, "spectrum", numbers)
    (line,) = counts["frames"][0]
    assert (line["low"][-1], line["y"][-1], line["high"][-1]) == (0, 0, 0)
    assert min(value for value in line["y"] if value) >= 0.1


def test_copies_are_told_as_by_the_result(tmp_path):
    found = copies()
    (shown,) = curves(tmp_path, "copies", found.numbers())
    line, _ = shown["frames"][0]
    np.testing.assert_allclose([line["x"], line["y"]], found.curve[:, :2].T)


def test_comparisons_show_twins_and_closest_images(tmp_path):
    report = memorization()
    numbers = report.numbers()
    (found,) = curves(tmp_path, "comparison", {"network_a": numbers, "network_b": numbers})
    assert found["values"] == ["cosine", "correlation"]
    twins, a, b = found["frames"][1]
    assert report.twins is not None
    np.testing.assert_allclose(twins["y"], np.sort(report.twins["correlation"]))
    np.testing.assert_allclose(a["y"], np.sort(report.closest["correlation"].value[:, 0]))
    assert a["y"] == b["y"]


def test_measures_of_copying_are_a_table(tmp_path):
    report = copying_report(*RANDOM.random((2, 12, 8, 8)))
    _, text = drawn(write_result(tmp_path, "copying", **report.numbers()))
    assert "95% of the null" in text and "AuthPct" in text


def test_denoised_files_are_a_table(tmp_path):
    files = [{"name": "a <b>.png", "before": None, "after": 30.0, "residual": 0.1, "noise": None}]
    _, text = drawn(write_result(tmp_path, "denoising", files=files))
    assert "a <b>.png" in text and "taken away" in text


def test_reports_show_what_they_measured(tmp_path):
    """Over noise levels with a slider over set sizes, and over set sizes with intervals."""
    group = {
        "sigmas": SIGMAS.tolist(),
        "train_psnr": [30.0, 20.0, 10.0],
        "test_psnr": [29.0, 19.0, None],
        "mean_gap": 1.0,
        "mean_gap_95": [0.5, 1.5],
        "network_a": memorization().numbers(),
        "pairs": [0, 1],
    }
    numbers = {"N=10": group, "N=1000": {**group, "mean_gap": 0.1}, "crossing": 500.0}
    document = Document("x", "X", "Does it grow?", "It does.", [], [], numbers)
    write_report(document, tmp_path / "report")
    found = {each["title"]: each for each in drawn(tmp_path / "report")[0]}
    levels = found["PSNR over noise levels"]
    assert levels["values"] == ["N=10", "N=1000"] and len(levels["frames"][0]) == 2
    (gap,) = found["Mean gap over set sizes"]["frames"][0]
    assert (gap["x"], gap["y"], gap["low"]) == ([10, 1000], [1, 0.1], [0.5, 0.5])
    names = [line["name"] for line in found["Correlation over set sizes"]["frames"][0]]
    assert names == ["network a, closest", "network a, twins"]


def test_curves_of_reports_that_coincide(tmp_path):
    """They are one, by both names; those with other intervals, or of other sizes, are others."""
    a, b = ({"score": 1.0, "score_95": [0.5, high]} for high in (1.5, 2.0))
    numbers = {
        "N=10": {"network_a": a, "network_b": b, "network_c": a, "network_d": a},
        "N=100": {"network_a": a, "network_b": b, "network_c": a},
        "N=1000": {"network_d": a},
    }
    write_report(Document("x", "X", "?", "!", [], [], numbers), tmp_path / "report")
    (found,) = drawn(tmp_path / "report")[0]
    (lines,) = found["frames"]
    assert [(line["name"], line["x"]) for line in lines] == [
        ("network a; network c", [10, 100]),
        ("network b", [10, 100]),
        ("network d", [10, 1000]),
    ]
