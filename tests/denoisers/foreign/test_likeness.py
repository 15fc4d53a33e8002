"""Which arrays are the same as those of another machine."""

import json

import numpy as np
import pytest

from keras_gahr.denoisers.foreign.likeness import alike, likeness, roughly

SINES = np.sin(np.outer(np.arange(64), 10 ** -np.linspace(0, 4, 32))).astype(np.float32)
ARRAYS = {
    "sines": SINES,
    "half": SINES.astype(np.float16),
    "complex": np.exp(1j * SINES).astype(np.complex64),
    "whole": np.arange(12).reshape(3, 4),
    "flags": np.arange(5) > 2,
    "zeros": np.zeros(7, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "number": np.float32(3),
    "mask": np.where(np.tri(4, dtype=bool), 0, -np.inf).astype(np.float32),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_like_itself_as_json_keeps_it(name):
    array = np.asarray(ARRAYS[name])
    kept = json.loads(json.dumps(likeness(array)))
    assert alike(kept, array.copy())
    assert not alike(kept, np.stack([array, array]))
    assert not alike(kept, array.astype(np.complex128 if name == "complex" else np.float64))


@pytest.mark.parametrize("name", ["sines", "complex", "number"])
def test_rounding_makes_no_difference(name):
    array = np.asarray(ARRAYS[name])
    rounded = (array * (1 + 2.0**-22)).astype(array.dtype)
    assert alike(likeness(array), rounded)
    np.testing.assert_array_equal(roughly(array), roughly(rounded))


@pytest.mark.parametrize("name", ["sines", "half", "complex", "whole", "flags", "zeros", "mask"])
def test_other_values_are_told_apart(name):
    array = ARRAYS[name]
    one = array.copy()
    one[-1] = not one[-1] if name == "flags" else one[-1] + 1
    for other in (one, array[::-1]) if name not in {"zeros"} else (one,):
        assert not alike(likeness(array), other)
        assert roughly(array).tobytes() != roughly(other).tobytes()


@pytest.mark.parametrize(
    "kept", [None, [], {}, {"shape": [64, 32]}, likeness(SINES) | {"sums": "none"}]
)
def test_what_a_file_says_may_be_anything(kept):
    assert not alike(kept, SINES)
    assert not alike(likeness(SINES) | {"root": [1]}, SINES)
    assert not alike(likeness(SINES) | {"sums": [[1]] * 3}, SINES)
