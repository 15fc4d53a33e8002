"""Training steps of the UNet: the compiled model that `gahr train` fits, from batches like its own."""

import numpy as np

from keras_gahr import _backend
from keras_gahr.training import TrainingSettings
from keras_gahr.training.blind_training import compiled_training
from keras_gahr.training.conditions import goes_on_device
from keras_gahr.training.data.batches import TiledBatches
from keras_gahr.training.data.device_images import DeviceImages

from .case import Target, Way
from .networks import forward_flops, unet
from .precision import computing_in
from .rival import Rival
from .scale import CPU

TARGETS = {
    "cpu": {"float32": Target(each=1.05, backends={"jax": 1.2}, fastest=0.9)},
    "cuda": {"bfloat16": Target(plain=0.5, share=0.3)},
}


def cases(scale=CPU):
    """Yields (name, ways); a unit is an image."""
    images = scale.steps * scale.batch
    # Backward, the gradients of inputs and of weights cost a pass each.
    flops = 3 * forward_flops(unet(scale), scale.side)
    with Rival() as rival:
        sizes = {"side": scale.side, "batch": scale.batch}
        ways = rival.network_ways(scale, "training", scale.steps, images, flops, **sizes)
        for precision in scale.precisions:
            target = TARGETS[scale.device].get(precision)
            ways[precision] = Way(Fit(scale, precision), images, target, precision, flops)
        yield f"training {scale.side}x{scale.side}, batch {scale.batch}", ways


class Fit:
    """Fits some steps a call; the model is made and compiled in the first one."""

    def __init__(self, scale, precision):
        self.scale = scale
        self.precision = precision
        self.model = None

    def __call__(self):
        with computing_in(self.precision):
            if self.model is None:
                self._prepare()
            # An epoch ends with its metrics on the host, so that its steps are over.
            self.model.fit(_backend.fed(self.batches), shuffle=False, verbose=0)

    def _prepare(self):
        scale = self.scale
        count = scale.steps * scale.batch
        shape = (count, scale.side, scale.side, 1)
        images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        settings = TrainingSettings(images_per_epoch=count, batch_size=scale.batch)
        denoiser = unet(scale, self.precision)
        on_device = goes_on_device(denoiser, images, settings)
        self.batches = TiledBatches(images, count, scale.batch, seed=0, as_indices=on_device)
        self.model = compiled_training(
            denoiser, settings, scale.steps, DeviceImages(images) if on_device else None
        )
