"""Whole conversions against outputs of the published code."""

import hashlib
import itertools
import json
import os
import subprocess
import sys

import handmade
import numpy as np
import pytest
from networks import FLEXIBLE, NETWORKS

from keras_gahr.denoisers import build_denoiser, load_denoiser
from keras_gahr.errors import InputError
from weights_convert import VerificationError, convert, export_denoiser, read_checkpoint, verify
from weights_convert.layouts import paper_unet, recognize


def assert_golden(denoiser, arrays):
    noisy = np.moveaxis(arrays["noisy"], 1, -1)
    expected = np.moveaxis(arrays["eval_output"], 1, -1)
    found = denoiser.predict_on_batch(noisy)
    assert np.max(np.abs(found - expected)) < 1e-5 * np.max(np.abs(expected))


ONE_OF_A_KIND = {"unet_1block", "bf_cnn_21_relu", "bf_cnn_rf9"}
"""Enough for each backend, which computes them all in tests of networks."""


@pytest.mark.parametrize(
    "name",
    [
        name if name in ONE_OF_A_KIND else pytest.param(name, marks=pytest.mark.one_backend)
        for name in NETWORKS
    ],
)
def test_converted_networks_compute_what_the_published_ones_do(golden, tmp_path, name):
    source, out = golden / f"{name}.pt", tmp_path / "out.keras"
    first_layer = "relu" if name.endswith("relu") else None
    conversion = convert(source, out, first_layer=first_layer)
    denoiser = load_denoiser(out)
    assert_golden(denoiser, np.load(golden / f"{name}.npz"))

    published = json.loads((golden / "index.json").read_text())[name]
    assert conversion.parameters == published["params"]
    assert conversion.max_relative_difference < 1e-5
    assert conversion.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert denoiser.provenance["source"] == f"{name}.pt"
    assert denoiser.provenance["sha256"] == conversion.sha256
    assert denoiser.provenance["max_relative_difference"] == conversion.max_relative_difference
    expected_first_layer = None if name.startswith("unet") else first_layer or "linear"
    assert denoiser.provenance["first_layer"] == expected_first_layer


@pytest.mark.one_backend
@pytest.mark.parametrize("name", FLEXIBLE)
def test_flexible_unets_compute_what_the_published_ones_do(golden, golden_index, tmp_path, name):
    norm = FLEXIBLE[name]
    conversion = convert(golden / f"{name}.pt", tmp_path / "out.keras", norm=norm)
    assert conversion.parameters == golden_index[name]["params"]
    predicts, *others = conversion.assumptions
    assert predicts.startswith("it computes the residual: the checkpoint cannot tell")
    assert others == ([f"{norm} norm, as asked for: the checkpoint cannot tell"] if norm else [])
    assert_golden(load_denoiser(tmp_path / "out.keras"), np.load(golden / f"{name}.npz"))


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "name, layout",
    [
        ("unet_flex_batch_gray", "the published UNet_flex"),
        ("unet_1block", "the published UNet"),
        ("bf_cnn_20_linear", "the published BF_CNN"),
        ("bf_cnn_rf13_fine", "the published BF_CNN_RF 13"),
    ],
)
def test_networks_that_compute_the_image(golden, tmp_path, name, layout):
    source, out = golden / f"{name}.pt", tmp_path / "out.keras"
    usual = convert(source, tmp_path / "usual.keras").assumptions[-1]
    assert usual.startswith("it computes the residual: the checkpoint cannot tell; ")
    assert "--predicts image (predicts='image' in Python)" in usual
    conversion = convert(source, out, predicts="image")
    assert conversion.assumptions[-1].startswith("it computes the image, as asked for")
    denoiser, arrays = load_denoiser(out), np.load(golden / f"{name}.npz")
    assert denoiser.provenance["layout"] == layout
    noisy, expected = (np.moveaxis(arrays[key], 1, -1) for key in ("noisy", "eval_output"))
    found = noisy[..., -expected.shape[-1] :] - denoiser.predict_on_batch(noisy)
    assert np.max(np.abs(found - expected)) < 1e-5 * np.max(np.abs(expected))
    export_denoiser(out, tmp_path / "back.pt")
    state, back = read_checkpoint(source), read_checkpoint(tmp_path / "back.pt")
    assert state.keys() == back.keys()
    assert all(np.array_equal(state[name], back[name]) for name in state)
    with pytest.raises(InputError, match="'residual' or 'image'"):
        convert(source, tmp_path / "x.keras", predicts="noise")


@pytest.mark.one_backend
def test_the_norm_of_the_other_kind_computes_something_else(golden, tmp_path):
    """Negative control: nothing but the outputs tells the two apart."""
    convert(golden / "unet_flex_layer_color.pt", tmp_path / "out.keras", norm="instance")
    arrays = np.load(golden / "unet_flex_layer_color.npz")
    with pytest.raises(AssertionError):
        assert_golden(load_denoiser(tmp_path / "out.keras"), arrays)


