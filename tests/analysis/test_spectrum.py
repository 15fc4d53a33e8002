"""Spectra of Jacobians from products, where they are known."""

import keras
import numpy as np
import pytest
from known_networks import shrinking
from networks import with_unit_gammas
from scipy import stats

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.analysis import Linearizer, spectral_density, trace
from keras_gahr.analysis.krylov import tridiagonals
from keras_gahr.analysis.quadrature import gauss, mass_above
from keras_gahr.analysis.traces import probe_signs

SIGMA = 0.3


def random_images(count, *shape):
    return np.random.default_rng(0).random((count, *shape)).astype(np.float32)


def symmetric_part(linearizer, image, sigma=None):
    matrix = linearizer.at(image, sigma).matrix().astype(np.float64)
    return (matrix + matrix.T) / 2


@pytest.fixture(scope="module")
def wiener():
    denoiser = kg.baselines.Wiener.from_images(random_images(80, 8, 8), sigma=SIGMA)
    linearizer = Linearizer(denoiser)
    return linearizer, np.linalg.eigvalsh(symmetric_part(linearizer, np.full((8, 8), 0.5)))


def held(found, expected):
    return (found.interval[:, 0] <= expected) & (expected <= found.interval[:, 1])


@pytest.mark.one_backend
def test_counts_are_held_as_often_as_intervals_say(wiener):
    """Of 100 images with probes of their own, whose eigenvalues are all the same."""
    linearizer, eigenvalues = wiener
    expected = np.count_nonzero(eigenvalues > 0.5)
    images = np.full((100, 8, 8), 0.5)
    least, most = stats.binom.interval(0.999, 100, 0.95)
    found = spectral_density(linearizer, images, probes=8, steps=40).count_above(0.5)
    assert least <= np.count_nonzero(held(found, expected)) <= most
    few = spectral_density(linearizer, images, probes=8, steps=10).count_above(0.5)
    # With few steps that leaves more open, and intervals are wider than the probes alone make them.
    assert np.ptp(few.bounds, axis=1).mean() > 4 * np.ptp(found.bounds, axis=1).mean()
    assert np.count_nonzero(held(few, expected)) >= least
    assert few.bounds[:, 0].mean() < expected < few.bounds[:, 1].mean()
    # What the probes leave open does not hold as much.
    narrow = np.abs(few.value - expected) <= few.standard_error / 2
    assert np.count_nonzero(narrow) < least
    value, (low, high) = few.mean
    assert low < expected < high and value == few.value.mean()


@pytest.mark.one_backend
def test_bounds_are_strict(wiener):
    """Each probe's own masses lie within, at thresholds between, below and above all eigenvalues."""
    linearizer, _ = wiener
    matrix = symmetric_part(linearizer, np.full((8, 8), 0.5))
    eigenvalues, vectors = np.linalg.eigh(matrix)
    signs = probe_signs(0, 0, range(20), (8, 8, 1)).reshape(20, 64).astype(np.float64)
    masses = (signs @ vectors) ** 2
    for steps in (2, 7, 20):
        rule = gauss(*tridiagonals(lambda rows: rows @ matrix, signs, steps))
        nodes, weights, _ = rule
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        for power in (1, 2, 2 * steps - 1):
            found = np.sum(weights * nodes**power, axis=1)
            np.testing.assert_allclose(64 * found, masses @ eigenvalues**power, rtol=1e-8)
        for value in (-0.1, 0.1, 0.35, 0.5, float(nodes[3, 1]), 0.7, 1.1):
            low, high = 64 * np.array(mass_above(value, *rule))
            above = masses @ (eigenvalues > value)
            assert np.all(low <= above + 1e-5) and np.all(above <= high + 1e-5), value


@pytest.mark.one_backend
def test_few_distinct_eigenvalues_end_it_early():
    matrix = np.diag(np.repeat([0.0, 0.2, 1.0], [5, 3, 2]))
    signs = probe_signs(0, 0, range(4), (10,))
    rule = gauss(*tridiagonals(lambda rows: rows @ matrix, signs, 8))
    low, high = 10 * np.array(mass_above(0.5, *rule))
    np.testing.assert_allclose([low, high], 2, atol=1e-9)


@pytest.mark.parametrize("shape", [(6, 5), (4, 4, 3)], ids=["grey", "colour"])
def test_all_steps_are_exact(shape):
    images = random_images(60, *shape)
    linearizer = Linearizer(kg.baselines.Wiener.from_images(images, sigma=SIGMA))
    expected = np.linalg.eigvalsh(symmetric_part(linearizer, images[0]))
    found = spectral_density(linearizer, images[:2], steps=1000)
    assert found.exact and found.nodes.shape == (2, 1, expected.size)
    np.testing.assert_allclose(found.nodes[0, 0], expected, atol=1e-6)
    above = found.count_above(0.3)
    assert above.value.tolist() == [np.count_nonzero(expected > 0.3)] * 2
    assert not above.standard_error.any() and not np.ptp(above.interval, axis=1).any()
    np.testing.assert_allclose(found.trace, expected.sum(), rtol=1e-5)
    assert not found.trace_error.any() and found.numbers()["probes"] == 0


