"""Denoisers as files for other libraries."""

import errno
import importlib.util
import json
import os

import handmade
import keras
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from networks import FLEXIBLE, NETWORKS, with_unit_gammas

from keras_gahr.denoisers import (
    BFCNN,
    DirectDenoiser,
    MultiScaleDenoiser,
    build_denoiser,
    load_denoiser,
    save_denoiser,
)
from keras_gahr.denoisers.receptive_field_bf_cnn import receptive_field_kernel_sizes
from keras_gahr.errors import InputError
from weights_convert import VerificationError, convert, export_denoiser, onnx_file, read_checkpoint
from weights_convert.export import SUFFIXES
from weights_convert.torch_file import write_torch_file

CHECKPOINTS = [*NETWORKS, *FLEXIBLE, "unet_2block_dataparallel", "tiny_unet_trained"]


@pytest.fixture(scope="module")
def converted(golden, tmp_path_factory):
    """A function from the name of a golden checkpoint to a `.keras` file of it."""
    folder = tmp_path_factory.mktemp("converted")

    def make(name):
        path = folder / f"{name}.keras"
        if not path.exists():
            first_layer = "relu" if name.endswith("relu") else None
            convert(golden / f"{name}.pt", path, first_layer=first_layer, norm=FLEXIBLE.get(name))
        return path

    return make


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype == np.float32
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_round_trips_are_exact(golden, converted, tmp_path, name):
    source = converted(name)
    published = {
        key.removeprefix("module."): array
        for key, array in read_checkpoint(golden / f"{name}.pt").items()
    }
    export = export_denoiser(source, tmp_path / "out.pt")
    assert export.arrays == len(published)
    assert_same(read_checkpoint(tmp_path / "out.pt"), published)

    export_denoiser(source, tmp_path / "out.safetensors")
    assert_same(safetensors.numpy.load_file(tmp_path / "out.safetensors"), published)
    with safetensors.safe_open(tmp_path / "out.safetensors", "numpy") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert metadata["architecture"] == export.architecture
    assert json.loads(metadata["options"]) == export.options


@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_load_the_file(golden, converted, tmp_path, name):
    torch = pytest.importorskip("torch")
    import paper_modules

    export = export_denoiser(converted(name), tmp_path / "out.pt")
    options = export.options
    channels, kernels = options["num_channels"], options["num_kernels"]
    if export.architecture == "unet":
        network = paper_modules.UNet(channels, options["num_blocks"], kernels)
    else:
        field = options.get("receptive_field")
        sides = receptive_field_kernel_sizes(field) if field else [3] * options["num_layers"]
        inputs, outputs = (1, 1) if options.get("coarse", True) else (4, 3)
        linear = options.get("first_layer_linear", True)
        network = paper_modules.BFCNN(inputs, outputs, kernels, sides, linear)

    for mmap in (False, True):
        state = torch.load(tmp_path / "out.pt", weights_only=True, mmap=mmap)
        assert all(tensor.data_ptr() % 64 == 0 for tensor in state.values())
        network.load_state_dict(state, strict=True)
    arrays = np.load(golden / f"{name}.npz")
    with torch.no_grad():
        found = network(torch.from_numpy(arrays["noisy"])).numpy()
    expected = arrays["eval_output"]
    assert np.max(np.abs(found - expected)) < 1e-5 * np.max(np.abs(expected))


