"""The report of `c_alpha`: figures 4 and 16 to 18 of arXiv 2310.02557."""

import dataclasses

from keras_gahr.report.document import Section, Slider, Table

from ..basis_report import bases_text, curve_picture, vectors_page
from .findings import PAPER


def answer(results):
    shown = ", ".join(
        f"{found.slope.slope:.2f} for alpha = {found.alpha:g} (optimum {found.optimum:.2f})"
        for found in results
    )
    return f"The slope of the PSNR is {shown}."


def slopes_section(results):
    curves = [
        (f"alpha = {found.alpha:g}", found.curve, found.slope, found.optimum) for found in results
    ]
    rows = [
        (
            found.alpha,
            round(found.optimum, 3),
            PAPER.get(found.alpha),
            round(found.slope.slope, 3),
            *(round(end, 3) for end in found.slope.interval),
            round(float(found.margins.mean()), 2),
        )
        for found in results
    ]
    low, high = results[0].curve.sigmas[[0, -1]]
    return Section(
        "Slopes",
        items=[
            curve_picture(
                "C^alpha test images",
                curves,
                "PSNR of denoised test images; dashed the fitted line, dotted the optimal slope of each "
                "regularity through its middle. The paper's Fig. 4.",
            ),
            Table(
                (
                    "alpha",
                    "optimal slope",
                    "the paper's",
                    "here",
                    "from",
                    "to",
                    "better than linear (dB)",
                ),
                rows,
                f"Slopes in dB per dB between sigma = {low:.3g} and {high:.3g}, with their 95% "
                "interval over images; the margin over the best linear denoiser is a mean "
                "over these levels.",
            ),
        ],
    )


def bases_section(alphas, bases):
    pages = [
        vectors_page(f"vectors-alpha-{alpha:g}", each[0])
        for alpha, each in zip(alphas, bases, strict=True)
    ]
    return Section(
        "Bases",
        [
            f"alpha = {alpha:g}. {bases_text(each)}"
            for alpha, each in zip(alphas, bases, strict=True)
        ],
        [
            Slider(
                "regularity alpha",
                [f"{alpha:g}" for alpha in alphas],
                pages,
                "A test image and the first eigenvectors of the network there, with their factors. "
                "Those of the paper's Figs. 16 to 18 oscillate along the contour and in the regions.",
            )
        ],
    )


def numbers(results, bases):
    return {
        f"alpha={found.alpha:g}": {
            "slope": dataclasses.asdict(found.slope),
            "sigmas": found.curve.sigmas.tolist(),
            "psnr": found.curve.mean.tolist(),
            "linear_psnr": found.linear.mean.tolist(),
            "bases": [each.numbers() for each in each_bases],
        }
        for found, each_bases in zip(results, bases, strict=True)
    }
