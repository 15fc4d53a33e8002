"""The report of `molrg`."""

import numpy as np

from keras_gahr.analysis.intervals import mean_interval, share_interval
from keras_gahr.analysis.memorization import RATIO, REPEAT
from keras_gahr.plot import measured_over_images, png_bytes, similarity_histograms
from keras_gahr.report.document import Picture, Section, Table

from ..students import DEVIATION, LAW, UNIT
from .findings import COPIER, OTHER, SAME, TEACHER

_NAMES = {
    SAME: "network on the same points",
    OTHER: "network on other points",
    TEACHER: "teacher",
    COPIER: "copier",
}


def answer(results):
    first, last = results[0], results[-1]
    return (
        f"Of networks on other points {first.share(OTHER)[0]:.0%} of the samples were alike at N = "
        f"{first.count} and {last.share(OTHER)[0]:.0%} at N = {last.count}, where the optimum of the law "
        f"drew {last.share(TEACHER)[0]:.0%} of them, too."
    )


def sections_of(results, settings):
    return [_law_section(results, settings), _reproducibility(results), _explanation(results)]


def _law_section(results, settings):
    chance = np.concatenate([result.by_chance for result in results])
    student = settings.student
    return Section(
        "Points and networks",
        [
            f"A mixture of {len(LAW.weights)} Gaussians of dimension {LAW.ranks[0]} in {LAW.bases.shape[1]} "
            f"dimensions, whose optimum is known. For each N two networks of width {student.width} were "
            "trained from other weights on the same points, and a third one on others, for "
            f"{student.steps} steps of {student.batch} points each; they are told the noise level. The "
            "teacher is the optimum of the law, the copier that of the training points.",
            "All draw from the same noise by Euler's steps, which add none. Two samples count as alike if "
            f"their correlation is above {REPEAT:g}, the bound from which on images count as repeats; the "
            "paper compares features that were learnt for copies of pictures. With a "
            f"sample of the teacher from other noise {np.mean(chance > REPEAT):.2%} are alike. Intervals "
            "are over the noise of these networks: those of other trainings are not among them.",
        ],
    )


def _reproducibility(results):
    counts = [result.count for result in results]
    curves = []
    for name, label in _NAMES.items():
        values, intervals = zip(*(result.share(name) for result in results), strict=True)
        curves.append((label, counts, values, intervals))
    figure = measured_over_images(
        curves, quantity="share of samples alike", title="Who draws the same from the same noise"
    )
    shares = "; ".join(
        f"N = {r.count}: {', '.join(f'{r.share(name)[0]:.2f}' for name in _NAMES)}" for r in results
    )
    panels = [
        (f"N = {r.count}", r.correlation[OTHER], r.correlation[TEACHER], r.correlation[COPIER])
        for r in results
    ]
    histograms = similarity_histograms(
        panels, labels=tuple(_NAMES[name] for name in (OTHER, TEACHER, COPIER))
    )
    return Section(
        "Reproducibility",
        items=[
            Picture(
                "reproducibility",
                png_bytes(figure),
                "The share of a network's samples that others draw, too, with 95% intervals.",
                f"Shares of samples alike, of {', '.join(_NAMES.values())}: {shares}.",
            ),
            Picture(
                "correlations",
                png_bytes(histograms),
                "How alike samples from the same noise are, a histogram for each N.",
                f"Histograms of correlations; shares above {REPEAT:g}: {shares}.",
            ),
            Table(
                ("N", *_NAMES.values(), "copies"),
                [
                    (
                        r.count,
                        *(round(r.share(name)[0], 3) for name in _NAMES),
                        round(float(r.memorized.mean()), 3),
                    )
                    for r in results
                ],
                "Shares of samples that are alike (RP), and of copies: samples whose distance to the closest "
                f"training point is below {RATIO:.3f} of that to the second closest.",
            ),
        ],
    )


def _explanation(results):
    counts = [result.count for result in results]

    def curve(label, values_of):
        each = [values_of(result) for result in results]
        means = [float(np.mean(values)) for values in each]
        return label, counts, means, [mean_interval(values) for values in each]

    distances = [
        curve(label, lambda r, name=name: r.distance[name]) for name, label in _NAMES.items()
    ]
    errors = [
        curve("training points", lambda r: r.train_error),
        curve("test points", lambda r: r.test_error),
    ]
    return Section(
        "Distances and errors",
        items=[
            Picture(
                "distances",
                png_bytes(
                    measured_over_images(
                        distances, quantity="distance of samples", title="How far samples lie apart"
                    )
                ),
                "Mean distance of samples from the same noise, in units of the deviation of the points: of "
                "the teacher E_gen, of the copier E_mem.",
                _in_text(distances),
            ),
            Picture(
                "errors",
                png_bytes(
                    measured_over_images(
                        errors,
                        quantity="squared error / optimum's",
                        logarithmic=True,
                        title="Denoising training and test points",
                    )
                ),
                "Squared error over that of the optimum on test points, as a mean over noise levels of "
                "deviation .1 to 7 in units of the law.",
                _in_text(errors),
            ),
            Table(
                ("N", "E_gen", "E_mem", "same points", "other points", "train error", "test error"),
                [
                    (
                        r.count,
                        *(
                            round(float(r.distance[name].mean()), 3)
                            for name in (TEACHER, COPIER, SAME, OTHER)
                        ),
                        round(float(r.train_error.mean()), 3),
                        round(float(r.test_error.mean()), 3),
                    )
                    for r in results
                ],
                f"Distances in units of the deviation of a value, {UNIT * DEVIATION:.3f} of [0, 1]; errors "
                "over the optimum's.",
            ),
        ],
    )


def _in_text(curves):
    return "; ".join(
        f"{label}: {', '.join(f'{value:.2f}' for value in values)}"
        for label, _, values, _ in curves
    )


def numbers(results):
    return {
        f"N={result.count}": {
            "alike": {
                name: {"share": share, "share_95": list(interval)}
                for name, (share, interval) in ((n, result.share(n)) for n in _NAMES)
            },
            "alike_by_chance": float(np.mean(result.by_chance > REPEAT)),
            "distance": {name: float(values.mean()) for name, values in result.distance.items()},
            "memorized": float(result.memorized.mean()),
            "memorized_95": list(share_interval(result.memorized)),
            "train_error": float(result.train_error.mean()),
            "test_error": float(result.test_error.mean()),
        }
        for result in results
    }
