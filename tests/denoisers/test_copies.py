"""Copies and pickles of denoisers, as processes are sent them, compute what the original does."""

import copy
import pickle

import keras
import numpy as np
import pytest

import keras_gahr as kg

IMAGES = np.random.default_rng(0).random((5, 12, 12, 1), np.float32)
pytestmark = pytest.mark.filterwarnings("ignore:some images are still noise")

SCHEDULE = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.3)
WAYS = {"pickle": lambda given: pickle.loads(pickle.dumps(given)), "copy": copy.deepcopy}


def network(**options):
    return kg.BFCNN(num_layers=3, num_kernels=4, seed=0, **options)


DENOISERS = {
    "network": network,
    "baseline": lambda: kg.baselines.Wiener.from_images(IMAGES, sigma=0.1),
    "bfloat16": lambda: kg.denoisers.with_precision(network(), "mixed_bfloat16"),
    "direct in bfloat16": lambda: kg.denoisers.with_precision(
        kg.denoisers.DirectDenoiser(network()), "mixed_bfloat16"
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DENOISERS)
def test_a_copy_computes_the_same(name, way):
    denoiser = DENOISERS[name]()
    expected = kg.denoise(denoiser, IMAGES)
    kg.sample(denoiser, (12, 12), schedule=SCHEDULE)  # What it compiles is not a part of the copy.
    found = WAYS[way](denoiser)
    np.testing.assert_array_equal(kg.denoise(found, IMAGES), expected)
    assert found.fingerprint() == denoiser.fingerprint()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["network", "baseline"])
def test_an_inference_is_copied_with_its_settings(name, way):
    inference = kg.Inference(DENOISERS[name](), batch_size=3, memory=10**9, pad=True)
    found = WAYS[way](inference)
    assert (found.batch_size, found.memory, found.pad) == (3, 10**9, True)
    np.testing.assert_array_equal(found.denoise(IMAGES), inference.denoise(IMAGES))


@pytest.mark.parametrize("way", WAYS)
def test_samples_are_copied_and_know_where_their_network_is_from(way):
    denoiser = network(provenance={"data": {"name": "disks"}, "sizes": [12, 12]})
    samples = kg.sample(denoiser, (12, 12), schedule=SCHEDULE)
    found = WAYS[way](samples)
    np.testing.assert_array_equal(found.images, samples.images)
    assert found.facts == samples.facts
    samples.facts["provenance"]["data"]["name"] = "faces"
    assert denoiser.provenance["data"]["name"] == "disks"


def test_the_fingerprint_tells_the_number_type_of_parts():
    plain, rounded = kg.denoisers.DirectDenoiser(network()), DENOISERS["direct in bfloat16"]()
    assert plain.fingerprint() != rounded.fingerprint()


@pytest.mark.one_backend
def test_numbers_of_numpy_make_the_same_network(tmp_path):
    options = {"num_kernels": np.int64(4), "num_layers": np.int16(3), "seed": np.uint8(0)}
    denoiser = kg.BFCNN(**options, first_layer_linear=np.bool_(True))
    assert denoiser.fingerprint() == network().fingerprint()
    kg.save_denoiser(denoiser, tmp_path / "model.keras")
    assert kg.load_denoiser(tmp_path / "model.keras").fingerprint() == denoiser.fingerprint()


def test_precision_is_kept_as_it_was_by_a_file(tmp_path):
    denoiser = DENOISERS["bfloat16"]()
    kg.save_denoiser(denoiser, tmp_path / "model.keras")
    loaded = kg.load_denoiser(tmp_path / "model.keras")
    assert {keras.backend.standardize_dtype(layer.compute_dtype) for layer in loaded.layers} == {
        "float32"
    }
