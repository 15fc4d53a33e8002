"""The whole Jacobian of the UNet at an image, against a backward pass for each row, and for some at once.

To PyTorch all rows cost the same, and so do all batches of them, so that a part says what all take.
"""

import dataclasses

from keras_gahr.analysis import Linearizer

from .case import RIVAL, Target, Way
from .networks import noisy_images, unet
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
    with Rival() as rival:
        ways = whole(rival, scale, side)
        for precision in scale.precisions:
            if precision != "bfloat16":
                target = TARGETS[scale.device].get(precision)
                ways[precision] = Way(Whole(scale, precision), 1, target, precision)
        yield f"Jacobian {side}x{side}", ways


def whole(rival, scale, side):
    """The rival's ways to a Jacobian at an image of this side: some of its rows, or columns."""
    part = min(scale.rows, side**2)
    work = ("jacobian", part, part / side**2)
    options = {"side": side, "chunk": scale.jacobian_batch}
    scale = dataclasses.replace(
        scale, precisions=[each for each in scale.precisions if each != "bfloat16"]
    )
    return {
        RIVAL: rival.network_way(scale, *work, method="rows", **options),
        **rival.network_ways(scale, *work, runnings=RUNNINGS, **options),
    }


class Whole:
    """The Jacobian; what it needs is compiled in the first call."""

    def __init__(self, scale, precision):
        self.scale = scale
        self.precision = precision
        self.jacobian = None

    def __call__(self):
        with computing_in(self.precision):
            if self.jacobian is None:
                linearizer = Linearizer(unet(self.scale), self.scale.jacobian_batch)
                self.jacobian = linearizer.at(noisy_images(1, self.scale.jacobian_side)[0])
            self.jacobian.matrix()
