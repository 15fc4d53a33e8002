"""An eigenbasis in numbers: what is worth saying of it, and its files."""

import dataclasses

import numpy as np

import keras_gahr
from keras_gahr.baselines.bases import dct_coefficients, wavelet_coefficients
from keras_gahr.json_file import write_json
from keras_gahr.psnr import psnr_of_any

from .jacobian_statistics import oracle_shrinkage
from .oracle import oracle_psnr
from .tangent import principal_angles

LINEAR = 1e-4
"""|D(y) - J y| / |D(y)| up to which D(y) = J y holds, up to rounding in float32."""


def eigenbasis_numbers(basis, clean, sigma, tangent=None):
    """What an eigenbasis says, as plain values.

    Args:
        basis: an `Eigenbasis`.
        clean: x, `(height, width, channels)`; None if it is not known: then nothing is said that needs it.
        sigma: level of the noise in y, in units of [0, 1]; 0 if it is not known.
        tangent: None, or a basis of the tangent space at x, (k, height, width, channels).

    Returns:
        A dictionary; PSNRs are in dB, angles in degrees.
    """
    height, width, channels = basis.noisy.shape
    error = float(basis.errors.max())
    numbers = {
        "height": height,
        "width": width,
        "channels": channels,
        "sigma": sigma,
        "method": basis.method,
        "symmetrized": basis.symmetrized,
        "count": len(basis.shrinkage),
        "converged": basis.converged,
        "largest_factor_error": error if np.isfinite(error) else None,
        "shrinkage": basis.shrinkage.tolist(),
        **dataclasses.asdict(basis.statistics),
        "products": basis.products,
        "statistics_products": basis.statistics.products,
        "linearity_error": basis.linearity_error,
        "linear": basis.linearity_error <= LINEAR,
        "affine_part": basis.affine_part,
        "curvature": basis.curvature,
        "curvature_level": basis.curvature_level,
        "mean_channel_shares": basis.channel_shares.mean(axis=0).tolist(),
        "reconstruction_error": basis.reconstruction_error(),
    }
    if sigma:
        numbers["psnr_of_trace"] = _psnr_of_trace(basis, sigma)
    if sigma and clean is not None:
        before, after = (
            float(psnr_of_any(image[None], clean)[0]) for image in (basis.noisy, basis.denoised)
        )
        numbers |= {"psnr_noisy": before, "psnr_denoised": after}
        numbers["oracle_psnr"] = _oracles(basis, clean, sigma)
    if tangent is not None:
        angles = principal_angles(basis.left[: len(tangent)], tangent)
        numbers["tangent_angles"] = np.degrees(angles).tolist()
    return numbers


def _oracles(basis, clean, sigma):
    """The PSNR of an oracle in several bases, and how many coefficients it keeps."""
    transforms = {"dct": dct_coefficients, "wavelet": wavelet_coefficients}
    # Some of the eigenvectors alone do not make the image.
    if len(basis.right) == clean.size:
        transforms["eigenvectors"] = basis.coefficients
    found = {}
    for name, transform in transforms.items():
        decibels, kept = oracle_psnr(clean, basis.noisy, sigma, transform)
        found[name] = {"psnr": decibels, "kept": kept}
    return found


