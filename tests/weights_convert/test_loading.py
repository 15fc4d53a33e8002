"""What is assumed of checkpoints that are loaded as they are, and how it is said."""

import dataclasses
import hashlib
import shutil
import warnings

import handmade
import numpy as np
import pytest

from keras_gahr import InputError, as_denoiser, load_denoiser
from keras_gahr.denoisers import DirectDenoiser
from weights_convert import build_from_checkpoint, catalogue, read_checkpoint

pytestmark = pytest.mark.one_backend

RELU = "bf_cnn_21_relu.pt"


@pytest.fixture
def relu(golden):
    return golden / RELU


@pytest.fixture
def two(golden, tmp_path):
    """A file with two networks, of which the second is no average."""
    state = read_checkpoint(golden / "bf_cnn_20_linear.pt")
    average = {f"ema.{name}": array * np.float32(0.5) for name, array in state.items()}
    path = tmp_path / "two.pt"
    path.write_bytes(handmade.checkpoint(average | {f"net.{n}": a for n, a in state.items()}))
    return path


def loaded(source, **said):
    """The denoiser, and the lines that were warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        denoiser = load_denoiser(source, **said)
    lines = [str(warning.message) for warning in caught if "assumed" in str(warning.message)]
    assert all(line.isprintable() for line in lines)
    return denoiser, lines


def test_what_is_assumed_is_warned_of_once_and_kept(relu):
    with pytest.warns(UserWarning, match="assumed") as caught:
        load_denoiser(relu)
    assert [each.filename for each in caught if "assumed" in str(each.message)] == [__file__]
    denoiser, (line,) = loaded(relu)
    assert line == (
        f"{relu} cannot tell, so that this was assumed: first layer linear (first_layer=linear, or relu); it "
        "computes the residual (predicts=residual, or image); say it to load_denoiser, or after its path as "
        f"'{relu}?first_layer=linear&predicts=residual'"
    )
    kept = denoiser.provenance
    assert kept["assumed"] == ["first layer linear", "it computes the residual"]
    assert (kept["first_layer"], kept["predicts"]) == ("linear", "residual")
    with pytest.warns(UserWarning, match="assumed"):
        as_denoiser(str(relu))


def test_the_line_says_how_to_silence_it(relu, two):
    for path in (relu, two):
        _, (line,) = loaded(path)
        text = line.rpartition(" as ")[2].strip("'")
        denoiser, lines = loaded(text)
        assert not lines
        assert denoiser.provenance["assumed"] is None


@pytest.mark.parametrize("after_the_path", [False, True])
def test_what_is_said_is_obeyed_in_silence(golden, relu, after_the_path):
    said = {"first_layer": "relu", "predicts": "residual"}
    if after_the_path:
        denoiser, lines = loaded(f"{relu}?first_layer=relu&predicts=residual")
    else:
        denoiser, lines = loaded(relu, **said)
    assert not lines
    assert not denoiser.first_layer_linear
    arrays = np.load(golden / RELU.replace(".pt", ".npz"))
    noisy, expected = (np.moveaxis(arrays[key], 1, -1) for key in ("noisy", "eval_output"))
    found = denoiser.predict_on_batch(noisy)
    assert np.max(np.abs(found - expected)) < 1e-5 * np.max(np.abs(expected))


def test_what_is_said_may_come_in_both_ways(relu):
    denoiser, lines = loaded(f"{relu}?first_layer=relu", predicts="image")
    assert not lines
    assert type(denoiser) is DirectDenoiser
    assert denoiser.provenance["predicts"] == "image"
    with pytest.raises(InputError, match=r"first layer 'relu', and 'linear' after the path"):
        load_denoiser(f"{relu}?first_layer=linear", first_layer="relu")


def test_which_of_several_networks_was_taken(two):
    denoiser, (line,) = loaded(two)
    assert "the weights under 'net' (weights=net, or ema)" in line
    assert denoiser.provenance["weights"] == "net"
    assert "also holds 'ema'" in denoiser.provenance["notes"][0]
    average, (line,) = loaded(two, weights="ema")
    assert "weights under" not in line
    assert average.provenance["weights"] == "ema"
    np.testing.assert_array_equal(average.get_weights()[0], denoiser.get_weights()[0] / 2)
    # What was said is said in the hint, too.
    assert line.endswith("two.pt?weights=ema&first_layer=linear&predicts=residual'")


def test_the_norm_can_be_said(golden):
    path = golden / "unet_flex_layer_color.pt"
    with pytest.raises(InputError, match="cannot tell which it was trained with"):
        load_denoiser(path)
    denoiser, lines = loaded(f"{path}?norm=layer&predicts=residual")
    assert not lines
    assert denoiser.norm == "layer"


def test_the_image_of_a_dilated_unet(golden, tmp_path):
    from test_older_layouts import dilated_unet, dncnn

    (tmp_path / "x.pt").write_bytes(handmade.checkpoint(dilated_unet()))
    denoiser, (line,) = loaded(tmp_path / "x.pt")
    assert "it computes the image (predicts=image, or residual)" in line
    assert denoiser.provenance["predicts"] == "image"
    # Of this nothing is assumed.
    (tmp_path / "y.pt").write_bytes(handmade.checkpoint(dncnn()))
    denoiser, lines = loaded(tmp_path / "y.pt")
    assert not lines
    assert (denoiser.provenance["predicts"], denoiser.provenance["assumed"]) == ("residual", None)


def test_folders_of_bands(golden, tmp_path):
    for name, source in {"low": "bf_cnn_20_linear", "scale_0": "bf_cnn_rf13_fine"}.items():
        (tmp_path / name).mkdir()
        shutil.copy(golden / f"{source}.pt", tmp_path / name / "model.pt")
    denoiser, (line,) = loaded(tmp_path)
    assert "low_band: first layer linear (first_layer=linear, or relu)" in line
    assert "detail_0: it computes the residual (else convert it by itself)" in line
    assert denoiser.details[0].provenance["assumed"] == ["it computes the residual"]
    denoiser, (line,) = loaded(f"{tmp_path}?first_layer=relu&predicts=residual")
    assert "low_band" not in line
    assert not denoiser.low_band.first_layer_linear


@pytest.fixture
def known(relu, monkeypatch):
    """A catalogue that knows the file."""
    content = relu.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    known = catalogue.Published("known", "a/b", "0" * 40, "m.pt", blob, "MIT", "bf-cnn")
    known = dataclasses.replace(known, first_layer="relu")
    monkeypatch.setattr(catalogue, "catalogue", lambda: {"known": known})


def test_nothing_is_assumed_of_what_was_published(relu, known, tmp_path):
    path = shutil.copy(relu, tmp_path / "of_any_name.pth")
    denoiser, lines = loaded(path)
    assert not lines
    assert not denoiser.first_layer_linear
    assert denoiser.provenance["assumed"] is None
    _, conversion = build_from_checkpoint(path)
    note = "it is the published known, first layer with a ReLU, it computes the residual"
    assert (conversion.notes, conversion.assumptions, conversion.unsaid) == ((note,), (), ())
    assert denoiser.provenance["notes"] == [note]
    # But what is said counts.
    denoiser, lines = loaded(path, first_layer="linear")
    assert not lines
    assert denoiser.first_layer_linear


@pytest.mark.parametrize(
    "path",
    [
        "local_probability/flat/celebA_160x160_gray/noise_range_0to255_RF_5x5",
        "local_probability/multi_scale/celebA_160x160_gray/noise_range_0to255_RF_40x40_low",
    ],
)
def test_published_files_are_loaded_in_silence(shared, path):
    _, lines = loaded(shared / "checkpoints" / path / "model.pt")
    assert not lines


# A file of that name does not exist: it is meant as one.
NAMES = ["?relu", "?"]


@pytest.mark.parametrize("text", NAMES)
def test_names_with_question_marks(relu, text):
    with pytest.raises(InputError, match=r"does not exist|is not a \.keras file"):
        load_denoiser(f"{relu}{text}")


REFUSED = {
    "?first_layer=tanh": "'linear' or 'relu'",
    "?first_layer=relu&first_layer=relu": "each once",
    "?layer=relu": "expected first_layer=VALUE, weights=VALUE, norm=VALUE, predicts=VALUE",
    "?norm=": "each once",
    "?weights=x": "it holds no weights 'x'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_said(relu, text):
    with pytest.raises(InputError) as caught:
        load_denoiser(f"{relu}{text}")
    assert REFUSED[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_of_others_nothing_is_said(tiny_model):
    with pytest.raises(
        InputError, match=r"a norm for .*tiny\.keras, which is no PyTorch checkpoint"
    ):
        load_denoiser(f"{tiny_model}?norm=layer")
    with pytest.raises(InputError, match="a name of weights for torch:a:b, which is no PyTorch"):
        load_denoiser("torch:a:b", weights="ema")
    with pytest.raises(InputError, match=r"a first layer for .*disks-24-unet\.keras, which"):
        load_denoiser("disks-24-unet", first_layer="relu")


def test_a_file_of_the_whole_name_goes_first(golden, tmp_path):
    path = tmp_path / "x.pt?norm=a.pt"
    shutil.copy(golden / "unet_1block.pt", path)
    denoiser, lines = loaded(path)
    assert denoiser.num_blocks == 1
    assert len(lines) == 1
