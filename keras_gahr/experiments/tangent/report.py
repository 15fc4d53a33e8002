"""The report on a family with few parameters: figures 5, 19 and 20 of arXiv 2310.02557."""

import dataclasses

import numpy as np

from keras_gahr.report.document import Section, Table
from keras_gahr.report.wording import difference_text

from ..basis_report import bases_text, curve_picture, factor_picture, factor_table, vectors_slider
from .findings import first


def answer(found):
    m = found.dimension
    factors = ", ".join(f"{factor:.2f}" for factor in found.factors.mean(axis=0)[: m + 2])
    return (
        f"Of the tangent space {100 * found.shares.mean():.0f} % lie within the span of the "
        f"{first(m, 'eigenvector')}; the factors begin {factors}. The slope of the PSNR is "
        f"{found.slope.slope:.2f}; at sigma = {found.curve.sigmas[0]:.3g} it is "
        f"{difference_text(-float(found.distances.mean()), 'above', 'below', ' dB')} the optimum."
    )


def bases_section(found, bases, paper):
    return Section(
        "Bases",
        [bases_text(bases)],
        [
            factor_picture(bases, found.source, paper, found.dimension),
            vectors_slider(
                bases[0],
                "Eigenvectors at the first image with their factors; the "
                f"{first(found.dimension, 'eigenvector')} should look like changes of the family's "
                "parameters.",
            ),
            factor_table(bases, paper),
            _angles_table(found),
        ],
    )


def denoising_section(found, linear):
    return Section("Denoising", items=[_curves_picture(found, linear)])


def numbers(found, linear, bases):
    return {
        "optimal_offset_db": found.optimal_offset,
        "optimal_gain_db": found.optimal_gain,
        "slope": dataclasses.asdict(found.slope),
        "sigmas": found.curve.sigmas.tolist(),
        "psnr": found.curve.mean.tolist(),
        "linear_psnr": linear.mean.tolist(),
        "tangent_shares": found.shares.tolist(),
        "tangent_shares_of_cosines": found.fixed.tolist(),
        "bases": [each.numbers() for each in bases],
    }


def _curves_picture(found, linear):
    return curve_picture(
        "Test images",
        [("network", found.curve, found.slope, None), ("best linear denoiser", linear, None, None)],
        "PSNR of denoised test images; bars are standard errors. The optimum of small noise projects "
        f"on the tangent space: its mean squared error is {found.optimal_offset:.2f} dB below that of "
        f"the noise, and the mean of its PSNRs {found.optimal_gain:.2f} dB above. The best linear "
        "denoiser comes near it where the images span few dimensions, as a ray does.",
        found.optimal_gain,
    )


def _angles_table(found):
    """How much of the tangent space the first eigenvectors hold, direction by direction."""
    angles = np.degrees(np.arccos(np.sqrt(np.clip(found.shares, 0, 1))))
    return Table(
        ("direction", "mean angle", "largest angle", "mean share within", "within cosines"),
        [
            (
                k + 1,
                round(float(angles[:, k].mean()), 1),
                round(float(angles[:, k].max()), 1),
                round(float(found.shares[:, k].mean()), 3),
                round(float(found.fixed[:, k].mean()), 3),
            )
            for k in range(found.dimension)
        ],
        f"Principal angles, in degrees, between the tangent space and the "
        f"{first(found.dimension, 'eigenvector')}, over {len(found.shares)} images; 0 where it lies "
        f"within their span. Last, the share within the {first(found.dimension, 'cosine')}, the "
        "smoothest patterns of a basis that does not adapt.",
    )
