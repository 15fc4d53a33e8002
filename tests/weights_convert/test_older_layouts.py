"""The layouts of universal inverse problems and bias-free denoising, on networks of our own making."""

import handmade
import numpy as np
import pytest
import tolerances
from networks import from_state, relative_difference

from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError
from weights_convert import VerificationError, convert, verify
from weights_convert.layouts import recognize


def random(rng, *shape):
    return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype("f4")


def positive(rng, *shape):
    return rng.uniform(0.5, 1.5, shape).astype("f4")


def universal_bf_cnn(channels=1, kernels=6, layers=5):
    rng = np.random.default_rng(0)
    widths = [channels, *[kernels] * (layers - 1), channels]
    state = {
        f"conv_layers.{i}.weight": random(rng, widths[i + 1], widths[i], 3, 3)
        for i in range(layers)
    }
    for name in ("running_sd", "gammas"):
        state |= {f"{name}.{i}": positive(rng, 1, kernels, 1, 1) for i in range(layers - 2)}
    return state


def dncnn(channels=1, kernels=6, hidden=3):
    rng = np.random.default_rng(1)
    state = {"first_layer.weight": random(rng, kernels, channels, 3, 3)}
    for i in range(hidden):
        state[f"hidden_layer_list.{i}.weight"] = random(rng, kernels, kernels, 3, 3)
        norm = f"bn_layer_list.{i}"
        state[f"{norm}.weight"] = positive(rng, kernels)
        state[f"{norm}.bias"] = np.zeros(kernels, "f4")
        state[f"{norm}.running_mean"] = np.zeros(kernels, "f4")
        state[f"{norm}.running_var"] = 1e-3 * positive(rng, kernels)
        state[f"{norm}.num_batches_tracked"] = np.array(7)
    state["last_layer.weight"] = random(rng, channels, kernels, 3, 3)
    return state


def dilated_unet(channels=1, kernels=4):
    rng = np.random.default_rng(2)
    half = 2 * kernels
    shapes = [
        (kernels, channels, 5, 5),
        (kernels, kernels, 3, 3),
        (half, kernels, 3, 3),
        (half, half, 3, 3),
        (half, half, 3, 3),
        (half, half, 3, 3),
        (half, half, 4, 4),
        (kernels, half + kernels, 3, 3),
        (channels, kernels, 5, 5),
    ]
    return {f"conv{i}.weight": random(rng, *shape) for i, shape in enumerate(shapes, start=1)}


STATES = {"universal": universal_bf_cnn, "dncnn": dncnn, "dilated": dilated_unet}
UNUSED = ("bias", "running_mean", "num_batches_tracked")


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
@pytest.mark.parametrize("channels", [1, 3])
def test_options_and_verification(make, channels):
    state = make(channels=channels)
    plan, bare = recognize({f"module.{name}": array for name, array in state.items()})
    assert bare.keys() == state.keys()
    assert plan.options["num_channels"] == channels
    assert plan.options["num_kernels"] == (4 if make is dilated_unet else 6)
    if make is not dilated_unet:
        assert plan.architecture == "bf-cnn"
        assert plan.options["num_layers"] == 5
        assert plan.options["first_layer_linear"] is False
        assert plan.first_layer == "relu"
    assert plan.predicts == "residual"
    if make is dncnn:
        assert plan.assumptions == ()
    else:
        (assumption,) = plan.assumptions
        computed = "image" if make is dilated_unet else "residual"
        assert str(assumption).startswith(f"it computes the {computed}: the checkpoint cannot tell")
    assert set(plan.ignored) == {name for name in state if name.endswith(UNUSED)}
    assert verify.verify(from_state(state), plan, bare).maximum < 1e-5


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
def test_a_linear_first_layer_is_refused(make):
    with pytest.raises(InputError, match="first layer 'linear' was asked for"):
        recognize(make(), "linear")
    if make is dilated_unet:
        with pytest.raises(InputError, match="the choice does not exist"):
            recognize(make(), "relu")
    else:
        assert recognize(make(), "relu")[0].options["first_layer_linear"] is False


def test_what_a_network_computes_is_asked_for_where_it_is_not_known():
    for predicts in ("residual", "image"):
        plan, _ = recognize(universal_bf_cnn(), predicts=predicts)
        assert plan.predicts == predicts
        assert str(plan.assumptions[0]).startswith(f"it computes the {predicts}, as asked for")
        # The published network computes the image, and ours the residual that is left of it.
        plan, _ = recognize(dilated_unet(), predicts=predicts)
        assert plan.predicts != predicts
        assert str(plan.assumptions[0]).startswith(f"it computes the {predicts}, as asked for")
        with pytest.raises(InputError, match=f"predicts '{predicts}' was asked for.*DnCNN, where"):
            recognize(dncnn(), predicts=predicts)