BUILT = {
    "unet": ("unet", {"num_blocks": 1, "num_kernels": 3}),
    "linear bf-cnn": ("bf-cnn", {"num_layers": 4, "num_kernels": 6}),
    "bf-cnn with ReLU": (
        "bf-cnn",
        {"num_layers": 4, "num_kernels": 6, "first_layer_linear": False},
    ),
    "bf-cnn-rf": ("bf-cnn-rf", {"receptive_field": 5, "num_kernels": 3}),
    "details": ("bf-cnn-rf", {"receptive_field": 5, "num_kernels": 14, "coarse": False}),
    "dilated-unet": ("dilated-unet", {"num_kernels": 3}),
    "unet-flex": (
        "unet-flex",
        {
            "num_kernels": [3, 4],
            "num_enc_conv": [2],
            "num_mid_conv": 1,
            "num_dec_conv": [2],
            "norm": "instance",
        },
    ),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("skip", [True, False], ids=["skip", "no skip"])
@pytest.mark.parametrize("kind", BUILT)
def test_what_an_export_says_makes_the_same_denoiser(tmp_path, kind, skip):
    architecture, options = BUILT[kind]
    network = with_unit_gammas(build_denoiser(architecture, num_channels=1, seed=3, **options))
    denoiser = network if skip else DirectDenoiser(network)
    save_denoiser(denoiser, tmp_path / "in.keras")
    exports = [
        export_denoiser(tmp_path / "in.keras", tmp_path / f"x{suffix}") for suffix in SUFFIXES[:2]
    ]
    state = safetensors.numpy.load_file(tmp_path / "x.safetensors")
    (tmp_path / "y.pt").write_bytes(handmade.checkpoint(state))

    direct, usual = ("residual", "image") if kind == "dilated-unet" else ("image", "residual")
    untold = {} if skip else {"predicts": direct}
    untold |= {"first_layer": "relu"} if kind == "bf-cnn with ReLU" else {}
    untold |= {"norm": "instance"} if kind == "unet-flex" else {}
    assert [export.untold for export in exports] == [untold, untold]
    with safetensors.safe_open(tmp_path / "x.safetensors", "numpy") as file:
        assert file.metadata()["predicts"] == (usual if skip else direct)

    noisy = np.random.default_rng(0).random((2, 8, 12, network.input_channels), np.float32)
    expected = denoiser.predict_on_batch(noisy)
    for name in ("x", "y"):
        convert(tmp_path / f"{name}.pt", tmp_path / f"{name}.keras", **untold)
        again = load_denoiser(tmp_path / f"{name}.keras")
        assert type(again) is type(denoiser)
        np.testing.assert_array_equal(again.predict_on_batch(noisy), expected)
    # Without it, the other is taken, and that is said.
    untold.pop("predicts", None)
    said = convert(tmp_path / "x.pt", tmp_path / "z.keras", **untold).assumptions
    assert any(line.startswith(f"it computes the {usual}: the checkpoint") for line in said)
    assert (type(load_denoiser(tmp_path / "z.keras")) is type(denoiser)) == skip


@pytest.mark.one_backend
def test_the_dilated_unet_has_names_of_its_own(tmp_path):
    save_denoiser(build_denoiser("dilated-unet", num_kernels=4, seed=0), tmp_path / "in.keras")
    export_denoiser(tmp_path / "in.keras", tmp_path / "out.pt")
    convert(tmp_path / "out.pt", tmp_path / "again.keras")
    export_denoiser(tmp_path / "again.keras", tmp_path / "again.pt")
    assert (tmp_path / "out.pt").read_bytes() == (tmp_path / "again.pt").read_bytes()
    if importlib.util.find_spec("torch"):
        import torch
        from published_modules import BiasFreeUNet

        BiasFreeUNet(1, 4).load_state_dict(torch.load(tmp_path / "out.pt", weights_only=True))


@pytest.mark.one_backend
@pytest.mark.parametrize("upsample_bias", [True, False])
@pytest.mark.parametrize("kernels", [[3, 4], [3, 4, 5], [2, 3, 4, 5]], ids=len)
def test_flexible_unets_with_biases_come_and_go(tmp_path, kernels, upsample_bias):
    torch = pytest.importorskip("torch")
    from published_modules import FlexibleUNet

    torch.manual_seed(0)
    network = FlexibleUNet(kernels, True, upsample_bias)
    torch.save(network.state_dict(), tmp_path / "in.pt")
    conversion = convert(tmp_path / "in.pt", tmp_path / "in.keras", norm="layer")
    assert conversion.options["bias"]
    assert conversion.options["upsample_bias"] == (upsample_bias and len(kernels) > 2)
    noisy = torch.rand(2, 1, 16, 24)
    with torch.no_grad():
        expected = np.moveaxis(network(noisy).numpy(), 1, -1)
    found = load_denoiser(tmp_path / "in.keras").predict_on_batch(noisy.numpy()[:, 0, ..., None])
    assert np.max(np.abs(found - expected)) < 1e-5 * np.max(np.abs(expected))

    export_denoiser(tmp_path / "in.keras", tmp_path / "out.pt")
    again = FlexibleUNet(kernels, True, upsample_bias)
    again.load_state_dict(torch.load(tmp_path / "out.pt", weights_only=True), strict=True)
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_torch_files_refuse_other_types(tmp_path):
    with pytest.raises(ValueError, match="float64"):
        write_torch_file(tmp_path / "x.pt", {"a": np.zeros(3)})


def failure(source, out, **options):
    """The one line that an export ends in, after which there is no file."""
    before = sorted(out.parent.iterdir())
    with pytest.raises(InputError) as caught:
        export_denoiser(source, out, **options)
    assert "\n" not in str(caught.value)
    assert sorted(out.parent.iterdir()) == before
    return str(caught.value)


def test_mistakes(tiny_model, tmp_path):
    assert "ends in .pt, .safetensors, .onnx" in failure(tiny_model, tmp_path / "x.h5")
    assert "only ONNX files have one" in failure(tiny_model, tmp_path / "x.pt", size=(8, 8))
    assert "does not exist" in failure(tmp_path / "absent.keras", tmp_path / "x.pt")
    (tmp_path / "x.pt").write_text("mine")
    assert "exists" in failure(tiny_model, tmp_path / "x.pt")
    assert (tmp_path / "x.pt").read_text() == "mine"
    export_denoiser(tiny_model, tmp_path / "x.pt", overwrite=True)


@pytest.mark.one_backend
def test_denoisers_that_were_never_one_state_dict(tmp_path):
    detail = build_denoiser("bf-cnn-rf", receptive_field=5, num_kernels=2, coarse=False, seed=0)
    low_band = BFCNN(num_layers=3, num_kernels=2, seed=0)
    save_denoiser(MultiScaleDenoiser(low_band, [detail]), tmp_path / "in.keras")
    assert "exported to .onnx only" in failure(tmp_path / "in.keras", tmp_path / "x.pt")
    packages = (onnx_file.EXPORTERS[keras.backend.backend()], "onnxruntime")
    if all(map(importlib.util.find_spec, packages)):
        export = export_denoiser(tmp_path / "in.keras", tmp_path / "x.onnx", size=(16, 24))
        assert export.architecture == "MultiScaleDenoiser"
        assert 0 < export.max_relative_difference < 1e-5


@pytest.fixture
def needs_exporter():
    for package in (onnx_file.EXPORTERS[keras.backend.backend()], "onnxruntime"):
        pytest.importorskip(package)


# One network of each kind: on JAX an export takes 10 s.
@pytest.mark.parametrize("name", ["tiny_unet_trained", "bf_cnn_rf13_fine"])
def test_onnx(needs_exporter, converted, tmp_path, name):
    source = converted(name)
    size = None
    if name == "tiny_unet_trained" and keras.backend.backend() != "tensorflow":
        assert "pass --size" in failure(source, tmp_path / "x.onnx")
        assert "multiples of 4" in failure(source, tmp_path / "x.onnx", size=(30, 32))
        size = (32, 24)
    export = export_denoiser(source, tmp_path / "x.onnx", size=size)
    assert export.arrays is None
    assert 0 < export.max_relative_difference < 1e-5


def test_a_wrong_onnx_file_is_not_kept(needs_exporter, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", 0.0)
    with pytest.raises(VerificationError, match="differs from the network by"):
        export_denoiser(tiny_model, tmp_path / "x.onnx", size=(8, 8))
    assert list(tmp_path.iterdir()) == []


def test_failures_of_the_exporter_are_one_line(needs_exporter, tiny_model, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError(
            "Exception encountered\n\n\x1b[1mno such thing\x1b[0m\n\nmany more lines"
        )

    monkeypatch.setattr(keras.Model, "export", fail)
    text = failure(tiny_model, tmp_path / "x.onnx", size=(8, 8))
    assert text.endswith("as ONNX: no such thing; try another --backend")


def test_a_full_disk_is_not_taken_for_a_failure_of_the_exporter(
    needs_exporter, tiny_model, tmp_path, monkeypatch
):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(keras.Model, "export", full)
    with pytest.raises(InputError, match=r"x\.onnx cannot be written: No space left"):
        export_denoiser(tiny_model, tmp_path / "x.onnx", size=(16, 16))
    assert not list(tmp_path.iterdir())


def test_onnx_without_the_packages(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setitem(onnx_file.EXPORTERS, keras.backend.backend(), "absent_package")
    text = failure(tiny_model, tmp_path / "x.onnx")
    assert "needs absent_package: run `pip install absent_package`" in text


@pytest.mark.one_backend
def test_receptive_fields_that_were_not_published_come_back(tmp_path):
    network = build_denoiser("bf-cnn-rf", receptive_field=7, num_kernels=2, seed=0)
    save_denoiser(network, tmp_path / "in.keras")
    export_denoiser(tmp_path / "in.keras", tmp_path / "out.pt")
    convert(tmp_path / "out.pt", tmp_path / "again.keras")
    export_denoiser(tmp_path / "again.keras", tmp_path / "again.pt")
    assert (tmp_path / "out.pt").read_bytes() == (tmp_path / "again.pt").read_bytes()
