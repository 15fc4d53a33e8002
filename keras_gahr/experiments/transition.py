"""From memorization to generalization (arXiv 2310.02557, figures 1, 2 and 9 to 12).

Two networks are trained on N images each, of disjoint halves of a set. With few images each
repeats its own; with many both compute nearly the same function, and make nearly the same new
images from the same noise.
"""

import dataclasses
import math

import numpy as np

from keras_gahr.analysis.intervals import share_interval
from keras_gahr.analysis.slopes import fit_slope
from keras_gahr.errors import InputError
from keras_gahr.report.comparison_figures import twins_figure
from keras_gahr.report.document import Claim, Document, Picture, Section, Slider, Table
from keras_gahr.report.figures import png_bytes
from keras_gahr.report.memory_figures import crossing_figure, psnr_figure, similarity_figure
from keras_gahr.sampling import AscentSchedule

from .comparison import compare_networks
from .decisions import all_of, difference_interval, in_words, is_above, is_below
from .experiment import Experiment
from .gap import Gap, measure_gap
from .image_networks import (
    ImageNetworkSettings,
    check_set_sizes,
    describe_images,
    images_of,
)

FEW = 10
"""Training images that any of these networks can learn by heart."""

STEEP, FLAT = 0.7, 0.4
"""Slopes (dB per dB) above and below which a PSNR curve counts as steep and as flat."""

