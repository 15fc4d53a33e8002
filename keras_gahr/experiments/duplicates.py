"""What repeated images in a training set do (arXiv 2310.02557, figure 6 and appendix A.1).

Collections of pictures hold some more than once. Two halves of such a set are not disjoint, and a
set with repeats has fewer images than it seems to. The paper therefore drops all but one of images
whose correlation is above 0.95. This experiment puts repeats where there were none: networks are
trained on a set of N distinct images, on one of N images that are repeats of a few, and on these few.
"""

import dataclasses

import numpy as np

from keras_gahr.analysis.memorization import memorization_report
from keras_gahr.datasets import find_overlap, find_repeats
from keras_gahr.datasets.duplicates import THRESHOLD, Repeats
from keras_gahr.errors import InputError
from keras_gahr.report.dataset_figures import pair_figure
from keras_gahr.report.document import Claim, Document, Picture, Section, Table
from keras_gahr.report.figures import png_bytes
from keras_gahr.report.memory_figures import set_figure
from keras_gahr.sampling import AscentSchedule, sample

from .decisions import difference_interval, in_words, is_above
from .experiment import Experiment
from .gap import Gap, measure_gap
from .image_networks import ImageNetworkSettings, describe_images, images_of
from .plan import DatasetTask

SETS = ("distinct", "repeated", "few")
"""N distinct images; N repeats of a few; these few."""

_PAIRS = 12
"""On the page of pairs."""

_SOURCE = "ours: why appendix A.1 drops repeats"

