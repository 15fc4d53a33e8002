"""The report of `onset`: figures 1 to 3 of arXiv 2505.17638."""

import math

import numpy as np

from keras_gahr.plot import memorized_over_time, onset_times, png_bytes
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Picture, Section, Table
from keras_gahr.training.clock.look import SHARE

from ..faces import describe_images
from .findings import GROWTH, PUBLISHED
from .forecast import EARLY
from .mixture import DIMENSION


def answer(results):
    return " ".join(_answer(result) for result in results)


def _answer(result):
    mem, name = result.tau_mem, result.name
    said = f"On the {name}, "
    if mem.law is None:
        return (
            said
            + f"{len(mem.times) - mem.censored} of {len(mem.times)} runs memorized, too few to fit."
        )
    sure = (
        f"95% of the exponent: {_range(mem.exponent_interval)}"
        if len(mem.exponents)
        else "too few runs for an interval"
    )
    growth, _ = result.tau_gen.change(GROWTH)
    changes = (
        "is not known"
        if math.isnan(growth)
        else f"changes by a factor of {growth:.2f} over a {GROWTH}-fold N"
    )
    score = result.collapse.score
    return (
        said
        + f"memorization begins at tau_mem = {mem.law.factor:.3g} N^{mem.exponent:.2f} steps ({sure}; "
        f"published: {PUBLISHED:g}), while the time of generalization {changes}; "
        + ("no collapse score." if math.isnan(score) else f"collapse score {score:.2f}.")
    )


def mixture_text(settings):
    return [
        f"Points of a mixture of two Gaussians in {DIMENSION} dimensions; a residual network of width "
        f"{settings.width} that is told the noise level, trained by a plain Keras loop (Adam, batches of "
        f"min({settings.mixture_batch}, N)) of which the clock knows nothing but the wrapped network. "
        f"{settings.runs} runs of each N, each with its own points and weights.",
    ]


def images_text(result, dataset):
    last = [curve.looks[-1] for curve in result.curves]
    return [
        describe_images(dataset),
        "Bias-free U-Nets, trained for all noise levels. A network without biases knows an image with all "
        "its multiples, so that a sample counts as memorized if a multiple of one training image is less "
        f"than a third as far away as any other's: at the end of the runs {_mean(last, True):.0%} of the "
        f"samples are copies in this way, and {_mean(last, False):.0%} without the factor. With few "
        "images the test error may be best before anything but the average is learnt, and tau_gen is then "
        "the time of that.",
    ]


def _mean(looks, up_to_a_factor):
    name = "f_mem_up_to_a_factor" if up_to_a_factor else "f_mem"
    return np.mean([getattr(look, name) for look in looks])


def sections_of(result, text):
    """A `Section` of curves and times, and one of the forecast."""
    return [
        Section(
            f"The {result.name}: when",
            [*text, _times_text(result)],
            [_curves_picture(result), _times_picture(result), _times_table(result)],
        ),
        Section(f"The {result.name}: forecast", _forecast_text(result), [_forecast_table(result)]),
    ]


def _times_text(result):
    mem, gen = result.tau_mem, result.tau_gen
    text = (
        f"tau_mem is the first look at which the lower 95% bound of the share of memorized samples is "
        f"above {SHARE:.0%}; tau_gen the first one whose test error is within 5% of the run's best."
    )
    if mem.law is not None:
        text += (
            f" Exponents: {in_words(mem.exponent, mem.exponent_interval)} of tau_mem, "
            f"{in_words(gen.exponent, gen.exponent_interval)} of tau_gen, by a bootstrap over runs, times "
            "between looks and, of tau_mem, samples, as wide as Student's intervals of so few runs are."
        )
    if mem.censored:
        text += (
            f" {mem.censored} of {len(mem.times)} runs ended before they memorized; of these the fit knows "
            "that tau_mem is later than their end, and in the bootstrap, too."
        )
    return text


def _curves_picture(result):
    score, name = result.collapse.score, result.name
    curves = [(curve.count, curve.steps, curve.memorized) for curve in result.curves]
    reads = (
        "has no score here"
        if math.isnan(score)
        else f"has a score of {in_words(score, result.collapse_interval)}: the variance across N at the same "
        "number of steps per image, over that at the same step; below 1 time is better counted per image"
    )
    ends = "; ".join(
        f"N = {count}: {np.mean([curve.memorized[-1] for curve in result.of(count)]):.2f}"
        for count in result.counts
    )
    return Picture(
        f"memorized-{name}",
        png_bytes(
            memorized_over_time(curves, threshold=SHARE, title=f"Memorized samples ({name})")
        ),
        f"Share of memorized samples against the step and against steps per image, each run a line; dotted "
        f"{SHARE:.0%}. The collapse of the curves {reads}.",
        f"Two charts of the share of memorized samples. At the end of the runs: {ends}.",
    )


