"""A trained denoiser beside the rivals that could explain it."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.baselines.sides import Sides
from keras_gahr.datasets.arrays import NEARLY_CLEAN, some_places, take
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.noise import check_levels, check_seed, check_whole
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.psnr import SIGMAS, add_noise
from keras_gahr.sampling import NoiseLevels, Trajectory, sample

from ..calibration import calibrate
from ..intervals import mean_interval
from ..saved_numbers import SavedNumbers
from ..similarity import closest
from .agreement import apart, r_squared, unexplained
from .gaussian_twins import GaussianTwins, TwinAgreement
from .rivals import MADE, MEANING, Rival, rivals_of, spread_out

if TYPE_CHECKING:
    from keras_gahr.result import Figure

LEVELS = SIGMAS[2:9]
"""Noise levels: 3.6, 6.8, 12.9, 24.5, 46.4, 88.0 and 166.8 of 255."""

EXPLAINED = 0.1
"""Of the squared change that the network makes, what may be left unexplained."""

SHELL = 0.99
"""The share of its noisy versions that lie in the shell of a training image."""

RULE = (
    f"a rival explains the network at a noise level if it leaves less than {EXPLAINED:.0%} of |D(y) - y|^2 "
    "unexplained, as the mean over the images, and less than every other rival by more than chance: the 95% "
    "interval of the mean difference from the next best, image by image, lies above 0; several explain it "
    "where that is not so, and none where all leave more. The oracle knows the clean image and takes no part"
)

_TRIED = (3, 7, 11, 17)
"""Sides of squares, a few of those that `calibrate` tries."""

_SETS = ("test", "train")
_PAIRS = 2**26
"""Of pixels of a noisy image and of the training images of the "local" rival."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Explanation(SavedNumbers):
    """How well rivals explain a denoiser: at S noise levels, of R rivals; see `explain`.

    Attributes:
        sigmas: float64 (S,), ascending, in units of [0, 1].
        rivals: names of the rivals, in order; see `MEANING` in `keras_gahr.analysis.explanation.rivals`.
        num_training: training images that the rivals know.
        num_local: as many of them as the "local" one knows.
        sides: (sigma, side) of the squares of the local ones, in pixels.
        unexplained: "test", "train" -> float64 (S, R, N): |D - D_rival|^2 / |D - y|^2 of noisy images.
        r_squared: "test", "train" -> float64 (S, R, N): squared correlation of the pixels of D and D_rival.
        inside: "test", "train" -> bool (S, N): whether the noisy image lies in the shell of a training image:
            |y - x_i| is at most what sigma |z| is for 99% of all noise z.
        error: float64 (S, 1 + R, N): |D - x|^2 / d of test images, of the network and of each rival.
        path_sigmas: float64 (T,): the noise levels of the steps of sampling, descending.
        path: float64 (T, R, M): `unexplained` at the images on the way of the network's samples; NaN from
            where one has diverged.
        samples: float32 (1 + R, M, H, W, C): from the same noise, the network's first; NaN of a rival that
            draws none, and where one has diverged.
        sample_distance: float64 (R, M): |Phi - Phi_rival| / sqrt(d) of these samples, NaN of such ones.
        twins: `TwinAgreement` on noisy test images with a denoiser of other images; None without one.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((24, 8, 8))
        >>> copier = kg.baselines.EmpiricalBayes(images[:8])
        >>> found = kg.explain(copier, images[:8], images[8:], sigmas=[0.1], patch=3, samples=2)
        >>> found.explained_by
        {0.1: ['copy']}
    """

    FILES: ClassVar[tuple[str, ...]] = (
        "explanation.json",
        "explanation.npz",
        *figure_files("explanation"),
        *figure_files("samples"),
    )
    SHOWN: ClassVar[tuple[str, ...]] = ("verdict",)

    sigmas: np.ndarray
    rivals: tuple[str, ...]
    num_training: int
    num_local: int
    sides: list[tuple[float, int]]
    unexplained: dict[str, np.ndarray]
    r_squared: dict[str, np.ndarray]
    inside: dict[str, np.ndarray]
    error: np.ndarray
    path_sigmas: np.ndarray
    path: np.ndarray
    samples: np.ndarray
    sample_distance: np.ndarray
    twins: TwinAgreement | None = dataclasses.field(default=None, repr=False)

    @property
    def explained_by(self) -> dict[float, list[str]]:
        """The rivals that explain the network on test images at each level, the best first; see `RULE`."""
        return self.explained_on("test")

    def explained_on(self, images: str) -> dict[float, list[str]]:
        """The same on "test" or on "train" images."""
        return {
            float(sigma): self._best(values)
            for sigma, values in zip(self.sigmas, self.unexplained[images], strict=True)
        }

    def _best(self, values):
        """The rivals that explain the network, from `unexplained` (R, N)."""
        means = values.mean(axis=1)
        enough = [k for k in means.argsort() if means[k] < EXPLAINED and self.rivals[k] != "oracle"]
        # Who cannot be told from the best one explains as much.
        return [
            self.rivals[k]
            for k in enough
            if k == enough[0] or not mean_interval(values[k] - values[enough[0]])[0] > 0
        ]

    @property
    def diverged(self) -> int:
        """How many of the network's samples did, of which neither `path` nor `sample_distance` tells more."""
        return int(np.isnan(self.samples[0]).any(axis=(1, 2, 3)).sum())

    @property
    def verdict(self) -> str:
        """What explains the network at which noise levels, in a line."""
        parts, before = [], None
        for sigma, names in self.explained_by.items():
            said = " or ".join(names) or "none"
            if said != before:
                parts.append([said, sigma, sigma])
            parts[-1][2], before = sigma, said
        return "; ".join(
            f"{said} at sigma {255 * low:.3g}/255"
            + ("" if low == high else f" to {255 * high:.3g}/255")
            for said, low, high in parts
        )

    def numbers(self) -> dict[str, Any]:
        """Means with their 95% intervals over images, as JSON has them."""
        shares = None if self.twins is None else self.twins.gaussian_interval
        sets = {
            name: [
                {
                    "sigma": float(sigma),
                    "inside": float(self.inside[name][s].mean()),
                    "rivals": {
                        rival: {
                            "unexplained": _mean(self.unexplained[name][s, r]),
                            "r_squared": _mean(self.r_squared[name][s, r]),
                            "median_r_squared": float(np.median(self.r_squared[name][s, r])),
                            **self._by_region(name, s, r),
                        }
                        for r, rival in enumerate(self.rivals)
                    },
                }
                for s, sigma in enumerate(self.sigmas)
            ]
            for name in _SETS
        }
        return {
            "rule": RULE,
            "verdict": self.verdict,
            "training_images": self.num_training,
            "training_images_of_local": self.num_local,
            "meaning": {name: MEANING.get(name, "given") for name in self.rivals},
            "sides": [[sigma, side] for sigma, side in self.sides],
            **sets,
            "error": [
                {
                    "sigma": float(sigma),
                    **{
                        name: _mean(values)
                        for name, values in zip(
                            ("network", *self.rivals), self.error[s], strict=True
                        )
                    },
                }
                for s, sigma in enumerate(self.sigmas)
            ],
            "path": {
                "sigma": self.path_sigmas.tolist(),
                **{
                    name: [_mean(step[r]) for step in self.path]
                    for r, name in enumerate(self.rivals)
                },
            },
            "samples": self.samples.shape[1],
            "samples_diverged": self.diverged,
            "sample_distance": {
                name: _mean(values)
                for name, values in zip(self.rivals, self.sample_distance, strict=True)
            },
            "twins": None
            if self.twins is None or shares is None
            else [
                {
                    "sigma": float(sigma),
                    "agreement": _mean(self.twins.agreement[s]),
                    "gaussian_share": _number(self.twins.gaussian[s]),
                    "gaussian_share_95": list(map(_number, shares[s])),
                    "beyond": _mean(self.twins.beyond[s]),
                }
                for s, sigma in enumerate(self.sigmas)
            ],
        }

    def _by_region(self, name, s, r):
        inside = self.inside[name][s]
        values = self.unexplained[name][s, r]
        return {
            f"unexplained_{where}": _mean(values[chosen])
            for where, chosen in (("inside", inside), ("outside", ~inside))
            if chosen.any()
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, for a `.npz` file."""
        by_set = {
            f"{kind}_{name}": getattr(self, kind)[name]
            for kind in ("unexplained", "r_squared", "inside")
            for name in _SETS
        }
        twins = {} if self.twins is None else vars(self.twins)
        return {
            **super().arrays(),
            "rivals": np.array(self.rivals),
            **by_set,
            **{f"twins_{name}": values for name, values in twins.items()},
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: what each rival leaves unexplained, over noise levels and along sampling.

        Args:
            title: of the figure; default: the verdict.
        """
        return self._figure(title=title)


@shows_progress("explaining")
def explain(
    denoiser: DenoiserLike,
    train_images: ArrayLike,
    test_images: ArrayLike,
    *,
    sigmas: Sequence[float] | None = None,
    patch: int | Sequence[tuple[float, int]] | None = None,
    rivals: Mapping[str, DenoiserLike] | None = None,
    twin: DenoiserLike | None = None,
    twin_images: ArrayLike | None = None,
    images: int = 16,
    samples: int = 8,
    steps: int = 20,
    most_local: int | None = None,
    seed: int = 0,
    batch_size: int = 32,
    progress: Progress = None,
) -> Explanation:
    """Holds a trained denoiser against rivals in closed form, each of which is a theory of what it learned.

    Of noisy test and training images: how much of what the network does to them, |D(y) - y|^2, each rival
    leaves unexplained, |D(y) - D_rival(y)|^2, at each noise level; the same at the images on the way of the
    network's samples; and how far the rivals' samples lie from the network's, from the same noise.

    Args:
        denoiser: see `as_denoiser`.
        train_images: those that it was trained on, (N, H, W) or (N, H, W, C), uint8 or floats in [0, 1].
        test_images: others of the same kind, that neither it nor its twin was trained on.
        sigmas: noise levels, in units of [0, 1]; default: those of 3.6 to 166.8 of 255 that it knows.
        patch: how far the local rivals see; see `LocalBayes`. Default: what `calibrate` finds with a few of
            the test images, for which the network is asked first.
        rivals: more of them, by name, or others in place of those of these names; "teacher" is the optimum of
            a known law.
        twin: a denoiser of the same kind that was trained on as many other images.
        twin_images: those.
        images: of each set, that are denoised.
        samples: that are drawn.
        steps: of the sampler, Euler's.
        most_local: training images that the "local" rival knows; the others know all. Its time grows with
            their number and with the square of the number of pixels: default: as many as have 2^26 pairs of
            pixels, 1024 of 16x16, 26 of 40x40, 2 of 80x80 and more.
        seed: of the noise, and of the choice of images.
        batch_size: images computed at once.
        progress: called as progress(passes done, passes in all).

    Returns:
        The `Explanation`.

    Warns:
        UserWarning: if samples of the denoiser diverge, or some of the test images are training images.

    Raises:
        InputError: for images that do not fit, or noise levels that the denoiser does not know.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((24, 8, 8))
        >>> denoiser = kg.baselines.Wiener.from_images(images[:16])
        >>> found = kg.explain(denoiser, images[:16], images[16:], sigmas=[0.3], patch=3, samples=2)
        >>> found.explained_by
        {0.3: ['gaussian']}
    """
    assert callable(progress)  # As the decorator makes it.
    denoiser = as_denoiser(denoiser)
    sets = dict(zip(_SETS, _checked(denoiser, train_images, test_images), strict=True))
    seed = check_seed(seed)
    count, drawn = check_whole(images, "images", 2), check_whole(samples, "samples", 1)
    steps = check_whole(steps, "steps", 1)
    levels = np.array(
        sorted(check_levels(sigmas)) if sigmas is not None else denoiser.known(LEVELS)
    )
    for sigma in levels:
        denoiser.check_sigma(sigma)
    if len({*levels}) < len(levels):
        raise InputError("received a noise level twice: leave one out")
    if not len(levels):
        raise InputError("received a denoiser that knows none of the noise levels: give sigmas")
    train = sets["train"]
    chosen = {name: _some(stack, count, seed) for name, stack in sets.items()}
    _warn_of_known(chosen["test"], train, "the denoiser")
    if most_local is None:
        most_local = max(2, _PAIRS // math.prod(train.shape[1:3]) ** 2)
    most_local = check_whole(most_local, "most_local", 2)
    few = spread_out(train, most_local)
    given = {**dict.fromkeys(MADE), **dict(rivals or {})}
    passes = 2 * len(levels) + steps + len(given)
    # Finding the sides takes about as long as all else.
    before = passes if patch is None else 0
    if patch is None:
        patch = calibrate(
            denoiser,
            few,
            chosen["test"][: max(2, count // 4)],
            levels.tolist(),
            sides=_sides(train),
            seed=seed,
            progress=lambda done, of: progress(before * done // of, before + passes),
        ).sides
    sides = Sides(patch)
    made = {**rivals_of(train, few, patch), **dict(rivals or {})}
    held = {name: Rival(as_denoiser(rival), batch_size) for name, rival in made.items()}
    network = Rival(denoiser, batch_size)
    twins = None
    if twin is not None:
        twins = _Twins(as_denoiser(twin), twin_images, train, batch_size)
        _warn_of_known(chosen["test"], twins.images, "the twin")

    total = before + passes
    ticks = iter(range(before + 1, total + 1))
    measured = {name: [] for name in chosen}
    for name, clean in chosen.items():
        for sigma in levels:
            noisy = add_noise(clean, sigma, seed)
            denoised = network.denoise(noisy, sigma)
            if twins is not None and name == "test":
                twins.measure(noisy, denoised, sigma)
            measured[name].append(_at_level(held, clean, noisy, denoised, train, sigma))
            progress(next(ticks), total)
    way, schedule = Trajectory(every=1), NoiseLevels(steps=steps).known_by(denoiser)
    draw = functools.partial(
        _draw, shape=train.shape[1:], count=drawn, seed=seed, schedule=schedule
    )
    found, taken = draw(denoiser, trajectory=way)
    path_sigmas = np.array([schedule.level(t) for t in range(1, steps + 1)])
    path = []
    for step, sigma in enumerate(path_sigmas):
        # A sample that diverges ends there, and with the last one the way does.
        shares, going = np.full((len(held), drawn), np.nan), taken > step
        if going.any():
            y, denoised = way.y[step, going], way.denoised[step, going]
            for r, rival in enumerate(held.values()):
                if not rival.knows_clean:
                    shares[r, going] = unexplained(denoised, rival.denoise(y, sigma), y)
        path.append(shares)
        progress(next(ticks), total)
    pictures = [found]
    for rival in held.values():
        image = np.full_like(found, np.nan)
        if not rival.knows_clean:
            image, _ = draw(rival.sampled())
        pictures.append(image)
        progress(next(ticks), total)
    result = Explanation(
        sigmas=levels,
        rivals=tuple(held),
        num_training=len(train),
        num_local=len(few),
        sides=[(float(sigma), sides.of(sigma)) for sigma in levels],
        unexplained={
            name: np.stack([each.unexplained for each in at]) for name, at in measured.items()
        },
        r_squared={
            name: np.stack([each.r_squared for each in at]) for name, at in measured.items()
        },
        inside={name: np.stack([each.inside for each in at]) for name, at in measured.items()},
        error=np.stack([each.error for each in measured["test"]]),
        path_sigmas=path_sigmas,
        path=np.array(path),
        samples=np.stack(pictures),
        sample_distance=np.stack([apart(found, each) for each in pictures[1:]]),
        twins=None if twins is None else twins.found(),
    )
    if result.diverged:
        warnings.warn(
            f"{result.diverged} of {drawn} samples of the denoiser diverged: what is said of sampling is "
            "said without them",
            stacklevel=3,
        )
    return result


@dataclasses.dataclass(frozen=True, eq=False)
class _AtLevel:
    """What is found at one noise level: see `Explanation`."""

    unexplained: np.ndarray
    r_squared: np.ndarray
    inside: np.ndarray
    error: np.ndarray


def _at_level(held, clean, noisy, denoised, train, sigma):
    explained = [rival.denoise(noisy, sigma, clean) for rival in held.values()]
    size = clean[0].size
    nearest = closest(noisy, train, ["distance"], 1, progress=False)["distance"].value[:, 0]
    return _AtLevel(
        np.stack([unexplained(denoised, each, noisy) for each in explained]),
        np.stack([r_squared(denoised, each) for each in explained]),
        nearest <= sigma * math.sqrt(stats.chi2.ppf(SHELL, size) / size),
        np.stack([apart(each, clean) ** 2 for each in (denoised, *explained)]),
    )


class _Twins:
    """The twin of the network, and what the two agree on at the noise levels so far."""

    def __init__(self, denoiser, images, train, batch_size):
        if images is None:
            raise InputError("received a twin, but not its training images: give twin_images")
        images = as_stack(images, limits=NEARLY_CLEAN)
        if images.shape != train.shape:
            shapes = ("x".join(map(str, stack.shape)) for stack in (images, train))
            raise InputError(
                "received a twin trained on images of {}, expected {} as for the network".format(
                    *shapes
                )
            )
        self.images = images
        self._twin = Rival(denoiser, batch_size)
        self._gaussian = GaussianTwins([np.asarray(train), np.asarray(images)], batch_size)
        self._found = []

    def measure(self, noisy, denoised, sigma):
        twin = self._twin.denoise(noisy, sigma)
        self._found.append(self._gaussian.measure(noisy, denoised, twin, sigma))

    def found(self):
        return TwinAgreement(*np.stack(self._found, axis=1))


def _checked(denoiser, train_images, test_images):
    """The test images and the training images, (N, H, W, C)."""
    train, test = (as_stack(images, limits=NEARLY_CLEAN) for images in (train_images, test_images))
    if train.shape[1:] != test.shape[1:]:
        shapes = ("x".join(map(str, stack.shape[1:])) for stack in (train, test))
        raise InputError(
            "received training images of {} and test images of {}: give images of one shape".format(
                *shapes
            )
        )
    for name, stack, least in (("training", train, 1), ("test", test, 2)):
        if len(stack) < least:
            raise InputError(f"received {len(stack)} {name} images, expected {least} or more")
    denoiser.check_shape(train.shape)
    return test, train


def _some(images, most, seed):
    """Some images of a set, float32."""
    return take(images, some_places(len(images), most, seed), limits=None)


def _warn_of_known(tests, images, whose):
    """Warns of test images that are training images: a network may know these by heart."""
    distances = closest(tests, images, ["distance"], 1, progress=False)["distance"].value
    known = int((distances == 0).sum())
    if known:
        warnings.warn(
            f"{known} of {len(tests)} test images are training images of {whose}, which may know them by "
            "heart: give images that neither the denoiser nor a twin was trained on",
            stacklevel=4,
        )


def _sides(train):
    """Sides of squares that fit into the images."""
    longest = max(train.shape[1:3])
    return [side for side in _TRIED if side < longest] or [1]


def _draw(denoiser, shape, **options):
    """Samples, NaN where one diverged, and how many steps each took."""
    with warnings.catch_warnings():
        # What a rival does not see as noise stays so, which the pictures show.
        warnings.filterwarnings("ignore", "some images are still noise", UserWarning)
        found = sample(denoiser, shape, sampler="euler", progress=False, **options)
    diverged = np.array(found.status) == "diverged"
    return np.where(diverged[:, None, None, None], np.float32(np.nan), found.images), found.steps


def _mean(values):
    """The mean with its interval; None without values, such as those of a rival that draws no samples."""
    values = np.asarray(values)[np.isfinite(values)]
    if not len(values):
        return None
    low, high = mean_interval(values)
    return {"mean": float(values.mean()), "low": _number(low), "high": _number(high)}


def _number(value):
    return None if math.isnan(value) else float(value)