@pytest.mark.one_backend
def test_data_parallel_checkpoints_give_the_same_weights(golden, tmp_path):
    weights = []
    for name in ("unet_2block", "unet_2block_dataparallel"):
        convert(golden / f"{name}.pt", tmp_path / f"{name}.keras")
        weights.append(load_denoiser(tmp_path / f"{name}.keras").get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.one_backend
def test_the_full_unet(golden, tmp_path):
    arrays = np.load(golden / "unet_full_recipe.npz")
    state = {
        name: recipe_array(name, entry.shape, int(arrays["recipe_seed"]))
        for name, entry in paper_unet.entries(1, 3, 64, 2, 2, 2).items()
    }
    (tmp_path / "full.pt").write_bytes(handmade.checkpoint(state))
    conversion = convert(tmp_path / "full.pt", tmp_path / "full.keras")
    assert conversion.parameters == 7_659_264
    assert_golden(load_denoiser(tmp_path / "full.keras"), arrays)


def recipe_array(name, shape, seed):
    rng = np.random.default_rng([seed, *name.encode()])
    if name.endswith(".weight"):
        return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype("f4")
    return rng.uniform(0.5, 1.5, shape).astype("f4")


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "enc, mid, dec, blocks, channels",
    [(1, 1, 1, 1, 1), (3, 1, 2, 2, 3), (1, 3, 1, 2, 1), (2, 2, 3, 4, 1)],
)
def test_other_numbers_of_convolutions(tmp_path, enc, mid, dec, blocks, channels):
    torch = pytest.importorskip("torch")
    network = published_unet(torch, channels, blocks, 4, enc, mid, dec)
    path = tmp_path / "unet.pt"
    torch.save(network.state_dict(), path)
    conversion = convert(path, tmp_path / "unet.keras")
    assert conversion.options == {
        "num_channels": channels,
        "num_blocks": blocks,
        "num_kernels": 4,
        "num_enc_conv": enc,
        "num_mid_conv": mid,
        "num_dec_conv": dec,
    }
    noisy = torch.randn(2, channels, 16, 32)
    with torch.no_grad():
        arrays = {"noisy": noisy.numpy(), "eval_output": network(noisy).numpy()}
    assert_golden(load_denoiser(tmp_path / "unet.keras"), arrays)