def test_a_network_and_its_traces():
    """An asymmetric Jacobian, with eigenvalues below 0 and above 1."""
    denoiser = with_unit_gammas(
        kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=8, num_layers=4, seed=1)
    )
    linearizer = Linearizer(denoiser)
    images = random_images(3, 8, 8)
    found = spectral_density(linearizer, images, probes=16, steps=24)
    same = trace(linearizer, images, probes=16)
    np.testing.assert_allclose(found.trace, same.value, rtol=1e-4)
    np.testing.assert_allclose(found.trace_error, same.standard_error, rtol=1e-2)
    for place, image in enumerate(images):
        eigenvalues = np.linalg.eigvalsh(symmetric_part(linearizer, image))
        for threshold in (0.5, 0.95, 1.05):
            above = found.count_above(threshold)
            count = np.count_nonzero(eigenvalues > threshold)
            # Wider than 95%, of which some of nine would fail.
            (low, high), error = above.bounds[place], 4 * above.standard_error[place]
            assert low - error <= count <= high + error
        power = np.sum(eigenvalues**2)
        error = found.effective_dimension_error[place]
        assert abs(found.effective_dimension[place] - power) < 4 * error
    assert np.all(found.effective_dimension <= same.effective_dimension)
    grid = found.grid
    length = grid[1] - grid[0]
    np.testing.assert_allclose(found.density(grid).sum(axis=1) * length, 64, rtol=0.03)


@pytest.mark.one_backend
def test_nothing_depends_on_what_is_computed_with_it(wiener, monkeypatch):
    linearizer, _ = wiener
    images = random_images(5, 8, 8)
    options = {"probes": 4, "steps": 6, "seed": 3}
    seen = []
    whole = spectral_density(linearizer, images, progress=lambda *at: seen.append(at), **options)
    assert seen[-1] == (5 * 4 * 6 * 2,) * 2 and seen == sorted(seen)
    expected = whole.count_above(0.5).bounds
    alone = spectral_density(Linearizer(linearizer.denoiser, 1), images[3], first=3, **options)
    np.testing.assert_allclose(alone.count_above(0.5).bounds, expected[3:4], atol=1e-3)
    # Room for three bases at a time.
    monkeypatch.setattr(kg.analysis.spectrum, "_MOST_BYTES", 3 * 8 * 6 * 64)
    parts = spectral_density(linearizer, images, progress=lambda *at: seen.append(at), **options)
    np.testing.assert_allclose(parts.count_above(0.5).bounds, expected, atol=1e-3)
    assert seen[-1] == (5 * 4 * 6 * 2,) * 2
    other = spectral_density(linearizer, images, **{**options, "seed": 4})
    assert np.abs(other.trace - whole.trace).max() > 0.1


def test_a_network_that_is_told_the_level():
    denoiser = kg.wrap(shrinking, "image", "sigma", channels=1, layout="NHWC")
    found = spectral_density(
        denoiser, random_images(2, 4, 4), sigma=[0.5, 2.0], probes=2, steps=3
    ).count_above(0.5)
    np.testing.assert_allclose(found.bounds, [[16, 16], [0, 0]], atol=1e-4)
    with pytest.raises(InputError, match="told the noise level"):
        spectral_density(denoiser, random_images(2, 4, 4))


@pytest.mark.one_backend
def test_it_is_saved_and_drawn(wiener, tmp_path):
    found = spectral_density(wiener[0], random_images(2, 8, 8), probes=3, steps=5)
    found.save(tmp_path / "out", sigma=SIGMA)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"spectrum.json", "spectrum.npz", "spectrum.png"}
    assert np.load(tmp_path / "out" / "spectrum.npz")["nodes"].shape == (2, 3, 5)
    assert found.plot().axes[0].get_yscale() == "log"
    together = found.of_all([found, found])
    assert together.nodes.shape == (4, 3, 5)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "words"),
    [({"probes": 1}, "probes"), ({"steps": 1}, "steps"), ({"seed": -1}, "seed")],
)
def test_what_is_refused(wiener, options, words):
    with pytest.raises(InputError, match=words):
        spectral_density(wiener[0], np.zeros((1, 8, 8)), **options)


def test_the_same_as_matfree(wiener):
    """Another implementation, on JAX, from the same vector."""
    if keras.backend.backend() != "jax":
        pytest.skip("matfree is written in JAX")
    decomp = pytest.importorskip("matfree.decomp", reason="matfree is not installed")
    linearizer, _ = wiener
    matrix = symmetric_part(linearizer, np.full((8, 8), 0.5)).astype(np.float32)
    signs = probe_signs(0, 0, range(1), (64,))
    lanczos = decomp.tridiag_sym(12, materialize=False, reortho="full")
    diagonal, beside = lanczos(lambda vector: matrix @ vector, signs[0]).J_small
    found = tridiagonals(lambda rows: rows @ matrix, signs, 12)
    np.testing.assert_allclose(found[0][0], diagonal, atol=1e-4)
    np.testing.assert_allclose(found[1][0, :-1], beside, atol=1e-4)
