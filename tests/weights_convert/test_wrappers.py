"""Weights that are only a part of a file."""

import handmade
import numpy as np
import pytest

from keras_gahr.errors import InputError
from weights_convert import convert, open_checkpoint

pytestmark = pytest.mark.one_backend

RECORDS = {f"data/{i}": np.full(1, i, "<f4").tobytes() for i in range(10)}


def state(i):
    """Code of a state dict whose only value is i."""
    return handmade.dictionary([("a", handmade.tensor(handmade.storage(str(i), 1), (1,), (1,)))])


def opened(tmp_path, code, **options):
    path = tmp_path / "wrapped.pt"
    path.write_bytes(handmade.archive(code, RECORDS))
    return open_checkpoint(path, **options)


def listed(*codes):
    return b"](" + b"".join(codes) + b"e"


WRAPPED = {
    "all of the file": (state(1), "."),
    "model": (handmade.dictionary([("model", state(1))]), "model"),
    "state_dict": (handmade.dictionary([("epoch", b"N"), ("state_dict", state(1))]), "state_dict"),
    "model_state_dict": (handmade.dictionary([("model_state_dict", state(1))]), "model_state_dict"),
    "a list": (handmade.dictionary([("model", listed(state(1)))]), "model.0"),
    "a tuple": (handmade.dictionary([("model", handmade.tuple_of(state(1)))]), "model.0"),
    "twice": (
        handmade.dictionary([("model", handmade.dictionary([("state_dict", state(1))]))]),
        "model.state_dict",
    ),
    "an empty one first": (
        handmade.dictionary([("state_dict", b"}"), ("model", state(1))]),
        "model",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRAPPED)
def test_places(tmp_path, case):
    code, place = WRAPPED[case]
    checkpoint = opened(tmp_path, code)
    assert checkpoint.place == place
    assert checkpoint.others == ()
    assert checkpoint.state["a"] == [1]
    assert checkpoint.notes == ((f"the weights are those under '{place}'",) if place != "." else ())


def test_other_state_dicts_are_named(tmp_path):
    items = [
        ("ema", state(2)),
        ("model", listed(state(1), b"}", state(3))),
        ("state_dict", state(4)),
    ]
    checkpoint = opened(tmp_path, handmade.dictionary(items))
    assert checkpoint.state["a"] == [4]
    assert checkpoint.place == "state_dict"
    assert checkpoint.others == ("model.0", "model.2", "ema")
    assert checkpoint.notes == (
        "the weights are those under 'state_dict'; the file also holds 'model.0', 'model.2', 'ema': "
        "choose with --weights NAME (weights=NAME in Python)",
    )


@pytest.mark.parametrize("name, value", {"ema": 2, "model.2": 3, "state_dict": 4}.items())
def test_weights_are_chosen_by_name(tmp_path, name, value):
    items = [
        ("ema", state(2)),
        ("model", listed(state(1), b"}", state(3))),
        ("state_dict", state(4)),
    ]
    checkpoint = opened(tmp_path, handmade.dictionary(items), weights=name)
    assert checkpoint.state["a"] == [value]
    assert checkpoint.place == name
    assert name not in checkpoint.others
    with pytest.raises(InputError, match=r"'best'.* one of state_dict, model\.0, model\.2, ema"):
        opened(tmp_path, handmade.dictionary(items), weights="best")


def test_averages_are_taken_last(tmp_path):
    names = ["params_ema", "model_ema", "swa_model", "ema", "averaged", "params"]
    items = [(name, state(i)) for i, name in enumerate(names)]
    assert opened(tmp_path, handmade.dictionary(items)).place == "params"
    assert opened(tmp_path, handmade.dictionary(items[:-1])).place == "params_ema"
    emanate = [("ema", state(0)), ("schema", state(1))]
    assert opened(tmp_path, handmade.dictionary(emanate)).place == "schema"


AVERAGES = [
    "model-ema", "emaModel", "modelEMA", "EMAModel", "ModelEmaV2", "model.ema", "ema 0.999", "ema2", "EMA",
    "polyak", "polyakAverage", "moving-average", "movingAverage", "averaged_model", "weights/averages",
    "avgModel", "swag-model", "swaModel", "lawa", "ewma", "targetNetwork", "target-net", "mean-teacher",
    "shadowParams",
]  # fmt: skip


@pytest.mark.parametrize("name", AVERAGES)
def test_names_of_averages(tmp_path, name):
    checkpoint = opened(tmp_path, handmade.dictionary([(name, state(2)), ("net", state(1))]))
    assert (checkpoint.place, checkpoint.state["a"]) == ("net", [1])


@pytest.mark.parametrize("name", ["schema", "Emanate", "cinema", "targeted", "swap", "savgol"])
def test_names_that_only_look_like_those_of_averages(tmp_path, name):
    checkpoint = opened(tmp_path, handmade.dictionary([(name, state(2)), ("net", state(1))]))
    assert checkpoint.place == name


def test_names_that_a_terminal_would_obey(tmp_path):
    items = [("ema\x1b[2J\n", state(2)), ("a'b", state(1)), ("c", state(3))]
    checkpoint = opened(tmp_path, handmade.dictionary(items))
    assert checkpoint.notes[0].isprintable()
    for name in (checkpoint.place, *checkpoint.others):
        assert name.isprintable()
        assert opened(tmp_path, handmade.dictionary(items), weights=name).place == name


def test_equal_names_of_two_places(tmp_path):
    inner = handmade.dictionary([("b", state(1))])
    checkpoint = opened(tmp_path, handmade.dictionary([("a", inner), ("a.b", state(2))]))
    assert (checkpoint.place, *checkpoint.others) == ("a.b", "a.b~")
    assert checkpoint.state["a"] == [2]
    again = opened(tmp_path, handmade.dictionary([("a", inner), ("a.b", state(2))]), weights="a.b~")
    assert again.state["a"] == [1]


FOUND = {
    "under any key": (handmade.dictionary([("netG", state(1))]), "netG"),
    "deep": (
        handmade.dictionary([("run", listed(b"N", handmade.dictionary([("best", state(1))])))]),
        "run.1.best",
    ),
    "beside numbers and a tensor": (
        handmade.dictionary(
            [
                ("epoch", handmade.number(3)),
                ("loss", handmade.tensor(handmade.storage("2", 1), (), ())),
                ("generator", state(1)),
            ]
        ),
        "generator",
    ),
    "in attributes": (
        handmade.made("trainer.EMA", handmade.dictionary([("shadow", state(1))])),
        "shadow",
    ),
    "in a dictionary of another class": (
        b"caddict\nDict\n)\x81(" + handmade.text("weights") + state(1) + b"u",
        "weights",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_state_dicts_are_found_by_what_they_hold(tmp_path, case):
    code, place = FOUND[case]
    checkpoint = opened(tmp_path, code)
    assert checkpoint.place == place
    assert checkpoint.state["a"] == [1]


def test_what_lies_among_the_tensors_is_named(tmp_path):
    one = handmade.tensor(handmade.storage("1", 1), (1,), (1,))
    code = handmade.dictionary([("a", one), ("_extra_state", b"N"), ("b", one)])
    checkpoint = opened(tmp_path, code)
    assert list(checkpoint.state) == ["a", "b"]
    assert checkpoint.notes == ("left aside, no part of it: '_extra_state'",)


ABSENT = {
    "under 'model' it holds an empty dictionary": handmade.dictionary([("model", b"}")]),
    "under 'model.0' its entry 'a' is a int": handmade.dictionary(
        [("model", listed(handmade.dictionary([("a", handmade.number(3))])))]
    ),
    "under 'state_dict' it holds a list": handmade.dictionary([("state_dict", b"]")]),
    "its entry 'model' is a NoneType": handmade.dictionary([("model", b"N")]),
    "under 'model.0.0": handmade.dictionary([("model", b"]q\x00h\x00a")]),
    "its entry 'a' is an object of 'torch._utils._rebuild_sparse_tensor'": handmade.dictionary(
        [("a", handmade.call("torch._utils._rebuild_sparse_tensor"))]
    ),
}


@pytest.mark.parametrize("says", ABSENT)
def test_what_was_looked_for_where(tmp_path, says):
    with pytest.raises(InputError) as caught:
        opened(tmp_path, ABSENT[says])
    assert says in str(caught.value)
    assert "expected a state dict" in str(caught.value)


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
@pytest.mark.parametrize("zipped", [True, False])
def test_whole_conversions_of_wrapped_half_precision_colour_networks(
    golden, tmp_path, wrapper, zipped
):
    torch = pytest.importorskip("torch")
    published = torch.load(golden / "unet_3block_rgb.pt", weights_only=True)
    half = {f"module.{name}": tensor.half() for name, tensor in published.items()}
    torch.save({wrapper: half}, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    conversion = convert(tmp_path / "x.pt", tmp_path / "x.keras")
    assert conversion.options["num_channels"] == 3
    assert conversion.notes == (f"the weights are those under '{wrapper}'",)
