"""The report of `transition`: figures 1 and 2 of arXiv 2310.02557."""

import itertools

from keras_gahr.plot import (
    PSNRLine,
    png_bytes,
    psnr_lines,
    shades,
    similarity_crossing,
    similarity_histograms,
    twin_samples,
)
from keras_gahr.report.document import Picture, Section, Slider, Table
from keras_gahr.report.wording import change_text

from ..explanations import unexplained_by_copying
from ..faces import describe_images
from .findings import LOUD, NARROW, slopes_of


def answer(results, crossing):
    first, last = results[0], results[-1]
    return (
        f"With N = {first.count} the samples were {_in_words(first.verdict)}, with N = {last.count} "
        f"{_in_words(last.verdict)}; the gap between training and test images "
        f"{change_text(first.gap.largest, last.gap.largest, ' dB')}. Of what the network does to noisy "
        f"training images copying left {_by_copying(first)} unexplained, then {_by_copying(last)}. "
        + _closer_text(results, crossing)
    )


def _in_words(verdict):
    return "neither memorized nor generalized" if verdict == "neither" else verdict


def _closer_text(results, crossing):
    """For which N twins were closer to each other than to training images."""
    than = "closer to each other than to training images"
    if crossing is not None:
        return f"Twins became {than} at N = {crossing:.0f}."
    closer = [f"{r.count}" for r in results if r.twins.mean() > r.closest.mean()]
    if not closer:
        return f"At no N were twins {than}."
    at = "at all N" if len(closer) == len(results) else f"only at N = {', '.join(closer)}"
    return f"Twins were {than} {at}."


def _by_copying(result):
    return f"{unexplained_by_copying(result.explanation).mean():.1%}"


def images_section(dataset):
    return Section(
        "Images",
        [
            describe_images(dataset),
            "For each N, network A was trained on the first N of them and network B on the last N, "
            "from other initial weights.",
        ],
    )


def curves_section(results):
    lines = [
        PSNRLine.of_curve(f"N = {r.count}", curve, color=color, panel=panel)
        for r, color in zip(results, shades(len(results)), strict=True)
        for panel, curve in (("training images", r.gap.train), ("test images", r.gap.test))
    ]
    gaps = "; ".join(f"N = {r.count}: {r.gap.largest:.2f} dB" for r in results)
    picture = Picture(
        "psnr",
        png_bytes(psnr_lines(lines, title="Network A")),
        "PSNR of denoised training images (left) and test images (right), a curve for each N; bars "
        "are standard errors over images. The paper's Fig. 1.",
        f"Two charts of output against input PSNR. Largest distance of the curves: {gaps}.",
    )
    return Section("Denoising", items=[picture])


def samples_section(results, crossing, pages):
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
                png_bytes(similarity_histograms(sets, title="Similarity, a histogram for each N")),
                "How alike twins are, and samples and their closest training image. The paper's "
                "Fig. 2, below.",
                description,
            ),
            Picture(
                "crossing",
                png_bytes(
                    similarity_crossing(
                        [r.count for r in results],
                        [r.twins for r in results],
                        [r.closest for r in results],
                        crossing=crossing,
                        title="Twins and training images",
                    )
                ),
                "The same in one chart: where the curves cross, the networks turn from their own "
                "images to common ones.",
                description,
            ),
        ],
    )


def twins_page(size, result, rows, places):
    title = f"N = {size}: {result.verdict}; numbers: correlation with that network's sample"
    return Picture(
        f"twins-{size}",
        png_bytes(twin_samples(rows, places=places, title=title)),
        "",
        f"{len(rows)} pairs of samples with their closest training images, N = {size}: twins "
        f"{result.twins.mean():.2f}, closest {result.closest.mean():.2f}.",
    )


def numbers_section(results, crossing):
    first = results[0]
    merged = _run_of(reversed(results), lambda r: r.gap.largest < NARROW)
    slopes = slopes_of(first.gap)
    memorizing = _run_of(results, lambda r: r.verdict == "memorized")
    return Section(
        "Numbers",
        items=[
            Table(
                ("quantity", "the paper (80x80 faces)", "here"),
                [
                    ("slope on training images, smallest N", "1", round(slopes[0], 2)),
                    ("slope on test images, smallest N", "flat", round(slopes[1], 2)),
                    ("samples are training images up to N =", 100, memorizing),
                    (f"train and test within {NARROW:g} dB from N =", 100_000, merged),
                    (
                        "the two similarities cross at N =",
                        "1000 to 100000",
                        crossing and round(crossing),
                    ),
                ],
                f"The paper's findings and ours; slopes in dB per dB, ours from sigma = {LOUD:g}. At "
                "40x40 the paper's networks generalize by N = 10000 (Figs. 11, 12).",
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
                "Gaps in dB; mean correlations. A sample is memorized if one training image, or a "
                "multiple of one, is less than a third as far away as any other: networks without "
                "biases know an image with all its multiples.",
            ),
        ],
    )


def _run_of(results, so):
    """The N until which all results are so, from the first one; None if that is not."""
    counts = [result.count for result in itertools.takewhile(so, results)]
    return counts[-1] if counts else None
