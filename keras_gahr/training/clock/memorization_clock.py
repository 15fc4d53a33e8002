"""A clock that says when a training begins to memorize, for any loop."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.analysis.features import as_features
from keras_gahr.analysis.intervals import mean_interval, share_interval
from keras_gahr.analysis.memorization import RATIO, copies, copies_up_to_a_factor, distance_ratio
from keras_gahr.analysis.similarity import closest, closest_features
from keras_gahr.datasets import Dataset
from keras_gahr.datasets.arrays import NEARLY_CLEAN, NOISY, some_places, take
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.denoisers.inference import CurrentInference
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels, check_number, check_seed, check_whole
from keras_gahr.psnr import SIGMAS
from keras_gahr.sampling import NoiseLevels, sample

from .level_errors import LevelErrors
from .look import GAP_ERRORS, Look, nameable
from .plan import SAMPLES
from .report import ClockReport
from .schedule import LogSteps
from .twin import twin_agreement

CLOCK_SIGMAS = SIGMAS[4:9]
"""Noise levels of the gap: 12.9, 24.5, 46.4, 88.0 and 166.8 of 255."""

LEVELS = NoiseLevels(steps=10)
"""Of the sampler, Heun's."""

_LEAST_ERROR = 1e-20
"""Below it a mean squared error counts as this: 200 dB."""

_LEAST_JUDGED = 8
"""Test images: of fewer a standard error says too little."""

_MOST_COMPARED = 512
"""Training images, and as many test images, of which the closest ones are compared."""