def _times_picture(result):
    mem, gen = result.tau_mem, result.tau_gen
    seen = np.isfinite(mem.times)
    kinds = [
        (
            name,
            times.counts[known],
            times.times[known],
            times.law and (times.law.factor, times.law.exponent),
        )
        for name, times, known in (
            ("tau_mem", mem, seen),
            ("tau_gen", gen, np.isfinite(gen.times)),
        )
    ]
    return Picture(
        f"times-{result.name}",
        png_bytes(
            onset_times(
                kinds,
                unreached=(mem.counts[~seen], mem.lengths[~seen]),
                title=f"Generalization and memorization ({result.name})",
            )
        ),
        "When each run generalized and when it began to memorize, with the fitted power laws.",
        _answer(result),
    )


def _times_table(result):
    rows = [
        (
            curve.count,
            curve.length,
            _whole(curve.tau_gen),
            _whole(curve.tau_mem),
            None if math.isnan(curve.tau_mem) else round(curve.tau_mem / curve.count, 1),
            round(float(curve.memorized[-1]), 3),
            round(curve.looks[-1].gap, 2),
        )
        for curve in result.curves
    ]
    return Table(
        (
            "N",
            "steps",
            "tau_gen",
            "tau_mem",
            "tau_mem / N",
            "memorized at the end",
            "gap at the end",
        ),
        rows,
        "Each run; times in steps, a dash where the run ended before. The gap is PSNR on training images "
        "less that on test images at the middle noise level, in dB.",
    )


def _forecast_text(result):
    any_of = next(iter(result.forecasts.values()))
    runs, errors = len(result.curves), [found.error for found in result.forecasts.values()]
    gains = (
        f"Of another run the gap made the error {_change(*errors[:2])}, of another N "
        f"{_change(*errors[2:])}."
    )
    return [
        f"From the first tenth of a run ({EARLY:.0%} of its steps) and from the other runs of the sweep, "
        "when will it begin to memorize? log tau_mem is taken as linear in log N and in the gap (dB) at the "
        "end of that tenth, against the same without the gap. Each run is forecast from other runs of "
        f"all N, or from runs of other N only. {gains}",
        f"Of {runs} runs {any_of.early} memorized already in their first tenth, where nothing is left to "
        f"forecast, and {any_of.censored} did not memorize until their end, so that nothing can be scored; "
        "both are left out here. A forecast of the smallest or the largest N from the others extrapolates "
        "a power law, and its interval is only as good as that.",
    ]


def _change(before, after):
    if math.isnan(before) or math.isnan(after):
        return "a factor that is not known, too few runs being left"
    word = "smaller" if after < before else "no smaller"
    return f"{word} (a factor of {before:.2f} without, {after:.2f} with it)"


def _forecast_table(result):
    return Table(
        (
            "from what, of what",
            "runs",
            "not possible",
            "error (factor)",
            "intervals that hold",
            "their width (factor)",
        ),
        [
            (
                name,
                len(found.predictions),
                found.unpredicted,
                None if not found.predictions else round(found.error, 2),
                f"{found.held} of {len(found.predictions)}",
                None if not found.predictions else _of_three_digits(found.width),
            )
            for name, found in result.forecasts.items()
        ],
        "Errors and widths are factors, geometric means: 1 is a perfect forecast. 95% of the intervals "
        "should hold the truth. Not possible: too few other runs to fit.",
    )


def numbers(results):
    return {
        result.name: {
            "tau_mem": _of_times(result.tau_mem),
            "tau_gen": _of_times(result.tau_gen),
            "collapse": {
                "score": _finite(result.collapse.score),
                "score_95": list(map(_finite, result.collapse_interval)),
                "variance_at_equal_steps": _finite(result.collapse.at_equal_steps),
                "variance_at_equal_steps_per_image": _finite(
                    result.collapse.at_equal_steps_per_image
                ),
            },
            "forecasts": {
                name: {
                    "error_factor": _finite(found.error),
                    "intervals_that_hold": found.held,
                    "runs": len(found.predictions),
                    "memorized_in_the_first_tenth": found.early,
                    "not_memorized": found.censored,
                    "not_possible": found.unpredicted,
                    "predictions": [
                        {
                            "N": each.count,
                            "tau_mem": each.tau_mem,
                            "predicted": each.predicted,
                            "interval_95": list(each.interval),
                        }
                        for each in found.predictions
                    ],
                }
                for name, found in result.forecasts.items()
            },
            "runs": [
                {
                    "N": curve.count,
                    "steps": curve.steps.tolist(),
                    "memorized": curve.memorized.tolist(),
                    "f_mem": [look.f_mem for look in curve.looks],
                    "test_error": [_finite(look.test_error) for look in curve.looks],
                    "gap": [_finite(look.gap) for look in curve.looks],
                }
                for curve in result.curves
            ],
        }
        for result in results
    }


def _of_times(times):
    return {
        "factor": None if times.law is None else times.law.factor,
        "factor_95": list(map(_finite, times.factor_interval)),
        "exponent": _finite(times.exponent),
        "exponent_95": list(map(_finite, times.exponent_interval)),
        "runs_that_ended_before": times.censored,
        "N": times.counts.tolist(),
        "steps": list(map(_finite, times.times)),
    }


def _finite(number):
    return float(number) if math.isfinite(number) else None


def _of_three_digits(number):
    return float(f"{number:.3g}")


def _whole(step):
    return None if math.isnan(step) else int(step)


def _range(interval):
    return "{:.2f} to {:.2f}".format(*interval)
