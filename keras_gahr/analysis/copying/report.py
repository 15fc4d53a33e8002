"""All measures of copying of some samples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed
from keras_gahr.progress import Progress, shows_progress

from ..features import FeaturesLike, as_features
from ..memorization import RATIO
from ..saved_numbers import SavedNumbers, files_called
from ..similarity import measure_pairs
from .measure import Estimate, Measure
from .neighbours import Neighbours, neighbours
from .score import score_estimate

if TYPE_CHECKING:
    from keras_gahr.result import Figure

CLASSES = ("memorized", "spurious", "generalized")

RULES = {
    "RP": "reproducibility: share of the pairs from the same noise whose cosine is above the threshold; "
    "null: of the same samples, each paired with one from another noise",
    "M": "share of the samples whose cosine with every training image is at most the threshold",
    "f_mem": "share of the samples whose distance to the closest training image is below "
    f"{RATIO:.3f} of that to the second closest",
    "AuthPct": "share of the samples that are farther from their closest training image than that "
    "is from its closest other training image",
    "C_T": "z-score of the Mann-Whitney U of the distances to the closest training image, of "
    "samples against test images: below 0 samples are closer; one cell",
    "memorized": "share of the samples whose distance to the closest training image is at most the radius",
    "spurious": "share of the samples that are not memorized, but whose distance to the closest other sample "
    "is at most the radius",
    "generalized": "share of the samples that are neither memorized nor spurious",
}
"""What the measures are; but for RP, null: of images of one half of the training set, with the other half as
the training set."""

_FEWEST = 4
"""Training images: two in each half."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CopyingReport(SavedNumbers):
    """The measures of copying in use, of some samples; see `copying_report`.

    Attributes:
        measures: name -> `Measure`: RP (with other samples), M, f_mem, AuthPct, C_T (with a test set), and
            the shares of the classes: memorized, spurious, generalized. See `RULES` in
            `keras_gahr.analysis.copying.report`.
        features: the name of the features.
        num_training: number of training images.
        num_test: number of test images; 0 without them.
        threshold: of the cosine.
        quantile: of the distances between training images that is the radius of the classes.
        radius: that distance, |x - y| / sqrt(k).
        index: int64 (N,): the closest training image of each sample.
        distance: float64 (N, 2): the distances to the closest and the second closest, |x - y| / sqrt(k).
        ratio: float64 (N,): the first over the second.
        cosine: float64 (N,): the highest with any training image.
        authentic: bool (N,): see AuthPct.
        classes: (N,): the class of each sample.
        twins: float64 (N,): the cosine with the other sample from the same noise; None without them.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import copying_report
        >>> images = np.random.default_rng(0).random((24, 8, 8))
        >>> report = copying_report(images[:6] + 0.001, images[:16], images[16:])
        >>> report.share_memorized, report.measures["AuthPct"].found.value
        (1.0, 0.0)
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("copying")
    SHOWN: ClassVar[tuple[str, ...]] = ("share_memorized", "share_authentic")

    measures: dict[str, Measure]
    features: str
    num_training: int
    num_test: int
    threshold: float
    quantile: float
    radius: float
    index: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    cosine: np.ndarray
    authentic: np.ndarray
    classes: np.ndarray
    twins: np.ndarray | None

    @property
    def share_memorized(self) -> float:
        """f_mem."""
        return self.measures["f_mem"].found.value

    @property
    def share_authentic(self) -> float:
        """AuthPct, as a share."""
        return self.measures["AuthPct"].found.value

    def numbers(self) -> dict[str, Any]:
        """The measures with their intervals, nulls and rules, as JSON has it."""
        return {
            "samples": len(self.index),
            "training_images": self.num_training,
            "test_images": self.num_test,
            "features": self.features,
            "threshold": self.threshold,
            "quantile": self.quantile,
            "radius": self.radius,
            "measures": {
                name: {**measure.numbers(), "rule": RULES[name]}
                for name, measure in self.measures.items()
            },
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure with each measure and its null, with intervals.

        Args:
            title: of the figure; default: the features and the number of training images.
        """
        return self._figure(title=title)