class MemorizationClock:
    """Looks at a denoiser in training now and then: does it generalize, or memorize already?

    It belongs to no loop: call `look` where you like, at steps of yours or at those where `due` says so.
    Nothing of the training changes, no random number of its own included.

    A look draws samples by Heun's sampler, always from the same noise, and compares them with the
    training images; and it denoises some training and test images at a few noise levels, always with the
    same noise. What is said of each, and when it counts as memorizing, is told in `Look`.

    Args:
        train_images: all images that are trained on: (N, H, W) or (N, H, W, C), uint8 in 0..255 or
            floats in [0, 1], such as the memory map of a dataset; or a `Dataset`.
        test_images: the same, others of the same kind; without them only samples tell, and with fewer than
            eight the gap is not judged.
        samples: how many each look draws, and of how many training and test images it measures the
            errors. With 64 (the default) seven copies are needed to be sure that more
            than 5% are copies.
        looks_per_decade: looks in a factor of ten of the steps, of `due`.
        sigmas: noise levels at which errors are measured, in units of [0, 1]; the middle one decides.
            Default: those of 12.9, 24.5, 46.4, 88.0 and 166.8 of 255 that the denoiser knows.
        schedule: the `NoiseLevels` of the sampler; default: 10 steps, in the range that the denoiser
            knows.
        features: compare samples by these too: see `keras_gahr.analysis.as_features`. Default: by
            pixels alone.
        gap_errors: how many standard errors the gap at the middle noise level may have.
        seed: of the noise.
        batch_size: images computed at once.

    Raises:
        InputError: for images that are none or do not fit together, and numbers out of range.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((24, 8, 8))
        >>> clock = kg.MemorizationClock(images[:8], images[8:], samples=16)
        >>> copier = kg.baselines.EmpiricalBayes(images[:8])
        >>> look = clock.look(1000, copier)
        >>> look.f_mem, look.memorizes().partition(" are")[0]
        (1.0, '100% of the samples')
        >>> clock.report().memorized_at
        1000
    """

    def __init__(
        self,
        train_images: ArrayLike | Dataset,
        test_images: ArrayLike | Dataset | None = None,
        *,
        samples: int = SAMPLES,
        looks_per_decade: float = 8.0,
        sigmas: Sequence[float] | None = None,
        schedule: NoiseLevels | None = None,
        features: Any = None,
        gap_errors: float = GAP_ERRORS,
        seed: int = 0,
        batch_size: int = 32,
    ) -> None:
        self.train_images = _stack(train_images, "training")
        self.test_images = self.train_images[:0]
        if test_images is not None and len(array := _array(test_images)):
            self.test_images = _stack(array, "test")
        if self.test_images.shape[1:] != self.train_images.shape[1:]:
            shapes = (self.train_images.shape[1:], self.test_images.shape[1:])
            raise InputError(
                "received training images of {} and test images of {}: give images of one shape".format(
                    *("x".join(map(str, shape)) for shape in shapes)
                )
            )
        if not len(self.train_images):
            raise InputError(
                "received no training images: give those that the network is trained on"
            )
        self.samples = check_whole(samples, "samples", 2)
        if not 0 < (looks_per_decade := check_number(looks_per_decade, "looks_per_decade")) <= 1000:
            raise InputError(
                f"received looks_per_decade = {looks_per_decade}, expected a number above 0, up to 1000"
            )
        self.gap_errors = check_number(gap_errors, "gap_errors")
        self.sigmas = None if sigmas is None else tuple(sorted(check_levels(sigmas)))
        if len({*map(nameable, self.sigmas or ())}) < len(self.sigmas or ()):
            raise InputError("received a noise level twice: leave one out")
        if not isinstance(schedule, NoiseLevels | None):
            raise InputError(f"received a schedule {schedule!r:.40}, expected NoiseLevels")
        self.schedule = schedule
        self.seed = check_seed(seed)
        self.batch_size = check_whole(batch_size, "batch_size", 1)
        self._features = _Features(features, self.train_images)
        self._steps = LogSteps(looks_per_decade)
        self._errors: LevelErrors | None = None
        self._current = CurrentInference(self.batch_size)
        self.looks: list[Look] = []
        self.last_samples: np.ndarray | None = None

    def due(self, step: int) -> bool:
        """Whether it is time to look: whether a step of the log-spaced ones (10, 13, 18, 24, ...) has come
        since the last look.

        Args:
            step: how many steps of the training are done.
        """
        return self._steps.due(step, self.looks[-1].step if self.looks else 0)

    def look(
        self, step: int, denoiser: DenoiserLike, twin: DenoiserLike | np.ndarray | None = None
    ) -> Look:
        """Looks at the denoiser as it is now.

        Args:
            step: how many steps of the training are done; more than at the last look.
            denoiser: see `as_denoiser`. Of a network of another library, what `kg.wrap` made of it: once,
                before the loop. It is compiled once; its weights are those of now.
            twin: the denoiser of a training on other images, at the same step; or its samples from the
                same noise, `last_samples` of its own clock of the same seed.

        Returns:
            The `Look`, which `looks` and `report` keep too.

        Raises:
            InputError: for a step that is not after the last one, or a denoiser that does not take the
                images.
        """
        step = check_whole(step, "step", 1)
        if self.looks and step <= self.looks[-1].step:
            raise InputError(
                f"received a look at step {step} after one at step {self.looks[-1].step}: count the steps "
                "of the whole training"
            )
        denoiser = as_denoiser(denoiser)
        errors = self._level_errors(denoiser)
        drawn = self._draw(denoiser)
        others = None if twin is None else self._of_twin(twin, drawn.shape)
        found = Look(
            step,
            self.samples,
            **self._of_samples(drawn, others),
            **self._of_errors(errors, denoiser),
        )
        self.looks.append(found)
        self.last_samples = drawn
        return found

    def report(self) -> ClockReport:
        """What all looks say together."""
        return ClockReport(
            tuple(self.looks), len(self.train_images), len(self.test_images), self.gap_errors
        )

    def _level_errors(self, denoiser):
        """`LevelErrors` at noise levels that the denoiser knows, made at the first look."""
        if self._errors is None:
            if self.sigmas is None:
                self.sigmas = tuple(denoiser.known(CLOCK_SIGMAS))
                if not self.sigmas:
                    low, high = denoiser.limits
                    raise InputError(
                        f"received a denoiser that knows noise levels from {low:.4g} to {high:.4g}, none of "
                        "the clock's: give it sigmas"
                    )
            for sigma in self.sigmas:
                denoiser.check_sigma(sigma)
            self._errors = LevelErrors(
                self.train_images, self.test_images, self.sigmas, self.samples, self.seed
            )
        return self._errors

    def _of_twin(self, twin, shape):
        """The samples of a twin, which may be given as an array."""
        if not isinstance(twin, np.ndarray):
            return self._draw(as_denoiser(twin))
        if twin.shape[1:] != shape[1:]:
            raise InputError(
                f"received samples of a twin of shape {twin.shape}, expected (N, "
                f"{', '.join(map(str, shape[1:]))}): `last_samples` of its clock"
            )
        return twin

    def _draw(self, denoiser):
        """Samples (samples, H, W, C), always from the same noise; those that diverged are NaN."""
        shape = self.train_images.shape[1:]
        with warnings.catch_warnings():
            # A network that was hardly trained does not see the noise, which is no surprise here.
            warnings.filterwarnings("ignore", "some images are still noise", UserWarning)
            found = sample(
                denoiser,
                shape,
                count=self.samples,
                seed=self.seed,
                schedule=self.schedule or LEVELS.known_by(denoiser),
                sampler="heun",
                batch_size=self.batch_size,
                progress=False,
            ).images
        low, high = NOISY
        # Neither NaN nor what lies far from all images is within.
        images = ((found >= low) & (found <= high)).all(axis=(1, 2, 3))
        found[~images] = np.nan
        return found

    def _of_samples(self, drawn, others):
        """What is measured of samples; one that diverged is no copy of anything."""
        finite = np.isfinite(drawn).all(axis=(1, 2, 3))
        memorized, up_to_a_factor, in_features = np.zeros((3, len(drawn)), bool)
        numbers = {}
        if finite.any():
            found = closest(drawn[finite], self.train_images, progress=False)
            memorized[finite] = copies(found)
            up_to_a_factor[finite] = copies_up_to_a_factor(found)
            numbers["closest"] = float(found["correlation"].value[:, 0].mean())
            numbers |= self._own_bias(drawn[finite])
            if self._features.given:
                in_features[finite] = self._features.memorized(drawn[finite])
        if others is not None:
            numbers |= twin_agreement(drawn, others)
        numbers |= _share("f_mem", memorized)
        numbers |= _share("f_mem_up_to_a_factor", up_to_a_factor)
        if self._features.given:
            numbers |= _share("f_mem_features", in_features)
        return numbers

    def _own_bias(self, drawn):
        """How much closer samples are to training images than to as many others."""
        count = min(len(self.train_images), len(self.test_images), _MOST_COMPARED)
        if not count:
            return {}
        parts = (
            take(images, some_places(len(images), count, self.seed), limits=None)
            for images in (self.train_images, self.test_images)
        )
        own, held_out = (
            closest(drawn, part, ["correlation"], 1, progress=False)["correlation"].value[:, 0]
            for part in parts
        )
        means = {"own": float(own.mean()), "held_out": float(held_out.mean())}
        return means | _mean("own_bias", own - held_out)

    def _of_errors(self, errors, denoiser):
        found = errors.measure(self._current.of(denoiser))
        names = [nameable(sigma) for sigma in errors.sigmas]
        numbers = {
            "train_error": _over_levels(found.train),
            "train_psnr": dict(zip(names, found.train_psnr.mean(axis=1).tolist(), strict=True)),
        }
        if not len(self.test_images):
            return numbers
        middle = len(names) // 2
        train, test = found.train_psnr[middle], found.test_psnr[middle]
        half = len(test) // 2
        deviation = test.std(ddof=1) if len(test) >= _LEAST_JUDGED else np.nan
        return numbers | {
            "test_error": _over_levels(found.test),
            "test_psnr": dict(zip(names, found.test_psnr.mean(axis=1).tolist(), strict=True)),
            "copy": dict(zip(names, found.copy.tolist(), strict=True)),
            "gap": float(train.mean() - test.mean()),
            "gap_null": float(test[:half].mean() - test[half:].mean()) if half else np.nan,
            "gap_error": float(deviation * np.sqrt(1 / len(train) + 1 / len(test))),
        }


class _Features:
    """Features of the training images, computed once, and copies by their distances."""

    def __init__(self, given, train_images):
        self.given = given is not None
        self._train_images, self._train = train_images, None
        self._features = as_features(given)

    def memorized(self, samples):
        """Which samples have the features of a training image, bool (N,)."""
        if self._train is None:
            self._train = self._features.vectors(self._train_images)
        if len(self._train) == 1:
            raise InputError("received features with one training image: give at least two")
        vectors = self._features.of(samples, progress=False)
        found = closest_features(vectors, self._train, progress=False)["distance"]
        return distance_ratio(found.value) < RATIO


def _over_levels(errors):
    """The geometric mean over levels of the mean over images, of (S, images)."""
    return float(np.exp(np.log(np.maximum(errors.mean(axis=1), _LEAST_ERROR)).mean()))


def _array(images):
    return images.images if isinstance(images, Dataset) else array_of(images)


def _stack(images, name):
    try:
        return as_stack(_array(images), limits=NEARLY_CLEAN)
    except InputError as error:
        raise InputError(f"{name} images: {error}") from error


def _share(name, values):
    low, high = share_interval(values)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}


def _mean(name, values):
    low, high = mean_interval(values)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
