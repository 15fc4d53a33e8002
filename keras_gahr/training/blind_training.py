"""The training objective as a Keras model, so that stock `fit` runs it on every backend."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr._backend import convolution, parallel
from keras_gahr.denoisers import Denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw
from keras_gahr.psnr import psnr_of_error

from .data.device_images import DeviceImages
from .optimizers import build_optimizer
from .settings import TrainingSettings


def compiled_training(
    denoiser: Denoiser,
    settings: TrainingSettings,
    steps_per_epoch: int,
    images: DeviceImages | None = None,
) -> BlindTraining:
    """The training of a denoiser, compiled and with its optimizer built.

    Args:
        denoiser: a `Denoiser` that computes in the precision of the settings.
        settings: `TrainingSettings`.
        steps_per_epoch: steps in an epoch, which the learning rate's schedule counts in.
        images: see `BlindTraining`.

    Returns:
        A `BlindTraining`.

    Raises:
        InputError: if the step is to be compiled on PyTorch.
    """
    if settings.jit_compile and keras.backend.backend() == "torch":
        raise InputError(
            "received jit_compile on PyTorch, which takes minutes to trace these networks or fails: leave it "
            "out, or train on TensorFlow or JAX"
        )
    model = BlindTraining(denoiser, settings.noise_law, settings.seed, settings.rescale, images)
    jit_compile = settings.jit_compile
    model.compile(
        optimizer=build_optimizer(settings, steps_per_epoch),
        jit_compile=_backend.jit_compile() if jit_compile is None else jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    model.optimizer.build(model.trainable_variables)
    return model


class BlindTraining(keras.Model):
    """A denoiser together with the noise it is trained on (paper, section 2 and appendix A.1).

    Each image x gets a noise level sigma drawn from the noise law and becomes y = x + sigma z with
    z ~ N(0, I). The loss is the squared error of the residual, |r(y) - sigma z|^2, summed over pixels
    and channels and averaged over the batch.

    The noise is added inside `call`, which returns the error r(y) - sigma z, so that a step runs the
    network once. Input: clean images `(batch, height, width, channels)`, float32 on [0, 1], or a
    dictionary of `clean` and the `noise` to add to them. A model that holds the images takes their
    indices `(batch,)` in place of clean images.

    A network that is to compute the clean image in place of the noise is trained by the same error:
    give it as a `DirectDenoiser`.

    Args:
        denoiser: a `Denoiser`.
        noise_law: a `NoiseLaw`; by default the paper's.
        seed: of the noise and the scales.
        rescale: multiply each clean image by a factor drawn uniformly on [0, 1), unless the noise is
            given with it.
        images: `DeviceImages` that batches of indices belong to, or None.

    Examples:
        >>> import keras_gahr as kg
        >>> from keras_gahr.training import Adam, BlindTraining
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2)
        >>> model = BlindTraining(denoiser)
        >>> model.compile(optimizer=Adam())
        >>> model.denoiser is denoiser, model.noise_law.name
        (True, 'quadratic')
    """

    def __init__(
        self,
        denoiser: Denoiser,
        noise_law: NoiseLaw | None = None,
        seed: int = 0,
        rescale: bool = False,
        images: DeviceImages | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.denoiser = denoiser
        self.noise_law = noise_law or NoiseLaw()
        self.rescale = rescale
        self.images = images
        # Generators with unrelated seeds: on PyTorch a generator's n-th draw is seeded with
        # seed + n, so that neighbouring seeds share draws.
        level_seed, noise_seed, scale_seed = _unrelated_seeds(seed, 3)
        self.level_generator = keras.random.SeedGenerator(level_seed)
        self.noise_generator = keras.random.SeedGenerator(noise_seed)
        self.scale_generator = keras.random.SeedGenerator(scale_seed)
        self.psnr = keras.metrics.Mean(name="psnr", dtype="float32")
        # Or TensorFlow's `fit` would try it on the mean of what the devices get, be it indices.
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Nothing is left to build: the denoiser is."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if isinstance(inputs, dict):
            clean, noise = inputs["clean"], inputs["noise"]
        else:
            images = inputs if self.images is None else self.images(inputs)
            clean = images * self.draw_scale(images) if self.rescale else images
            noise = self.draw_noise(images)
        with convolution.learning() if training else contextlib.nullcontext():
            residual = self.denoiser(clean + noise, training=training)
        # In float32, whatever the network computes in.
        return ops.cast(residual, noise.dtype) - noise[..., -self.denoiser.output_channels :]

    def draw_scale(self, images: Any) -> Any:
        """A factor for each image, `(batch, 1, 1, 1)`, from the model's generator."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        return self._draw(keras.random.uniform, shape, self.scale_generator)

    def draw_noise(self, images: Any) -> Any:
        """sigma z for each image, from the model's generators; none on channels that are a condition."""
        batch, height, width, _ = ops.shape(images)
        channels = self.denoiser.output_channels
        uniform = self._draw(keras.random.uniform, (batch, 1, 1, 1), self.level_generator)
        normal = self._draw(
            keras.random.normal, (batch, height, width, channels), self.noise_generator
        )
        noise = self.noise_law.sigma(uniform) * normal
        condition = self.denoiser.input_channels - channels
        return ops.pad(noise, [(0, 0), (0, 0), (0, 0), (condition, 0)]) if condition else noise

    def _draw(self, distribution, shape, generator):
        """Random numbers for this replica's images: its part of what is drawn for the whole batch.

        So the numbers do not depend on how many devices share a batch, and the generators, which
        draw the same in all replicas, stay in step.
        """
        index, count = parallel.replica()
        batch = shape[0]
        whole = count * batch, *shape[1:]
        if keras.backend.backend() == "jax":
            # The same numbers, but XLA takes a second more to compile a draw of several short axes.
            in_a_row = distribution((math.prod(whole),), dtype="float32", seed=generator)
            drawn = ops.reshape(in_a_row, whole)
        else:
            drawn = distribution(whole, dtype="float32", seed=generator)
        return drawn[index * batch : (index + 1) * batch] if count > 1 else drawn

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        loss = ops.sum(ops.square(y_pred)) / ops.cast(ops.shape(y_pred)[0], "float32")
        return parallel.replica_loss(loss)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        # The denoised image differs from the clean one by the same error, with the other sign.
        self.psnr.update_state(parallel.mean_over_replicas(psnr_of_error(y_pred)))
        return self.get_metrics_result()


def _unrelated_seeds(seed, count):
    # The generators keep their state as signed 32-bit numbers on some backends.
    return [int(word) >> 1 for word in np.random.SeedSequence(seed).generate_state(count)]
