"""The weights of a network are found whatever their names begin with and whatever lies beside them."""

import handmade
import numpy as np
import pytest

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from weights_convert import build_from_checkpoint, open_checkpoint
from weights_convert.export import published_state
from weights_convert.layouts import find_networks


@pytest.fixture(scope="module")
def state():
    denoiser = build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=4, seed=0)
    return published_state(denoiser)


def beginning_with(prefix, state, change=0):
    return {prefix + name: array + np.float32(change) for name, array in state.items()}


def opened(tmp_path, tensors, **options):
    path = tmp_path / "x.pt"
    path.write_bytes(handmade.checkpoint(tensors))
    return open_checkpoint(path, split=find_networks, **options)


def assert_equal(found, expected, change=0):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array + np.float32(change))


WRAPPED = ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.module."]
NAMED = ["model.", "net.", "network.", "denoiser.", "a.b.c.d.", "module._orig_mod.model.net."]


@pytest.mark.parametrize("prefix", ["", *WRAPPED, *NAMED])
def test_prefixes(tmp_path, state, prefix):
    checkpoint = opened(tmp_path, beginning_with(prefix, state))
    assert_equal(checkpoint.state, state)
    steps = [part for part in prefix.split(".") if part not in ("", "module", "_orig_mod")]
    assert checkpoint.place == (".".join(steps) or ".")
    assert not checkpoint.others
    assert not checkpoint.beside


def test_wrappers_inside_of_names(tmp_path, state):
    inner = {name.replace("conv_layers.", "conv_layers._orig_mod."): a for name, a in state.items()}
    assert_equal(opened(tmp_path, inner).state, state)


def test_what_is_beside_a_network_is_named(tmp_path, state):
    others = {
        "loss.features.0.weight": np.ones((2, 1, 3, 3), "f4"),
        "loss.conv1.weight": np.ones((2, 1, 5, 5), "f4"),
        "psnr.total": np.float64(3),
        "n_averaged": np.int64(7),
    }
    checkpoint = opened(tmp_path, beginning_with("model.", state) | others)
    assert_equal(checkpoint.state, state)
    assert checkpoint.beside == tuple(others)
    (place, note) = checkpoint.notes
    assert place == "the weights are those under 'model'"
    assert note.startswith(
        "left aside, no part of it: 'loss.features.0.weight', 'loss.conv1.weight'"
    )


@pytest.mark.parametrize("prefix", ["", "module."])
def test_averages_of_weights_count_themselves(tmp_path, state, prefix):
    averaged = {"n_averaged": np.int64(7)} | beginning_with(prefix, state)
    checkpoint = opened(tmp_path, averaged)
    assert_equal(checkpoint.state, state)
    assert checkpoint.notes == ("left aside, no part of it: 'n_averaged'",)


@pytest.mark.parametrize("first", ["ema_model.", "online_model."])
def test_the_plain_one_of_two_networks(tmp_path, state, first):
    """As some averagers save it; the order does not matter."""
    both = {"ema_model.": 1, "online_model.": 2}
    tensors = beginning_with(first, state, both[first])
    for prefix, change in both.items():
        tensors |= beginning_with(prefix, state, change)
    tensors |= {"initted": np.bool_(True).astype("i8"), "step": np.int64(3)}
    checkpoint = opened(tmp_path, tensors)
    assert_equal(checkpoint.state, state, 2)
    assert checkpoint.place == "online_model"
    assert checkpoint.others == ("ema_model",)
    assert_equal(opened(tmp_path, tensors, weights="ema_model").state, state, 1)


def test_an_average_inside_of_its_network(tmp_path, state):
    tensors = state | beginning_with("ema.", state, 1)
    checkpoint = opened(tmp_path, tensors)
    assert_equal(checkpoint.state, state)
    assert (checkpoint.place, *checkpoint.others) == (".", "ema")
    assert_equal(opened(tmp_path, tensors, weights="ema").state, state, 1)
    assert_equal(opened(tmp_path, tensors, weights=".").state, state)


def test_faults_are_those_of_the_network(tmp_path, state):
    broken = beginning_with("model.net.", state)
    del broken["model.net.conv_layers.2.weight"]
    broken |= {"conv1.weight": np.ones(3, "f4")}
    (tmp_path / "x.pt").write_bytes(handmade.checkpoint(broken))
    with pytest.raises(InputError, match=r"missing: 'conv_layers\.2\.weight'$"):
        build_from_checkpoint(tmp_path / "x.pt")


def test_a_network_with_more_than_the_published_one_is_refused(tmp_path, state):
    conditioned = state | {"embedding.weight": np.ones((2, 2), "f4")}
    (tmp_path / "x.pt").write_bytes(handmade.checkpoint(conditioned))
    with pytest.raises(InputError, match=r"unused: 'embedding\.weight'"):
        build_from_checkpoint(tmp_path / "x.pt")


def test_names_that_would_take_long(tmp_path):
    """Many prefixes, each as if a network began there, and names of many parts."""
    tensors = {f"a{i}.conv1.weight": np.ones(1, "f4") for i in range(3000)}
    tensors |= {"." * i + "conv1.weight": np.ones(1, "f4") for i in range(200)}
    assert find_networks(tensors) == {}
    assert find_networks({f"{i}": np.ones(1, "f4") for i in range(100_000)}) == {}
