"""Every figure: what it is documented to be, names as they are, nothing cut off."""

import doctest
import inspect
import os

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_gahr import plot
from keras_gahr.analysis import closest, memorization_report, patch_sources
from keras_gahr.training import Look

FUNCTIONS = [getattr(plot, name) for name in plot.__all__ if name != "PALETTE"]
NAMES = ("_a$_$b.npy", os.fsdecode(b"$\\frac caf\xe9"))
"""Names of files: of `$_$` matplotlib would make a formula, and fail; what begins with _ it would leave
out of legends; one may be no UTF-8."""


def example_of(function):
    """The figure that the example in a docstring draws, or None."""
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(function, function.__name__)
    assert test.examples, f"{function.__name__} has no example"
    drawn = []

    def keep(figure, *arguments, **options):
        drawn.append(figure)

    kept = Figure.__init__

    def init(self, *arguments, **options):
        kept(self, *arguments, **options)
        drawn.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "__init__", init)
        result = doctest.DocTestRunner().run(test)
    assert result.failed == 0
    return drawn[-1] if drawn else None


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_examples_run_and_nothing_is_cut_off(function):
    figure = example_of(function)
    if figure is None:
        assert function in (plot.PSNRLine, plot.shades)
        return
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.x0, box.y0) > -1 and box.x1 < width + 1 and box.y1 < height + 1


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_everything_is_annotated_and_described(function):
    parameters = inspect.signature(function).parameters
    text = inspect.getdoc(function)
    for name, parameter in parameters.items():
        assert parameter.annotation is not parameter.empty, name
        assert f"    {name}: " in text, f"{name} of {function.__name__}"
    if inspect.isfunction(function):
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty
        assert "Returns:" in text or function is plot.show_image


def test_names_are_no_mathematics():
    image = np.zeros((4, 4, 1), np.float32)
    numbers = ([10, 100], [1.0, 2.0])
    for name in NAMES:
        for figure in (
            plot.image_pairs([(image, image, name)], title=name),
            plot.image_row([(name, image)], title=name),
            plot.psnr_lines([plot.PSNRLine(name, *numbers, panel=name)], title=name),
            plot.gap_over_noise([(name, *numbers)]),
            plot.gap_over_images([(name, *numbers, [(0, 2), (1, 3)])]),
            plot.similarity_histograms([(name, [0.1], [0.2])]),
            plot.twin_samples([(image,) * 4 + ([name] * 4,)]),
            plot.eigenvectors(image[None], [1], images=[(name, image)]),
        ):
            figure.draw_without_rendering()


@pytest.mark.parametrize("name", ["_few", "a$_$b"])
def test_names_stand_in_legends(name):
    for figure in (
        plot.psnr_lines([plot.PSNRLine(name, [1, 2], [3, 4])]),
        plot.gap_over_noise([(name, [1, 2], [3, 4])]),
    ):
        legend = figure.legends[0] if figure.legends else figure.axes[0].get_legend()
        assert name in [text.get_text().strip() for text in legend.get_texts()]


def test_figures_have_one_size_where_asked():
    vectors = np.ones((3, 4, 4, 1))
    sizes = {
        tuple(plot.eigenvectors(vectors[:count], [1] * count, room=4).get_size_inches())
        for count in (1, 3)
    }
    assert len(sizes) == 1
    row = (vectors[0],) * 4 + (("",) * 4,)
    sizes = {
        tuple(plot.twin_samples([row] * count, places=3).get_size_inches()) for count in (1, 3)
    }
    assert len(sizes) == 1


def test_images_that_are_not_finite_are_shown():
    figure = Figure()
    plot.show_image(figure.subplots(), np.full((4, 1, 1), np.nan))
    assert np.all(figure.axes[0].images[0].get_array() == 0)


def test_histograms_share_their_axes_or_do_not():
    panels = [("a", [0.9, 0.95], [0.5, 0.6]), ("b", [0.2, 0.3], [-0.5, 0.6])]
    shared = plot.similarity_histograms(panels)
    assert shared.axes[0].get_xlim() == shared.axes[1].get_xlim()
    assert shared.axes[0].get_xlim()[0] < -0.5
    apart = plot.similarity_histograms(panels, shared=False)
    assert apart.axes[0].get_xlim()[0] > 0.4


