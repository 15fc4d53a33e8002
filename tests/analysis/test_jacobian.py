import keras
import numpy as np
import pytest
import tolerances
from networks import with_unit_gammas

from keras_gahr.analysis import Linearizer
from keras_gahr.analysis.frozen_gates import FrozenGates
from keras_gahr.denoisers import (
    BFCNN,
    BiasFreeNorm,
    Denoiser,
    DilatedUNet,
    Inference,
    MultiScaleDenoiser,
    ReceptiveFieldBFCNN,
    UNet,
    layers,
)
from keras_gahr.errors import InputError
from weights_convert import convert


def test_golden_jacobian(linearizer, noisy, golden_jacobian):
    jacobian = linearizer.at(noisy)
    seen = []
    matrix = jacobian.matrix(lambda *progress: seen.append(progress))
    np.testing.assert_allclose(matrix, golden_jacobian, atol=tolerances.JACOBIAN)
    assert seen[-1] == (256, 256)
    assert jacobian.products == 256
    assert jacobian.linearity_error() < tolerances.OUTPUT


def test_transposed_products(linearizer, noisy, golden_jacobian):
    directions = np.random.default_rng(0).standard_normal((21, 16, 16, 1))
    jacobian = linearizer.at(noisy[None])
    found = jacobian.apply_transposed(directions).reshape(21, -1)
    expected = directions.reshape(21, -1) @ golden_jacobian
    np.testing.assert_allclose(found, expected, atol=10 * tolerances.JACOBIAN)
    assert jacobian.products == 21


@pytest.mark.parametrize(
    "denoiser",
    [
        UNet(num_channels=3, num_blocks=1, num_kernels=4, seed=1),
        BFCNN(num_layers=4, num_kernels=4, first_layer_linear=False, seed=1),
        pytest.param(DilatedUNet(num_kernels=2, seed=1), marks=pytest.mark.slow),
        pytest.param(
            MultiScaleDenoiser(
                UNet(num_blocks=1, num_kernels=2, seed=1),
                [ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False, seed=1)],
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda denoiser: denoiser.name,
)
def test_frozen_gates_are_the_derivative(denoiser, smooth_images):
    with_unit_gammas(denoiser)
    (clean,) = smooth_images(1, 8, 12, denoiser.input_channels)
    noisy = clean + np.random.default_rng(0).normal(0, 0.2, clean.shape).astype(np.float32)
    frozen, derived = (Linearizer(denoiser, 4, gates).at(noisy) for gates in (True, False))
    directions = np.random.default_rng(1).standard_normal((5, *clean.shape))
    for product in ("apply", "apply_transposed"):
        found, expected = (getattr(j, product)(directions) for j in (frozen, derived))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found / scale, expected / scale, atol=tolerances.JACOBIAN)
    np.testing.assert_array_equal(frozen.denoised, derived.denoised)
    assert frozen.linearity_error() < tolerances.OUTPUT


def test_weights_that_change_are_seen(smooth_images):
    denoiser = with_unit_gammas(UNet(num_blocks=1, num_kernels=2, seed=1))
    linearizer = Linearizer(denoiser)
    (image,) = smooth_images(1, 8, 8)
    before = linearizer.at(image).apply(image[None])[0]
    denoiser.get_layer("middle_norm_0").gamma.assign([3.0, -2.0, 0.5, 1.0])
    after = linearizer.at(image).apply(image[None])[0]
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, Inference(denoiser).denoise(image[None])[0], atol=1e-5)


@keras.saving.register_keras_serializable("tests")
class Branches(Denoiser):
    """Two, with norms and without, whose ReLUs come in another order once norms are folded."""

    def __init__(self):
        inputs = keras.Input((None, None, 1))
        normed = plain = inputs
        for index, filters in enumerate((3, 5)):
            normed = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"n{index}")(
                normed
            )
            normed = keras.layers.ReLU(name=f"nr{index}")(BiasFreeNorm(name=f"norm{index}")(normed))
        for index, filters in enumerate((4, 6, 2)):
            plain = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"p{index}")(
                plain
            )
            plain = keras.layers.ReLU(name=f"pr{index}")(plain)
        both = keras.layers.Concatenate(name="both")([normed, plain])
        outputs = layers.Conv2D(1, 3, padding="same", use_bias=False, name="last")(both)
        super().__init__(inputs, outputs, 0, None, "branches")


