"""The UNet on noisy images: the time for each of a batch, and that for one alone."""

from keras_gahr.denoisers import Inference

from .case import RIVAL, Target, Way
from .networks import forward_flops, noisy_images, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

THROUGHPUT = {"cpu": {"float32": Target(each=0.95, fastest=0.65)}, "cuda": {}}
LATENCY = {"cpu": {"float32": Target(each=1.1, fastest=0.75)}, "cuda": {}}


def cases(scale=CPU):
    """Yields (name, ways); a unit is an image."""
    flops = forward_flops(unet(scale), scale.side)
    size = f"{scale.side}x{scale.side}"
    with Rival() as rival:
        for name, batch, repeats, targets in (
            (f"denoising {size}, batch {scale.batch}", scale.batch, 1, THROUGHPUT),
            # So often that what PyTorch exports after some calls is exported before the first measurement.
            (f"denoising {size}, one image", 1, 16, LATENCY),
        ):
            ways = {
                RIVAL: rival.way(
                    "denoising",
                    repeats,
                    repeats * batch,
                    flops=flops,
                    device=scale.device,
                    kernels=scale.kernels,
                    blocks=scale.blocks,
                    side=scale.side,
                    batch=batch,
                )
            }
            for precision in scale.precisions:
                function = Denoise(scale, precision, batch, repeats)
                target = targets[scale.device].get(precision)
                ways[precision] = Way(function, repeats * batch, target, precision, flops)
            yield name, ways


class Denoise:
    """Denoises a batch some times a call, with norms folded into the weights."""

    def __init__(self, scale, precision, batch, repeats):
        self.scale = scale
        self.precision = precision
        self.repeats = repeats
        self.noisy = noisy_images(batch, scale.side)
        self.inference = None

    def __call__(self):
        with computing_in(self.precision):
            if self.inference is None:
                self.inference = Inference(unet(self.scale, self.precision), len(self.noisy))
            for _ in range(self.repeats):
                self.inference.denoise(self.noisy)
