import sys
import warnings

import numpy as np
import pytest
import tolerances

from keras_gahr.analysis import eigenbases, eigenbasis, matrix_statistics, probe_statistics
from keras_gahr.analysis.krylov import eigenpairs, singular_triplets
from keras_gahr.errors import InputError


def test_exact_eigenvectors(linearizer, noisy, golden_jacobian):
    basis = eigenbasis(linearizer, noisy, 20, "exact")
    symmetric = (golden_jacobian + golden_jacobian.T) / 2
    expected = np.linalg.eigvalsh(symmetric)[::-1]
    np.testing.assert_allclose(basis.spectrum, expected, atol=tolerances.JACOBIAN)
    np.testing.assert_allclose(basis.shrinkage, expected[:20], atol=tolerances.JACOBIAN)
    vectors = basis.left.reshape(20, -1)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(20), atol=1e-5)
    np.testing.assert_allclose(
        symmetric @ vectors.T, basis.shrinkage * vectors.T, atol=tolerances.JACOBIAN
    )
    np.testing.assert_array_equal(basis.left, basis.right)
    assert basis.products == 256
    assert basis.statistics == matrix_statistics(linearizer.at(noisy).matrix())


def test_singular_vectors_make_the_denoised_image(linearizer, noisy, golden_jacobian):
    basis = eigenbasis(linearizer, noisy, 256, "exact", symmetrize=False)
    expected = np.linalg.svd(golden_jacobian, compute_uv=False)
    np.testing.assert_allclose(basis.shrinkage, expected, atol=tolerances.JACOBIAN)
    assert basis.reconstruction_error() < tolerances.OUTPUT
    assert np.all(basis.left.reshape(256, -1) @ basis.denoised.ravel() >= -1e-5)


@pytest.mark.parametrize("symmetrize", [True, False])
@pytest.mark.parametrize("method", ["lanczos", "randomized"])
def test_products_find_the_exact_factors(linearizer, noisy, golden_jacobian, method, symmetrize):
    if symmetrize:
        expected = np.linalg.eigvalsh((golden_jacobian + golden_jacobian.T) / 2)[::-1]
    else:
        expected = np.linalg.svd(golden_jacobian, compute_uv=False)
    basis, again = (
        eigenbasis(linearizer, noisy, 12, method, symmetrize=symmetrize, seed=3) for _ in range(2)
    )
    np.testing.assert_allclose(basis.shrinkage, expected[:12], rtol=0.01)
    assert basis.converged
    assert basis.products < 256
    np.testing.assert_array_equal(basis.shrinkage, again.shrinkage)
    np.testing.assert_array_equal(basis.left, again.left)
    assert basis.linearity_error < tolerances.OUTPUT


def test_few_products_give_a_warning(linearizer, noisy):
    with pytest.warns(UserWarning, match="first guess: allow more than 10 products"):
        basis = eigenbasis(linearizer, noisy, 4, max_products=10)
    assert not basis.converged
    assert basis.products == 10


def slowly_decaying(size):
    """Eigenvalues like those of a denoiser of photographs."""
    return np.interp(np.arange(size), [0, 5, 65, 245, 1000, size], [1.5, 1.24, 0.93, 0.5, 0.1, 0])


@pytest.mark.one_backend
@pytest.mark.parametrize(("block", "symmetric"), [(1, True), (4, True), (4, False)])
def test_a_tenth_of_the_products_is_enough(block, symmetric):
    values = slowly_decaying(6400)
    generator = np.random.default_rng(0)
    start = generator.standard_normal((6400, block))
    products = []

    def apply(columns):
        products.append(columns.shape[1])
        return values[:, None] * columns

    options = (start, 64, 0.006, 6400, generator, lambda done, total: None)
    if symmetric:
        triplets, passes = eigenpairs(apply, *options), 2
    else:
        triplets, passes = singular_triplets(apply, apply, *options), 1
    np.testing.assert_allclose(triplets.values, values[:64], rtol=0.01)
    assert np.all(triplets.errors < 0.01)
    # Each product with the symmetric part of a Jacobian takes two.
    assert passes * sum(products) <= 640


@pytest.mark.one_backend
def test_low_rank_does_not_stop_the_search():
    values = np.r_[3, 2, 1, np.zeros(47)]
    options = (np.ones((50, 1)), 5, 1e-9, 50, np.random.default_rng(0), lambda done, total: None)
    found = eigenpairs(lambda columns: values[:, None] * columns, *options)
    np.testing.assert_allclose(found.values, [3, 2, 1, 0, 0], atol=1e-10)
    np.testing.assert_allclose(found.left.T @ found.left, np.eye(5), atol=1e-10)
    zero = singular_triplets(np.zeros_like, np.zeros_like, *options)
    np.testing.assert_array_equal(zero.values, 0)


def test_statistics(linearizer, noisy, golden_jacobian):
    exact = matrix_statistics(golden_jacobian)
    assert exact.trace == pytest.approx(np.trace(golden_jacobian))
    assert exact.effective_dimension == pytest.approx(
        np.sum(np.linalg.svd(golden_jacobian, compute_uv=False) ** 2)
    )
    found = probe_statistics(linearizer.at(noisy), 32, seed=1)
    for name in ("trace", "effective_dimension", "asymmetry"):
        error = getattr(found, f"{name}_error")
        assert 0 < error < 0.1 * getattr(exact, name)
        assert abs(getattr(found, name) - getattr(exact, name)) < 4 * error
    assert found.products == 64
    assert matrix_statistics(np.array([[0, 1], [-1, 0]])).asymmetry == pytest.approx(2)


def test_more_noise_leaves_fewer_dimensions(linearizer, smooth_images):
    (clean,) = smooth_images(1, 16, 16)
    found = eigenbases(linearizer, clean, [0.05, 0.3], 8, seed=2)
    low, high = (basis.statistics.effective_dimension for basis in found)
    assert low > 1.2 * high
    alone = eigenbasis(linearizer, found[1].noisy, 8, seed=2)
    np.testing.assert_array_equal(found[1].shrinkage, alone.shrinkage)
    noise = [(basis.noisy - clean) / sigma for basis, sigma in zip(found, (0.05, 0.3), strict=True)]
    np.testing.assert_allclose(*noise, atol=1e-5)


@pytest.mark.one_backend
def test_wrong_arguments(linearizer, noisy):
    for message, options in {
        "method": {"method": "power"},
        "count 0": {"count": 0},
        "count 257": {"count": 257},
        "seed": {"seed": -1},
        "probes": {"probes": 1},
        "tolerance": {"tolerance": float("nan")},
    }.items():
        with pytest.raises(InputError, match=message):
            eigenbasis(linearizer, noisy, **options)


def test_the_exact_method_warns_before_it_takes_long(linearizer, noisy, monkeypatch):
    monkeypatch.setattr(sys.modules[eigenbasis.__module__], "_LARGE", 100)
    with pytest.warns(UserWarning, match="256 products"):
        eigenbasis(linearizer, noisy, 4, "exact")
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        eigenbasis(linearizer, noisy, 4, "exact")
