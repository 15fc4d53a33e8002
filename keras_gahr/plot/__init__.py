"""Figures of results; the only place that imports matplotlib.

Every function takes results (arrays, or what `keras_gahr.analysis` and the other rooms return) and
returns a `matplotlib.figure.Figure`. It is drawn without pyplot, so that no global state of matplotlib
changes; in a notebook it shows itself. `save` writes one to a file:

    import numpy as np
    from keras_gahr import plot

    noisy = np.linspace(0, 40, 9)
    line = plot.PSNRLine("network", noisy, 0.6 * noisy + 20)
    plot.save(plot.psnr_lines([line], title="Denoising"), "psnr.pdf")

Titles, names and captions are plain text: `$` and `_` in the name of a file are shown as they are.
"""

from .bias_and_variance import error_parts
from .calibration import explained_by_sides
from .clock import memorization_clock
from .copying import copies_over_dimension, measures_and_nulls
from .datasets import intensity_histograms, overlap_histogram
from .density import (
    densities_in_order,
    densities_of_sets,
    densities_of_twins,
    most_and_least_probable,
)
from .dimension import dimension_over_noise
from .explanation import (
    explained_by_rivals,
    samples_of_rivals,
    unexplained_changes,
    unexplained_over_images,
)
from .gaps import gap_over_images, gap_over_noise, measured_over_images
from .images import denoised_images, image_pairs, image_row, show_image
from .locality import explanation_of_samples, sides_over_noise
from .noise_levels import noise_level_ratios
from .onset import memorized_over_time, onset_times
from .output import png_bytes, save
from .psnr import PSNRLine, psnr_lines
from .restorations import restored_images
from .results import figures_of
from .similarity import similarity_crossing, similarity_histograms, twin_samples
from .spectrum import (
    density_and_counts,
    shrinkage_and_coefficients,
    shrinkage_over_images,
    shrinkage_over_noise,
)
from .style import PALETTE, shades
from .summary import denoising_summary
from .training import training_history, training_levels
from .vectors import eigenvector_channels, eigenvectors

__all__ = [
    "PALETTE",
    "PSNRLine",
    "copies_over_dimension",
    "denoised_images",
    "denoising_summary",
    "densities_in_order",
    "densities_of_sets",
    "densities_of_twins",
    "density_and_counts",
    "dimension_over_noise",
    "eigenvector_channels",
    "eigenvectors",
    "error_parts",
    "explained_by_rivals",
    "explained_by_sides",
    "explanation_of_samples",
    "figures_of",
    "gap_over_images",
    "gap_over_noise",
    "image_pairs",
    "image_row",
    "intensity_histograms",
    "measured_over_images",
    "measures_and_nulls",
    "memorization_clock",
    "memorized_over_time",
    "most_and_least_probable",
    "noise_level_ratios",
    "onset_times",
    "overlap_histogram",
    "png_bytes",
    "psnr_lines",
    "restored_images",
    "samples_of_rivals",
    "save",
    "shades",
    "show_image",
    "shrinkage_and_coefficients",
    "shrinkage_over_images",
    "shrinkage_over_noise",
    "sides_over_noise",
    "similarity_crossing",
    "similarity_histograms",
    "training_history",
    "training_levels",
    "twin_samples",
    "unexplained_changes",
    "unexplained_over_images",
]
