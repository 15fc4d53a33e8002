"""The claims of `onset`, which must fail where trainings do otherwise, its fits, and a whole run."""

import dataclasses
import functools
import math

import numpy as np
import pytest
from scipy import stats

from keras_gahr.analysis.intervals import share_interval
from keras_gahr.errors import InputError
from keras_gahr.experiments.onset.collapse import collapse_of
from keras_gahr.experiments.onset.curve import Curve, least_count
from keras_gahr.experiments.onset.experiment import Onset
from keras_gahr.experiments.onset.findings import claims_of, find_onset
from keras_gahr.experiments.onset.forecast import early_gap, number_alone, score_forecast
from keras_gahr.experiments.onset.mixture import MixtureSettings, draw_points, mixture_network
from keras_gahr.experiments.onset.power_law import fit_power_law, fit_times
from keras_gahr.experiments.onset.report import answer, numbers, sections_of
from keras_gahr.reproduction.settings import replaced
from keras_gahr.training.clock import Look, memorization_time

COUNTS = (16, 64, 256, 1024)
DRAWS = 20
STEPS = np.unique(np.round(np.geomspace(10, 200_000, 50)).astype(int))


@functools.cache
def wilson(copies, samples):
    return share_interval(np.arange(samples) < copies)


def curve(count, rises_at, *, length=STEPS[-1], best_at=100, gap=None, samples=200):
    """A run whose f_mem rises at a step and whose test error is best from another one on."""
    looks = []
    for step in map(int, STEPS[: np.searchsorted(STEPS, length, side="right")]):
        share = 1 / (1 + (rises_at / step) ** 4)
        copies = int(samples * share)
        low, high = wilson(copies, samples)
        looks.append(
            Look(
                step,
                samples,
                copies / samples,
                low,
                high,
                f_mem_up_to_a_factor=min(1.0, 2 * copies / samples),
                test_error=0.5 if step >= best_at else 1.0,
                gap=step / rises_at if gap is None else gap,
            )
        )
    return Curve(count, tuple(looks))


def sweep(power=1.0, generalization=0.0, **options):
    return [
        curve(
            count,
            20 * count**power * (1 + 0.1 * run),
            best_at=200 * count**generalization,
            **options,
        )
        for count in COUNTS
        for run in range(2)
    ]


def passed(curves):
    return [claim.passed for claim in claims_of(find_onset("points", curves, draws=DRAWS))]


# Fits


@pytest.mark.parametrize("exponent", [1.0, 0.5, -0.2])
def test_the_fit_finds_the_power_of_exact_times(exponent):
    counts = np.array(COUNTS)
    law = fit_power_law(counts, 30.0 * counts**exponent, np.full(4, 1e6), spacing=1.0)
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.factor == pytest.approx(30, rel=1e-9)
    np.testing.assert_allclose(law.at([16, 64]), 30.0 * np.array([16.0, 64]) ** exponent)


def test_a_run_that_ended_too_early_bounds_the_power_from_below():
    counts, times = np.array(COUNTS), np.array([320.0, 1280, 5120, math.nan])
    told = fit_power_law(counts, times, np.full(4, 100_000), spacing=1.3)
    ignored = fit_power_law(counts[:3], times[:3], np.full(3, 100_000), spacing=1.3)
    assert ignored.exponent == pytest.approx(1)
    # 1024 points would have memorized at 20,480 steps; they had not at 100,000.
    assert told.exponent > 1.1
    expected = fit_power_law(counts, times, np.full(4, 10_000), spacing=1.3)
    assert expected.exponent == pytest.approx(1, abs=0.05)


def test_no_power_is_fitted_to_the_times_of_one_number():
    times = np.array([300.0, math.nan, math.nan, math.nan])
    assert fit_power_law(COUNTS, times, np.full(4, 1000), spacing=1.3) is None
    fitted = fit_times([curve(16, 300), curve(64, 1e9)], lambda c: c.tau_mem)
    assert fitted.law is None and fitted.censored == 1
    assert fitted.exponent_interval == (-math.inf, math.inf)


