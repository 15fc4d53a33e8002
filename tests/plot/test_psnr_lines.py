"""PSNR out against in."""

import numpy as np
import pytest

from keras_gahr.analysis import PSNRCurve, Slope, fit_slope
from keras_gahr.plot import PALETTE, PSNRLine, psnr_lines, training_levels

SIGMAS = np.array([0.01, 0.1, 1.0])


def curve(slope, height, images=4, draws=2):
    spread = np.linspace(-1, 1, images * draws).reshape(draws, images)
    denoised = -20 * slope * np.log10(SIGMAS)[:, None, None] + height + spread
    return PSNRCurve(SIGMAS, np.zeros_like(denoised), denoised)


def labels(figure, panel=0):
    return [text.get_text() for text in figure.axes[panel].get_legend().get_texts()]


def named(figure, label):
    return next(line for line in figure.axes[0].lines if line.get_label() == label)


def test_curves_with_error_bars():
    found = curve(0.5, 20)
    figure = psnr_lines([PSNRLine.of_curve("a", found), PSNRLine.of_curve("b", curve(0.4, 25))])
    assert labels(figure) == ["a", "b", "noisy"]
    drawn = named(figure, "a")
    np.testing.assert_allclose(drawn.get_ydata(), [40, 30, 20])
    np.testing.assert_allclose(drawn.get_xdata(), [40, 20, 0])
    assert [named(figure, name).get_color() for name in "ab"] == [*PALETTE[:2]]
    bars = figure.axes[0].collections[0].get_segments()
    heights = [np.ptp(bar[:, 1]) for bar in bars]
    np.testing.assert_allclose(heights, 2 * found.error_over_images)


def test_error_bars_of_one_image_are_over_draws():
    one = curve(0.5, 20, images=1, draws=4)
    np.testing.assert_array_equal(PSNRLine.of_curve("a", one).errors, one.error_over_draws)
    assert np.isnan(PSNRLine.of_curve("a", curve(0.5, 20, 1, 1)).errors).all()
    psnr_lines([PSNRLine.of_curve("a", curve(0.5, 20, 1, 1))])


def test_the_fitted_line_and_the_optimum_through_its_middle():
    found = curve(0.5, 20)
    slope = fit_slope(found, low=0.05)
    figure = psnr_lines([PSNRLine.of_curve("a", found, slope=slope, optimum=1.0)])
    assert labels(figure)[0].startswith("a: slope 0.500 (")
    fitted = next(line for line in figure.axes[0].lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(fitted.get_xdata(), [0, 20], atol=1e-9)
    np.testing.assert_allclose(fitted.get_ydata(), [20, 30])
    best = named(figure, "a: optimal slope 1.000")
    np.testing.assert_allclose(best.get_xdata(), [0, 40], atol=1e-9)
    np.testing.assert_allclose(best.get_ydata(), [25 - 10, 25 + 30])


def test_an_optimum_without_a_fit_goes_through_the_lowest_level():
    figure = psnr_lines([PSNRLine.of_curve("a", curve(0.5, 20), optimum=1.0)])
    best = named(figure, "a: optimal slope 1.000")
    np.testing.assert_allclose(best.get_ydata(), [0, 40], atol=1e-9)


def test_a_slope_of_one_image_has_no_interval():
    slope = Slope(0.5, (np.nan, np.nan), 20, 0.01, 1, 3)
    assert labels(psnr_lines([PSNRLine("a", [0, 40], [20, 40], slope=slope)])) == [
        "a: slope 0.500",
        "noisy",
    ]


def test_an_optimum_above_the_noisy_images():
    figure = psnr_lines([PSNRLine("a", [40, 0], [40, 20])], offset=12)
    np.testing.assert_allclose(named(figure, "optimum, noisy + 12.0 dB").get_ydata(), [12, 52])
    np.testing.assert_allclose(named(figure, "noisy").get_ydata(), [0, 40])


def test_panels():
    lines = [
        PSNRLine(name, [0, 40], [20, 40 + k], panel=panel)
        for k, panel in enumerate(("training images", "test images"))
        for name in "ab"
    ]
    figure = psnr_lines(lines, title="Network A")
    assert [axes.get_title() for axes in figure.axes] == ["training images", "test images"]
    assert [len(axes.lines) for axes in figure.axes] == [3, 3]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def levels(*epochs, sets=("train", "test")):
    return [
        {"epoch": epoch, "set": name, "input_psnr": x, "psnr": 0.5 * x + epoch}
        for epoch in epochs
        for name in sets
        for x in (0, 20, 40)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (levels(1), ["train, epoch 1", "test, epoch 1"]),
        (levels(1, sets=("test",)), ["test, epoch 1"]),
        (
            levels(1, 2, 7),
            ["train, epoch 1", "test, epoch 1", "train, epoch 7", "test, epoch 7"],
        ),
    ],
)
def test_first_and_last_epoch(rows, expected):
    figure = training_levels(rows)
    assert labels(figure) == [*expected, "noisy"]
    last = named(figure, expected[-1])
    assert last.get_alpha() == 1
    np.testing.assert_allclose(last.get_ydata(), np.array([0, 10, 20]) + rows[-1]["epoch"])


def test_more_lines_than_colours_differ_by_their_marks():
    lines = [PSNRLine(f"network {k}", [10, 20], [20 + k, 25 + k]) for k in range(2 * len(PALETTE))]
    drawn = psnr_lines(lines).axes[0].get_lines()
    drawn = [line for line in drawn if str(line.get_label()).startswith("network")]
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == len(lines)
