"""Images from the prior in the UNet, in one batch, against PyTorch and the published loop over images."""

import dataclasses
import math

from keras_gahr.sampling import AscentSchedule, prepare, sample

from .case import RIVAL, Target, Way
from .denoising import calls_before_fastest
from .networks import forward_flops, unet
from .precision import computing_in
from .rival import RUNNINGS, Rival
from .scale import CPU

TARGETS = {
    "cpu": {"float32": Target(each=0.8, plain=0.45)},
    "cuda": {"bfloat16": Target(plain=1 / 20)},
}


def cases(scale=CPU):
    """Yields (name, ways); a unit is an image."""
    # One pass more denoises the last image.
    flops = (scale.drawn_steps + 1) * forward_flops(unet(scale), scale.drawn_side)
    size = f"{scale.drawn_side}x{scale.drawn_side}"
    with Rival() as rival:
        for count in scale.drawn:
            sizes = {"side": scale.drawn_side, "steps": scale.drawn_steps}
            work = ("sampling", scale.drawn_one_by_one, None, flops)
            plain = rival.network_way(scale, *work, at_once=1, **sizes)
            work = ("sampling", count, None, flops)
            # What takes one image at a time is no rival in a batch.
            ways = {RIVAL: plain._replace(rival=False)}
            ways |= rival.network_ways(scale, *work, at_once=count, **sizes)
            fast = RUNNINGS["compiled" if "float32" in scale.compiled else "channels-last"]
            work = ("diffusion", count, None, flops)
            options = {"precision": "float32", "at_once": count, **sizes, **fast}
            ways["diffusers, float32"] = rival.network_way(scale, *work, **options)
            for precision in scale.precisions:
                target = TARGETS[scale.device].get(precision)
                function = Draw(scale, precision, count)
                ways[precision] = Way(function, count, target, precision, flops)
            yield f"sampling {count} of {size}, {scale.drawn_steps} steps", ways


class Draw:
    """Draws images in one batch; compiled in the first call."""

    def __init__(self, scale, precision, count):
        self.scale = scale
        self.precision = precision
        self.count = count
        self.prepared = None

    def __call__(self):
        side, steps = self.scale.drawn_side, self.scale.drawn_steps
        shape, repeats = (side, side, 1), 1
        schedule = EveryStep(beta=0.1, max_steps=steps)
        with computing_in(self.precision):
            if self.prepared is None:
                self.denoiser = unet(self.scale, self.precision)
                self.prepared = prepare(self.denoiser, shape, schedule=schedule)
                repeats = math.ceil(calls_before_fastest() / steps)
            for _ in range(repeats):
                samples = sample(
                    self.denoiser,
                    shape,
                    count=self.count,
                    batch_size=self.count,
                    schedule=schedule,
                    prepared=self.prepared,
                )
        assert samples.steps.tolist() == [steps] * self.count


@dataclasses.dataclass(frozen=True)
class EveryStep(AscentSchedule):
    """Takes all steps, although an untrained network sees no noise."""

    def active(self, sigma):
        return sigma >= 0
