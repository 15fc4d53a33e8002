"""`python -m benchmarks` at a size of no time, with a rival that does nothing."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from systems import needs_peaks
from tolerances import OUTPUT

import benchmarks.run
from benchmarks.__main__ import main
from benchmarks.case import Target, Unable, Way
from benchmarks.memory import MemoryUnknown, memory_of
from benchmarks.networks import forward_flops, noisy_images, unet
from benchmarks.registry import NETWORKS
from benchmarks.rival import ROOT, NoRival, Rival, RivalError
from benchmarks.scale import CPU

BACKEND = keras.backend.backend()


@pytest.fixture
def run(tmp_path, tiny):
    """Runs the command line; returns its exit code and what it wrote as JSON."""

    def run(*arguments):
        out = tmp_path / "out.json"
        code = main([*arguments, "--json", str(out)], cpu=tiny, gpu=tiny, product_size=32)
        return code, json.loads(out.read_text())

    return run


@pytest.mark.one_backend
def test_all_cases_with_a_network_run(run, rival, capsys):
    rival()
    code, results = run("--gpu", "--no-memory", "--rounds", "1", "--backend", BACKEND)
    assert code == 0 and results["failures"] == []
    assert {row["benchmark"].split()[0] for row in results["rows"]} == {
        "training",
        "denoising",
        "sampling",
        "Jacobian",
        "64",
    }
    for row in results["rows"]:
        assert row["median"] > 0 and row["spread"][0] <= row["median"] <= row["spread"][1]
        if row["way"] in {"float32", "bfloat16", "lanczos", "randomized"}:
            assert row["ratio"] != 1 != row["plain_ratio"]
            assert row["against"] not in {row["way"], None}
    rates = {row["way"] for row in results["rows"] if "share" in row}
    assert {"published way", "PyTorch, eager, float32", "float32", "bfloat16"} <= rates
    machine = results["machine"]
    assert machine["backend"] == BACKEND and machine["packages"]["keras"] == keras.__version__
    printed = capsys.readouterr().out
    assert f"training 8x8, batch 2; {BACKEND}, 1 rounds" in printed and "TFLOP/s" in printed


def test_a_failure_is_told_and_the_others_run(run, rival, capsys, monkeypatch):
    def cases(name, scale):
        if name == "sampling":
            raise RivalError("it fell over")
        if name == "disks":
            raise NoRival("there is none")
        yield name, {"a": (lambda: 1.0, 1), "b": Way(lambda: 0.5, 1, Target(each=0.4))}

    monkeypatch.setattr(benchmarks.run, "cases_of", cases)
    code, results = run("sampling", "disks", "training", "--no-memory")
    assert code == 1
    assert results["failures"] == ["sampling: it fell over"]
    assert [row["benchmark"] for row in results["rows"]] == ["training", "training"]
    assert results["rows"][1]["targets"] == [{"target": "time", "limit": 0.4, "reached": False}]
    printed = capsys.readouterr()
    assert "0.4 MISS" in printed.out
    assert "sampling: failed, it fell over" in printed.err
    assert "disks: skipped, there is none" in printed.err


@pytest.mark.parametrize(
    "arguments",
    [["no-such-case"], ["disks", "--gpu"], ["--rounds", "0"], ["--backend", "theano"]],
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


@pytest.mark.skipif(
    all(importlib.util.find_spec(name) for name in ("tensorflow", "torch", "jax")),
    reason="all backends are installed",
)
def test_a_backend_that_is_not_installed_is_refused(capsys):
    missing = next(n for n in ("tensorflow", "torch", "jax") if not importlib.util.find_spec(n))
    assert main(["--backend", missing]) == 2
    assert "is not installed" in capsys.readouterr().err


def test_without_pytorch_there_is_no_rival(rival, monkeypatch, run, capsys):
    rival(code=1)
    with pytest.raises(NoRival, match="GAHR_TORCH_PYTHON"):
        Rival()
    code, results = run("training")
    assert code == 0 and results["rows"] == []
    assert "training: skipped" in capsys.readouterr().err
    monkeypatch.setenv("GAHR_TORCH_PYTHON", "/no/such/python")
    with pytest.raises(NoRival, match="cannot be run"):
        Rival()


@pytest.mark.one_backend
def test_the_backend_is_chosen_before_keras_is_imported(rival, monkeypatch, tmp_path):
    rival(code=1)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    other = "torch" if BACKEND == "tensorflow" else "tensorflow"
    (tmp_path / "keras.json").write_text(json.dumps({"backend": other}))
    command = [sys.executable, "-m", "benchmarks", "--backend", BACKEND, "c_alpha"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "c_alpha: skipped" in done.stderr


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('print(json.dumps({"error": "no memory"}), flush=True)', "no memory"),
        ("sys.exit(3)", "ended with code 3"),
    ],
)
def test_a_rival_that_fails_is_an_error(rival, answer, message):
    rival(answer)
    with Rival() as asked:
        for _ in range(2):
            with pytest.raises(RivalError, match=message):
                asked.ask("training", 1)


@pytest.mark.one_backend
def test_memory_is_measured_in_a_process_of_its_own(rival, monkeypatch):
    size = 512 * 80 * 80 * 4
    assert size < memory_of("disks", "disks 80x80", "1 thread", CPU) < 20 * size
    # Where another process does the work, that one's counts.
    rival()
    assert memory_of("c_alpha", "C^alpha 80x80, alpha 2", "published way", CPU) == 1000
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(MemoryUnknown, match="ended with code 1"):
        memory_of("disks", "disks 80x80", "1 thread", CPU)


@needs_peaks
def test_a_large_parent_does_not_count():
    code = "from benchmarks.peak import peak_memory; print(peak_memory())"
    large = np.ones(2**25)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) < large.nbytes
    code = f"import array; a = array.array('d', [1]) * {large.size}; {code}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) > large.nbytes, "negative control"


def test_operations_are_counted():
    assert forward_flops(unet(CPU), 80) == pytest.approx(6.70e9, rel=1e-3)
    assert forward_flops(unet(CPU), 40) == forward_flops(unet(CPU), 80) / 4


def test_tf32_is_allowed_only_inside(monkeypatch):
    from benchmarks import precision

    def allowed():
        if BACKEND == "torch":
            import torch

            return torch.backends.cuda.matmul.allow_tf32
        if BACKEND == "tensorflow":
            import tensorflow as tf

            return tf.config.experimental.tensor_float_32_execution_enabled()
        import jax

        return jax.config.jax_default_matmul_precision == "tensorfloat32"

    before = allowed()
    with precision.computing_in("TF32" if not before else "float32"):
        assert allowed() == before, "without a GPU nothing changes"
    monkeypatch.setattr(precision, "has_gpu", lambda: True)
    for name in ("TF32", "float32"):
        with precision.computing_in(name):
            assert allowed() == (name == "TF32")
        assert allowed() == before


def test_the_rival_is_the_same_network(rival):
    """The comparison is fair: with our weights it computes what ours does."""
    torch = pytest.importorskip("torch")
    from benchmarks.published.unet import UNet

    ours = unet(CPU)
    theirs = UNet().eval()
    assert sum(p.numel() for p in theirs.parameters()) == ours.num_parameters == 7_659_264
    names = [
        *(f"encoder_{b}_{kind}" for b in range(3) for kind in ("conv_0", "conv_1")),
        "middle_conv_0",
        "middle_conv_1",
        *(f"upsample_{b}" for b in range(3)),
        *(f"decoder_{b}_{kind}" for b in range(3) for kind in ("conv_0", "conv_1")),
    ]
    kernels = [weight for weight in theirs.parameters() if weight.shape[-1] > 1]
    with torch.no_grad():
        for name, kernel in zip(names, kernels, strict=True):
            values = keras.ops.convert_to_numpy(ours.get_layer(name).kernel)
            kernel.copy_(torch.from_numpy(values.transpose(3, 2, 0, 1).copy()))
        noisy = noisy_images(1, 16)
        found = theirs(torch.from_numpy(noisy.transpose(0, 3, 1, 2))).numpy()
    expected = ours.predict_on_batch(noisy).transpose(0, 3, 1, 2)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert difference < OUTPUT


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs PyTorch")
def test_the_rival_does_all_its_work():
    unet_of = {"device": "cpu", "kernels": 2, "blocks": 1, "side": 8}
    jacobian = {**unet_of, "chunk": 2}
    with Rival() as asked:
        for work, options in (
            ("training", {**unet_of, "batch": 2}),
            ("training", {**unet_of, "batch": 2, "channels_last": True, "precision": "bfloat16"}),
            ("denoising", {**unet_of, "batch": 2}),
            ("denoising", {**unet_of, "batch": 2, "channels_last": True, "precision": "bfloat16"}),
            ("sampling", {**unet_of, "steps": 2, "at_once": 1}),
            ("sampling", {**unet_of, "steps": 2, "at_once": 2}),
            *(("jacobian", {**jacobian, "method": name}) for name in ("rows", "jacrev", "jvp")),
            ("c_alpha_images", {"size": 8, "alpha": 2, "blurred": True}),
        ):
            answer = asked.ask(work, 2, **options)
            assert answer["seconds"] > 0 and answer["peak"] > 0
        with pytest.raises(RivalError, match="KeyError"):
            asked.ask("nothing", 1)
        drawing = {**unet_of, "steps": 2, "at_once": 2}
        if importlib.util.find_spec("diffusers"):
            assert asked.ask("diffusion", 2, **drawing)["seconds"] > 0
        else:
            with pytest.raises(Unable, match="diffusers is not installed"):
                asked.ask("diffusion", 2, **drawing)
        if not os.path.exists("/dev/nvidia0"):
            with pytest.raises(RivalError, match="failed"):
                asked.ask("denoising", 1, **{**unet_of, "batch": 1, "device": "cuda"})


@pytest.mark.one_backend
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs PyTorch")
def test_a_rival_that_cannot_be_compiled_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    options = {"kernels": 2, "blocks": 1, "side": 8, "batch": 2}
    with Rival() as asked:
        with pytest.raises(Unable, match=r"cannot be compiled: .*[Cc]ompiler") as unable:
            asked.ask("denoising", 1, compiled=True, **options)
        assert "\n" not in str(unable.value)
        assert asked.ask("denoising", 1, **options)["seconds"] > 0


def test_networks_are_exported_before_they_are_timed(tiny, monkeypatch):
    from benchmarks import denoising

    calls = []

    class Counted:
        def __init__(self, denoiser, batch_size):
            pass

        def denoise(self, noisy):
            calls.append(noisy.shape)

    monkeypatch.setattr(denoising, "Inference", Counted)
    function = denoising.Denoise(tiny, "float32", 8, 2, 1)
    function()
    prepared = len(calls)
    if BACKEND == "torch":
        from keras_gahr._backend.convolution.torch_program import CALLS_BEFORE_EXPORT

        assert prepared > CALLS_BEFORE_EXPORT
    function()
    assert calls[prepared:] == [(2, 8, 8, 1)]


@pytest.mark.one_backend
@pytest.mark.parametrize("method", ["rows", "jacrev", "jvp"])
def test_all_ways_of_the_rival_find_the_same_jacobian(method):
    torch = pytest.importorskip("torch")
    from benchmarks.published.jacobian import METHODS
    from benchmarks.published.unet import UNet

    torch.manual_seed(0)
    network = UNet(2, 1).eval()
    noisy = torch.randn(1, 1, 8, 8)
    found = METHODS[method](network, noisy, 64, 16).reshape(64, 64)
    expected = torch.autograd.functional.jacobian(network, noisy.detach()).reshape(64, 64)
    assert torch.allclose(found.T if method == "jvp" else found, expected, atol=1e-5)
    assert not torch.allclose(expected, expected.T, atol=1e-2), "negative control"


@pytest.mark.one_backend
def test_rivals_run_in_each_precision(tiny, monkeypatch, rival):
    from benchmarks import rival as module

    rival()
    gpu = dataclasses.replace(
        tiny, device="cuda", precisions=("float32", "TF32", "bfloat16"), compiled=("TF32",)
    )
    with Rival() as asked:
        ways = asked.network_ways(gpu, "denoising", 1)
        assert list(ways) == [
            "PyTorch, eager, TF32",
            "PyTorch, channels-last, TF32",
            "PyTorch, compiled, TF32",
            "PyTorch, eager, float32",
            "PyTorch, channels-last, float32",
            "PyTorch, eager, bfloat16",
            "PyTorch, channels-last, bfloat16",
        ]
        assert ways["PyTorch, compiled, TF32"].function.request["compiled"]
        for has, count in ((True, 4), (False, 2), (None, 2)):
            monkeypatch.setattr(module, "has_bfloat16", lambda has=has: has)
            assert len(asked.network_ways(tiny, "denoising", 1)) == count


def test_the_networks_of_the_registry_are_those_with_a_scale(tiny, rival):
    from benchmarks.registry import cases_of

    rival()
    for name in NETWORKS:
        case, ways = next(iter(cases_of(name, tiny)))
        assert len(ways) > 1 and isinstance(case, str)