def test_losses_that_are_not_finite_are_left_out():
    history = [
        {"epoch": 1, "train_loss": 2.0, "train_psnr": 20.0},
        {"epoch": 2, "train_loss": float("nan"), "train_psnr": 21.0, "test_loss": 1.0},
    ]
    figure = plot.training_history(history)
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == [
        "train",
        "test",
    ]


def bars(axes):
    """The heights of the bars of a histogram."""
    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


def test_exact_copies_are_counted_in_histograms():
    """Correlations of copies are 1 up to rounding, and some lie above it."""
    images = np.random.default_rng(0).random((40, 8, 8, 1), np.float32)
    correlation = closest(images, images, ["correlation"], count=1)["correlation"].value[:, 0]
    correlation = np.append(correlation, [1 + 8e-9, -1 - 8e-9])
    assert sum(bars(plot.overlap_histogram(correlation, 0.95).axes[0])) == 42
    panel = ("name", correlation)
    for shared in (True, False):
        assert sum(bars(plot.similarity_histograms([panel], shared=shared).axes[0])) == 42


def test_histograms_say_what_they_count():
    panels = [("a", [0.9, 0.95])]
    assert plot.similarity_histograms(panels).axes[0].get_ylabel() == "pairs"
    assert plot.similarity_histograms(panels, counted="words").axes[0].get_ylabel() == "words"
    images = np.random.default_rng(0).random((4, 8, 8, 1))
    for result, counted in (
        (closest(images, images)["cosine"], "samples"),
        (memorization_report(images, images), "samples"),
        (patch_sources(images, images, side=4), "patches"),
    ):
        assert result.plot().axes[0].get_ylabel() == counted


def test_the_clock_draws_shares_on_an_axis_of_their_own():
    errors = {"train_error": 0.01, "test_error": 0.02}
    looks = [Look(step, 64, copy={0.1: 4 / step}, **errors) for step in (4, 10)]
    figure = plot.memorization_clock(looks)
    *_, axes, beside = figure.axes
    assert axes.get_ylabel() == "mean squared error\n(geometric mean over noise levels)"
    assert beside.get_ylabel() == "share left by the copy"
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[0.01] * 2, [0.02] * 2]
    (share,) = beside.lines
    assert list(share.get_ydata()) == [1, 0.4]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "training images",
        "test images",
        "|D - copy|^2 / |y - copy|^2, sigma = 25.5/255",
    ]
    assert len(plot.memorization_clock([Look(4, 64, **errors)]).axes) == 4


def test_the_mean_dimension_is_that_of_all_images():
    trace = np.array([[6.0, 4.0], [3.0, -1.0], [0.5, -1.5]])
    figure = plot.dimension_over_noise(np.array([0.01, 0.1, 1]), trace, np.array([1, 1]))
    (mean,) = [line for line in figure.axes[0].lines if line.get_label() == "tr J, mean"]
    # An axis of logarithms ends above 0.
    assert list(mean.get_ydata()) == [5, 1, 0.1]


def test_small_noise_levels_are_not_called_0():
    images = np.ones((1, 4, 4, 1))
    levels = (0.001, 0.1, 0.65)
    figure = plot.denoised_images([(sigma, images, images, images) for sigma in levels])
    labels = [axes.get_ylabel() for axes in figure.axes[::3]]
    assert labels == ["sigma = 0.255/255", "sigma = 25.5/255", "sigma = 166/255"]


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_of_channels_that_are_no_colours_the_mean_is_shown(channels):
    images = np.random.default_rng(0).random((4, 6, 6, channels))
    axes = Figure().subplots()
    plot.show_image(axes, images[0])
    np.testing.assert_allclose(axes.images[0].get_array(), images[0].mean(axis=-1))
    figure = plot.denoised_images([(0.1, images, images, images)])
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (18, 18)
    np.testing.assert_allclose(shown[2:8, 10:16], images[1].mean(axis=-1))
