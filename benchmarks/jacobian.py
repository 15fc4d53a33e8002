"""The whole Jacobian of the UNet at an image, against one backward pass for each row.

All rows cost the same, and so do all batches of columns, so that a part of them says what all take.
"""

import numpy as np

from keras_gahr.analysis import Linearizer

from .case import RIVAL, Target, Way
from .networks import forward_flops, noisy_images, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

TARGETS = {"cpu": {"float32": Target(fastest=0.6)}, "cuda": {"TF32": Target(seconds=5)}}


def cases(scale=CPU):
    """Yields (name, ways); a unit is a Jacobian."""
    side = scale.jacobian_side
    columns = min(scale.columns or side**2, side**2)
    # Frozen gates: a pass for each column.
    flops = side**2 * forward_flops(unet(scale), side)
    with Rival() as rival:
        ways = {RIVAL: rows(rival, scale, side)}
        for precision in scale.precisions:
            if precision != "bfloat16":
                function = Columns(scale, precision, columns)
                target = TARGETS[scale.device].get(precision)
                ways[precision] = Way(function, columns / side**2, target, precision, flops)
        yield f"Jacobian {side}x{side}", ways


def rows(rival, scale, side):
    """The rival's way to a Jacobian at an image of this side: some of its rows."""
    return rival.way(
        "jacobian",
        scale.rows,
        scale.rows / side**2,
        device=scale.device,
        kernels=scale.kernels,
        blocks=scale.blocks,
        side=side,
    )


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
