"""What tests of callbacks share."""

import pytest

from keras_gahr import BFCNN
from keras_gahr.training import TrainingSettings
from keras_gahr.training.blind_training import compiled_training
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches

SETTINGS = TrainingSettings(epochs=4, images_per_epoch=8, batch_size=4, learning_rate=3e-3)


@pytest.fixture
def fit(smooth_images):
    """A function that trains a small denoiser with some callbacks, from one epoch to another.

    It goes on with the same one when it is called again.
    """
    images = smooth_images(8, 8, 8)
    model = compiled_training(BFCNN(num_layers=3, num_kernels=2, seed=0), SETTINGS, 2)

    def run(callbacks, first=0, last=2):
        model.fit(
            TiledBatches(images[:4], 8, 4, seed=0),
            initial_epoch=first,
            epochs=last,
            validation_data=NoisyBatches(images[4:], SETTINGS.noise_law, 4, seed=0),
            shuffle=False,
            callbacks=callbacks,
            verbose=0,
        )
        return model.denoiser

    return run
