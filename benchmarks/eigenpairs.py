"""The 64 largest eigenpairs of the UNet's symmetrized Jacobian, against the whole Jacobian in PyTorch.

Both are put together from a part of the work: the Jacobian from some rows or columns; this package's pairs
from some products with the Jacobian and its transpose, and from a whole run of the algorithm on a diagonal
matrix with the eigenvalues of a trained denoiser, which says how many products it takes.
"""

import time

import numpy as np

from keras_gahr.analysis import Linearizer
from keras_gahr.analysis.krylov import eigenpairs

from .case import Target, Way
from .jacobian import whole
from .networks import noisy_images, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

COUNT, TOLERANCE = 64, 0.006
# Of faces of 80x80 at sigma 0.15 (arXiv 2310.02557, figure 3).
PLACES = (5, 17, 41, 65, 89, 113, 137, 161, 185, 209, 233, 245)
FACTORS = (1.244, 1.115, 1.008, 0.930, 0.857, 0.792, 0.718, 0.663, 0.612, 0.569, 0.530, 0.510)
# Vectors in a block of the methods of `keras_gahr.analysis.eigenbasis`.
BLOCKS = {"lanczos": 1, "randomized": 4}
# Of the method that is the default.
TARGETS = {"cpu": {"randomized": Target(each=0.08)}, "cuda": {}}


def cases(scale=CPU):
    """Yields (name, ways); a unit is a basis, or the Jacobian that one would be computed from."""
    side = scale.side
    with Rival() as rival:
        ways = whole(rival, scale, side)
        for method, block in BLOCKS.items():
            ways[method] = Way(Basis(scale, block), 1, TARGETS[scale.device].get(method))
        yield f"{COUNT} eigenpairs of {side}x{side}", ways


def spectrum(dimension):
    """The eigenvalues in between and beyond, which fall like a power of their place."""
    places = np.arange(1, dimension + 1)
    factors = np.exp(np.interp(np.log(places), np.log(PLACES), np.log(FACTORS)))
    last = places > PLACES[-1]
    slope = np.log(FACTORS[-1] / FACTORS[6]) / np.log(PLACES[-1] / PLACES[6])
    factors[last] = FACTORS[-1] * (places[last] / PLACES[-1]) ** slope
    return factors


class Basis:
    """Seconds that a basis takes.

    Args:
        scale: a `Scale`.
        block: vectors that the method multiplies at once.
    """

    def __init__(self, scale, block):
        self.scale = scale
        self.block = block
        self.jacobian = None

    def __call__(self):
        side = self.scale.side
        with computing_in("float32"):
            if self.jacobian is None:
                self.jacobian = Linearizer(unet(self.scale)).at(noisy_images(1, side)[0])
                # The smaller part, and the same each time.
                self.algorithm, self.vectors = self.run(side**2)
            directions = noisy_images(self.block, side)
            started = time.perf_counter()
            for _ in range(self.scale.block_products):
                self.jacobian.apply(directions)
                self.jacobian.apply_transposed(directions)
            products = (time.perf_counter() - started) / self.scale.block_products
        return self.algorithm + self.vectors / self.block * products

    def run(self, dimension):
        """The algorithm on the diagonal matrix: its seconds, and the vectors multiplied."""
        factors, generator = spectrum(dimension)[:, None], np.random.default_rng(0)
        vectors = 0

        def apply(columns):
            nonlocal vectors
            vectors += columns.shape[1]
            return factors * columns

        start = generator.standard_normal((dimension, self.block))
        count = min(COUNT, dimension)
        started = time.perf_counter()
        eigenpairs(apply, start, count, TOLERANCE, dimension, generator, lambda *_: None)
        return time.perf_counter() - started, vectors