def write_numbers(basis, clean, sigma, folder, *, tangent=None, spectra=(), **facts):
    """Writes eigenbasis.json and eigenbasis.npz into a folder.

    Args:
        basis, clean, sigma, tangent: as for `eigenbasis_numbers`.
        folder: a `Path`.
        spectra: pairs (sigma, `Eigenbasis`) at other noise levels; their factors are stored.
        **facts: more entries for eigenbasis.json.
    """
    arrays = {
        "shrinkage": basis.shrinkage,
        "left": basis.left,
        "right": basis.right,
        "noisy": basis.noisy,
        "denoised": basis.denoised,
        "errors": basis.errors,
        "channel_shares": basis.channel_shares,
    }
    if clean is not None:
        arrays |= {"clean": clean, "coefficients": basis.coefficients(clean)}
    if clean is not None and sigma:
        arrays["oracle_shrinkage"] = oracle_shrinkage(arrays["coefficients"], sigma)
    if basis.spectrum is not None:
        arrays["spectrum"] = basis.spectrum
    if spectra:
        arrays["spectra_sigma"] = np.array([level for level, _ in spectra])
        arrays["spectra_shrinkage"] = np.stack([other.shrinkage for _, other in spectra])
    np.savez(folder / "eigenbasis.npz", **arrays)
    numbers = eigenbasis_numbers(basis, clean, sigma, tangent)
    report = {"package": f"keras-gahr {keras_gahr.__version__}", **facts, **numbers}
    if spectra:
        report["spectra"] = [
            {"sigma": level, **dataclasses.asdict(other.statistics)} for level, other in spectra
        ]
    write_json(folder / "eigenbasis.json", report)


def eigenbasis_verdict(numbers):
    """A few lines of text on what `eigenbasis_numbers` found."""
    factors = numbers["shrinkage"]
    dimension = numbers["height"] * numbers["width"] * numbers["channels"]
    kind = "eigenvalues of (J + J^T) / 2" if numbers["symmetrized"] else "singular values of J"
    lines = [
        f"effective dimension {_with_error(numbers, 'effective_dimension')} of {dimension}, "
        f"trace {_with_error(numbers, 'trace')}",
        f"asymmetry |J - J^T| / |J| {_with_error(numbers, 'asymmetry')}",
        f"{kind}: {factors[0]:.3f} is the largest, {factors[-1]:.3f} number {len(factors)}, "
        f"after {numbers['products']} products",
    ]
    made = f"up to {100 * numbers['reconstruction_error']:.1f} %"
    if numbers["linear"]:
        lines.append(
            f"D(y) = J y holds (error {numbers['linearity_error']:.1e}); the {len(factors)} vectors "
            f"make D(y) {made}"
        )
    else:
        lines += [
            "D(y) = J y + b, not homogeneous: affine part |b| / |D(y)| "
            f"{100 * numbers['affine_part']:.1f} %, curvature {100 * numbers['curvature']:.1f} % "
            f"at noise of {numbers['curvature_level']:.2g}",
            f"the {len(factors)} vectors make D(y), b included, {made}",
        ]
    if numbers["channels"] > 1:
        shares = ", ".join(f"{100 * share:.1f} %" for share in numbers["mean_channel_shares"])
        lines.append(f"share of the vectors in each channel, on average: {shares}")
    if "psnr_denoised" in numbers:
        oracle = numbers["oracle_psnr"]
        lines.insert(
            0,
            f"PSNR {numbers['psnr_noisy']:.2f} dB noisy, {numbers['psnr_denoised']:.2f} dB denoised",
        )
        lines.append(
            "an oracle that keeps coefficients above sigma: "
            + ", ".join(
                f"{found['psnr']:.2f} dB from {found['kept']} ({name})"
                for name, found in oracle.items()
            )
        )
    if "tangent_angles" in numbers:
        angles = numbers["tangent_angles"]
        shown = ", ".join(f"{angle:.1f}" for angle in angles)
        lines.append(f"angles of the first {len(angles)} to the tangent space: {shown} degrees")
    return lines


def _with_error(numbers, name):
    error = numbers[f"{name}_error"]
    digits = 3 if name == "asymmetry" else 1
    text = f"{numbers[name]:.{digits}f}"
    return f"{text} +- {error:.{digits}f}" if error else text


def _psnr_of_trace(basis, sigma):
    """The PSNR that the best denoiser would have with this trace: MSE = sigma^2 tr J / d."""
    error = sigma**2 * max(basis.statistics.trace, 0) / basis.noisy.size
    return float(psnr_of_any(np.array([np.sqrt(error)]), 0)[0])
