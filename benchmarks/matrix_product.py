"""The rate at which the device multiplies large matrices, as a measure of what it could do."""

import time

import numpy as np
from keras import ops

from .precision import computing_in

SIZE, REPEATS, ROUNDS = 8192, 10, 5


def product_rate(precision, size=SIZE):
    """Floating-point operations a second in products of square matrices, the best of some rounds.

    Args:
        precision: "float32", "TF32" or "bfloat16".
        size: of the matrices.
    """
    dtype = "bfloat16" if precision == "bfloat16" else "float32"
    # Of mean square 1 / size, so that repeated products neither grow nor vanish.
    values = np.random.default_rng(0).standard_normal((size, size), np.float32) / size**0.5
    with computing_in(precision):
        matrix = ops.cast(ops.convert_to_tensor(values), dtype)
        seconds = [_seconds(matrix) for _ in range(ROUNDS + 1)]
    return 2 * size**3 * REPEATS / min(seconds[1:])


def _seconds(matrix):
    started = time.perf_counter()
    product = matrix
    for _ in range(REPEATS):
        product = ops.matmul(product, matrix)
    # One number on the host means that all products are done.
    ops.convert_to_numpy(ops.cast(product[0, 0], "float32"))
    return time.perf_counter() - started
