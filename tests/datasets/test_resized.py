import numpy as np
import pytest

from keras_gahr.datasets import load, make_c_alpha
from keras_gahr.datasets.resized import block_means, make_resized
from keras_gahr.errors import InputError


def test_pixels_are_means_over_blocks(tmp_path):
    source = make_c_alpha(tmp_path / "large", 10, 12, 0, 2.0)
    made = make_resized(tmp_path / "large", tmp_path / "small", 4)
    assert made.images.shape == (10, 4, 4, 1)
    expected = source.images[3, 3:6, 9:12].mean()
    assert made.images[3, 1, 3, 0] == pytest.approx(expected, abs=1e-6)
    parameters = load(tmp_path / "small").manifest["parameters"]
    assert parameters["size"] == 4
    assert parameters["source"]["sha256"] == source.manifest["sha256"]


@pytest.mark.parametrize(("shape", "size"), [((2, 12, 8, 1), 4), ((2, 12, 12, 1), 5)])
def test_blocks_must_fit(shape, size):
    with pytest.raises(InputError, match="multiple"):
        block_means(np.zeros(shape), size)


def test_nothing_is_left_of_what_was_refused(tmp_path):
    make_c_alpha(tmp_path / "large", 10, 12, 0, 2.0)
    with pytest.raises(InputError, match="multiple"):
        make_resized(tmp_path / "large", tmp_path / "small", 24)
    assert not (tmp_path / "small").exists()