_COMPARED = 2000
"""Images of each half among which the closest pairs are looked for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DuplicatesSettings(ImageNetworkSettings):
    """Settings of the experiment; see `ImageNetworkSettings` for the others.

    Args:
        size: height and width of the images.
        few, repeats: how many images are repeated, and how often each is there: N is their product.
        num_blocks: of the U-Net.
        samples: of each network.
        h0, fixed_h, beta, sigma_end: see `AscentSchedule`.
    """

    size: int = 80
    few: int = 100
    repeats: int = 100
    num_blocks: int = 3
    samples: int = 200
    h0: float = 0.01
    fixed_h: bool = True
    beta: float = 0.1
    sigma_end: float = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class DuplicatesResult:
    """What was found.

    Attributes:
        few, total: distinct images among the repeats, and all of these.
        repeats: `Repeats` among them.
        gaps: the `Gap` of each of `SETS`.
        memorized: of each, bool (P,), whether samples are among its distinct images; see
            `keras_gahr.analysis.memorization.RULE`.
        blind: the share of the second network's samples that the rule finds if repeats are
            compared with too.
    """

    few: int
    total: int
    repeats: Repeats
    gaps: dict[str, Gap]
    memorized: dict[str, np.ndarray]
    blind: float


class Duplicates(Experiment):
    """Figure 6, and what it is about."""

    name = "duplicates"
    title = "Repeated images"
    question = "What do images that are in a training set more than once do to a denoiser?"
    figures = "Fig. 6"
    uses_faces = True
    scales = {
        "smoke": DuplicatesSettings(
            images=128,
            size=16,
            few=2,
            repeats=32,
            test_size=32,
            num_kernels=8,
            num_blocks=1,
            epochs=4,
            images_per_epoch=1024,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=64,
            samples=16,
            fixed_h=False,
        ),
        "laptop": DuplicatesSettings(
            images=8000,
            size=20,
            few=10,
            repeats=100,
            test_size=100,
            num_kernels=32,
            num_blocks=2,
            epochs=10,
            images_per_epoch=6000,
            batch_size=16,
            halve_every=2,
            curve_images=1000,
            samples=64,
            fixed_h=False,
            sigma_end=0.02,
        ),
        "paper": DuplicatesSettings(),
    }

    def trainings(self, settings, faces=None):
        few, total = settings.few, settings.few * settings.repeats
        if few < 2 or settings.repeats < 2 or settings.samples < 2:
            raise InputError(
                f"received {few} images, {settings.repeats} repeats and {settings.samples} samples, "
                "expected at least 2 of each"
            )
        most = max(settings.test_size, settings.curve_images)
        images = images_of(settings, settings.size, total + most, faces)
        parameters = {"distinct": few, "repeats": settings.repeats, "seed": settings.seed}
        repeated = DatasetTask("repeated", {"dataset": images, **parameters})
        return [
            settings.training(f"{name} N={size}", data, size, num_blocks=settings.num_blocks)
            for name, data, size in zip(
                SETS, (images, repeated, images), (total, total, few), strict=True
            )
        ]

    def analyse(self, settings, runs, progress):
        few, total = settings.few, settings.few * settings.repeats
        progress("looking for repeats", 0)
        repeats = find_repeats(runs[1].split()[0].images)
        gaps, memorized = {}, {}
        for place, (name, run) in enumerate(zip(SETS, runs, strict=True)):
            progress(f"{name}: PSNR curves and samples", (1 + place) / 4)
            gaps[name] = measure_gap(run, settings.curve_images, seed=settings.seed)
            images = run.split()[0].images
            samples = _samples(run, images, settings)
            # Compared with its repeats too, the closest image and the next would be the same one.
            distinct = images[:few] if name == "repeated" else images
            memorized[name] = memorization_report(samples, distinct).memorized
            if name == "repeated":
                blind = memorization_report(samples, images).share_memorized
        result = DuplicatesResult(few, total, repeats, gaps, memorized, blind)
        return Document(
            self.name,
            self.title,
            self.question,
            _answer(result),
            claims=claims_of(result),
            sections=[
                _images_section(runs),
                _repeats_section(result, runs[1]),
                _effect_section(result),
            ],
            numbers=_numbers(result),
        )


def _samples(run, images, settings):
    schedule = AscentSchedule(
        h0=settings.h0, fixed_h=settings.fixed_h, beta=settings.beta, sigma_end=settings.sigma_end
    )
    found = sample(
        run.denoiser(),
        images.shape[1:],
        count=settings.samples,
        seed=settings.seed,
        schedule=schedule,
        batch_size=32,
    )
    converged = np.array(found.status) == "converged"
    if not converged.any():
        raise InputError(f"no sample of {run.task.label} converged: a larger beta may help")
    return found.images[converged]


def claims_of(result):
    """That repeats can be told, and that it is right to drop them: a list of `Claim`."""
    planted = range(result.few, result.total)
    dropped = set(result.repeats.dropped.tolist())
    found, wrong = len(dropped & set(planted)), len(dropped - set(planted))
    gaps = {name: gap.mean for name, gap in result.gaps.items()}
    wider, interval = _wider(result)
    more = difference_interval(result.memorized["repeated"], result.memorized["distinct"])
    return [
        Claim(
            f"A correlation above {THRESHOLD:g} at 20x20 pixels tells repeats from other images.",
            found == len(planted) and not wrong,
            f"{found} of {len(planted)} repeats found, {wrong} of {result.few} others dropped",
            "all, and none",
            "Fig. 6, appendix A.1",
        ),
        Claim(
            f"A network denoises {result.total} images, repeats of {result.few}, better than others, "
            "where it would denoise as many distinct ones no better.",
            is_above(interval, 0.5),
            f"mean gap {gaps['repeated']:.2f} dB with repeats, {gaps['distinct']:.2f} dB with "
            f"distinct images; difference {in_words(wider, interval, ' dB')}",
            "more than 0.5 dB wider with repeats",
            _SOURCE,
        ),
        Claim(
            f"A set of {result.total} images, repeats of {result.few}, acts as these {result.few}.",
            abs(gaps["repeated"] - gaps["few"]) < abs(gaps["repeated"] - gaps["distinct"]),
            f"mean gap {gaps['repeated']:.2f} dB, {gaps['few']:.2f} dB with the {result.few} alone, "
            f"{gaps['distinct']:.2f} dB with {result.total} distinct images",
            "closer to that of the few",
            _SOURCE,
        ),
        Claim(
            "With repeats, more samples are training images.",
            is_above(more, 0),
            f"{result.memorized['repeated'].mean():.0%} with repeats, "
            f"{result.memorized['distinct'].mean():.0%} with distinct images (95% of the difference: "
            f"{more[0]:.2f} to {more[1]:.2f})",
            "more with repeats",
            _SOURCE,
        ),
    ]


def _wider(result):
    """By how much repeats widen the mean gap, dB, and its 95% interval."""
    repeated, distinct = result.gaps["repeated"], result.gaps["distinct"]
    wider = repeated.mean - distinct.mean
    half = np.hypot(*(np.ptp(gap.mean_interval) / 2 for gap in (repeated, distinct)))
    return wider, (float(wider - half), float(wider + half))


def _answer(result):
    gaps = {name: gap.mean for name, gap in result.gaps.items()}
    return (
        f"{result.total} images that repeat {result.few} left a gap of {gaps['repeated']:.1f} dB "
        f"between training and test images, as these {result.few} alone do ({gaps['few']:.1f} dB); "
        f"{result.total} distinct ones left {gaps['distinct']:.1f} dB."
    )


def _images_section(runs):
    images = runs[0].dataset
    count = min(_COMPARED, len(images) // 2)
    a, b = (images.subset(count, half) for half in "AB")
    overlap = find_overlap(a.images, b.images)
    most = overlap.most(_PAIRS).tolist()
    pairs = [
        (a.as_float(i), b.as_float(int(overlap.index[i])), f"{overlap.correlation[i]:.3f}")
        for i in most
    ]
    above = int((overlap.correlation > THRESHOLD).sum())
    return Section(
        "Images",
        [
            describe_images(images),
            "The paper drops repeats and shows some; what they would have done it does not show. "
            "That part is ours.",
        ],
        [
            Picture(
                "closest",
                png_bytes(pair_figure("The closest images of two halves", pairs)),
                f"The images of half A (left) and of half B (right) that are most alike, of {count} "
                f"each, with their correlation at 20x20 pixels: {above} of A's have one above "
                f"{THRESHOLD:g}. The paper's Fig. 6 shows such pairs of faces.",
                f"{len(pairs)} pairs of images with correlations from {pairs[-1][2]} to {pairs[0][2]}.",
            )
        ],
    )


def _repeats_section(result, run):
    images = run.split()[0]
    shown = result.repeats.dropped[:_PAIRS].tolist()
    pairs = [
        (
            images.as_float(int(result.repeats.first[k])),
            images.as_float(k),
            f"{result.repeats.correlation[k]:.3f}",
        )
        for k in shown
    ]
    if not pairs:
        return Section("Repeats", ["None of the repeats was found."])
    return Section(
        "Repeats",
        [
            f"{result.few} of the images are there {result.total // result.few} times, each time "
            "multiplied by another number from 0.9 to 1 and with faint noise."
        ],
        [
            Picture(
                "repeats",
                png_bytes(pair_figure("Images and their repeats", pairs)),
                "Some images that were put in again, as they were found, with their correlation.",
                f"{len(pairs)} pairs of images that are nearly equal.",
            )
        ],
    )


def _effect_section(result):
    names = {
        "distinct": f"{result.total} distinct",
        "repeated": f"{result.total}, repeats of {result.few}",
        "few": f"{result.few}",
    }
    curves = [(names[name], gap.train, gap.test) for name, gap in result.gaps.items()]
    return Section(
        "What they do",
        [
            "Samples are compared with the distinct images alone. If they were compared with all "
            "repeats, the closest image and the second closest would be the same one, and the rule "
            f"would call {result.blind:.0%} of the samples memorized."
        ],
        [
            Picture(
                "psnr",
                png_bytes(set_figure("Training images and test images", curves)),
                "PSNR on training (solid) and test images (dashed) with each of the three sets.",
                _answer(result),
            ),
            Table(
                ("training images", "mean gap", "largest gap", "memorized"),
                [
                    (
                        names[name],
                        round(gap.mean, 2),
                        round(gap.largest, 2),
                        round(float(result.memorized[name].mean()), 3),
                    )
                    for name, gap in result.gaps.items()
                ],
                "Gaps in dB; share of samples that are training images.",
            ),
        ],
    )


def _numbers(result):
    return {
        "few": result.few,
        "total": result.total,
        "repeats_found": len(result.repeats.dropped),
        "memorized_if_compared_with_repeats": result.blind,
        **{
            name: {**gap.numbers(), "share_memorized": float(result.memorized[name].mean())}
            for name, gap in result.gaps.items()
        },
    }
