"""The UNet on noisy images: the time for each of a batch, and that for one alone, of two sizes."""

import keras

from keras_gahr.denoisers import Inference

from .case import Target, Way
from .networks import forward_flops, noisy_images, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

BATCHES = {80: Target(each=1.0, fastest=0.8), 40: Target(fastest=0.9)}
ALONE = {80: Target(each=1.0, fastest=0.65), 40: Target(each=1.2, fastest=0.9)}
"""By the side of the image."""


def cases(scale=CPU):
    """Yields (name, ways); a unit is an image."""
    network = unet(scale)
    with Rival() as rival:
        for side, batch, repeats in scale.denoised:
            flops = forward_flops(network, side)
            sizes = {"side": side, "batch": batch}
            work = ("denoising", repeats, repeats * batch, flops)
            ways = rival.network_ways(scale, *work, **sizes)
            for precision in scale.precisions:
                function = Denoise(scale, precision, side, batch, repeats)
                target = target_of(scale, precision, side, batch)
                ways[precision] = Way(function, repeats * batch, target, precision, flops)
            yield (
                f"denoising {side}x{side}, {'one image' if batch == 1 else f'batch {batch}'}",
                ways,
            )


def target_of(scale, precision, side, batch):
    """What is asked of a number of images of this side, or None."""
    if scale.device != "cpu" or precision != "float32":
        return None
    return (ALONE if batch == 1 else BATCHES).get(side)


class Denoise:
    """Denoises a batch some times a call, with norms folded into the weights."""

    def __init__(self, scale, precision, side, batch, repeats):
        self.scale = scale
        self.precision = precision
        self.repeats = repeats
        self.noisy = noisy_images(batch, side)
        self.inference = None

    def __call__(self):
        with computing_in(self.precision):
            repeats = self.repeats
            if self.inference is None:
                self.inference = Inference(unet(self.scale, self.precision), len(self.noisy))
                repeats = max(repeats, calls_before_fastest())
            for _ in range(repeats):
                self.inference.denoise(self.noisy)


def calls_before_fastest():
    """How many calls come before those of the least time: PyTorch exports a network after some."""
    if keras.backend.backend() != "torch":
        return 1
    from keras_gahr._backend.convolution.torch_program import CALLS_BEFORE_EXPORT

    return CALLS_BEFORE_EXPORT + 1
