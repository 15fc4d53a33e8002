"""Folders that diffusers' save_pretrained wrote, and such as pretend it."""

import json
import shutil
import sys

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.denoisers.foreign.diffusers import load_folder
from keras_gahr.denoisers.foreign.diffusers.scheduler import (
    PRECONDITIONED,
    SCHEDULERS,
    read_scheduler,
)
from keras_gahr.errors import InputError

pytest.importorskip("diffusers", reason="the extra diffusers is not installed")
if keras.backend.backend() != "torch":
    pytest.skip("these networks are PyTorch's", allow_module_level=True)

import diffusers
from diffusers_networks import dit, unet
from safetensors.numpy import load_file, save_file

WEIGHTS = "diffusion_pytorch_model.safetensors"
IMAGES = np.random.default_rng(0).random((2, 8, 8, 1))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a pipeline; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("pipeline")
    scheduler = diffusers.DDIMScheduler(prediction_type="v_prediction")
    diffusers.DDIMPipeline(unet(), scheduler).save_pretrained(folder)
    return folder


@pytest.fixture
def changed(saved, tmp_path):
    """A function that copies a pipeline's folder, with other values in one of its files."""

    def change(name, **values):
        for path in saved.rglob("*.*"):
            copy = tmp_path / path.relative_to(saved)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
        settings = json.loads((saved / name).read_text())
        (tmp_path / name).write_text(json.dumps(settings | values))
        return tmp_path

    return change


def test_a_pipeline_is_what_it_was(saved):
    alone = kg.wrap(unet(), schedule=diffusers.DDIMScheduler(prediction_type="v_prediction"))
    found = load_folder(saved)
    assert not found.network.training
    denoiser = kg.wrap(found)
    assert denoiser.predicts == "velocity"
    np.testing.assert_array_equal(denoiser.denoise(IMAGES, 0.3), alone.denoise(IMAGES, 0.3))


def test_a_folder_is_an_address_that_is_kept(saved, tmp_path):
    denoiser = kg.wrap(f"diffusers:{shutil.copytree(saved, tmp_path / 'pipeline')}")
    kg.save_denoiser(denoiser, tmp_path / "denoiser.json")
    again = kg.load_denoiser(tmp_path / "denoiser.json")
    assert (again.predicts, again.value_range) == ("velocity", (-1, 1))
    np.testing.assert_array_equal(denoiser.denoise(IMAGES, 0.3), again.denoise(IMAGES, 0.3))


@pytest.mark.parametrize(
    ("parts", "value_range"),
    [
        ({"vqvae": ["diffusers", "VQModel"]}, (0, 1)),
        ({"vae": ["diffusers", "AutoencoderKL"]}, (0, 1)),
        ({"vae": [None, None]}, (-1, 1)),
        ({"safety_checker": ["diffusers", "X"]}, (-1, 1)),
    ],
)
def test_images_beside_an_autoencoder_are_latents(changed, parts, value_range):
    """Whatever their channels are; the autoencoder itself is not read."""
    denoiser = kg.load_denoiser(f"diffusers:{changed(INDEX, **parts)}")
    assert (denoiser.input_channels, denoiser.value_range) == (1, value_range)


def test_a_network_whose_scheduler_is_beside_it_or_not(tmp_path):
    dit().save_pretrained(tmp_path)
    condition = {"class_labels": 3}
    with pytest.raises(InputError, match="does not say how it was trained"):
        kg.wrap(load_folder(tmp_path), condition=condition)
    flow = diffusers.FlowMatchEulerDiscreteScheduler()
    given = kg.wrap(load_folder(tmp_path), schedule=flow, condition=condition)
    assert given.predicts == "flow"
    diffusers.EDMEulerScheduler(sigma_data=0.4).save_pretrained(tmp_path / "scheduler")
    assert kg.wrap(load_folder(tmp_path), condition=condition).schedule.sigma_data == 0.4
    (tmp_path / "scheduler" / "scheduler_config.json").rename(tmp_path / "scheduler_config.json")
    (tmp_path / "scheduler").rmdir()
    assert kg.wrap(load_folder(tmp_path), condition=condition).schedule.sigma_data == 0.4


def test_a_fingerprint_tells_the_condition_but_not_the_place(tmp_path):
    folder = tmp_path / "dit"
    dit().save_pretrained(folder)
    diffusers.DDIMScheduler().save_pretrained(folder)

    def fingerprint(folder, label):
        return kg.load_denoiser(f"diffusers:{folder}?condition.class_labels={label}").fingerprint()

    found = fingerprint(folder, 3)
    assert found != fingerprint(folder, 5)
    assert found == fingerprint(folder.rename(tmp_path / "moved"), 3)


UNET, INDEX, SCHEDULER = "unet/config.json", "model_index.json", "scheduler/scheduler_config.json"