WIDE, NARROW = 3.0, 0.5
"""Gaps (dB) between train and test above and below which they count as apart and as one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransitionSettings(ImageNetworkSettings):
    """Settings of the experiment; see `ImageNetworkSettings` for the others.

    Args:
        size: height and width of the images.
        set_sizes: numbers of training images N, ascending.
        architecture, num_blocks, num_layers: of the networks, as `gahr train` has them.
        samples: pairs of samples for each N.
        h0, fixed_h, beta, sigma_end: see `AscentSchedule`.
    """

    size: int = 80
    set_sizes: tuple[int, ...] = (1, 10, 100, 1000, 10_000, 99_325)
    architecture: str = "unet"
    num_blocks: int | None = 3
    num_layers: int | None = None
    samples: int = 200
    h0: float = 0.01
    fixed_h: bool = True
    beta: float = 0.1
    sigma_end: float = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class SetResult:
    """What was found with one number of training images.

    Args:
        count: N.
        gap: `Gap` of network A.
        twins: (P,), correlation of A's and B's sample from the same noise.
        closest: (P,), the larger of the correlations of A's sample with A's training images and of
            B's with B's.
        memorized: bool (2 P,), of A's and B's samples; see `keras_gahr.analysis.memorization.RULE`.
        verdict: by that rule.
    """

    count: int
    gap: Gap
    twins: np.ndarray
    closest: np.ndarray
    memorized: np.ndarray
    verdict: str


class Transition(Experiment):
    """Figures 1 and 2; with other images and networks 9 to 12."""

    name = "transition"
    title = "Memorized or generalized?"
    question = (
        "How many training images does it take until two networks that share none of them learn "
        "the same images instead of their own?"
    )
    figures = "Figs. 1, 2, 9-12"
    uses_faces = True
    scales = {
        "smoke": TransitionSettings(
            images=128,
            size=16,
            set_sizes=(2, 64),
            test_size=32,
            num_kernels=8,
            num_blocks=1,
            epochs=4,
            images_per_epoch=1024,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=32,
            samples=8,
            fixed_h=False,
        ),
        "laptop": TransitionSettings(
            images=8000,
            size=20,
            set_sizes=(1, 10, 100, 1000, 4000),
            test_size=100,
            num_kernels=32,
            num_blocks=2,
            epochs=10,
            images_per_epoch=6000,
            batch_size=16,
            learning_rate=1e-3,
            halve_every=2,
            curve_images=1000,
            samples=64,
            fixed_h=False,
            sigma_end=0.02,
        ),
        "paper": TransitionSettings(),
    }

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        if settings.samples < 2:
            raise InputError(f"received {settings.samples} samples, expected at least 2 pairs")
        _schedule(settings)
        most = settings.set_sizes[-1]
        count = most + max(most, settings.test_size)
        images = images_of(settings, settings.size, count, faces)
        network = {
            "architecture": settings.architecture,
            "num_blocks": settings.num_blocks,
            "num_layers": settings.num_layers,
        }
        return [
            settings.training(f"N={size} {half}", images, size, half, **network)
            for size in settings.set_sizes
            for half in "AB"
        ]

    def analyse(self, settings, runs, progress):
        results, pages, numbers = [], [], {}
        places = len(settings.set_sizes)
        for place, size in enumerate(settings.set_sizes):
            progress(f"N = {size}: PSNR curves", place / places)
            pair = runs[2 * place : 2 * place + 2]
            gap = measure_gap(pair[0], settings.curve_images, seed=settings.seed)
            progress(f"N = {size}: samples", (place + 0.3) / places)
            train_sets = [run.split()[0].images for run in pair]
            comparison = compare_networks(
                [run.denoiser() for run in pair],
                train_sets,
                count=settings.samples,
                seed=settings.seed,
                schedule=_schedule(settings),
                batch_size=32,
            )
            results.append(_result(size, gap, comparison))
            rows = comparison.rows(comparison.arrays(train_sets))
            pages.append(_twins_page(size, results[-1], rows, settings.samples))
            numbers[f"N={size}"] = {**gap.numbers(), **comparison.numbers()}
        crossing = crossing_of(results)
        numbers["crossing"] = crossing
        return Document(
            self.name,
            self.title,
            self.question,
            _answer(results, crossing),
            claims=claims_of(results),
            sections=[
                Section(
                    "Images",
                    [
                        describe_images(runs[0].dataset),
                        "For each N, network A was trained on the first N of them and network B on "
                        "the last N, from other initial weights.",
                    ],
                ),
                _curves_section(results),
                _samples_section(results, crossing, pages),
                _numbers_section(results, crossing),
            ],
            numbers=numbers,
        )


def _schedule(settings):
    return AscentSchedule(
        h0=settings.h0,
        fixed_h=settings.fixed_h,
        beta=settings.beta,
        sigma_end=settings.sigma_end,
    )


def _result(size, gap, comparison):
    reports = comparison.reports
    return SetResult(
        count=size,
        gap=gap,
        twins=reports[0].twins["correlation"],
        closest=np.max([r.closest["correlation"].value[:, 0] for r in reports], axis=0),
        memorized=np.concatenate([report.memorized for report in reports]),
        verdict=comparison.verdict,
    )


def crossing_of(results):
    """The N above which twins are closer to each other than to training images, on average.

    It is interpolated between two set sizes on a logarithmic scale; None if the means do not
    cross, or if they cross back.
    """
    difference = [float(result.twins.mean() - result.closest.mean()) for result in results]
    signs = np.sign(difference)
    places = np.flatnonzero(np.diff(signs > 0))
    if len(places) != 1 or signs[-1] <= 0:
        return None
    before, after = results[places[0]].count, results[places[0] + 1].count
    low, high = difference[places[0]], difference[places[0] + 1]
    return math.exp(np.interp(0, [low, high], np.log([before, after])))


def claims_of(results):
    """What the paper says of such results, a list of `Claim`.

    Args:
        results: `SetResult`s, in ascending order of N.
    """
    first, last = results[0], results[-1]
    few = [result for result in results if result.count <= FEW] or [first]
    least = min(few, key=lambda result: result.memorized.mean())
    train, test = (fit_slope(curve) for curve in (first.gap.train, first.gap.test))
    share = least.memorized.mean()
    closer = last.twins > last.closest
    rising = difference_interval(last.twins, first.twins)
    falling = difference_interval(last.closest, first.closest)
    return [
        Claim(
            f"With few training images (N = {first.count}) the network denoises these far better "
            "than others.",
            is_above(first.gap.largest_interval, WIDE),
            f"largest gap {in_words(first.gap.largest, first.gap.largest_interval, ' dB')}",
            f"above {WIDE:g} dB at some noise level",
            "Fig. 1",
        ),
        Claim(
            f"With few training images (N = {first.count}) the PSNR curve of these is steep, as if "
            "the image were known, and that of other images is flat.",
            train.slope > STEEP and test.slope < FLAT,
            f"slopes {train.slope:.2f} and {test.slope:.2f} dB per dB",
            f"above {STEEP:g} (the paper: 1) and below {FLAT:g}",
            "Fig. 1",
        ),
        Claim(
            f"With many training images (N = {last.count}) the network denoises others as well.",
            is_below(last.gap.largest_interval, NARROW),
            f"largest gap {in_words(last.gap.largest, last.gap.largest_interval, ' dB')}",
            f"below {NARROW:g} dB at all noise levels",
            "Fig. 1",
        ),
        Claim(
            f"With few training images (N = {least.count}) samples are training images.",
            is_above(share_interval(least.memorized), 0.5),
            f"{_of(least.memorized)} memorized, "
            + in_words(share, share_interval(least.memorized)),
            "more than half",
            "Fig. 2",
        ),
        Claim(
            f"With many training images (N = {last.count}) no sample is one.",
            not last.memorized.any(),
            f"{_of(last.memorized)} memorized",
            "none",
            "Fig. 2",
        ),
        Claim(
            f"With many training images (N = {last.count}) the two networks' samples from the same "
            "noise are closer to each other than to any training image.",
            is_above(share_interval(closer), 0.5),
            f"{_of(closer)} pairs, {in_words(closer.mean(), share_interval(closer))}; mean "
            f"correlation {last.twins.mean():.3f} of twins, {last.closest.mean():.3f} with training "
            "images",
            "more than half of the pairs",
            "Fig. 2",
        ),
        Claim(
            "From few to many training images the twins become more alike, and samples less like "
            "training images.",
            all_of(is_above(rising, 0), is_below(falling, 0)),
            f"correlation of twins {first.twins.mean():.3f} to {last.twins.mean():.3f} (95% of the "
            f"rise: {rising[0]:.3f} to {rising[1]:.3f}), with training images "
            f"{first.closest.mean():.3f} to {last.closest.mean():.3f} ({falling[0]:.3f} to "
            f"{falling[1]:.3f})",
            "a rise and a fall",
            "Fig. 2",
        ),
    ]


def _of(values):
    return f"{int(values.sum())} of {len(values)}"


def _answer(results, crossing):
    first, last = results[0], results[-1]
    text = (
        f"With N = {first.count} the samples were {first.verdict}, with N = {last.count} "
        f"{last.verdict}; the gap between training and test images fell from "
        f"{first.gap.largest:.1f} to {last.gap.largest:.1f} dB."
    )
    if crossing is None:
        return text + " The similarity of twins did not overtake that with training images."
    return (
        text + f" Twins became closer to each other than to training images at N = {crossing:.0f}."
    )


def _curves_section(results):
    curves = [(f"N = {r.count}", r.gap.train, r.gap.test) for r in results]
    gaps = "; ".join(f"N = {r.count}: {r.gap.largest:.2f} dB" for r in results)
    picture = Picture(
        "psnr",
        png_bytes(psnr_figure("Network A", curves)),
        "PSNR of denoised training images (left) and test images (right), a curve for each N; bars "
        "are standard errors over images. The paper's Fig. 1.",
        f"Two charts of output against input PSNR. Largest distance of the curves: {gaps}.",
    )
    return Section("Denoising", items=[picture])


def _samples_section(results, crossing, pages):
    sets = [(f"N = {r.count}", r.twins, r.closest) for r in results]
    means = "; ".join(
        f"N = {r.count}: {r.twins.mean():.2f} and {r.closest.mean():.2f}" for r in results
    )
    description = f"Mean correlation of twins and with training images: {means}."
    return Section(
        "Samples",
        items=[
            Slider(
                "training images N",
                [str(result.count) for result in results],
                pages,
                "Each row: the samples of A and B from the same noise, and the training image of "
                "each network that is closest to its sample. The paper's Fig. 2, above.",
            ),
            Picture(
                "histograms",
                png_bytes(similarity_figure("Similarity, a histogram for each N", sets)),
                "How alike twins are, and samples and their closest training image. The paper's "
                "Fig. 2, below.",
                description,
            ),
            Picture(
                "crossing",
                png_bytes(
                    crossing_figure(
                        "Twins and training images",
                        [r.count for r in results],
                        [r.twins for r in results],
                        [r.closest for r in results],
                        crossing,
                    )
                ),
                "The same in one chart: where the curves cross, the networks turn from their own "
                "images to common ones.",
                description,
            ),
        ],
    )


def _twins_page(size, result, rows, places):
    title = f"N = {size}: {result.verdict}; numbers: correlation with that network's sample"
    return Picture(
        f"twins-{size}",
        png_bytes(twins_figure(title, rows, places)),
        "",
        f"{len(rows)} pairs of samples with their closest training images, N = {size}: twins "
        f"{result.twins.mean():.2f}, closest {result.closest.mean():.2f}.",
    )


def _numbers_section(results, crossing):
    first = results[0]
    merged = next((r.count for r in results if r.gap.largest < NARROW), None)
    slopes = [fit_slope(curve).slope for curve in (first.gap.train, first.gap.test)]
    memorizing = [r.count for r in results if r.verdict == "memorized"]
    return Section(
        "Numbers",
        items=[
            Table(
                ("quantity", "the paper (80x80 faces)", "here"),
                [
                    ("slope on training images, smallest N", "1", round(slopes[0], 2)),
                    ("slope on test images, smallest N", "flat", round(slopes[1], 2)),
                    ("samples are training images up to N =", 100, max(memorizing, default=None)),
                    (f"train and test within {NARROW:g} dB from N =", 100_000, merged),
                    (
                        "the two similarities cross at N =",
                        "1000 to 100000",
                        crossing and round(crossing),
                    ),
                ],
                "The paper's findings and ours; slopes in dB per dB. At 40x40 the paper's networks "
                "generalize by N = 10000 (Figs. 11, 12).",
            ),
            Table(
                ("N", "largest gap", "mean gap", "memorized", "twins", "closest", "verdict"),
                [
                    (
                        r.count,
                        round(r.gap.largest, 2),
                        round(r.gap.mean, 2),
                        round(float(r.memorized.mean()), 3),
                        round(float(r.twins.mean()), 3),
                        round(float(r.closest.mean()), 3),
                        r.verdict,
                    )
                    for r in results
                ],
                "Gaps in dB; share of samples memorized; mean correlations.",
            ),
        ],
    )