@pytest.mark.parametrize("make", STATES.values(), ids=STATES)
def test_every_missing_misshapen_or_infinite_array_is_named(make):
    state = make()
    for name, array in state.items():
        if name.endswith(UNUSED):
            # It must not be there.
            assert recognize({key: value for key, value in state.items() if key != name})
            continue
        others = {key: value for key, value in state.items() if key != name}
        faults = {
            "missing: ": others,
            "of another shape: ": {**others, name: array[None]},
            "not finite: ": {**others, name: np.full_like(array, np.nan)},
        }
        for fault, wrong in faults.items():
            with pytest.raises(InputError) as caught:
                recognize(wrong)
            assert f"{fault}'{name}'" in str(caught.value)
            assert "\n" not in str(caught.value)


def test_only_what_the_norms_do_not_use_is_ignored():
    for name in ("bn_layer_list.0.epsilon", "hidden_layer_list.0.bias", "first_layer.bias"):
        with pytest.raises(InputError, match=f"unused: '{name}'"):
            recognize({**dncnn(), name: np.zeros(6, "f4")})


ORDINARY = {"bn_layer_list.1.bias": "norm_2", "bn_layer_list.2.running_mean": "norm_3"}


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("value", [1e-3, np.nan])
def test_norms_that_add_or_subtract_are_refused(tmp_path, name, value):
    """Those of an ordinary batch norm, or of the published one with biases."""
    state = dncnn()
    state[name][2] = value
    with pytest.raises(InputError, match=f"not zero, so that it is another network: '{name}'$"):
        recognize(state)
    (tmp_path / "x.pt").write_bytes(handmade.checkpoint(state))
    with pytest.raises(InputError, match=r"x\.pt cannot be converted: .* not zero"):
        convert(tmp_path / "x.pt", tmp_path / "x.keras")


@pytest.mark.parametrize("name, stage", ORDINARY.items())
def test_verification_sees_norms_that_add_or_subtract(name, stage):
    plan, state = recognize(dncnn())
    state[name][2] = 0.1
    with pytest.raises(VerificationError, match=f"at {stage}, by"):
        verify.verify(from_state(dncnn()), plan, state)


def test_negative_variances_are_refused_and_zero_is_not():
    state = dncnn()
    state["bn_layer_list.1.running_var"][2] = 0
    plan, _ = recognize(state)
    entry = plan.entries["bn_layer_list.1.running_var"]
    assert entry.transform(state["bn_layer_list.1.running_var"])[2] == 1e-5
    state["bn_layer_list.1.running_var"][2] = -1e-12
    with pytest.raises(InputError, match=r"not positive: 'bn_layer_list\.1\.running_var'"):
        recognize(state)


def test_numbers_in_names_cannot_ask_for_giant_tables():
    for state, name in (
        (universal_bf_cnn(), "gammas.999999"),
        (dncnn(), "bn_layer_list.99999.weight"),
    ):
        with pytest.raises(InputError, match="unused") as caught:
            recognize({**state, name: np.ones(6, "f4")})
        assert "missing" not in str(caught.value)


@pytest.mark.parametrize(
    "name, change",
    [
        ("conv3.weight", lambda a: a[:, :, ::-1]),
        ("conv7.weight", lambda a: a[:, :, ::-1, ::-1]),
        ("conv7.weight", lambda a: a.swapaxes(0, 1)),
        ("conv6.weight", lambda a: a.swapaxes(2, 3)),
    ],
)
def test_verification_sees_flipped_and_exchanged_axes(name, change):
    state = dilated_unet()
    plan, _ = recognize(state)
    wrong = from_state({**state, name: np.ascontiguousarray(change(state[name]))})
    stage = name.removesuffix(".weight").replace("conv", "conv_")
    with pytest.raises(VerificationError, match=f"at {stage}, by"):
        verify.verify(wrong, plan, state)


@pytest.mark.parametrize("size", [(16, 20), (15, 20), (16, 21), (15, 21), (1, 1), (2, 5)])
@pytest.mark.parametrize("network", ["universal", "dncnn", "dilated"])
def test_outputs_are_those_of_pytorch(tmp_path, network, size):
    torch = pytest.importorskip("torch")
    import published_modules

    torch.manual_seed(0)
    module = {
        "universal": lambda: published_modules.UniversalBFCNN(2, 6, 5),
        "dncnn": lambda: published_modules.BiasFreeDnCNN(2, 6, 3),
        "dilated": lambda: published_modules.BiasFreeUNet(2, 4),
    }[network]()
    torch.save({"model": [module.state_dict()]}, tmp_path / "x.pt")
    conversion = convert(tmp_path / "x.pt", tmp_path / "x.keras")
    assert conversion.notes[0] == "the weights are those under 'model.0'"
    if network == "dncnn":
        assert "does not use 'bn_layer_list.0.bias'" in conversion.notes[1]
    noisy = torch.rand(3, 2, *size)
    with torch.no_grad():
        expected = module.residual(noisy).numpy()
    denoiser = load_denoiser(tmp_path / "x.keras")
    found = denoiser.predict_on_batch(np.moveaxis(noisy.numpy(), 1, -1))
    assert relative_difference(np.moveaxis(found, -1, 1), expected) < tolerances.OUTPUT
