"""The report on pretrained denoisers."""

import dataclasses

import numpy as np

from keras_gahr.report.document import Section, Table
from keras_gahr.report.wording import range_text

from ..basis_report import curve_picture


def answer(results):
    margins = [_margin(found) for found in results]
    better = [margin for margin in margins if margin > 0]
    worse = [-margin for margin in margins if not margin > 0]
    if not better:
        return (
            f"None of the {len(results)} networks denoises better than the best linear denoiser of its "
            f"images: they are {range_text(worse, ' dB')} worse."
        )
    text = (
        f"{len(better)} of {len(results)} networks {'denoise' if len(better) > 1 else 'denoises'} better "
        "than the best linear denoiser of the same images, by " + range_text(better, " dB")
    )
    if worse:
        others = "the others are" if len(worse) > 1 else "the other one is"
        text += f"; {others} {range_text(worse, ' dB')} worse"
    return text + "."


def quality_section(results):
    sigmas = results[0].curve.sigmas
    middle = len(sigmas) // 2
    rows = [
        (
            found.name,
            *(round(float(found.curve.mean[place]), 2) for place in (0, middle, -1)),
            round(_margin(found), 2),
            None if found.slope is None else round(found.slope.slope, 3),
            None if found.optimum is None else round(found.optimum, 3),
        )
        for found in results
    ]
    levels = (f"sigma {255 * sigmas[place]:.0f}/255" for place in (0, middle, -1))
    return Section(
        "Quality",
        items=[
            *_pictures(results),
            Table(
                ("network", *levels, "better than linear (dB)", "slope", "optimal slope"),
                rows,
                "PSNR of denoised test images in dB, and its slope in dB per dB between sigma = "
                f"{sigmas[0]:.3g} and {sigmas[-1]:.3g}.",
            ),
        ],
    )


def _pictures(results):
    """A `Picture` of the curves of each architecture that there is."""
    for architecture in ("unet", "bf-cnn"):
        curves = [
            (found.name, found.curve, None, None)
            for found in results
            if found.name.endswith(f"-{architecture}")
        ]
        if not curves:
            continue
        caption = (
            "PSNR of denoised test images of each network's own kind; bars are standard errors."
        )
        picture = curve_picture("Test images", curves, caption)
        yield dataclasses.replace(picture, name=f"psnr-{architecture}")


def numbers(results):
    return {
        found.name: {
            "sigmas": found.curve.sigmas.tolist(),
            "psnr": found.curve.mean.tolist(),
            "linear_psnr": found.linear.mean.tolist(),
            "slope": None if found.slope is None else dataclasses.asdict(found.slope),
            "optimal_slope": found.optimum,
        }
        for found in results
    }


def _margin(found):
    return float(np.mean(found.margins))
