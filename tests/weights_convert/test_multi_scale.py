"""A folder of checkpoints becomes one multi-scale denoiser."""

import hashlib
import shutil

import numpy as np
import pytest
from networks import from_checkpoint

from keras_gahr import MultiScaleDenoiser, ReceptiveFieldBFCNN, load_denoiser
from keras_gahr.denoisers import DirectDenoiser
from keras_gahr.errors import InputError
from weights_convert import VerificationError, convert_multi_scale, layouts

LOW, DETAIL = "bf_cnn_20_linear.pt", "bf_cnn_rf13_fine.pt"


@pytest.fixture
def put(golden, tmp_path):
    """A function that fills a folder with golden checkpoints: name of a folder in it -> checkpoint."""

    def make(**parts):
        folder = tmp_path / "faces"
        for name, checkpoint in parts.items():
            (folder / name).mkdir(parents=True)
            shutil.copy(golden / checkpoint, folder / name / "model.pt")
        return folder

    return make


def test_one_file_with_the_weights_and_provenance_of_each_part(put, golden, tmp_path):
    folder = put(a_RF_13x13_scale_0=DETAIL, a_RF_13x13_scale_1=DETAIL, a_RF_40x40_low=LOW)
    out = tmp_path / "out.keras"
    conversion = convert_multi_scale(folder, out)
    denoiser = load_denoiser(out)
    assert type(denoiser) is MultiScaleDenoiser
    assert denoiser.num_scales == 2
    assert conversion.parameters == denoiser.num_parameters
    assert list(conversion.parts) == ["low_band", "detail_0", "detail_1"]

    expected = {"low_band": LOW, "detail_0": DETAIL, "detail_1": DETAIL}
    found = {"low_band": denoiser.low_band}
    found |= {f"detail_{j}": detail for j, detail in enumerate(denoiser.details)}
    for name, part in found.items():
        golden_part, _ = from_checkpoint(golden / expected[name])
        for ours, theirs in zip(part.get_weights(), golden_part.get_weights(), strict=True):
            assert np.array_equal(ours, theirs)
        data = (golden / expected[name]).read_bytes()
        assert part.provenance["sha256"] == hashlib.sha256(data).hexdigest()
    assert denoiser.provenance["source"] == "faces"
    assert found["low_band"].provenance["source"] == "a_RF_40x40_low/model.pt"
    assert found["detail_1"].provenance["source"] == "a_RF_13x13_scale_1/model.pt"
    worst = max(part.provenance["max_relative_difference"] for part in found.values())
    assert denoiser.provenance["max_relative_difference"] == worst
    assert conversion.max_relative_difference == worst


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"x_scale_0": DETAIL}, "no low band"),
        ({"x_low": LOW}, "no details of scale 0"),
        ({"x_low": LOW, "x_scale_1": DETAIL}, "no details of scale 0"),
        ({"x_low": LOW, "x_scale_0": DETAIL, "x_scale_2": DETAIL}, "no details of scale 1"),
        ({"a_low": LOW, "b_low": LOW, "x_scale_0": DETAIL}, "'a_low' and 'b_low' for the low band"),
        (
            {"x_low": LOW, "a_scale_0": DETAIL, "b_scale_0": DETAIL},
            "'a_scale_0' and 'b_scale_0' for scale 0",
        ),
        ({"x_low": LOW, "x_scale_0": DETAIL, "noise_RF_5x5": LOW}, "'noise_RF_5x5', expected only"),
        ({"x_low": DETAIL, "x_scale_0": DETAIL}, "low-band denoiser from 4 channels to 3"),
        ({"x_low": LOW, "x_scale_0": LOW}, "for scale 0 a denoiser from 1 channels to 1"),
        ({"x_low": LOW, "x_scale_0": "bf_cnn_20_linear.npz"}, "x_scale_0/model.pt cannot be read"),
    ],
)
def test_folders_that_are_refused(put, tmp_path, parts, message):
    folder = put(**parts)
    with pytest.raises(InputError) as caught:
        convert_multi_scale(folder, tmp_path / "out.keras")
    assert message in str(caught.value).replace("\\", "/")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.one_backend
def test_a_first_layer_is_a_question_of_the_low_band(put, tmp_path):
    folder = put(x_low=LOW, x_scale_0=DETAIL)
    convert_multi_scale(folder, tmp_path / "out.keras", first_layer="relu")
    assert not load_denoiser(tmp_path / "out.keras").low_band.first_layer_linear


@pytest.mark.one_backend
def test_what_is_computed_is_a_question_of_the_low_band(put, tmp_path):
    folder = put(x_low=LOW, x_scale_0=DETAIL)
    conversion = convert_multi_scale(folder, tmp_path / "out.keras", predicts="image")
    _, low, detail = conversion.assumptions
    assert low.startswith("low_band: it computes the image, as asked for")
    assert detail.startswith("detail_0: it computes the residual: the checkpoint cannot tell")
    assert "convert it by itself with --predicts image" in detail
    denoiser = load_denoiser(tmp_path / "out.keras")
    assert type(denoiser.low_band) is DirectDenoiser
    assert type(denoiser.details[0]) is ReceptiveFieldBFCNN


@pytest.mark.one_backend
def test_an_existing_file_is_kept(put, tmp_path):
    (tmp_path / "out.keras").write_text("precious")
    with pytest.raises(InputError, match="exists"):
        convert_multi_scale(put(x_low=LOW, x_scale_0=DETAIL), tmp_path / "out.keras")
    assert (tmp_path / "out.keras").read_text() == "precious"


@pytest.mark.one_backend
def test_a_part_that_fails_its_verification_is_named(put, tmp_path, monkeypatch):
    def recognize_wrongly(state, *asked):
        plan, state = layouts.recognize(state, *asked)
        if not plan.options.get("coarse", True):
            # A table entry that copies nothing: the weight stays as initialized.
            entries = dict(plan.entries)
            del entries["conv_layers.3.weight"]
            plan = type(plan)(**{**vars(plan), "entries": entries})
        return plan, state

    monkeypatch.setattr("weights_convert.conversion.recognize", recognize_wrongly)
    folder = put(x_low=LOW, x_scale_0=DETAIL)
    with pytest.raises(VerificationError, match=r"x_scale_0.model\.pt: .* at conv_3, by"):
        convert_multi_scale(folder, tmp_path / "out.keras")
    assert list(tmp_path.iterdir()) == [folder]
