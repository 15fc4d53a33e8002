"""The report of `duplicates`: figure 6 of arXiv 2310.02557, and what follows from it."""

from keras_gahr.datasets import find_overlap
from keras_gahr.datasets.duplicates import THRESHOLD
from keras_gahr.plot import PALETTE, PSNRLine, image_pairs, png_bytes, psnr_lines
from keras_gahr.report.document import Picture, Section, Table

from ..faces import describe_images

_PAIRS = 12
"""On the page of pairs."""

_COMPARED = 2000
"""Images of each half among which the closest pairs are looked for."""


def answer(result):
    gaps = {name: gap.mean for name, gap in result.gaps.items()}
    return (
        f"With {result.total} images that repeat {result.few} the gap between training and test images "
        f"was {gaps['repeated']:.1f} dB, {'nearer' if result.acts_as_few else 'no nearer'} to that with "
        f"these {result.few} alone ({gaps['few']:.1f} dB) than to that with {result.total} distinct ones "
        f"({gaps['distinct']:.1f} dB)."
    )


def images_section(runs):
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
                png_bytes(image_pairs(pairs, title="The closest images of two halves")),
                f"The images of half A (left) and of half B (right) that are most alike, of {count} "
                f"each, with their correlation at 20x20 pixels: {above} of A's have one above "
                f"{THRESHOLD:g}. The paper's Fig. 6 shows such pairs of faces.",
                f"{len(pairs)} pairs of images with correlations from {pairs[-1][2]} to {pairs[0][2]}.",
            )
        ],
    )


def repeats_section(result, run):
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
                png_bytes(image_pairs(pairs, title="Images and their repeats")),
                "Some images that were taken for repeats (right), with the image that each repeats and "
                "their correlation.",
                f"{len(pairs)} pairs of images that are nearly equal.",
            )
        ],
    )


def effect_section(result):
    names = {
        "distinct": f"{result.total} distinct",
        "repeated": f"{result.total}, repeats of {result.few}",
        "few": f"{result.few}",
    }
    lines = [
        PSNRLine.of_curve(
            f"{names[name]}: {kind}", curve, errors=None, color=color, dashed=curve is gap.test
        )
        for (name, gap), color in zip(result.gaps.items(), PALETTE, strict=False)
        for kind, curve in (("training", gap.train), ("test", gap.test))
    ]
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
                png_bytes(psnr_lines(lines, title="Training images and test images")),
                "PSNR on training (solid) and test images (dashed) with each of the three sets.",
                answer(result),
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


def numbers(result):
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
