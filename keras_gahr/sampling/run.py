"""A sampler on one batch of images."""

import functools

import keras
import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr.denoisers import Inference

from .noise_levels import LEAST_SEEN, residual_level
from .samples import Samples

_LEAST_TOLD = 1e-6
"""A network is told no lower noise level: it may take its logarithm."""


class SamplerRun:
    """Runs a sampler, its step compiled once for each batch shape.

    Where a batch does not fit the memory, the residual is computed as `Inference` does it, of fewer
    images at a time or in tiles, and the rest of a step, which takes little, of the whole batch.

    Args:
        denoiser: a `Denoiser`, whose weights are those of now; see `refold`.
        measurement: a `Measurement`.
        sampler, method: the name of a `Sampler`, and this itself.
        schedule: of the class that the method has.
        final_denoise: whether to denoise the last image.
        memory: see `Inference`.
    """

    def __init__(
        self, denoiser, measurement, sampler, method, schedule, final_denoise, memory=None
    ):
        self.measurement = measurement
        self.sampler = sampler
        self.method = method
        self.schedule = schedule
        self.final_denoise = final_denoise
        self._denoiser = denoiser
        low, high = denoiser.limits
        self._limits = max(low, _LEAST_TOLD), high
        self._inference = Inference(denoiser, memory=memory)
        self._compiled_step = _backend.compile_inference(self._inference.network, self._step_of)

    def refold(self):
        """Takes over the denoiser's weights again, after they have changed; compiles nothing."""
        self._inference.refold()

    def __call__(
        self,
        images,
        shape,
        noise,
        *,
        initial,
        measured,
        condition,
        callback,
        trajectory,
        report,
        check_every,
    ):
        """The `Samples` of a batch; arguments as for `sample`, of one batch.

        `report` is called now and then with the noise levels of the batch.
        """
        schedule = self.schedule
        fits = self._inference.fits((len(images), *shape))
        step = self._compiled_step if fits else self._step_in_parts
        known = self._known(measured, (len(images), *shape))
        y = self._start(noise(images, 0), known) if initial is None else initial
        given = () if condition is None else (condition,)
        silence = np.zeros_like(known)

        def numbers_of(t):
            return tuple(np.float32(number) for number in schedule.numbers(t))

        # Where steps need what the one before saw, the first one is given what it will see itself.
        before = (y, np.ones(len(images), np.float32)) if self.method.looks_back else ()

        # Looking at images is a step that is not taken: compiling another function would cost more.
        unused = np.zeros(len(images), np.float32), np.zeros(len(images), np.int32)

        def look(y, level):
            *_, denoised, seen, saw = step(
                y, *unused, level, silence, known, numbers_of(1), before, *given
            )
            return ops.convert_to_numpy(denoised), ops.convert_to_numpy(seen), saw

        # Images are taken to have all their noise until the first step has seen how much.
        level = sigma = told = np.full(len(images), schedule.sigma_0, np.float32)
        first = None
        if self.method.looks_back:
            _, first, before = look(y, level)
            sigma = first
        steps, taken = np.zeros(len(images), np.int32), 0
        for t in range(1, schedule.max_steps + 1):
            if (t - 1) % check_every == 0 and first is not None:
                seen = ops.convert_to_numpy(sigma)
                report(seen)
                if not schedule.active(seen).any():
                    break
            z = noise(images, t) if self.method.adds_noise else silence
            start, taken = y, t
            y, sigma, steps, level, denoised, seen, before = step(
                y, sigma, steps, level, z, known, numbers_of(t), before, *given
            )
            if first is None:
                first = ops.convert_to_numpy(seen)
                report(first)
                after = y, sigma, steps, level
                stayed = start, first, unused[1], told
                y, sigma, steps, level = self._as_first_seen(first, after, stayed)
                if not ops.convert_to_numpy(steps).any():
                    taken = 0
                    break
            if trajectory is not None:
                trajectory.record(t, start, denoised, sigma)
            if callback is not None:
                callback(images, t, y, sigma)
        assert first is not None  # There is a step at least.
        last, steps = ops.convert_to_numpy(y), ops.convert_to_numpy(steps)
        estimated = ops.convert_to_numpy(sigma)
        final, final_sigma, _ = look(y, level)
        report(final_sigma)
        if trajectory is not None:
            trajectory.finish(taken + 1, last, final, final_sigma)
        status = map(schedule.status, estimated, final_sigma)
        if initial is None:
            # Where the noise is not seen, that little of it is left says nothing.
            unseen = first < LEAST_SEEN * schedule.sigma_0
            pairs = zip(status, unseen, strict=True)
            status = ("noise_unseen" if none and end == "converged" else end for end, none in pairs)
        return Samples(
            images=final if self.final_denoise else last,
            steps=steps,
            sigma=final_sigma,
            status=tuple(status),
            first_sigma=first,
        )

    def _as_first_seen(self, first, after, before):
        """What a first step leaves that moved all images, when it is known which it should have moved.

        Args:
            first: the noise levels that it saw.
            after, before: images, levels last seen, numbers of steps and levels to expect, of all images
                moved and of none.
        """
        active = np.asarray(self.schedule.active(first))
        if active.all():
            return after
        return [
            np.where(active.reshape(-1, *[1] * (np.ndim(stayed) - 1)), moved, stayed)
            for moved, stayed in zip(map(ops.convert_to_numpy, after), before, strict=True)
        ]

    def _known(self, measured, shape):
        """M^T m for a batch of images, of what the instrument gave of them."""
        if measured is None:
            return np.zeros(shape, np.float32)
        m = self.measurement.measured_from(ops.convert_to_tensor(measured))
        return np.broadcast_to(ops.convert_to_numpy(self.measurement.back_project(m)), shape)

    def _start(self, noise, known):
        """y = (I - P) e + M^T m + sigma_0 z with e = init_mean everywhere."""
        mean = ops.full(noise.shape, self.schedule.init_mean, dtype="float32")
        unknown = ops.convert_to_numpy(mean - self.measurement.project(mean))
        return unknown + known + np.float32(self.schedule.sigma_0) * noise

    def _step_in_parts(self, *tensors):
        def network(inputs):
            images, *level = inputs if self._denoiser.told else [inputs]
            level = ops.convert_to_numpy(level[0]) if level else None
            found = self._inference.residual(ops.convert_to_numpy(images), sigma=level)
            return ops.convert_to_tensor(found)

        return self._step_of(network, *keras.tree.map_structure(ops.convert_to_tensor, tensors))

    def _step_of(self, network, y, sigma, steps, level, z, known, numbers, before, *condition):
        def direction(images, level):
            # The condition, if there is one, comes first in what the network takes.
            both = ops.concatenate([*condition, images], axis=-1) if condition else images
            # What rounding, or a step too far, makes of a level may lie outside those that the network knows.
            known_level = ops.clip(level, *self._limits)
            # A network in bfloat16 leaves its outputs in that.
            residual = ops.cast(network(self._denoiser.with_level(both, known_level)), "float32")
            return self.measurement.ascent_direction(residual, images, known), residual

        at = functools.partial(self.schedule.at, numbers)
        new_y, new_sigma, new_level, residual, *saw = self.method.step(
            direction, y, level, z, at, *before
        )
        # Finished images are frozen, so that one that takes longer does not change them.
        active = self.schedule.active(sigma)
        return (
            ops.where(active[:, None, None, None], new_y, y),
            ops.where(active, new_sigma, sigma),
            steps + ops.cast(active, "int32"),
            ops.where(active, new_level, level),
            y - residual,
            residual_level(residual),
            tuple(saw),
        )