@pytest.mark.parametrize(
    "kind",
    ["DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"],
)
def test_how_a_scheduler_would_step_is_not_asked(changed, kind):
    """A solver keeps a list as long as its order, which nothing here needs."""
    folder = changed(SCHEDULER, _class_name=kind, solver_order=10**8, beta_schedule="linear")
    scheduler = load_folder(folder).scheduler
    assert scheduler.config["solver_order"] < 10
    table = diffusers.DDIMScheduler().alphas_cumprod
    np.testing.assert_allclose(scheduler.alphas_cumprod, table, rtol=1e-6)


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_the_training_of_a_scheduler_is_what_its_file_says(changed, kind):
    """All that is read of a scheduler is the same by way of a folder."""
    own = {
        "prediction_type": "v_prediction",
        "num_train_timesteps": 500,
        "beta_start": 1e-3,
        "beta_end": 0.02,
        "beta_schedule": "scaled_linear",
        "sigma_data": 0.7,
        "invert_sigmas": True,
        "rescale_betas_zero_snr": True,
    }
    if kind in PRECONDITIONED:
        own["prediction_type"] = "epsilon"
    made = getattr(diffusers, kind).from_config(own)
    found = load_folder(changed(SCHEDULER, _class_name=kind, **own)).scheduler
    (predicts, schedule), (said, other) = read_scheduler(made), read_scheduler(found)
    assert predicts == said and schedule.numbers() == other.numbers()


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        (UNET, {"_class_name": "AutoencoderKL"}, "is of a AutoencoderKL, expected UNet2DModel"),
        (UNET, {"_class_name": "X\n\x1b"}, r"is of a X\n\x1b, expected"),
        (UNET, {"quantization_config": {}}, "quantized"),
        (UNET, {"block_out_channels": [8, 10**15]}, "sizes that are no numbers, or are larger"),
        (UNET, {"block_out_channels": "8" * 1000}, "sizes that are no numbers"),
        (UNET, {"layers_per_block": 10**4}, "a far larger network"),
        (UNET, {"layers_per_block": 2}, "numbers, but diffusion_pytorch_model.safetensors has"),
        (
            UNET,
            {"num_class_embeds": 10**13},
            "numbers, but diffusion_pytorch_model.safetensors has",
        ),
        (UNET, {"layers_per_block": 1, "add_attention": False}, "too many or of another shape"),
        (UNET, {"down_block_types": ["X", "Y"]}, "is not of a UNet2DModel: ValueError: X does"),
        (INDEX, {"unet": ["somewhere", "UNet2DModel"]}, "names no unet and no transformer"),
        (INDEX, {"unet": ["diffusers", {}]}, "names no unet and no transformer"),
        (INDEX, {"unet": ["diffusers", "UNet2DConditionModel"]}, "is of a UNet2DConditionModel"),
        (
            SCHEDULER,
            {"_class_name": "ScoreSdeVeScheduler"},
            "is of a ScoreSdeVeScheduler, expected",
        ),
        (SCHEDULER, {"num_train_timesteps": 10**9}, "num_train_timesteps = 1000000000, expected"),
        (SCHEDULER, {"num_train_timesteps": True}, "num_train_timesteps = True, expected"),
        (SCHEDULER, {"trained_betas": [0.1] * (10**5 + 1)}, "trained_betas of 100001, expected"),
        (SCHEDULER, {"beta_schedule": "none"}, "is not of a DDIMScheduler: NotImplementedError"),
    ],
)
def test_other_settings_are_refused_in_one_line(changed, name, values, line):
    """In no time, and before anything is made that is larger than the file of weights."""
    with pytest.raises(InputError) as error:
        load_folder(changed(name, **values))
    message = str(error.value)
    assert line in message and message.isprintable()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"sample_size": 4000}, "a far larger network"),
        ({"attention_head_dim": "8" * 1000}, "sizes that are no numbers"),
        ({"num_layers": 100}, "a far larger network"),
    ],
)
def test_a_transformer_has_no_more_positions_than_its_file_is_large(tmp_path, values, line):
    dit().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(InputError, match=line):
        load_folder(tmp_path)


def test_weights_that_are_cut_off_or_others_or_not_there(changed):
    folder = changed(UNET)
    weights = folder / "unet" / WEIGHTS
    content, arrays = weights.read_bytes(), load_file(weights)
    weights.write_bytes(content[:-4])
    with pytest.raises(InputError, match="cannot be read: SafetensorError"):
        load_folder(folder)
    save_file({f"other.{name}": array for name, array in arrays.items()}, weights)
    with pytest.raises(InputError, match="are missing, too many or of another shape"):
        load_folder(folder)
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InputError, match=r"has no diffusion_pytorch_model\.safetensors"):
        load_folder(folder)
    (folder / UNET).unlink()
    with pytest.raises(InputError, match=r"has no config\.json"):
        load_folder(folder)


def test_pickled_weights_are_not_read(changed):
    """Not even where they lie beside others of a known name."""
    folder = changed(UNET)
    (folder / "unet" / f"{WEIGHTS}.index.json").write_text("{}")
    with pytest.raises(InputError, match="in one part"):
        load_folder(folder)


def test_where_it_cannot_be_read(saved, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="the backend is jax: set KERAS_BACKEND=torch"):
        load_folder(saved)
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "diffusers", None)
    monkeypatch.delitem(sys.modules, "keras_gahr._backend.foreign.diffusers", False)
    with pytest.raises(InputError, match=r'pip install "keras-gahr\[diffusers\]"'):
        load_folder(saved)
