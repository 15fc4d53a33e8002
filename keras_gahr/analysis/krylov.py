"""Eigenvalues and singular values of a matrix of which only products are known.

For the largest, both methods grow an orthonormal basis block by block from products with the last block,
keep it orthogonal in full, and take what the matrix is on its span (Rayleigh-Ritz). With blocks of one vector
they are the algorithms of Lanczos and of Golub and Kahan; with random blocks the method of Musco and Musco
(Randomized block Krylov methods for stronger and faster approximate singular value decomposition,
NeurIPS 2015), which for slowly decaying spectra needs far fewer products than subspace iteration. How the
rest lies is seen from `tridiagonals`, the matrix on the Krylov space of one vector.
"""

import dataclasses

import numpy as np

_DEFICIENT = 1e-6
"""Part of a block's length, after projection, below which a column is rounding and is drawn anew."""


_VECTORS = 12
"""How much larger a basis must at least be than the one that its values are compared with."""


@dataclasses.dataclass(frozen=True, eq=False)
class Triplets:
    """Approximate singular triplets A right_k = value_k left_k, or eigenpairs, the largest first.

    Attributes:
        values: (k,).
        left, right: (d, k), orthonormal; the same array for eigenpairs.
        residuals: (k,), |A^T left_k - value_k right_k|; a true eigenvalue (or singular value) lies
            within this distance.
        errors: (k,), by how much the values grew with the last tenth of the basis. They are below the
            true ones, approach them ever faster, and with the spectra of denoisers are then nearer
            than this; for a basis of the whole space, 0.
    """

    values: np.ndarray
    left: np.ndarray
    right: np.ndarray
    residuals: np.ndarray
    errors: np.ndarray


def eigenpairs(apply, start, count, tolerance, most, generator, progress):
    """The largest eigenvalues of a symmetric matrix.

    Args:
        apply: the matrix times a block (d, b) of columns.
        start: the first block (d, b), b <= d.
        count: how many eigenpairs, at most d.
        tolerance: stop when all `errors` are below this part of the largest value.
        most: stop when the basis has this many vectors, if at least `count`.
        generator: a NumPy random generator, used where the products span too little.
        progress: called with (vectors of the basis, `most`).

    Returns:
        `Triplets`.
    """
    basis, growth = _Basis(len(start), generator, max(count, most)), _Growth(count, tolerance)
    block, image = basis.extend(start), _Columns()
    small = np.empty((0, 0))
    while True:
        image.append(apply(block))
        # The matrix on the basis is symmetric: the last block's products give its last rows too.
        last = basis.vectors.T @ image.last
        old = len(small)
        small = np.block([[small, last[:old]], [last[:old].T, (last[old:] + last[old:].T) / 2]])
        progress(basis.size, most)
        if growth.is_due(basis):
            values, coordinates = np.linalg.eigh(small)
            values, coordinates = values[::-1][:count], coordinates[:, ::-1][:, :count]
            if growth.has_ended(values, basis):
                break
        block = basis.extend(image.last)
    vectors = basis.vectors @ coordinates
    residuals = np.linalg.norm(image.all @ coordinates - values * vectors, axis=0)
    return Triplets(values, vectors, vectors, residuals, growth.errors)


def singular_triplets(apply, apply_transposed, start, count, tolerance, most, generator, progress):
    """The largest singular values of a square matrix.

    Args:
        apply, apply_transposed: the matrix and its transpose times a block (d, b) of columns.
        start, count, tolerance, generator, progress: as for `eigenpairs`.
        most: as for `eigenpairs`; there are two bases of this size.

    Returns:
        `Triplets`.
    """
    right, left = (_Basis(len(start), generator, max(count, most)) for _ in range(2))
    growth = _Growth(count, tolerance)
    block, back = right.extend(start), _Columns()
    while True:
        back.append(apply_transposed(left.extend(apply(block))))
        progress(right.size, most)
        if growth.is_due(right):
            # The left basis was made from the products, so that they lie in its span.
            p, values, q = np.linalg.svd((right.vectors.T @ back.all).T)
            p, values, q = p[:, :count], values[:count], q[:count].T
            if growth.has_ended(values, right):
                break
        block = right.extend(back.last)
    left_vectors, right_vectors = left.vectors @ p, right.vectors @ q
    residuals = np.linalg.norm(back.all @ p - values * right_vectors, axis=0)
    return Triplets(values, left_vectors, right_vectors, residuals, growth.errors)