@shows_progress("comparing")
def copying_report(
    samples: ArrayLike,
    training_set: ArrayLike,
    test_set: ArrayLike | None = None,
    other_samples: ArrayLike | None = None,
    features: FeaturesLike = "pixels",
    threshold: float = 0.6,
    *,
    quantile: float = 0.05,
    seed: int = 0,
    progress: Progress = None,
) -> CopyingReport:
    """How far samples copy training images, by the measures in use, each with a 95% interval and its null.

    The null of a measure is that of images which are no copies: of as many training images as there are
    samples, drawn from every other image of the training set, with the rest of it, one half, as the training
    set. What a measure of samples exceeds it by was copied. Repeats in the training set show in both.

    - RP and M (arXiv 2310.05264): the share of same-noise twins with a cosine above the threshold, whose
      null pairs samples of different noise; and the share of samples without such a training image.
    - f_mem (arXiv 2505.17638): d1 / d2 < 1/3.
    - AuthPct (arXiv 2102.08921, 2306.04675), here as a share.
    - C_T (arXiv 2004.05675), needs a test set. All images are one cell: cells by k-means depend on where
      they start, and each needs tens of samples and of test images.
    - Classes in the sense of arXiv 2505.21777. Memorized: the closest training image is within a radius.
      Spurious: not memorized, and the closest other one of these samples is within it. Generalized: neither.
      The radius is a quantile of the distances from training images to their closest other one (of up to
      1,000 of them, or as many as there are samples), so that about that share of new images is memorized
      by chance. With more samples more are spurious: compare equal numbers.

    Intervals are Wilson's for shares, and for C_T Newcombe's of how often a sample is the farther one; the
    training set is taken as it is.

    Args:
        samples: (N, H, W, C) or (N, H, W), N at least 2, uint8 or floats.
        training_set: (M, H, W, C) or (M, H, W), M at least 4, such as the memory map of a dataset.
        test_set: images of the same kind that were not trained on.
        other_samples: as many as samples: of a network trained on other images, from the same noise.
        features: in whose space images are compared; see `as_features`. 0.6 was chosen for SSCD: in pixels
            most pictures have a higher cosine with each other, as the null of M shows.
        threshold: of the cosine, between -1 and 1.
        quantile: of the radius, between 0 and 1.
        seed: of the drawn training images.
        progress: called as progress(passes done, passes in all).

    Returns:
        The `CopyingReport`.

    Raises:
        InputError: for images that cannot be compared, or too few of them.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import copying_report
        >>> images = np.random.default_rng(0).random((40, 8, 8))
        >>> report = copying_report(images[20:30], images[:20], images[30:])
        >>> report.share_memorized, sorted(report.measures)
        (0.0, ['AuthPct', 'C_T', 'M', 'f_mem', 'generalized', 'memorized', 'spurious'])
    """
    assert callable(progress)  # As the decorator makes it.
    seed = check_seed(seed)
    threshold = _within(threshold, "threshold", -1, 1)
    quantile = _within(quantile, "quantile", 0, 1)
    space = as_features(features)
    sets = _checked(samples, training_set, test_set, other_samples)
    vectors = [None if images is None else space.vectors(images) for images in sets]
    found, training, test, others = vectors
    assert found is not None and training is not None  # They were given.

    near = neighbours(found, training, test, quantile, seed, lambda done, _: progress(done, 8))
    halves = training[0::2], training[1::2]
    count = min(len(found), len(halves[0]))
    drawn = np.sort(np.random.default_rng(seed).choice(len(halves[0]), count, replace=False))
    null = neighbours(
        halves[0][drawn], halves[1], test, quantile, seed, lambda done, _: progress(4 + done, 8)
    )
    twins, estimates, of_null = None, {}, {}
    if others is not None:
        twins = measure_pairs("cosine", found, others)
        estimates["RP"] = Estimate.of_share(twins > threshold)
        strangers = measure_pairs("cosine", found, np.roll(others, 1, axis=0))
        of_null["RP"] = Estimate.of_share(strangers > threshold)
    estimates |= _estimates(near, threshold)
    of_null |= _estimates(null, threshold)
    return CopyingReport(
        measures={
            name: Measure(estimates[name], of_null[name]) for name in RULES if name in estimates
        },
        features=space.name,
        num_training=len(training),
        num_test=0 if test is None else len(test),
        threshold=threshold,
        quantile=quantile,
        radius=near.radius,
        index=near.index,
        distance=near.distance,
        ratio=near.ratio,
        cosine=near.cosine,
        authentic=near.authentic,
        classes=near.classes,
        twins=twins,
    )


def _within(value, name, low, high):
    number = check_number(value, name)
    if not low <= number <= high:
        raise InputError(f"received {name} = {number:g}, expected a number from {low} to {high}")
    return number


def _estimates(near: Neighbours, threshold):
    """All but RP by name; without C_T if there is no test set."""
    shares = {
        "M": near.cosine <= threshold,
        "f_mem": near.ratio < RATIO,
        "AuthPct": near.authentic,
        **{name: near.classes == name for name in CLASSES},
    }
    estimates = {name: Estimate.of_share(values) for name, values in shares.items()}
    if near.test is not None:
        estimates["C_T"] = score_estimate(near.distance[:, 0], near.test)
    return estimates


def _checked(samples, training, test, others):
    """The four sets as stacks, None where there is none."""
    sets = {
        "samples": (as_stack(samples), 2),
        "training images": (as_stack(training, limits=NEARLY_CLEAN), _FEWEST),
        "test images": (None if test is None else as_stack(test, limits=NEARLY_CLEAN), 1),
        "other samples": (None if others is None else as_stack(others), 2),
    }
    first = sets["samples"][0]
    for name, (images, fewest) in sets.items():
        if images is None:
            continue
        if images.shape[1:] != first.shape[1:]:
            a, b = ("x".join(map(str, array.shape[1:])) for array in (first, images))
            raise InputError(f"received samples of {a} and {name} of {b}, expected one size")
        if len(images) < fewest:
            raise InputError(f"received {len(images)} {name}, expected at least {fewest}")
    stacks = [images for images, _ in sets.values()]
    if stacks[3] is not None and len(stacks[3]) != len(first):
        raise InputError(
            f"received {len(first)} samples and {len(stacks[3])} others, expected as many, from the same "
            "noise"
        )
    return stacks
