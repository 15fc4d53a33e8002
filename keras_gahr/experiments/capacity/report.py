"""The report of `capacity`: figure 15 and table 1 of arXiv 2310.02557."""

import math

from keras_gahr.plot import gap_over_images, png_bytes
from keras_gahr.report.document import Picture, Section, Table
from keras_gahr.report.wording import change_text

from .findings import SMALL

PAPER_FIELDS = {1: 18, 2: 44, 3: 92, 4: 188}
"""Receptive fields of the paper's table 1 by number of blocks, in pixels."""


def answer(results):
    return " ".join(
        f"{result.label}: from {result.counts[0]} to {result.counts[-1]} images the mean gap "
        f"{change_text(result.gaps[0].mean, result.gaps[-1].mean, ' dB')}."
        for result in results
    )


def gap_section(results):
    curves = [
        (r.label, r.counts, [gap.mean for gap in r.gaps], [gap.mean_interval for gap in r.gaps])
        for r in results
    ]
    figure = gap_over_images(curves, bound=SMALL, title="The gap with more images")
    picture = Picture(
        "gap",
        png_bytes(figure),
        "PSNR on training images less that on test images, mean over the noise levels, with 95% "
        "intervals over images. The paper's Fig. 15.",
        answer(results),
    )
    return Section("The gap", items=[picture])


def numbers_section(results):
    return Section(
        "Numbers",
        items=[
            Table(
                (
                    "images",
                    "blocks",
                    "parameters",
                    "receptive field (the paper)",
                    f"images until {SMALL:g} dB",
                    *(f"gap, N = {count}" for count in results[0].counts),
                ),
                [
                    (
                        f"{r.size}x{r.size}",
                        r.blocks,
                        r.parameters,
                        PAPER_FIELDS.get(r.blocks),
                        None if r.enough == math.inf else round(r.enough),
                        *(round(gap.mean, 2) for gap in r.gaps),
                    )
                    for r in results
                ],
                "Receptive fields in pixels, from Table 1; mean gaps in dB. The paper's networks "
                "have 64 kernels.",
            )
        ],
    )


def numbers(results):
    return {
        f"{result.size}px": {
            "blocks": result.blocks,
            "parameters": result.parameters,
            "images_needed": None if result.enough == math.inf else result.enough,
            **{
                f"N={count}": gap.numbers()
                for count, gap in zip(result.counts, result.gaps, strict=True)
            },
        }
        for result in results
    }