def test_the_bootstrap_holds_the_power_and_keeps_censored_runs():
    curves = sweep(length=30_000)
    fitted = fit_times(
        curves, lambda c: c.tau_mem, lambda c, g: c.resampled_tau_mem(g), draws=40, seed=3
    )
    low, high = fitted.exponent_interval
    assert low < fitted.exponent < high and low < 1 < high
    assert 0 < high - low < 0.3
    few = fit_times(sweep(length=5000), lambda c: c.tau_mem, draws=20)
    assert few.censored == 2
    assert len(few.exponents) == 20


@pytest.mark.parametrize(("counts", "runs"), [(COUNTS[:3], 1), (COUNTS[:3], 2)])
def test_the_interval_of_few_runs_holds_the_power_as_often_as_it_says(counts, runs):
    generator = np.random.default_rng(0)
    held, widths = [], []
    for seed in range(60):
        curves = [curve(count, 1) for count in counts for _ in range(runs)]
        times = {
            id(c): 100 * c.count * math.exp(0.25 * generator.standard_normal()) for c in curves
        }
        fitted = fit_times(curves, lambda c, times=times: times[id(c)], draws=100, seed=seed)
        low, high = fitted.exponent_interval
        held.append(low <= 1 <= high)
        widths.append(high - low)
    assert np.mean(held) > 0.88
    # That of the regression is .50 wide for six runs.
    assert runs == 1 or 0.4 < np.median(widths) < 0.8


def test_times_at_the_same_look_are_not_known_more_closely_than_looks_are():
    curves = [curve(count, 1) for count in COUNTS for _ in range(2)]
    fitted = fit_times(curves, lambda c: 100.0, draws=200)
    assert fitted.exponent == pytest.approx(0, abs=1e-9)
    low, high = fitted.exponent_interval
    # A time is anywhere within a look's distance.
    scatter = math.log(curves[0].spacing) / math.sqrt(12)
    expected = scatter / (np.std(np.log(COUNTS)) * math.sqrt(8))
    assert 2 < high / expected < 4 and 2 < -low / expected < 4


def test_times_change_by_the_same_factor_up_or_down():
    rising, falling = (
        fit_times(sweep(generalization=power), lambda c: c.tau_gen, draws=20)
        for power in (0.5, -0.25)
    )
    assert rising.change(16)[0] == pytest.approx(4, rel=0.1)
    assert falling.change(16)[0] == pytest.approx(2, rel=0.15)


# Curves


def test_the_time_is_that_of_the_clock():
    for rises_at in (50, 3000, 1e7):
        run = curve(16, rises_at)
        found = memorization_time(run.looks)
        assert run.tau_mem == found if found is not None else math.isnan(run.tau_mem)


def test_copies_up_to_a_factor_come_earlier():
    run = curve(16, 3000)
    assert dataclasses.replace(run, up_to_a_factor=True).tau_mem < run.tau_mem


@pytest.mark.parametrize("samples", [16, 64, 200])
def test_the_least_count_is_the_first_whose_interval_lies_above(samples):
    count = least_count(samples)
    low = [share_interval(np.arange(samples) < k)[0] for k in (count - 1, count)]
    assert low[0] <= 0.05 < low[1]


def test_other_samples_have_other_times_around_the_same():
    generator = np.random.default_rng(0)
    run = curve(64, 1000)
    times = [run.resampled_tau_mem(generator) for _ in range(100)]
    assert len(set(times)) > 1
    # Within two looks.
    assert np.median(times) == pytest.approx(run.tau_mem, rel=run.spacing**2 - 1)


def test_a_number_at_a_step_is_of_the_look_before():
    run = curve(16, 100)
    assert math.isnan(run.at("gap", 9))
    assert run.at("gap", 10.5) == 0.1


# Collapse


def shared(count, place):
    """A run whose f_mem is a function of `place` of its steps."""
    steps = np.geomspace(10, 10_000, 400) * count**0.5
    shares = stats.norm.cdf(np.log(place(steps, count)))
    looks = tuple(Look(int(s), 200, float(f)) for s, f in zip(np.round(steps), shares, strict=True))
    return Curve(count, looks)


