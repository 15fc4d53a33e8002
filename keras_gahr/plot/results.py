"""How results draw themselves."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.analysis import (
    BiasVariance,
    Calibration,
    Closest,
    Comparison,
    CopiesByDimension,
    CopyingReport,
    DensityComparison,
    Eigenbasis,
    Explanation,
    LocalDimension,
    LogDensity,
    MemorizationReport,
    NoiseCalibration,
    PatchSources,
    PosteriorComponents,
    PSNRCurve,
    PSNRCurves,
    SpectralDensity,
    oracle_shrinkage,
)
from keras_gahr.analysis.memorization import RATIO
from keras_gahr.restoration import Restoration
from keras_gahr.sampling import MultiScaleSamples, Samples
from keras_gahr.training import ClockReport, TrainingResult

from .bias_and_variance import error_parts
from .calibration import explained_by_sides
from .clock import memorization_clock
from .copying import copies_over_dimension, measures_and_nulls
from .density import (
    densities_in_order,
    densities_of_sets,
    densities_of_twins,
    most_and_least_probable,
)
from .dimension import dimension_over_noise
from .explanation import finite_means, samples_of_rivals, unexplained_changes
from .images import denoised_images, image_row, show_sheet
from .noise_levels import noise_level_ratios
from .psnr import PSNRLine, psnr_lines
from .restorations import restored_images
from .similarity import similarity_histograms, twin_samples
from .spectrum import density_and_counts, shrinkage_and_coefficients, shrinkage_over_noise
from .style import new_figure
from .training import training_history, training_levels
from .vectors import eigenvector_channels, eigenvectors

_SHEET = 6
"""Inches of the longer side of a sheet of images."""


@functools.singledispatch
def figures_of(result: Any, **options: Any) -> Iterator[tuple[str, Figure]]:
    """The figures of a result, which its own methods `plot` and `save` ask for.

    Args:
        result: what a function of this package returned.
        options: of these methods, as far as figures depend on them.

    Returns:
        An iterator of pairs (name, figure); the first figure is the one that `plot` returns.

    Raises:
        TypeError: for something that has no figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> from keras_gahr.analysis import PSNRCurve
        >>> curve = PSNRCurve(np.array([0.1, 1]), np.ones((2, 1, 3)), np.ones((2, 1, 3)))
        >>> type(curve.plot()).__name__
        'Figure'
    """
    raise TypeError(f"a {type(result).__name__} has no figure")


@figures_of.register(Samples)
@figures_of.register(MultiScaleSamples)
def _(result, title=""):
    count, height, width, _ = result.images.shape
    columns = int(np.ceil(np.sqrt(count)))
    across, down = columns * width, -(-count // columns) * height
    scale = _SHEET / max(across, down)
    figure = new_figure(scale * across, scale * down, title)
    show_sheet(figure.subplots(), result.images)
    yield "samples", figure


@figures_of.register
def _(result: Restoration, title=""):
    yield "figure", restored_images(result, measurement=title, observed=result.picture)


@figures_of.register
def _(result: PSNRCurves, title=""):
    lines = [
        PSNRLine.of_curve(
            name, curve, slope=slope, optimum=None if slope is None else result.optimum
        )
        for name, curve, slope in result.curves
    ]
    yield "psnr", psnr_lines(lines, title=title)


@figures_of.register
def _(result: PSNRCurve, title=""):
    return figures_of(result.alone, title=title)


@figures_of.register
def _(result: MemorizationReport, title=""):
    twins = result.twins
    panels = [
        (measure, *([] if twins is None else [twins[measure]]), result.closest[measure].value[:, 0])
        for measure in ("correlation", "cosine")
    ]
    labels = ("other network, same noise", "closest training image")
    yield (
        "similarity",
        similarity_histograms(
            panels,
            labels=labels[-len(panels[0]) + 1 :],
            quantity="similarity",
            shared=False,
            counted="samples",
            title=title or result.verdict,
        ),
    )


@figures_of.register
def _(result: Comparison, title=""):
    title = title or result.verdict
    numbers = f"{title}; numbers: correlation with that network's sample"
    yield "samples", twin_samples(result.rows(), title=numbers)
    a, b = result.reports
    twins = a.twins or {}
    panels = [
        (name, twins[name], a.closest[name].value[:, 0], b.closest[name].value[:, 0])
        for name in ("correlation", "cosine")
    ]
    labels = ("A and B from the same noise", "A and closest of its set", "B and closest of its set")
    yield (
        "similarity",
        similarity_histograms(
            panels, labels=labels, quantity="similarity", shared=False, title=title
        ),
    )


@figures_of.register
def _(result: CopyingReport, title=""):
    rows = {
        name: (
            name,
            measure.found.value,
            measure.found.interval,
            measure.null.value,
            measure.null.interval,
        )
        for name, measure in result.measures.items()
    }
    scores = [row for name, row in rows.items() if name == "C_T"]
    shares = [row for name, row in rows.items() if name != "C_T"]
    title = title or f"{result.features}, {result.num_training} training images"
    yield "copying", measures_and_nulls(shares, scores, title=title)


@figures_of.register
def _(result: Eigenbasis, clean=None, sigma=0.0, spectra=()):
    known = clean is not None
    coefficients = result.coefficients(clean if known else result.noisy)
    height, width, channels = result.noisy.shape
    yield (
        "spectrum",
        shrinkage_and_coefficients(
            result.shrinkage if result.spectrum is None else result.spectrum,
            coefficients,
            sigma=sigma,
            oracle=oracle_shrinkage(coefficients, sigma) if known and sigma else None,
            of_noisy=not known,
            title=f"{height}x{width}, sigma = {sigma:.3g}",
        ),
    )
    yield "eigenvectors", eigenvectors(result.left, result.shrinkage)
    if channels > 1:
        shares = result.channel_shares
        yield "channels", eigenvector_channels(result.left, result.shrinkage, shares)
    pictures = [("noisy", result.noisy), ("denoised", result.denoised)]
    if sigma and known:
        pictures.insert(0, ("clean", clean))
    yield "denoising", image_row(pictures)
    if spectra:
        lines = [(level, found.shrinkage) for level, found in spectra]
        yield "spectra", shrinkage_over_noise(lines)


@figures_of.register
def _(result: Calibration, title=""):
    medians = np.median(result.r_squared, axis=2)
    yield (
        "calibration",
        explained_by_sides(result.sigmas, result.candidates, medians, title=title),
    )


@figures_of.register
def _(result: NoiseCalibration, title=""):
    named = {name: name.replace("_", "-") for name in result.estimates}
    ratios, intervals = (
        {named[name]: values for name, values in found.items()}
        for found in (result.ratios, result.intervals)
    )
    yield (
        "noise_calibration",
        noise_level_ratios(result.sigmas, ratios, intervals, title=title),
    )


@figures_of.register
def _(result: BiasVariance, title=""):
    yield "bias_variance", error_parts(result.bias, result.variance, title=title)


@figures_of.register
def _(result: PosteriorComponents, title=""):
    title = title or f"{result.shares.sum():.1%} of the variance; numbers: shares of it"
    mean = [("mean", result.mean)]
    yield "posterior", eigenvectors(result.components, result.shares, images=mean, title=title)


@figures_of.register
def _(result: PatchSources, title=""):
    panel = "four patches"
    if result.without_source:
        panel += f" ({result.without_source} of {result.index.size} without a source)"
    yield (
        "patch_sources",
        similarity_histograms(
            [(panel, result.correlation.ravel())],
            labels=("patch and closest patch of the training images",),
            shared=False,
            counted="patches",
            title=title or f"one source of all patches: {result.agree.mean():.1%} of the samples",
        ),
    )


@figures_of.register
def _(result: Explanation, title=""):
    sets = [(f"{name} images", values) for name, values in result.unexplained.items()]
    yield (
        "explanation",
        unexplained_changes(
            result.rivals,
            result.sigmas,
            sets,
            result.path_sigmas,
            result.path,
            title=title or result.verdict,
        ),
    )
    yield (
        "samples",
        samples_of_rivals(
            ("network", *result.rivals),
            result.samples,
            numbers=finite_means(result.sample_distance),
            title="from the same noise; numbers: mean distance from the network's",
        ),
    )


@figures_of.register
def _(result: Closest, title=""):
    values = result.value.T[:2]
    yield (
        "closest",
        similarity_histograms(
            [("closest images", *values)],
            labels=("closest", "second closest")[: len(values)],
            quantity="measure",
            shared=False,
            counted="samples",
            title=title,
        ),
    )


@figures_of.register(TrainingResult)
def _(result):
    """As far as an epoch is done."""
    for name, draw, content in (
        ("curves", training_history, result.history),
        ("levels", training_levels, result.levels),
        ("denoising", denoised_images, result.pictures),
    ):
        if content:
            yield name, draw(content)
    if result.clock is not None and result.clock.looks:
        yield from figures_of(result.clock)


@figures_of.register(ClockReport)
def _(result, title=""):
    yield (
        "clock",
        memorization_clock(
            result.looks, gap_errors=result.gap_errors, title=title or result.headline
        ),
    )


@figures_of.register
def _(result: LogDensity, title=""):
    yield "density", _in_order(result, title)


@figures_of.register
def _(result: DensityComparison, title=""):
    found = result.found
    yield "density", _in_order(found, title)
    bits = found.bits_per_dimension
    shown = np.sort(bits)
    half = -(-len(result.images) // 2)
    shown = np.append(shown[:half], shown[len(shown) - (len(result.images) - half) :])
    yield (
        "ranking",
        most_and_least_probable(result.images, shown, title=title or "bits per dimension"),
    )
    if result.others is not None and result.told_apart is not None:
        value, (low, high) = result.told_apart
        said = f"told apart {value:.1%} of the time (95%: {low:.1%} to {high:.1%})"
        others = result.others.bits_per_dimension
        yield "others", densities_of_sets(bits, others, title=title or said)
    if result.twin is not None:
        said = "the same images under two denoisers"
        if result.agreement is not None:
            value, (low, high) = result.agreement
            said = f"correlation {value:.3f} (95%: {low:.3f} to {high:.3f})"
        twins = result.twin.bits_per_dimension
        yield "agreement", densities_of_twins(bits, twins, title=title or said)


def _in_order(found, title):
    said = f"{found.method}, dequantized by sigma = {found.dequantization:.3g}"
    bits = found.bits_per_dimension
    reach = found.reach / (found.dimension * np.log(2))
    return densities_in_order(bits, reach, title=title or said)


@figures_of.register
def _(result: LocalDimension, title=""):
    means = {"E |x - D(y)|^2 / sigma^2": result.error.mean(axis=1)}
    if not np.isnan(result.flipd).any():
        means["FLIPD"] = result.flipd.mean(axis=1)
    said = f"local dimension {result.value.mean():.3g} of {result.size}, mean over images"
    yield (
        "dimension",
        dimension_over_noise(result.sigmas, result.trace, result.level, means, title=title or said),
    )
    if result.spectra:
        yield "spectrum", _spectra(result.spectra, result.sigmas, title)
    if result.copies is not None:
        yield from figures_of(result.copies, title=title)


@figures_of.register
def _(result: CopiesByDimension, title=""):
    said = f"{np.count_nonzero(result.copies)} of {len(result.copies)} samples are copies"
    if result.told_apart is not None:
        value, (low, high) = result.told_apart
        said += f"; lower dimension in {value:.1%} of pairs (95%: {low:.1%} to {high:.1%})"
    yield (
        "copies",
        copies_over_dimension(
            result.curve,
            result.dimension,
            result.ratio,
            result.copies,
            threshold=RATIO,
            quantity="sine 1 / sine 2" if result.up_to_a_factor else "d1 / d2",
            title=title or said,
        ),
    )


@figures_of.register
def _(result: SpectralDensity, title=""):
    yield "spectrum", _spectra([result], None, title)


def _spectra(spectra, sigmas, title):
    lines = []
    for place, found in enumerate(spectra):
        name = "mean over images" if sigmas is None else f"sigma = {255 * sigmas[place]:.3g}/255"
        grid = found.grid
        above = grid[::4]
        lines.append((name, grid, found.density(grid).mean(axis=0), above, found.counts(above)))
    first = spectra[0]
    said = f"{len(first.nodes)} images of {first.size} values"
    if not first.exact:
        said += f", {first.nodes.shape[1]} probes of {first.nodes.shape[2]} steps"
    return density_and_counts(lines, title=title or said)
