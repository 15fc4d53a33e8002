"""The published trained denoisers on photographs, which are no part of this project.

What a denoiser puts out is the denoised image D(y) = y - r(y); differences in it are relative to its
largest value. The residual r is compared too, relative to its own largest value, which at low noise is
several times smaller, so that the same rounding counts several times more.
"""

import json

import keras
import numpy as np
import pytest
import tolerances
from networks import nhwc, relative_difference

from keras_gahr.denoisers import Inference, load_denoiser
from weights_convert import convert

FLAT = "local_probability/flat/celebA_160x160_gray/noise_range_0to255_RF_{0}x{0}/model.pt"
LOW = "local_probability/multi_scale/celebA_160x160_gray/noise_range_0to255_RF_40x40_low/model.pt"
CHECKPOINTS = {
    **{f"flat_rf{field}": FLAT.format(field) for field in (5, 9, 13, 23, 43)},
    "low40": LOW,
    "bsd400_gray": "universal_inverse_problem/BSD400_gray/model.pt",
    "bsd300_color": "universal_inverse_problem/BSD300_color/model.pt",
    "bias_free_dncnn": "bias_free_denoising/dncnn/0-100.pt",
    "bias_free_unet": "bias_free_denoising/unet/0-100.pt",
}
KNOWN_RELU = {"bsd400_gray", "bsd300_color", "bias_free_dncnn"}


@pytest.fixture(scope="module")
def converted(shared, tmp_path_factory):
    """A function from a name to the conversion and the denoiser read back from its file."""
    folder = tmp_path_factory.mktemp("converted")
    found = {}

    def get(name):
        if name not in found:
            path = folder / f"{name}.keras"
            conversion = convert(shared / "checkpoints" / CHECKPOINTS[name], path)
            found[name] = conversion, load_denoiser(path)
        return found[name]

    return get


def mean_psnr(found, clean):
    """The mean over images of the PSNR in dB, values not clipped."""
    errors = np.mean((found.astype(np.float64) - clean) ** 2, axis=(1, 2, 3))
    return float(np.mean(-10 * np.log10(errors)))


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_outputs_on_photographs(shared, converted, name):
    conversion, denoiser = converted(name)
    assert conversion.max_relative_difference < 2e-5
    assert denoiser.provenance["max_relative_difference"] == conversion.max_relative_difference
    assert denoiser.provenance["sha256"] == conversion.sha256
    if name in KNOWN_RELU:
        assert denoiser.provenance["first_layer"] == "relu"
        assert not any("first layer" in line for line in conversion.assumptions)

    psnrs = json.loads((shared / "golden" / "real_index.json").read_text())[name]
    arrays = np.load(shared / "golden" / f"real_{name}.npz")
    clean = nhwc(arrays["clean"])
    inference = Inference(denoiser)
    for i, sigma in enumerate(psnrs):
        noisy, residual = nhwc(arrays["noisy"][i]), nhwc(arrays["residual"][i])
        found = inference.residual(noisy)
        image = relative_difference(noisy - found, noisy - residual)
        assert image < tolerances.REAL_IMAGE, sigma
        assert relative_difference(found, residual) < tolerances.REAL_RESIDUAL, sigma
        assert mean_psnr(noisy - found, clean) == pytest.approx(psnrs[sigma], abs=1e-3)


@pytest.mark.parametrize("sigma", [10, 30, 100])
def test_dncnn_is_the_linear_map_that_its_authors_stored(shared, converted, sigma):
    folder = shared / "checkpoints" / "bias_free_denoising" / "precomputed_dncnn"
    noisy, expected, jacobian = (
        np.load(folder / f"{name}_{sigma}.npy") for name in ("noisy_im", "im_denoised", "Jacobian")
    )
    # The stored Jacobian is that of the residual.
    linear = noisy.ravel() - jacobian.astype(np.float64) @ noisy.ravel()
    assert relative_difference(linear, expected.ravel()) < tolerances.STORED_JACOBIAN

    _, denoiser = converted("bias_free_dncnn")
    image = noisy.astype(np.float32)[None, :, :, None]
    found = Inference(denoiser).denoise(image)[0, :, :, 0]
    assert relative_difference(found, expected) < tolerances.STORED_IMAGE
    # The stored arrays are those of a norm without the constant that the published code adds.
    without = keras.models.clone_model(denoiser)
    without.set_weights(
        [
            value - 1e-5 if weight.name == "running_sd" else value
            for weight, value in zip(denoiser.weights, denoiser.get_weights(), strict=True)
        ]
    )
    found = image - without.predict_on_batch(image)
    assert relative_difference(found[0, :, :, 0], expected) < tolerances.REAL_IMAGE / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sigma", "psnr"),
    [
        pytest.param(15, 32.600, marks=pytest.mark.long),
        (25, 30.297),
        pytest.param(50, 27.190, marks=pytest.mark.long),
    ],
)
def test_bsd400_on_set12(shared, converted, sigma, psnr):
    _, denoiser = converted("bsd400_gray")
    inference = Inference(denoiser)
    found = []
    with np.load(shared / "data" / "set12_gray.npz") as images:
        for i, name in enumerate(sorted(images)):
            clean = images[name] / 255
            noise = np.random.default_rng(i).standard_normal(clean.shape)
            noisy = (clean + sigma / 255 * noise).astype(np.float32)[None, :, :, None]
            found.append(mean_psnr(inference.denoise(noisy), clean[None, :, :, None]))
    assert len(found) == 12
    assert np.mean(found) == pytest.approx(psnr, abs=0.005)
