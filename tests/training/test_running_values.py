"""Running values of norms for averages of weights."""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import relative_difference

from keras_gahr import BFCNN, Denoiser, build_denoiser, load_denoiser
from keras_gahr.denoisers.properties import normalizations
from keras_gahr.noise import NoiseLaw
from keras_gahr.training import BlindTraining, TrainingSettings, run_training
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches
from keras_gahr.training.running_values import RunningValues


def batches_of(images):
    """Two batches of images with their noise, which are the same on every backend."""
    return NoisyBatches(images, NoiseLaw(), 6, seed=1)


def outputs_of(layers, batches):
    """What these layers return for each batch."""
    for number in range(len(batches)):
        x = ops.convert_to_tensor(batches[number]["clean"] + batches[number]["noise"])
        for layer in layers:
            x = layer(x)
        yield ops.convert_to_numpy(ops.stop_gradient(x))


def test_deviations_are_the_means_of_those_of_batches(smooth_images):
    """For weights that no batch was trained with; nothing else is changed."""
    denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
    (norm,) = normalizations(denoiser)
    layers = denoiser.layers[1 : denoiser.layers.index(norm)]
    before = [ops.convert_to_numpy(value) for value in denoiser.trainable_variables]
    batches = batches_of(smooth_images(12, 8, 8))
    RunningValues(BlindTraining(denoiser), batches).measure()
    deviations = [
        np.sqrt(values.var(axis=(0, 1, 2)) + norm.epsilon) for values in outputs_of(layers, batches)
    ]
    assert relative_difference(deviations[0], deviations[1]) > 0.01
    found = ops.convert_to_numpy(norm.running_sd)
    assert relative_difference(found, np.mean(deviations, axis=0)) < tolerances.OUTPUT
    assert norm.momentum == 0.9
    for value, old in zip(denoiser.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(value), old)


def test_values_are_of_the_weights_of_now(smooth_images):
    """And the same each time, with noise that is."""
    denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
    (norm,) = normalizations(denoiser)
    images = smooth_images(12, 8, 8)
    values = RunningValues(BlindTraining(denoiser), TiledBatches(images, 12, 6, seed=1))
    weights, found = denoiser.trainable_variables[0], []
    first = ops.convert_to_numpy(weights)
    for factor in (1, 2, 1):
        weights.assign(factor * first)
        values.measure()
        found.append(ops.convert_to_numpy(norm.running_sd))
    assert np.median(found[1] / found[0]) == pytest.approx(2, rel=1e-3)
    np.testing.assert_array_equal(found[2], found[0])


@pytest.mark.one_backend
def test_norms_of_keras_inside_of_layers(smooth_images):
    """As they are in classes of others."""

    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = keras.layers.BatchNormalization()

        def call(self, images, training=False):
            return self.norm(images, training=training)

    block = Block()
    inputs = keras.Input((None, None, 1))
    outputs = keras.layers.Conv2D(1, 3, padding="same")(block(inputs))
    denoiser = Denoiser(inputs, outputs, seed=0, provenance=None, name="normed")
    batches = batches_of(smooth_images(12, 8, 8))
    RunningValues(BlindTraining(denoiser), batches).measure()
    noisy = list(outputs_of([], batches))
    mean, variance = (np.mean([statistic(x) for x in noisy]) for statistic in (np.mean, np.var))
    assert float(block.norm.moving_mean[0]) == pytest.approx(mean, rel=1e-5)
    assert float(block.norm.moving_variance[0]) == pytest.approx(variance, rel=1e-5)


@pytest.mark.one_backend
def test_a_network_without_running_values_is_left_as_it_is():
    denoiser = build_denoiser("unet-flex", num_blocks=1, num_kernels=2, norm="none", num_channels=1)
    RunningValues(BlindTraining(denoiser), batches=None).measure()


def test_the_average_of_a_lively_training_denoises(tmp_path, smooth_images):
    """With deviations of the weights of its last step, those in the average would be too large."""
    images = smooth_images(40, 8, 8)
    settings = TrainingSettings(
        epochs=2,
        images_per_epoch=320,
        batch_size=8,
        learning_rate=0.03,
        schedule="constant",
        ema=0.95,
    )
    denoiser = BFCNN(num_layers=4, num_kernels=8, seed=0)
    result = run_training(denoiser, images[:32], images[32:], settings, tmp_path / "run")
    last = result.history[-1]
    kept = load_denoiser(tmp_path / "run" / "model.keras")
    training = BlindTraining(kept)
    training.compile()
    tests = NoisyBatches(images[32:], settings.noise_law, settings.batch_size, settings.seed)
    # What was tested is what was kept.
    loss = training.evaluate(tests, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(last["test_loss"], rel=1e-4)
    old = [ops.convert_to_numpy(value) for value in kept.non_trainable_variables]
    batches = TiledBatches(images[:32], 320, 8, settings.seed)
    noised = BlindTraining(kept, settings.noise_law, settings.seed, settings.rescale)
    RunningValues(noised, batches).measure()
    for value, before in zip(kept.non_trainable_variables, old, strict=True):
        assert relative_difference(ops.convert_to_numpy(value), before) < 1e-5