def tridiagonals(apply, starts, steps):
    """Lanczos' algorithm from several vectors, each by itself, with full reorthogonalization.

    On the span of v, A v, ... A^(m-1) v, of which the first basis vector is v / |v|, the symmetric matrix
    A is a tridiagonal one.

    Args:
        apply: takes rows (k, d) to A times each; it may be another A for each row.
        starts: v, (k, d), none of them 0.
        steps: m, at most d.

    Returns:
        Its diagonals and what is beside them, float64 (k, m) each. The last entries of the latter lead out
        of the span. Where the span ends earlier, as it does for few distinct eigenvalues, the rest is 0.
    """
    starts = np.asarray(starts, np.float64)
    count, dimension = starts.shape
    basis = np.empty((steps, count, dimension))
    diagonals, beside = np.zeros((2, count, steps))
    current = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    largest = np.zeros(count)
    for step in range(steps):
        basis[step] = current
        image = np.array(apply(current), np.float64)
        diagonals[:, step] = np.sum(current * image, axis=1)
        so_far = basis[: step + 1]
        # Twice, as for blocks.
        for _ in range(2):
            parts = np.einsum("mkd,kd->mk", so_far, image)
            image -= np.einsum("mk,mkd->kd", parts, so_far)
        length = np.linalg.norm(image, axis=1)
        largest = np.maximum(largest, np.maximum(np.abs(diagonals[:, step]), length))
        # What is left after d vectors, or in a space that A does not leave, is rounding.
        goes_on = (length > _DEFICIENT * largest) & (step + 1 < dimension)
        beside[goes_on, step] = length[goes_on]
        current = image * np.where(goes_on, 1 / np.where(goes_on, length, 1), 0)[:, None]
    return diagonals, beside


class _Columns:
    """Blocks of columns, side by side."""

    def __init__(self):
        self.blocks = []

    @property
    def last(self):
        return self.blocks[-1]

    @property
    def all(self):
        return np.hstack(self.blocks)

    def append(self, block):
        self.blocks.append(np.asarray(block, np.float64))


class _Basis:
    """An orthonormal basis that grows by blocks, up to some size or the whole space."""

    def __init__(self, dimension, generator, most):
        self.vectors = np.empty((dimension, 0))
        self._generator = generator
        self._most = most

    @property
    def size(self):
        return self.vectors.shape[1]

    @property
    def dimension(self):
        return self.vectors.shape[0]

    @property
    def is_full(self):
        return self.size == min(self._most, self.dimension)

    def extend(self, block):
        """Appends a block, as far as there is room; returns the orthonormal vectors appended."""
        block = np.array(block, np.float64)
        block = block[:, : min(self._most, self.dimension) - self.size]
        length = np.linalg.norm(block, axis=0).max()
        new, triangle = np.linalg.qr(self._project(block))
        lost = np.abs(np.diagonal(triangle)) <= _DEFICIENT * length
        new[:, lost] = self._generator.standard_normal((len(block), np.count_nonzero(lost)))
        # Again: what was small after the first time is orthogonal only up to amplified rounding.
        new, _ = np.linalg.qr(self._project(new))
        self.vectors = np.hstack([self.vectors, new])
        return new

    def _project(self, block):
        return block - self.vectors @ (self.vectors.T @ block)


class _Growth:
    """Watches Ritz values grow with the basis and says when that is enough."""

    def __init__(self, count, tolerance):
        self.count, self.tolerance = count, tolerance
        self.errors = np.full(count, np.inf)
        self._seen = []

    def is_due(self, basis):
        """Whether to compute the values; not for every vector, since that takes time."""
        last = self._seen[-1][0] if self._seen else 0
        return basis.is_full or basis.size >= max(self.count, 1.04 * last)

    def has_ended(self, values, basis):
        """Whether the values are good enough, or the basis as large as it may be."""
        # A value that is still missing shows only after some vectors, however small the basis is.
        before = basis.size - max(_VECTORS, basis.size // 10)
        earlier = [old for size, old in self._seen if size <= before]
        self._seen.append((basis.size, values))
        if basis.size == basis.dimension:
            self.errors = np.zeros_like(values)
        elif earlier:
            self.errors = np.abs(values - earlier[-1])
        converged = self.errors.max() <= self.tolerance * np.abs(values).max()
        return converged or basis.is_full
