"""What the layouts infer from names and shapes, and what they say when something does not fit."""

import numpy as np
import pytest

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from weights_convert import read_checkpoint
from weights_convert.export import published_state
from weights_convert.layouts import find_networks, recognize

EXPECTED = {
    "unet_1block": ("unet", {"num_channels": 1, "num_blocks": 1, "num_kernels": 8}),
    "unet_2block": ("unet", {"num_channels": 1, "num_blocks": 2, "num_kernels": 8}),
    "unet_3block": ("unet", {"num_channels": 1, "num_blocks": 3, "num_kernels": 8}),
    "unet_3block_rgb": ("unet", {"num_channels": 3, "num_blocks": 3, "num_kernels": 6}),
    "bf_cnn_20_linear": ("bf-cnn", {"num_channels": 1, "num_layers": 20, "num_kernels": 12}),
    "bf_cnn_rf9": ("bf-cnn-rf", {"num_channels": 1, "receptive_field": 9, "coarse": True}),
    "bf_cnn_rf13_fine": ("bf-cnn-rf", {"num_channels": 1, "receptive_field": 13, "coarse": False}),
    "bf_cnn_rf43": ("bf-cnn", {"num_layers": 21, "num_kernels": 12, "first_layer_linear": True}),
}


FLEXIBLE = {
    "unet_flex_layer_color": "layer",
    "unet_flex_instance_gray": "instance",
    "unet_flex_batch_gray": "batch",
}


@pytest.mark.parametrize("name", FLEXIBLE)
def test_blocks_of_a_flexible_unet(golden, golden_index, name):
    """All but the norm is seen from names and shapes."""
    norm = FLEXIBLE[name]
    state = read_checkpoint(golden / f"{name}.pt")
    plan, _ = recognize(state, norm=None if norm == "batch" else norm)
    index = golden_index[name]
    assert plan.architecture == "unet-flex"
    biases = {"bias": index["bias"], "upsample_bias": index["upsample_with_bias"]}
    assert plan.options == {"norm": norm, **biases} | {
        option: index[option]
        for option in (
            "num_channels",
            "num_kernels",
            "num_enc_conv",
            "num_mid_conv",
            "num_dec_conv",
            "inter_skip",
        )
    }


