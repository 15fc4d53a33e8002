"""Weights that are only a part of a file."""

import handmade
import numpy as np
import pytest

from keras_gahr.errors import InputError
from weights_convert import convert, open_checkpoint

RECORDS = {f"data/{i}": np.full(1, i, "<f4").tobytes() for i in range(10)}


def state(i):
    """Code of a state dict whose only value is i."""
    return handmade.dictionary([("a", handmade.tensor(handmade.storage(str(i), 1), (1,), (1,)))])


def opened(tmp_path, code):
    path = tmp_path / "wrapped.pt"
    path.write_bytes(handmade.archive(code, RECORDS))
    return open_checkpoint(path)


def listed(*codes):
    return b"](" + b"".join(codes) + b"e"


WRAPPED = {
    "all of the file": (state(1), ""),
    "model": (handmade.dictionary([("model", state(1))]), "['model']"),
    "state_dict": (handmade.dictionary([("epoch", b"N"), ("state_dict", state(1))]), "['state_dict']"),
    "model_state_dict": (handmade.dictionary([("model_state_dict", state(1))]), "['model_state_dict']"),
    "a list": (handmade.dictionary([("model", listed(state(1)))]), "['model'][0]"),
    "a tuple": (handmade.dictionary([("model", handmade.tuple_of(state(1)))]), "['model'][0]"),
    "twice": (
        handmade.dictionary([("model", handmade.dictionary([("state_dict", state(1))]))]),
        "['model']['state_dict']",
    ),
    "an empty one first": (
        handmade.dictionary([("state_dict", b"}"), ("model", state(1))]),
        "['model']",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRAPPED)
def test_places(tmp_path, case):
    code, place = WRAPPED[case]
    checkpoint = opened(tmp_path, code)
    assert checkpoint.place == place
    assert checkpoint.others == ()
    assert checkpoint.state["a"] == [1]
    assert checkpoint.notes == ((f"the weights are those under {place}",) if place else ())


def test_other_state_dicts_are_named(tmp_path):
    items = [
        ("ema", state(2)),
        ("model", listed(state(1), b"}", state(3))),
        ("state_dict", state(4)),
    ]
    checkpoint = opened(tmp_path, handmade.dictionary(items))
    assert checkpoint.state["a"] == [4]
    assert checkpoint.place == "['state_dict']"
    assert checkpoint.others == ("['model'][0]", "['model'][2]", "['ema']")
    assert checkpoint.notes == (
        "the weights are those under ['state_dict']; the file also holds ['model'][0], "
        "['model'][2], ['ema']",
    )


ABSENT = {
    "under ['model'] it holds an empty dictionary": handmade.dictionary([("model", b"}")]),
    "under ['model'][0] its entry 'a' is of type int": handmade.dictionary(
        [("model", listed(handmade.dictionary([("a", handmade.number(3))])))]
    ),
    "under ['state_dict'] it holds a list": handmade.dictionary([("state_dict", b"]")]),
    "its entry 'ema' is of type dict": handmade.dictionary([("ema", state(1))]),
    "its entry 'model' is of type NoneType": handmade.dictionary([("model", b"N")]),
    "under ['model'][0][0]": handmade.dictionary([("model", b"]q\x00h\x00a")]),
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
    assert conversion.notes == (f"the weights are those under ['{wrapper}']",)
