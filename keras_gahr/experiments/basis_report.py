"""What reports on bases show: eigenvectors, factors beside the paper's, slopes."""

import numpy as np

from keras_gahr.plot import (
    PSNRLine,
    eigenvectors,
    png_bytes,
    psnr_lines,
    shrinkage_over_images,
)
from keras_gahr.report.document import Picture, Slider, Table

from .bases import factors_of

PER_PAGE = 13
"""Eigenvectors on a page, beside the clean, the noisy and the denoised image."""

_MOST_PAGES = 20

_FIRST = 10
"""Factors in a table where the paper prints none."""


def vectors_page(name, each, first=0, count=PER_PAGE):
    """A `Picture` of the eigenvectors first + 1, ..., first + count of an `ImageBasis`."""
    basis = each.basis
    images = [("clean", each.clean), ("noisy", basis.noisy), ("denoised", basis.denoised)]
    chosen = slice(first, first + count)
    factors = basis.shrinkage[chosen]
    figure = eigenvectors(basis.left[chosen], factors, images=images, first=first + 1, room=count)
    return Picture(
        name,
        png_bytes(figure),
        "",
        f"Eigenvectors {first + 1} to {first + len(factors)}, with factors from {factors[0]:.3f} to "
        f"{factors[-1]:.3f}.",
    )


def vectors_slider(each, caption):
    """A `Slider` over the number of the eigenvectors of an `ImageBasis`.

    Of very many vectors it shows pages at equal distances.
    """
    starts = np.arange(0, len(each.factors), PER_PAGE)
    if len(starts) > _MOST_PAGES:
        starts = starts[np.linspace(0, len(starts) - 1, _MOST_PAGES).round().astype(int)]
    pages = [vectors_page(f"vectors-{start + 1}", each, int(start)) for start in starts]
    values = [str(start + 1) for start in starts]
    return Slider("first eigenvector k", values, pages, caption)


def factor_picture(bases, source, paper=None, dimension=None):
    """A `Picture` of the factors of `ImageBasis`es.

    Args:
        bases: a list of them.
        source: the paper's figure.
        paper, dimension: see `shrinkage_over_images`.
    """
    factors = factors_of(bases)
    shown = ", ".join(f"{factor:.2f}" for factor in factors.mean(axis=0)[:8])
    title = f"Shrinkage at sigma = {bases[0].sigma:g}, {len(bases)} images"
    figure = shrinkage_over_images(factors, paper=paper, dimension=dimension, title=title)
    return Picture(
        "factors",
        png_bytes(figure),
        f"Shrinkage factors of each image (thin lines) and their mean. The paper's {source}.",
        f"Chart of factors against their number; their means begin {shown}.",
    )


def factor_table(bases, paper):
    """A `Table` of the factors that the paper has, or else of the first ones.

    Args:
        bases: a list of `ImageBasis`.
        paper: the paper's factors by their number from 1; may be empty.
    """
    factors = factors_of(bases)
    measured = (factors.mean(0), factors.std(0))
    columns = ("mean here", "standard deviation over images")
    if not paper:
        rows = [(k, *(_cell(values, k) for values in measured)) for k in range(1, _FIRST + 1)]
        return Table(("k", *columns), rows, "Shrinkage factors.")
    rows = [
        (k, of_paper, *(_cell(values, k) for values in measured)) for k, of_paper in paper.items()
    ]
    return Table(
        ("k", "the paper's factor", *columns),
        rows,
        "Shrinkage factors. The paper's are of one image, and of larger ones unless these have "
        "80x80 pixels.",
    )


def _cell(values, k):
    return round(float(values[k - 1]), 3) if k <= len(values) else None


def curve_picture(title, curves, caption, offset=None):
    """A `Picture` of PSNR curves.

    Args:
        title, offset: see `psnr_lines`.
        curves: a list of (name, `PSNRCurve`, `Slope` or None, optimal slope or None).
        caption: of the picture.
    """
    lines = [
        PSNRLine.of_curve(name, curve, slope=slope, optimum=optimum)
        for name, curve, slope, optimum in curves
    ]
    ends = "; ".join(
        f"{name}: {curve.mean[-1]:.1f} to {curve.mean[0]:.1f} dB"
        + (f", slope {slope.slope:.2f}" if slope else "")
        for name, curve, slope, _ in curves
    )
    return Picture(
        "psnr",
        png_bytes(psnr_lines(lines, title=title, offset=offset)),
        caption,
        f"Chart of output against input PSNR. {ends}.",
    )


def bases_text(bases):
    """A sentence on where `ImageBasis`es were taken, and how well the networks denoise there."""
    numbers = [each.numbers() for each in bases]
    dct = [entry["oracle_psnr"]["dct"]["psnr"] for entry in numbers]
    height, width, _ = bases[0].clean.shape

    def mean(name):
        return float(np.mean([entry[name] for entry in numbers]))

    return (
        f"Bases at {len(bases)} test images of {height}x{width} pixels with more than median "
        f"contrast, under noise of sigma = {bases[0].sigma:g}: {mean('psnr_noisy'):.1f} dB noisy, "
        f"{mean('psnr_denoised'):.1f} dB denoised. An oracle that keeps the cosines above the noise "
        f"reaches {np.mean(dct):.1f} dB. Effective dimension {mean('effective_dimension'):.1f}, "
        f"asymmetry |J - J^T| / |J| {mean('asymmetry'):.2f}."
    )