@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
@pytest.mark.parametrize("inter_skip", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_other_flexible_unets(norm, inter_skip, bias):
    options = {
        "num_channels": 2,
        "num_kernels": [3, 2, 4],
        "num_enc_conv": [1, 3],
        "num_mid_conv": 1,
        "num_dec_conv": [1, 2],
        "norm": norm,
        "bias": bias,
        "upsample_bias": not bias,
        "inter_skip": inter_skip,
    }
    state = published_state(build_denoiser("unet-flex", seed=0, **options))
    plan, _ = recognize(state, norm="layer" if norm == "layer" else None)
    assert plan.options == options
    wrapped = {f"module.model.{name}": array for name, array in state.items()}
    assert recognize(wrapped, norm=plan.options["norm"])[0].options == options


def test_a_norm_that_cannot_be_told_is_asked_for(golden):
    state = read_checkpoint(golden / "unet_flex_instance_gray.pt")
    assert "--norm layer or --norm instance" in message(state)
    # What does not fit is said before.
    assert "missing: 'mid.3.weight'" in message(without(state, "mid.3.weight"))
    for norm in ("batch", "none"):
        assert "arrays of the norm layer or instance" in message(state, norm=norm)
    state = read_checkpoint(golden / "unet_flex_batch_gray.pt")
    assert "arrays of the norm batch" in message(state, norm="layer")
    assert "where the choice does not exist" in message(state, first_layer="relu")


@pytest.fixture
def flexible(golden):
    return read_checkpoint(golden / "unet_flex_batch_gray.pt")


def test_every_missing_array_of_a_flexible_unet_is_named(flexible):
    for name in flexible:
        text = message(without(flexible, name))
        assert f"missing: '{name}'" in text
        for other in ("unused", "shape", "finite"):
            assert other not in text


def test_every_misshapen_array_of_a_flexible_unet_is_named(flexible):
    for name, array in flexible.items():
        flat = message({**flexible, name: array.ravel()})
        assert f"of another shape: '{name}' ({array.size},), expected {array.shape}" in flat
        assert "missing" not in flat


def test_a_bias_too_many_is_named(flexible):
    extra = {"mid.0.bias": np.ones(10, "f4"), "upsample.1.bias": np.ones(6, "f4")}
    assert "unused: 'mid.0.bias', 'upsample.1.bias'" in message(flexible | extra)


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_outermost_transposed_convolution_of_a_flexible_unet_has_no_bias(blocks):
    kernels = [3, 4, 5, 6][: blocks + 1]
    sizes = {"num_enc_conv": 2, "num_mid_conv": 1, "num_dec_conv": 2}
    network = build_denoiser("unet-flex", seed=0, num_kernels=kernels, upsample_bias=True, **sizes)
    state = published_state(network)
    biases = [name for name in state if name.startswith("upsample.") and name.endswith(".bias")]
    assert sorted(biases) == [f"upsample.{b}.bias" for b in range(1, blocks)]
    assert recognize(state, norm="layer")[0].options["upsample_bias"] == (blocks > 1)
    extra = {"upsample.0.bias": np.ones(3, "f4")}
    assert "unused: 'upsample.0.bias'" in message(state | extra, norm="layer")


def test_a_norm_is_a_question_of_flexible_unets_only(unet, bf_cnn):
    for state in (unet, bf_cnn):
        assert "norm 'layer' was asked for" in message(state, norm="layer")


@pytest.mark.parametrize("name", EXPECTED)
def test_architecture_and_options(golden, name):
    plan, _ = recognize(read_checkpoint(golden / f"{name}.pt"))
    architecture, options = EXPECTED[name]
    assert plan.architecture == architecture
    assert options.items() <= plan.options.items()


def test_published_receptive_fields(shared):
    folder = shared / "checkpoints" / "local_probability" / "flat" / "celebA_160x160_gray"
    for field in (5, 9, 13, 23):
        path = folder / f"noise_range_0to255_RF_{field}x{field}" / "model.pt"
        plan, _ = recognize(read_checkpoint(path))
        assert plan.options["receptive_field"] == field


def test_data_parallel_prefix(golden):
    plan, state = recognize(read_checkpoint(golden / "unet_2block_dataparallel.pt"))
    expected_plan, expected = recognize(read_checkpoint(golden / "unet_2block.pt"))
    assert plan.options == expected_plan.options
    assert state.keys() == expected.keys()


@pytest.fixture
def unet(golden):
    return read_checkpoint(golden / "unet_2block.pt")


@pytest.fixture
def bf_cnn(golden):
    return read_checkpoint(golden / "bf_cnn_rf9.pt")


def message(state, first_layer=None, norm=None):
    with pytest.raises(InputError) as caught:
        recognize(state, first_layer, norm)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without(state, *names):
    return {name: array for name, array in state.items() if name not in names}


def test_every_missing_array_of_a_unet_is_named(unet):
    for name in unet:
        text = message(without(unet, name))
        assert f"missing: '{name}'" in text
        for other in ("unused", "shape", "finite"):
            assert other not in text


def test_every_missing_array_of_a_bf_cnn_is_named(bf_cnn):
    for name in bf_cnn:
        text = message(without(bf_cnn, name))
        assert f"missing: '{name}'" in text
        for other in ("unused", "shape", "finite"):
            assert other not in text


def test_every_misshapen_array_is_named(unet, bf_cnn):
    for state in (unet, bf_cnn):
        for name, array in state.items():
            flat = message({**state, name: array.ravel()})
            assert f"of another shape: '{name}' ({array.size},), expected {array.shape}" in flat
            assert "missing" not in flat
            if ".0.0." in name or "layers.0.w" in name:
                continue  # the input channels of the first convolution are believed
            longer = message({**state, name: np.concatenate([array, array], axis=1)})
            assert f"'{name}'" in longer
            assert "missing" not in longer


def test_unused_arrays_are_named(unet):
    text = message({**unet, "encoder.0.9.weight_mask": np.ones(1), "step": np.ones(1)})
    assert "unused: 'encoder.0.9.weight_mask', 'step'" in text


def test_faults_are_named_together_and_many_are_counted(unet):
    state = without(unet, "encoder.0.2.weight")
    state["extra"] = np.ones(1)
    state["mid_block.1.gammas"] = np.ones((1, 3, 1, 1), "f4")
    text = message(state)
    assert "missing: 'encoder.0.2.weight'; unused: 'extra'" in text
    assert "of another shape: 'mid_block.1.gammas' (1, 3, 1, 1), expected (1, 32, 1, 1)" in text
    many = message({**unet, **{f"extra{i}": np.ones(1) for i in range(20)}})
    assert "'extra7' and 12 more" in many


def test_names_cannot_ask_for_giant_tables(unet, bf_cnn, flexible):
    for name in (
        "encoder.99.0",
        "decoder.0.99999",
        "mid.99999",
        "upsample.99",
        "mid." + "9" * 5000,
    ):
        text = message({**flexible, f"{name}.weight": np.ones((8, 8, 3, 3), "f4")})
        assert "unused" in text
        assert "missing" not in text
    for part in ("encoder", "upsample", "decoder"):
        for number in ("99", "9" * 5000, "-1", "x", ""):
            text = message({**unet, f"{part}.{number}.0.weight": np.ones((8, 8, 3, 3), "f4")})
            assert "unused" in text
            assert "missing" not in text
    assert "unused" in message({**bf_cnn, "conv_layers.1000000.weight": np.ones(1, "f4")})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(unet, bad):
    unet["decoder.1.1.running_sd"][0, 3, 0, 0] = bad
    assert "not finite: 'decoder.1.1.running_sd'" in message(unet)


def test_whole_numbers_are_refused(unet):
    unet["encoder.0.3.gammas"] = unet["encoder.0.3.gammas"].astype(np.int64)
    assert "not floating point: 'encoder.0.3.gammas' (int64)" in message(unet)


def test_empty_arrays_are_refused(unet, bf_cnn):
    for state in (unet, bf_cnn):
        assert "of another shape" in message({k: v[:0, :0] for k, v in state.items()})


def test_unknown_layouts(unet):
    assert "no known layout" in message({"layer1.weight": np.ones(1), "fc.bias": np.ones(1)})


def test_two_networks_are_told_apart(unet):
    other = {f"module.{name}": array + 1 for name, array in unet.items()}
    found = find_networks({**other, **unet})
    assert list(found) == ["module.", ""]
    for prefix, by in {"": 0, "module.": 1}.items():
        network, beside = found[prefix]
        assert network.keys() == unet.keys()
        assert not beside
        np.testing.assert_array_equal(
            network["mid_block.0.weight"], unet["mid_block.0.weight"] + by
        )


def test_a_relu_is_a_question_of_bf_cnn_only(unet, bf_cnn):
    for first_layer in ("linear", "relu"):
        assert "is a UNet" in message(unet, first_layer)
    assert "receptive field 9" in message(bf_cnn, "relu")


def test_a_mixture_of_kernel_sizes_names_the_odd_ones(bf_cnn):
    array = bf_cnn["conv_layers.5.weight"]
    bf_cnn["conv_layers.5.weight"] = np.tile(array, (1, 1, 3, 3))
    text = message(bf_cnn)
    assert "BF_CNN_RF 9" in text
    assert "'conv_layers.5.weight' (12, 12, 3, 3), expected (12, 12, 1, 1)" in text


def test_a_layer_too_many_is_named(bf_cnn):
    bf_cnn["conv_layers.21.weight"] = bf_cnn["conv_layers.20.weight"]
    assert "unused: 'conv_layers.21.weight'" in message(bf_cnn)