def test_curves_of_steps_per_image_collapse():
    runs = [shared(count, lambda steps, count: steps / count / 10) for count in COUNTS]
    found = collapse_of(runs)
    assert found.at_equal_steps > 0.01
    assert found.score == pytest.approx(0, abs=1e-3)


def test_curves_of_steps_alone_do_not():
    runs = [shared(count, lambda steps, count: steps / 1000) for count in COUNTS]
    assert collapse_of(runs).score > 100


def test_time_that_grows_as_the_square_root_is_halfway():
    # Against steps and against steps per image curves lie equally far apart, in opposite directions.
    runs = [shared(count, lambda steps, count: steps / count**0.5 / 60) for count in COUNTS]
    assert collapse_of(runs).score == pytest.approx(1, abs=0.05)


def test_no_score_without_times_in_common_or_copies():
    assert math.isnan(collapse_of([curve(16, 1e9), curve(64, 1e9)]).score)
    assert math.isnan(collapse_of([curve(16, 100)]).score)
    apart = [curve(16, 100, length=12), curve(1024, 100, length=12)]
    assert math.isnan(collapse_of(apart).at_equal_steps_per_image)


# Forecast


def noisy_sweep(gap_tells):
    """Runs whose time is N times something of their own, which their early gap may tell."""
    own = np.random.default_rng(0).normal(0, 0.3, (len(COUNTS), 4))
    return [
        curve(
            count,
            200 * count * math.exp(own[row, run]),
            length=600 * count,
            gap=-own[row, run] if gap_tells else 0.01 * (run + row),
        )
        for row, count in enumerate(COUNTS[:3])
        for run in range(4)
    ]


@pytest.mark.parametrize("whole_count", [False, True])
def test_an_early_gap_that_tells_makes_a_better_forecast(whole_count):
    curves = noisy_sweep(gap_tells=True)
    baseline, forecast = (
        score_forecast(curves, features, whole_count) for features in (number_alone, early_gap)
    )
    assert len(forecast.predictions) == len(baseline.predictions) > 8
    assert forecast.error < 1.15 < baseline.error
    assert forecast.width < baseline.width
    assert forecast.held >= len(forecast.predictions) - 1


def test_one_that_does_not_makes_no_better_one():
    curves = noisy_sweep(gap_tells=False)
    baseline, forecast = (
        score_forecast(curves, features, False) for features in (number_alone, early_gap)
    )
    assert forecast.error > 0.8 * baseline.error
    assert baseline.held >= 0.75 * len(baseline.predictions)


def test_runs_without_a_forecast_are_counted():
    early, never = curve(16, 50, length=9600), curve(64, 1e9)
    found = score_forecast([*noisy_sweep(gap_tells=True), early, never], early_gap, False)
    assert (found.early, found.censored) == (1, 1)
    alone = score_forecast([curve(16, 60_000), curve(64, 80_000)], early_gap, False)
    assert alone.unpredicted == 2 and not alone.predictions
    assert math.isnan(alone.error) and math.isnan(alone.width)


# Claims


def test_a_sweep_as_published_passes():
    assert passed(sweep()) == [True, True, True, True]


def test_memorization_at_one_time_fails():
    assert passed(sweep(power=0.0)) == [None, False, True, False]
    earlier = [curve(count, 400_000 / count * jitter) for count in COUNTS for jitter in (1, 1.1)]
    assert passed(earlier)[0] is False


def test_another_power_is_another():
    assert passed(sweep(power=0.7))[:2] == [True, False]


def test_a_power_that_may_be_many_is_not_the_published_one():
    # Two runs of an N differ by a factor of 9.
    wide = [curve(count, 60 * count * factor) for count in COUNTS for factor in (1 / 3, 3)]
    result = find_onset("points", wide, draws=200)
    low, high = result.tau_mem.exponent_interval
    assert low < 0.75 < 1 < high
    assert claims_of(result)[1].passed is None


def test_generalization_that_takes_longer_fails():
    assert passed(sweep(generalization=0.5))[2] is False


