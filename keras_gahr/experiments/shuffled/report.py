"""The report of `shuffled`: figure 21 of arXiv 2310.02557."""

import dataclasses

from keras_gahr.report.document import Section
from keras_gahr.report.wording import difference_text

from ..basis_report import bases_text, curve_picture, factor_picture, factor_table, vectors_slider

PAPER = {5: 1.182, 17: 1.07, 29: 0.974, 41: 0.91, 53: 0.87}
"""The factors in the paper, by their number."""

_WORDS = "better", "worse"


def answer(found):
    slopes = found.slopes
    than = difference_text(-float(found.losses.mean()), *_WORDS, " dB")
    return (
        f"{than[0].upper()}{than[1:]} on average than the same images unshuffled; the slope of the PSNR is "
        f"{slopes['shuffled'].slope:.2f}, unshuffled {slopes['plain'].slope:.2f}."
    )


def denoising_section(found):
    slopes = found.slopes
    return Section(
        "Denoising",
        [
            "The best linear denoiser does not see the shuffling: it is as good on both. The network "
            f"of unshuffled images is {difference_text(float(found.lead.mean()), *_WORDS, ' dB')}."
        ],
        [
            curve_picture(
                "Test images",
                [
                    ("unshuffled", found.plain, slopes["plain"], None),
                    ("shuffled", found.shuffled, slopes["shuffled"], None),
                    ("best linear denoiser, both", found.linear, None, None),
                ],
                "PSNR of denoised test images; bars are standard errors. The paper's Fig. 21.",
            )
        ],
    )


def bases_section(bases):
    return Section(
        "Bases of shuffled images",
        [bases_text(bases)],
        [
            vectors_slider(bases[0], "Eigenvectors at a shuffled image with their factors."),
            factor_picture(bases, "Fig. 21", PAPER),
            factor_table(bases, PAPER),
        ],
    )


def numbers(found, bases):
    return {
        "loss_db": found.losses.tolist(),
        "slopes": {name: dataclasses.asdict(slope) for name, slope in found.slopes.items()},
        "sigmas": found.plain.sigmas.tolist(),
        "psnr": {
            "unshuffled": found.plain.mean.tolist(),
            "shuffled": found.shuffled.mean.tolist(),
            "linear": found.linear.mean.tolist(),
        },
        "bases": [each.numbers() for each in bases],
    }