def test_gates_of_branches_are_those_of_their_relus(smooth_images):
    denoiser = Branches()
    (image,) = smooth_images(1, 8, 8)
    jacobian = Linearizer(denoiser).at(image)
    assert jacobian.linearity_error() < tolerances.OUTPUT
    frozen, derived = (
        Linearizer(denoiser, frozen_gates=frozen).at(image).matrix() for frozen in (True, False)
    )
    np.testing.assert_allclose(frozen, derived, atol=1e-5)
    gates = FrozenGates(denoiser)
    assert gates._places != sorted(gates._places)


@keras.saving.register_keras_serializable("tests")
class Curved(Denoiser):
    """Not piecewise linear."""

    def __init__(self, residual=keras.ops.tanh):
        inputs = keras.Input((None, None, 1))
        super().__init__(inputs, residual(inputs), 0, None, "curved")


def test_other_networks_are_differentiated():
    image = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4, 1)
    jacobian = Linearizer(Curved()).at(image)
    expected = np.diag(np.tanh(image.ravel()) ** 2)
    np.testing.assert_allclose(jacobian.matrix(), expected, atol=1e-6)
    assert jacobian.linearity_error() > 0.01


@pytest.mark.parametrize(
    ("unit", "slope"),
    [
        (keras.ops.tanh, lambda y: 1 - np.tanh(y) ** 2),
        (keras.ops.abs, np.sign),
        (lambda y: keras.ops.leaky_relu(y, 0.2), lambda y: np.where(y < 0, 0.2, 1)),
        (lambda y: keras.ops.relu(y) + 1, lambda y: y > 0),
    ],
    ids=["tanh", "abs", "leaky_relu", "bias"],
)
def test_other_units_are_seen_where_they_change_little(unit, slope):
    image = np.linspace(-1, 0.8, 12, dtype=np.float32).reshape(3, 4, 1)
    jacobian = Linearizer(Curved(lambda y: 1e-3 * unit(y))).at(image)
    expected = np.diag(1 - 1e-3 * slope(image.ravel()))
    np.testing.assert_allclose(jacobian.matrix(), expected, atol=1e-6)


def test_what_has_no_jacobian_is_refused(tiny_denoiser, linearizer):
    conditional = ReceptiveFieldBFCNN(num_kernels=2, coarse=False)
    with pytest.raises(InputError, match="conditional"):
        Linearizer(conditional)
    with pytest.raises(InputError, match="2 images"):
        linearizer.at(np.zeros((2, 8, 8, 1)))
    with pytest.raises(InputError, match="multiples of 4"):
        linearizer.at(np.zeros((6, 8, 1)))
    with pytest.raises(InputError, match="expected an image"):
        linearizer.at(np.zeros(64))
    with pytest.raises(InputError, match="NaN"):
        linearizer.at(np.full((8, 8, 1), np.nan))


def test_no_directions_have_no_products(linearizer, noisy):
    jacobian = linearizer.at(noisy)
    none = np.zeros((0, 16, 16, 1), np.float32)
    for product in (jacobian.apply, jacobian.apply_transposed, jacobian.apply_symmetric):
        assert product(none).shape == none.shape
    assert jacobian.products == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "sigma",
    [pytest.param(10, marks=pytest.mark.long), 30, pytest.param(100, marks=pytest.mark.long)],
)
def test_jacobians_that_the_authors_stored(shared, tmp_path, sigma):
    """Whole ones where there are minutes, else the derivatives with respect to some of the pixels."""
    folder = shared / "checkpoints" / "bias_free_denoising"
    convert(folder / "dncnn" / "0-100.pt", tmp_path / "dncnn.keras")
    denoiser = keras.saving.load_model(tmp_path / "dncnn.keras")
    # The stored arrays are those of a norm without the constant that the published code adds.
    for weight in denoiser.weights:
        if weight.name == "running_sd":
            weight.assign(weight - 1e-5)
    noisy, expected = (
        np.load(folder / "precomputed_dncnn" / f"{name}_{sigma}.npy")
        for name in ("noisy_im", "Jacobian")
    )
    jacobian = Linearizer(denoiser).at(noisy[..., None])
    if sigma == 30:
        pixels = np.random.default_rng(0).choice(900, 64, replace=False)
        columns = jacobian.apply(np.eye(900)[pixels].reshape(-1, 30, 30, 1)).reshape(-1, 900).T
    else:
        pixels, columns = slice(None), jacobian.matrix()
    exact = (np.eye(900) - expected)[:, pixels]
    np.testing.assert_allclose(columns, exact, atol=tolerances.JACOBIAN)
    assert jacobian.linearity_error() < tolerances.OUTPUT