def published_unet(torch, channels, blocks, kernels, enc, mid, dec):
    """A PyTorch UNet with the published names and any number of convolutions."""
    nn = torch.nn

    class Norm(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.gammas = nn.Parameter(torch.rand(1, width, 1, 1) + 0.5)
            self.register_buffer("running_sd", torch.rand(1, width, 1, 1) + 0.5)

        def forward(self, x):
            return x * self.gammas / self.running_sd

    def sequence(widths, bare=None, ends_bare=False):
        layers = []
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
            if i != bare:
                layers.append(Norm(outputs))
            layers.append(nn.ReLU())
        return nn.Sequential(*(layers[:-1] if ends_bare else layers))

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            width = [kernels * 2**b for b in range(blocks + 1)]
            self.encoder = nn.ModuleDict()
            self.decoder = nn.ModuleDict()
            self.upsample = nn.ModuleDict()
            for b in range(blocks):
                inputs = width[b - 1] if b else channels
                bare = None if b else 0
                self.encoder[str(b)] = sequence([inputs] + [width[b]] * enc, bare)
                self.upsample[str(b)] = nn.ConvTranspose2d(
                    width[b + 1], width[b], 2, stride=2, bias=False
                )
                outputs = [width[b]] * (dec - 1) + [width[b] if b else channels]
                self.decoder[str(b)] = sequence(
                    [2 * width[b], *outputs], None if b else dec - 1, ends_bare=b == 0
                )
            self.mid_block = sequence([width[-2]] + [width[-1]] * mid)

        def forward(self, x):
            skips = []
            for b in range(blocks):
                x = self.encoder[str(b)](x)
                skips.append(x)
                x = nn.functional.avg_pool2d(x, 2)
            x = self.mid_block(x)
            for b in reversed(range(blocks)):
                x = torch.cat([self.upsample[str(b)](x), skips[b]], dim=1)
                x = self.decoder[str(b)](x)
            return x

    torch.manual_seed(0)
    return UNet()


def test_the_published_checkpoints(shared, tmp_path):
    paths = sorted(shared.glob("checkpoints/local_probability/**/model.pt"))
    parameters = []
    for path in paths:
        conversion = convert(path, tmp_path / "out.keras", overwrite=True)
        assert conversion.max_relative_difference < 2e-5
        parameters.append(conversion.parameters)
    assert {80_192, 145_728, 211_264, 375_104, 702_784, 665_856} <= set(parameters)


@pytest.mark.one_backend
def test_the_first_layer_is_stated_and_obeyed(golden, tmp_path):
    source = golden / "bf_cnn_21_relu.pt"
    linear = convert(source, tmp_path / "linear.keras")
    assert "first layer linear" in linear.assumptions[0]
    assert "'relu'" in linear.assumptions[0]
    assert linear.options["first_layer_linear"]
    arrays = np.load(golden / "bf_cnn_21_relu.npz")
    with pytest.raises(AssertionError):
        assert_golden(load_denoiser(tmp_path / "linear.keras"), arrays)
    relu = convert(source, tmp_path / "relu.keras", first_layer="relu")
    assert not relu.options["first_layer_linear"]
    (other,) = convert(golden / "unet_1block.pt", tmp_path / "unet.keras").assumptions
    assert "first layer" not in other
    with pytest.raises(InputError, match="'linear' or 'relu'"):
        convert(source, tmp_path / "x.keras", first_layer="tanh")


def sabotaged(plan, layer, weight, change):
    """The plan with a wrong transform of one weight."""
    (name,) = [k for k, e in plan.entries.items() if (e.layer, e.weight) == (layer, weight)]
    right = plan.entries[name].transform
    entry = plan.entries[name]
    wrong = type(entry)(entry.shape, layer, weight, lambda array: change(right(array)))
    return type(plan)(**{**vars(plan), "entries": {**plan.entries, name: wrong}})


SABOTAGES = {
    "flipped kernel": ("encoder_1_conv_1", "kernel", lambda a: a[::-1]),
    "exchanged axes": ("middle_conv_1", "kernel", lambda a: a.transpose(1, 0, 2, 3)),
    "exchanged channels": ("encoder_0_conv_1", "kernel", lambda a: a.transpose(0, 1, 3, 2)),
    "unflipped transposed convolution": ("upsample_1", "kernel", lambda a: a[:, ::-1]),
    "one value off by 0.1 %": ("decoder_1_norm_0", "gamma", lambda a: a * 1.001),
    "running deviations reversed": ("encoder_1_norm_0", "running_sd", lambda a: a[::-1]),
    "output": ("decoder_0_conv_1", "kernel", lambda a: -a),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("case", SABOTAGES)
def test_verification_names_the_first_wrong_stage_and_nothing_is_written(
    golden, tmp_path, monkeypatch, case
):
    layer, weight, change = SABOTAGES[case]

    def recognize_wrongly(state, *asked):
        plan, state = recognize(state, *asked)
        return sabotaged(plan, layer, weight, change), state

    monkeypatch.setattr("weights_convert.conversion.recognize", recognize_wrongly)
    with pytest.raises(VerificationError, match=rf"at {layer}, by ") as caught:
        convert(golden / "unet_2block.pt", tmp_path / "out.keras")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_verification_sees_a_missing_relu(golden):
    plan, state = recognize(read_checkpoint(golden / "bf_cnn_20_linear.pt"), "relu")
    options = {**plan.options, "first_layer_linear": True}
    denoiser = build_denoiser(plan.architecture, seed=0, **options)
    with pytest.raises(VerificationError):
        verify.verify(denoiser, plan, state)


def test_a_running_deviation_of_zero_is_refused(golden, tmp_path):
    state = read_checkpoint(golden / "unet_1block.pt")
    state["mid_block.1.running_sd"][0, 2, 0, 0] = 0
    (tmp_path / "zero.pt").write_bytes(handmade.checkpoint(state))
    with pytest.raises(InputError, match=r"not positive: 'mid_block\.1\.running_sd'"):
        convert(tmp_path / "zero.pt", tmp_path / "zero.keras")
    assert not (tmp_path / "zero.keras").exists()


@pytest.mark.one_backend
def test_double_precision_checkpoints(golden, tmp_path):
    state = read_checkpoint(golden / "unet_1block.pt")
    doubles = {name: array.astype("f8") for name, array in state.items()}
    (tmp_path / "double.pt").write_bytes(handmade.checkpoint(doubles))
    convert(tmp_path / "double.pt", tmp_path / "double.keras")
    assert_golden(load_denoiser(tmp_path / "double.keras"), np.load(golden / "unet_1block.npz"))


@pytest.mark.one_backend
def test_outputs_that_may_not_be_written(golden, tmp_path):
    source, out = golden / "unet_1block.pt", tmp_path / "out.keras"
    out.write_text("precious")
    with pytest.raises(InputError, match="exists"):
        convert(source, out)
    assert out.read_text() == "precious"
    with pytest.raises(InputError, match=r"ends in \.keras"):
        convert(source, tmp_path / "out.h5")
    convert(source, out, overwrite=True)
    load_denoiser(out)


@pytest.mark.one_backend
def test_bad_checkpoints_write_nothing_and_keep_the_old_file(golden, tmp_path):
    state = read_checkpoint(golden / "unet_1block.pt")
    state["encoder.0.3.gammas"][0, 0] = np.nan
    source, out = tmp_path / "nan.pt", tmp_path / "out.keras"
    source.write_bytes(handmade.checkpoint(state))
    out.write_text("precious")
    with pytest.raises(InputError, match=r"nan\.pt cannot be converted: .*not finite"):
        convert(source, out, overwrite=True)
    assert out.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == [source, out]


def test_importing_the_package_imports_neither_keras_nor_numpy():
    code = "import sys, weights_convert; print({'keras', 'numpy', 'torch'} & set(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    ).stdout
    assert output.strip() == "set()"
