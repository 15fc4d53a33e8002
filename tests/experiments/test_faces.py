import numpy as np
import pytest

from keras_gahr.datasets import load, make_array
from keras_gahr.errors import InputError
from keras_gahr.experiments.faces import FaceSettings, describe_images
from keras_gahr.experiments.networks import NetworkSettings, check_set_sizes
from keras_gahr.reproduction.plan import DatasetFolder, DatasetTask

SETTINGS = NetworkSettings(images=100)


def images_of(size, count, faces):
    return FaceSettings().images(SETTINGS, size, count, faces)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    np.save(folder / "a.npy", np.random.default_rng(0).random((30, 16, 16, 1), np.float32))
    dataset = make_array(folder / "a.npy", folder / "set")
    return DatasetFolder(str(folder / "set"), dataset.manifest["sha256"])


def test_without_faces_synthetic_images_stand_in():
    task = images_of(16, 100, None)
    assert task == DatasetTask("c_alpha", {"count": 100, "size": 16, "seed": 0, "alpha": 2.0})


def test_faces_of_the_size_are_taken_and_larger_ones_reduced(faces):
    assert images_of(16, 30, faces) is faces
    task = images_of(8, 30, faces)
    assert task == DatasetTask("resized", {"dataset": faces, "size": 8})


@pytest.mark.parametrize(
    ("size", "count", "words"), [(16, 31, "30 images in"), (5, 10, "multiple")]
)
def test_faces_that_do_not_fit_are_refused(faces, size, count, words):
    with pytest.raises(InputError, match=words):
        images_of(size, count, faces)


def test_more_synthetic_images_than_are_made_are_refused():
    with pytest.raises(InputError, match="images = 100, expected at least 101"):
        images_of(16, 101, None)


@pytest.mark.parametrize("sizes", [(), (10,), (10, 1), (0, 10), (5, 5)])
def test_set_sizes_must_ascend(sizes):
    with pytest.raises(InputError, match="set sizes"):
        check_set_sizes(sizes)


def test_the_halves_start_from_other_weights_and_defaults_are_not_named():
    images = images_of(16, 100, None)
    a, b = (SETTINGS.training("x", images, 10, half, num_layers=None) for half in "AB")
    assert a.options["seed"] != b.options["seed"]
    assert a.folder != b.folder
    assert "num_layers" not in a.options


def test_the_report_says_that_images_stand_in(faces):
    assert "given dataset" in describe_images(load(faces.path))