def test_one_run_of_each_number_decides_nothing_about_the_collapse():
    result = find_onset("points", sweep()[::2], draws=DRAWS)
    assert result.collapse_interval == (-math.inf, math.inf)
    claim = claims_of(result)[3]
    assert claim.passed is None
    assert "(too few for an interval): a single run of an N does not tell" in claim.measured
    assert numbers([result])["points"]["collapse"]["score_95"] == [None, None]
    # The exponent is seen of four times.
    assert claims_of(result)[0].passed is True


def test_two_times_decide_nothing_about_a_power():
    result = find_onset("points", [curve(16, 320), curve(64, 1280)], draws=DRAWS)
    claims = claims_of(result)
    assert [claim.passed for claim in claims] == [None] * 4
    assert result.tau_mem.exponent == pytest.approx(1, abs=0.2)
    assert result.tau_mem.exponent_interval == (-math.inf, math.inf)
    assert "fewer than 3 runs have a tau_gen" in claims[2].measured
    assert "(too few runs for an interval; published: 1)" in answer([result])
    assert "nan" not in answer([result]) and "inf" not in answer([result])


def test_nothing_memorized_decides_nothing_about_it():
    result = find_onset("points", [curve(count, 1e9) for count in COUNTS], draws=DRAWS)
    claims = claims_of(result)
    assert [claim.passed for claim in claims] == [None, None, True, None]
    assert "4 of 4 runs ended before they memorized" in claims[0].measured
    assert "4 of 4" not in answer([result]) and "0 of 4 runs memorized" in answer([result])
    assert numbers([result])["points"]["tau_mem"]["exponent"] is None
    shown = [item for section in sections_of(result, ["text"]) for item in section.items]
    assert len(shown) == 4


# The experiment


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"set_sizes": (8,)}, "set sizes 8"),
        ({"mixture_sizes": (8, 4)}, "set sizes 8, 4"),
        ({"halves": "C"}, "expected A, B or AB"),
        ({"runs": 0}, "runs = 0"),
        ({"images": 9}, "images = 9"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        Onset().trainings(replaced(Onset.scales["smoke"], **change))


def test_all_scales_can_be_planned():
    for settings in Onset.scales.values():
        tasks = Onset().trainings(settings)
        runs = len(settings.halves) * len(settings.set_sizes)
        assert len({task.folder for task in tasks}) == runs
        for task in tasks:
            options = task.options
            assert options["batch_size"] <= options["train_size"] <= options["images_per_epoch"]
            assert options["clock"]


def test_lengths_grow_more_slowly_than_the_number_of_images():
    settings = MixtureSettings(mixture_sizes=(2, 16), mixture_steps=600)
    assert [settings.length(count) for count in (2, 16)] == [150, 600]


def test_points_are_of_both_halves_and_the_network_is_told_the_level():
    points = draw_points(4000, np.random.default_rng(0))
    assert points.mean() == pytest.approx(0, abs=0.05)
    assert np.square(points).mean() == pytest.approx(2, abs=0.05)
    network = mixture_network(8, seed=0)
    images, again = points[:2, :, None, None], mixture_network(8, seed=0)
    found = np.array([network.predict([images, np.full(2, s)], verbose=0) for s in (0.1, 5.0)])
    assert found.shape == (2, 2, 8, 1, 1) and not np.allclose(found[0], found[1])
    same = again.predict([images, np.full(2, 5.0)], verbose=0)
    np.testing.assert_array_equal(found[1], same)


@pytest.mark.long
@pytest.mark.slow
def test_times_are_found(finish):
    settings = Onset.scales["smoke"]
    runs = finish(Onset().trainings(settings))
    said = []
    document = Onset().analyse(settings, runs, lambda text, part: said.append((text, part)))
    assert [part for _, part in said] == sorted(part for _, part in said)
    assert len(document.claims) == 8
    found = document.numbers["mixture"]
    assert [run["N"] for run in found["runs"]] == [4, 16]
    assert all(min(run["test_error"]) < run["test_error"][0] for run in found["runs"])
    assert [run["N"] for run in document.numbers["images"]["runs"]] == [2, 8]
