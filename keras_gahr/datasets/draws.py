"""Random numbers for the synthetic families: image i gets the same ones whatever is drawn with it.

Philox makes its numbers from a key and a counter, four for each count. The key is the seed and the
name of a family, so that no two families, and no family and the sampler, share numbers; every image
has counts of its own.
"""

import numpy as np
import scipy.special


def raw(family: str, seed: int, start: int, count: int, each: int) -> np.ndarray:
    """Uniform 64-bit integers for the images start, ..., start + count - 1.

    Args:
        family: name of at most 8 letters.
        seed: integer in [0, 2^64).
        start: index of the first image.
        count: number of images.
        each: integers for each image.

    Returns:
        uint64 (count, each).
    """
    counts = -(-each // 4)
    # An array of uint64, since NumPy would make floats of a list with numbers above 2^63.
    key = np.array([seed, int.from_bytes(family.encode())], np.uint64)
    numbers = np.random.Philox(key=key, counter=counts * start).random_raw(count * 4 * counts)
    return numbers.reshape(count, 4 * counts)[:, :each]


def uniform(family: str, seed: int, start: int, count: int, each: int) -> np.ndarray:
    """Uniform numbers on [0, 1), float64 (count, each); arguments as for `raw`."""
    return to_uniform(raw(family, seed, start, count, each))


def to_uniform(integers: np.ndarray) -> np.ndarray:
    """Uniform numbers on [0, 1) of 53 bits, from 64-bit integers of any shape."""
    return (integers >> np.uint64(11)) * 2.0**-53


def to_normal(integers: np.ndarray) -> np.ndarray:
    """Standard normal numbers from 64-bit integers of any shape, the quantiles of uniform ones.

    None is beyond 8.3, since the uniform ones are the middles of 2^52 intervals.
    """
    return scipy.special.ndtri(((integers >> np.uint64(12)) + 0.5) * 2.0**-52)
