"""The basis in which a denoiser shrinks a noisy image, and by how much.

With the Jacobian's eigenvectors e_k and eigenvalues lambda_k (or singular vectors and values),

    D(y) = J y = sum_k lambda_k <y, e_k> e_k

(arXiv 2310.02557, equation 7): the denoiser shrinks y in a basis that it adapts to y.
"""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import FINITE, NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_one
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.noise import check_number, check_seed, check_whole, keyed_normal
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.result import SavedResult

from .jacobian import Linearizer, as_linearizer, relative_error
from .jacobian_statistics import Statistics, matrix_statistics, probe_statistics
from .krylov import eigenpairs, singular_triplets
from .numbers import write_numbers
from .traces import PROBES

if TYPE_CHECKING:
    from keras_gahr.result import Figure

METHODS = ("exact", "lanczos", "randomized")
"""Ways to find an eigenbasis; see `eigenbasis`."""

_BLOCK = 4
"""Vectors in a random block. More make better use of the machine, but need more products."""

_LARGE = 4096
"""Dimension from which on the exact method takes minutes."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Eigenbasis(SavedResult):
    """The largest shrinkage factors of a denoiser at a noisy image, and their vectors.

    Attributes:
        shrinkage: (k,) float64, descending: eigenvalues of (J + J^T) / 2, or singular values of J.
        left, right: (k, height, width, channels) float32, orthonormal: the image is analyzed with
            `right` and put together from `left`. Equal for eigenvectors.
        method: one of `METHODS`.
        symmetrized: whether these are eigenvectors of (J + J^T) / 2.
        noisy, denoised: y and D(y), (height, width, channels).
        errors: (k,), estimates of the errors of `shrinkage`; see `krylov.Triplets`.
        residuals: (k,), |S e - lambda e|: some eigenvalue is surely as near as this.
        converged: whether the errors are within the tolerance asked for.
        products: with J and its transpose, for the basis.
        linearity_error: |D(y) - J y| / |D(y)|; also `affine_part`.
        curvature: |D(y + n) - D(y) - J n| / |J n| for noise n; see `Jacobian.curvature`.
        curvature_level: of that noise, in units of [0, 1]; see `Jacobian.nearby_level`.
        statistics: `Statistics` of the whole Jacobian, exact or estimated.
        spectrum: (d,), all factors, for the exact method; else None.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> basis = kg.eigenbasis(denoiser, np.full((8, 8), 0.5), 4, "exact")
        >>> basis.left.shape, basis.spectrum.shape
        ((4, 8, 8, 1), (64,))
    """

    FILES: ClassVar[tuple[str, ...]] = (
        "eigenbasis.json",
        "eigenbasis.npz",
        *figure_files("denoising", "eigenvectors", "spectra", "spectrum", "channels"),
    )

    shrinkage: np.ndarray
    left: np.ndarray
    right: np.ndarray
    method: str
    symmetrized: bool
    noisy: np.ndarray
    denoised: np.ndarray
    errors: np.ndarray
    residuals: np.ndarray
    converged: bool
    products: int
    linearity_error: float
    curvature: float
    curvature_level: float
    statistics: Statistics
    spectrum: np.ndarray | None = None

    def save(
        self,
        folder: str | Path,
        *,
        clean: np.ndarray | None = None,
        sigma: float = 0.0,
        tangent: np.ndarray | None = None,
        spectra: Sequence[tuple[float, Eigenbasis]] = (),
        overwrite: bool = False,
        figures: str = "png",
        **facts: Any,
    ) -> Path:
        """Writes a folder with numbers (eigenbasis.json, eigenbasis.npz) and figures, as `gahr
        eigenbasis` does.

        Args:
            folder: written whole or not at all.
            clean: x, shaped as y; default: not known, and no PSNR, oracle or coefficients of it are written.
            sigma: level of the noise in y, in units of [0, 1]; default 0: not known.
            tangent: a basis of the tangent space at x, (k, height, width, channels), to compare with;
                default: none.
            spectra: pairs (sigma, `Eigenbasis`) of x at several noise levels, to compare; default:
                none.
            overwrite: whether to replace an eigenbasis that is there; nothing else is ever replaced.
            figures: format of the figures: "png", "pdf" or "svg".
            **facts: more entries for eigenbasis.json.

        Returns:
            The folder.

        Raises:
            InputError: if it exists, or cannot be written.
        """
        clean = None if clean is None else as_one(clean, self.noisy.shape[-1], NEARLY_CLEAN)
        write = functools.partial(
            write_numbers, self, clean, sigma, tangent=tangent, spectra=spectra, **facts
        )
        shown = {"clean": clean, "sigma": sigma, "spectra": spectra}
        return self._save(folder, overwrite, write, figures, **shown)

    def plot(self, *, clean: np.ndarray | None = None, sigma: float = 0.0) -> Figure:
        """A figure with the shrinkage factors and the coefficients of the image in the basis.

        Args:
            clean: x, shaped as y; default: not known, and the coefficients are those of y.
            sigma: level of the noise in y, in units of [0, 1]; default 0: not known.
        """
        return self._figure(clean=clean, sigma=sigma)

    @property
    def affine_part(self) -> float:
        """|b| / |D(y)| of the affine map D(y) = J y + b that the denoiser is around y.

        What would stay of D(y) if the map took y to 0: rounding for a bias-free denoiser. Since
        b = D(y) - J y, it is the number `linearity_error`; how well the map describes D near y is
        another question, which `curvature` answers.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> images = np.random.default_rng(0).random((8, 8, 8))
            >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.5)
            >>> basis = kg.eigenbasis(wiener, images[0], 4, "exact")
            >>> round(basis.affine_part, 2), round(basis.curvature, 2)
            (0.75, 0.0)
        """
        return self.linearity_error

    @property
    def channel_shares(self) -> np.ndarray:
        """How much of each vector lies in each channel: float64 (k, channels), each row adding up to 1.

        The part of |left_k|^2 that each channel holds.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=3, num_kernels=4, num_layers=3)
            >>> basis = kg.eigenbasis(denoiser, np.full((8, 8, 3), 0.5), 4, "exact")
            >>> basis.channel_shares.shape
            (4, 3)
        """
        power = np.square(self.left, dtype=np.float64).sum(axis=(1, 2))
        return power / power.sum(axis=1, keepdims=True)

    def coefficients(self, image: ArrayLike) -> np.ndarray:
        """<image, right_k> for each k: float64 (k,); the image is shaped as y.

        Raises:
            InputError: for an image of another shape.
        """
        image = as_one(image, self.noisy.shape[-1], FINITE)
        if image.shape != self.noisy.shape:
            raise InputError(
                f"received an image of shape {image.shape}, expected {self.noisy.shape}, as y has"
            )
        return _flat(self.right) @ image.astype(np.float64).ravel()

    def reconstruct(self) -> np.ndarray:
        """sum_k lambda_k <y, right_k> left_k over the vectors known: float64, shaped as y."""
        weights = self.shrinkage * self.coefficients(self.noisy)
        return (weights @ _flat(self.left)).reshape(self.noisy.shape)

    def reconstruction_error(self) -> float:
        """|D(y) - reconstruct()| / |D(y)|.

        For all d singular vectors it is rounding; for eigenvectors it has the part of D(y) that
        comes from the asymmetry of J, and for fewer vectors what the others add.
        """
        return relative_error(self.reconstruct(), self.denoised)


@shows_progress("products")
def eigenbasis(
    denoiser: DenoiserLike | Linearizer,
    noisy: ArrayLike,
    count: int = 64,
    method: str = "randomized",
    *,
    sigma: float | None = None,
    symmetrize: bool = True,
    tolerance: float = 0.006,
    max_products: int | None = None,
    probes: int = PROBES,
    seed: int = 0,
    progress: Progress = None,
) -> Eigenbasis:
    """The largest shrinkage factors of a denoiser at a noisy image, and their vectors.

    `exact` computes the Jacobian with d products, d being the number of values in the image, and
    takes it apart: for 80x80 pixels, 6400 products, 164 MB for the matrix, and about 1.5 GB in all.
    `lanczos` and `randomized` need products only, two for each vector of a Krylov basis which grows
    until the factors stay within `tolerance`: usually five vectors for each factor asked for.
    `randomized` grows it by random blocks of 4, which uses the machine better, `lanczos` by single
    vectors, which needs fewer products.

    Args:
        denoiser: see `as_denoiser`, or a `Linearizer` of one, which is compiled once for many images.
        noisy: y, an image (H, W) or (H, W, C): uint8 in 0..255, or floats in the units of [0, 1].
        count: number of factors, at most d.
        method: one of `METHODS`.
        sigma: level of the noise in y, in units of [0, 1], which denoisers are told that want it; the
            noise that measures the curvature is a tenth of it. Default: not known; see
            `Jacobian.nearby_level`.
        symmetrize: True for eigenvalues and eigenvectors of (J + J^T) / 2, False for singular values
            and vectors of J.
        tolerance: error of the factors, as part of the largest; see `krylov.Triplets.errors`.
        max_products: where `lanczos` and `randomized` stop in any case, but not before they have
            `count` vectors; by default 2 d.
        probes: random vectors for the statistics, two products each; the exact method needs none.
        seed: of the random start.
        progress: called with (vectors or columns done, their largest number).

    Returns:
        An `Eigenbasis`.

    Warns:
        UserWarning: if the exact method will take long, or if another has not converged.

    Raises:
        InputError: for an unknown method, a number out of range, or an image that does not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> options = {"num_channels": 1, "num_kernels": 4, "num_layers": 3, "seed": 0}
        >>> denoiser = kg.build_denoiser("bf-cnn", **options)
        >>> noisy = np.random.default_rng(0).random((8, 8))
        >>> basis = kg.eigenbasis(denoiser, noisy, 4, "exact")
        >>> basis.shrinkage.round(1), basis.left.shape
        (array([1., 1., 1., 1.]), (4, 8, 8, 1))
    """
    seed = check_seed(seed)
    if method not in METHODS:
        raise InputError(f"received method {method!r}, expected one of {', '.join(METHODS)}")
    linearizer = as_linearizer(denoiser)
    sigma = None if sigma is None else linearizer.denoiser.check_sigma(sigma)
    jacobian = linearizer.at(noisy, sigma)
    nearby = {"level": jacobian.nearby_level(sigma), "seed": seed}
    count, probes = check_whole(count, "count", 0), check_whole(probes, "probes", 0)
    tolerance = check_number(tolerance, "tolerance")
    if max_products is not None:
        max_products = check_whole(max_products, "max_products", 1)
    if not 1 <= count <= jacobian.dimension:
        raise InputError(
            f"received count {count}, expected 1 to {jacobian.dimension}, the values in the image"
        )
    if probes < 2 or tolerance < 0:
        raise InputError(
            f"received {probes} probes and tolerance {tolerance}, expected at least 2 and 0"
        )
    if method == "exact":
        return _exact(jacobian, nearby, count, symmetrize, progress)
    block = min(_BLOCK if method == "randomized" else 1, jacobian.dimension)
    most = jacobian.dimension if max_products is None else max_products // 2
    start = _flat(keyed_normal(seed, range(block), 0, jacobian.shape)).T
    options = (start, count, tolerance, most, np.random.default_rng(seed), progress)
    if symmetrize:
        triplets = eigenpairs(_on_columns(jacobian.apply_symmetric, jacobian.shape), *options)
    else:
        apply = _on_columns(jacobian.apply, jacobian.shape)
        transposed = _on_columns(jacobian.apply_transposed, jacobian.shape)
        triplets = singular_triplets(apply, transposed, *options)
    products = jacobian.products
    converged = bool(triplets.errors.max() <= tolerance * np.abs(triplets.values).max())
    if not converged:
        error = triplets.errors.max()
        size = f"may be off by {error:.2g}" if np.isfinite(error) else "are a first guess"
        warnings.warn(
            f"the factors {size}: allow more than {products} products, or ask for fewer factors",
            stacklevel=3,
        )
    return _result(
        jacobian,
        nearby,
        triplets.values,
        triplets.left,
        triplets.right,
        method=method,
        symmetrized=symmetrize,
        errors=triplets.errors,
        residuals=triplets.residuals,
        converged=converged,
        products=products,
        statistics=probe_statistics(jacobian, probes, seed),
    )


def exact_cost(dimension: int) -> tuple[int, int]:
    """What the exact method costs: (products, bytes of memory at its peak).

    The matrix takes 4 bytes an entry, its symmetric part in float64 8, and LAPACK about 24.

    Examples:
        >>> from keras_gahr.analysis import exact_cost
        >>> exact_cost(6400)
        (6400, 1474560000)
    """
    return dimension, 36 * dimension**2


def _exact(jacobian, nearby, count, symmetrize, progress):
    size = jacobian.dimension
    if size > _LARGE:
        products, memory = exact_cost(size)
        warnings.warn(
            f"the exact Jacobian of {size} values takes {products} products and about "
            f"{memory / 1e9:.1f} GB of memory: method='randomized' needs far less of both",
            stacklevel=4,
        )
    matrix = jacobian.matrix(progress)
    products = jacobian.products
    statistics = matrix_statistics(matrix)
    if symmetrize:
        symmetric = (matrix.astype(np.float64) + matrix.T) / 2
        del matrix
        values, vectors = scipy.linalg.eigh(symmetric, overwrite_a=True, driver="evd")
        values = values[::-1]
        left = right = vectors[:, ::-1][:, :count]
    else:
        left, values, right = scipy.linalg.svd(matrix.astype(np.float64), overwrite_a=True)
        left, right = left[:, :count], right[:count].T
    return _result(
        jacobian,
        nearby,
        values[:count],
        left,
        right,
        method="exact",
        symmetrized=symmetrize,
        errors=np.zeros(count),
        residuals=np.zeros(count),
        converged=True,
        products=products,
        statistics=statistics,
        spectrum=values,
    )


def _result(jacobian, nearby, values, left, right, **facts):
    """An `Eigenbasis`, with the vectors' signs such that <D(y), left_k> is not negative.

    `nearby` are the level and the seed of the noise by which the curvature is measured.
    """
    signs = np.where(jacobian.denoised.ravel() @ left < 0, -1, 1)
    shape = (len(values), *jacobian.shape)
    return Eigenbasis(
        shrinkage=values,
        left=(signs * left).T.reshape(shape).astype(np.float32),
        right=(signs * right).T.reshape(shape).astype(np.float32),
        noisy=jacobian.noisy,
        denoised=jacobian.denoised,
        linearity_error=jacobian.linearity_error(),
        curvature=jacobian.curvature(**nearby),
        curvature_level=nearby["level"],
        **facts,
    )


def _on_columns(product, shape):
    """A product with images as one with columns."""
    return lambda columns: _flat(product(columns.T.reshape(-1, *shape))).T


def _flat(images):
    """Images (k, ...) as rows of float64."""
    return np.asarray(images, np.float64).reshape(len(images), -1)
