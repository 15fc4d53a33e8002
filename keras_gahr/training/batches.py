"""Batches of images for training and testing."""

import keras
import numpy as np

from keras_gahr.datasets.arrays import take
from keras_gahr.noise import keyed_normal, keyed_uniform


class TiledBatches(keras.utils.PyDataset):
    """Clean images in random order, the whole set several times in an epoch.

    The order of epoch e depends on (seed, e) only. The last batch of an epoch may be smaller, or one
    image larger: a single one left over joins the batch before, since its statistics would be poor and
    PyTorch's convolutions fail on a single small image.

    Args:
        images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1]; wavelet bands too.
        images_per_epoch: each image comes `images_per_epoch // count` times, at least once.
        batch_size: images in a batch.
        seed: of the order.
    """

    def __init__(self, images, images_per_epoch, batch_size, seed):
        super().__init__()
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.tiles = max(1, images_per_epoch // len(images))
        self._order = self._shuffle()

    @property
    def images_per_epoch(self):
        return self.tiles * len(self.images)

    def _shuffle(self):
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.images_per_epoch)
        return order % len(self.images)

    def __len__(self):
        full, rest = divmod(self.images_per_epoch, self.batch_size)
        return full + (rest > 1 or (rest == 1 and full == 0))

    def __getitem__(self, index):
        start = index * self.batch_size
        stop = start + self.batch_size if index + 1 < len(self) else None
        chosen = self._order[start:stop]
        return take(self.images, chosen, limits=None)

    def on_epoch_end(self):
        self.epoch += 1
        self._order = self._shuffle()


class NoisyBatches(keras.utils.PyDataset):
    """Each image once, in order, with noise that is the same in every epoch and on every backend.

    Args:
        images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1]; wavelet bands too.
        noise_law: the `NoiseLaw` of the noise levels.
        batch_size: images in a batch.
        seed: of the noise; an image's noise depends on it and on the image's index only.
        condition: how many channels, from the first, are a condition and get no noise.
    """

    def __init__(self, images, noise_law, batch_size, seed, condition=0):
        super().__init__()
        self.images = images
        self.noise_law = noise_law
        self.batch_size = batch_size
        self.seed = seed
        self.condition = condition

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        clean = take(self.images, slice(start, start + self.batch_size), limits=None)
        chosen = range(start, start + len(clean))
        sigma = self.noise_law.sigma(keyed_uniform(self.seed, chosen, 0))
        noise = keyed_normal(self.seed, chosen, 1, clean.shape[1:])
        noise[..., : self.condition] = 0
        return {"clean": clean, "noise": sigma.astype(np.float32)[:, None, None, None] * noise}
