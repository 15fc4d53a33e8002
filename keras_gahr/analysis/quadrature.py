"""What the first steps of Lanczos' algorithm say of a spectrum: nodes, weights and strict bounds.

The squared components of a vector in the eigenvectors of a matrix are masses at its eigenvalues. After m
steps from that vector the eigenvalues of the tridiagonal matrix are the nodes of Gauss' rule for these
masses, exact for polynomials of degree 2 m - 1. How much mass lies above a value is no polynomial, and
counting nodes is biased. The inequalities of Chebyshev, Markov and Stieltjes bound it strictly: take the
rule of m + 1 nodes one of which is at that value (Golub, SIAM Review 15, 1973, section 7); what the other
nodes above it weigh is at most the mass above it, and with that node's weight at least that much. No
bounds from m steps are narrower.
"""

from __future__ import annotations

import numpy as np

_CLOSEST = 1e-9
"""How close to a node, as part of the largest, a value may come; products have larger errors."""


def gauss(diagonals: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes, weights and couplings of tridiagonal matrices as `krylov.tridiagonals` returns them.

    Args:
        diagonals, beside: (..., m).

    Returns:
        Float64 (..., m) each: the nodes, ascending; the weights, which sum to 1; and how the next step of the
        algorithm hangs on each node, which is 0 where the nodes are eigenvalues.
    """
    matrices = np.zeros((*diagonals.shape, diagonals.shape[-1]))
    places = np.arange(diagonals.shape[-1])
    matrices[..., places, places] = diagonals
    # `eigh` reads the lower half.
    matrices[..., places[1:], places[:-1]] = beside[..., :-1]
    nodes, vectors = np.linalg.eigh(matrices)
    first, last = vectors[..., 0, :], vectors[..., -1, :]
    return nodes, first**2, beside[..., -1:] * last * np.where(first < 0, -1, 1)


def mass_above(
    value: float, nodes: np.ndarray, weights: np.ndarray, coupling: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Strict bounds of the mass above a value: the least and the most it can be.

    Args:
        value: the value.
        nodes, weights, coupling: (..., m), as `gauss` returns them; the weights may have any sum.

    Returns:
        Float64 (...) each; both the same without coupling.
    """
    if not coupling.any():
        mass = np.sum(weights * (nodes > value), axis=-1)
        return mass, mass
    gap = nodes - value
    closest = _CLOSEST * np.abs(nodes).max(axis=-1, keepdims=True)
    gap = np.where(np.abs(gap) < closest, closest, gap)
    size = nodes.shape[-1]
    places = np.arange(size)
    # The matrix of m + 1 steps in the eigenvectors of that of m, with the corner that makes `value` a node.
    matrices = np.zeros((*nodes.shape[:-1], size + 1, size + 1))
    matrices[..., places, places] = nodes
    matrices[..., size, :size] = coupling
    matrices[..., size, size] = value + np.sum(coupling**2 / gap, axis=-1)
    nodes, vectors = np.linalg.eigh(matrices)
    masses = np.einsum("...j,...ji->...i", np.sqrt(weights), vectors[..., :size, :]) ** 2
    itself = np.abs(nodes - value).argmin(axis=-1)[..., None]
    least = np.sum(masses * (np.arange(size + 1) > itself), axis=-1)
    return least, least + np.take_along_axis(masses, itself, axis=-1)[..., 0]
