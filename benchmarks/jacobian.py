"""The whole Jacobian of the UNet at an image, against a backward pass for each row, and for some at once.

All rows cost the same, and so do all batches of columns, so that a part of them says what all take.
"""

import dataclasses

import numpy as np

from keras_gahr.analysis import Linearizer

from .case import RIVAL, Target, Way
from .networks import forward_flops, noisy_images, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

RUNNINGS = {
    "jacrev": {"method": "jacrev"},
    "vmap(jvp)": {"method": "jvp"},
}
"""PyTorch's ways to take several rows, or columns, at once."""

TARGETS = {"cpu": {"float32": Target(fastest=0.6)}, "cuda": {"TF32": Target(seconds=5)}}


def cases(scale=CPU):
    """Yields (name, ways); a unit is a Jacobian."""
    side = scale.jacobian_side
    columns = min(scale.columns or side**2, side**2)
    # Frozen gates: a pass for each column.
    flops = side**2 * forward_flops(unet(scale), side)
    with Rival() as rival:
        ways = whole(rival, scale, side)
        for precision in scale.precisions:
            if precision != "bfloat16":
                function = Columns(scale, precision, columns)
                target = TARGETS[scale.device].get(precision)
                ways[precision] = Way(function, columns / side**2, target, precision, flops)
        yield f"Jacobian {side}x{side}", ways


def whole(rival, scale, side):
    """The rival's ways to a Jacobian at an image of this side: some of its rows, or columns."""
    part = min(scale.rows, side**2)
    work = ("jacobian", part, part / side**2)
    options = {"side": side, "chunk": scale.column_batch}
    scale = dataclasses.replace(
        scale, precisions=[each for each in scale.precisions if each != "bfloat16"]
    )
    return {
        RIVAL: rival.network_way(scale, *work, method="rows", **options),
        **rival.network_ways(scale, *work, runnings=RUNNINGS, **options),
    }


class Columns:
    """The first columns of the Jacobian; what they need is compiled in the first call."""

    def __init__(self, scale, precision, columns):
        self.scale = scale
        self.precision = precision
        self.columns = columns
        self.jacobian = None

    def __call__(self):
        side = self.scale.jacobian_side
        with computing_in(self.precision):
            if self.jacobian is None:
                linearizer = Linearizer(unet(self.scale), self.scale.column_batch)
                self.jacobian = linearizer.at(noisy_images(1, side)[0])
            if self.columns == side**2:
                self.jacobian.matrix()
            else:
                directions = np.eye(self.columns, side**2, dtype=np.float32)
                self.jacobian.apply(directions.reshape(-1, side, side, 1))
