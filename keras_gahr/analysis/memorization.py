"""Whether samples repeat training images (arXiv 2310.02557, figure 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN, take
from keras_gahr.datasets.overlap import EDGES
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.ssim import WINDOW, ssim

from .intervals import bootstrap_interval, share_interval
from .saved_numbers import SavedNumbers
from .similarity import MEASURES, Closest, closest, paired_similarity

if TYPE_CHECKING:
    from keras_gahr.result import Figure

RATIO = 1 / 3
REPEAT = 0.95

_ROUNDING = 2.0**-22
"""Sines of angles between float32 images below this are rounding, and so are cosines' in float64."""

RULE = (
    f"a sample is memorized if its distance to the closest training image is below {RATIO:.3f} of the "
    f"distance to the second closest (with one training image: if their correlation is above {REPEAT}), "
    "and up to a factor if that holds for the closest multiples of the training images; "
    "memorized: more than half of the samples are, in one of these ways; generalized: not memorized, "
    "and in more than half of the pairs the correlation of the twins (samples of two networks from "
    "the same noise) is above that of either with its closest training image; neither: all else"
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MemorizationReport(SavedNumbers):
    """How close samples come to the training images, and to the samples of another network.

    Attributes:
        num_training: number of training images M.
        closest: measure -> `Closest` with k = 2 (1 if M = 1).
        ratio: float64 (N,): distance to the closest over distance to the second closest training
            image; NaN if M = 1.
        memorized: bool (N,), as the images are; see `RULE` and `memorized_up_to_a_factor`.
        ssim: float64 (N,): with the training image of highest correlation; None for images smaller
            than SSIM's window.
        twins: measure -> float64 (N,), with the other network's sample from the same noise; None
            without one.
        twin_ssim: float64 (N,), as `ssim`.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> training_set = np.random.default_rng(0).random((8, 16, 16))
        >>> report = kg.memorization_report(training_set[:2] + 0.001, training_set)
        >>> report.share_memorized, report.num_training
        (1.0, 8)
    """

    FILES: ClassVar[tuple[str, ...]] = (
        "memorization.json",
        "memorization.npz",
        *figure_files("similarity"),
    )
    SHOWN: ClassVar[tuple[str, ...]] = ("verdict", "share_memorized")

    num_training: int
    closest: dict[str, Closest]
    ratio: np.ndarray
    memorized: np.ndarray
    ssim: np.ndarray | None
    twins: dict[str, np.ndarray] | None
    twin_ssim: np.ndarray | None

    @property
    def share_memorized(self) -> float:
        """The share of samples that are memorized."""
        return float(self.memorized.mean())

    @property
    def memorized_up_to_a_factor(self) -> np.ndarray:
        """Which samples are memorized if each training image may be multiplied by a number first.

        Without biases D(a y) = a D(y): a network that knows an image knows all its multiples, and a
        sample can become any of them. The distance to the closest multiple of an image is the
        sample's norm times the sine of the angle between the two. bool (N,).
        """
        return copies_up_to_a_factor(self.closest)

    @property
    def verdict(self) -> str:
        """ "memorized", "generalized" or "neither", by `RULE`, as far as this network's samples tell."""
        closer = None if self.twins is None else twins_closer([self])
        return verdict(memorized_in_a_way([self]), closer)

    def plot(self, *, title: str = "") -> Figure:
        """A figure with histograms of correlation and cosine similarity with the closest training
        images, and with the twins if there are any.

        Args:
            title: of the figure; default: the verdict.
        """
        return self._figure(title=title)

    def arrays(self) -> dict[str, np.ndarray]:
        """The measures by name, for a `.npz` file."""
        arrays = {"distance_ratio": self.ratio, "memorized": self.memorized}
        for measure, best in self.closest.items():
            arrays |= {f"{measure}_index": best.index, measure: best.value}
        return arrays | {f"{measure}_twins": found for measure, found in (self.twins or {}).items()}

    def numbers(self) -> dict[str, Any]:
        """All of it as JSON has it; NaN becomes None."""
        found = {
            measure: {"index": best.index.tolist(), "value": best.value.tolist()}
            for measure, best in self.closest.items()
        }
        numbers = {
            "samples": len(self.memorized),
            "training_images": self.num_training,
            "rule": RULE,
            "verdict": self.verdict,
            "share_memorized": self.share_memorized,
            "share_memorized_bootstrap_95": list(bootstrap_interval(self.memorized)),
            "share_memorized_wilson_95": list(share_interval(self.memorized)),
            "memorized": self.memorized.tolist(),
            "share_memorized_up_to_a_factor": float(self.memorized_up_to_a_factor.mean()),
            "memorized_up_to_a_factor": self.memorized_up_to_a_factor.tolist(),
            "distance_ratio": [None if np.isnan(ratio) else float(ratio) for ratio in self.ratio],
            "closest": found,
            "closest_summary": {m: _summary(best.value[:, 0]) for m, best in self.closest.items()},
            "closest_ssim": None if self.ssim is None else self.ssim.tolist(),
        }
        if self.twins is not None:
            numbers |= {
                "twins": {measure: values.tolist() for measure, values in self.twins.items()},
                "twins_summary": {m: _summary(values) for m, values in self.twins.items()},
                "twins_ssim": None if self.twin_ssim is None else self.twin_ssim.tolist(),
            }
        return numbers


@shows_progress("comparing")
def memorization_report(
    samples: ArrayLike,
    training_set: ArrayLike,
    other_samples: ArrayLike | None = None,
    progress: Progress = None,
) -> MemorizationReport:
    """Compares samples with training images and with another network's samples.

    Args:
        samples: (N, H, W, C) or (N, H, W), all finite: uint8, or floats, which need not lie in [0, 1].
        training_set: (M, H, W, C) or (M, H, W), uint8 or floats in [0, 1], such as the memory map of a
            dataset.
        other_samples: as `samples`: those of a network trained on other images, from the same noise.
        progress: called as progress(training images done, in all).

    Returns:
        The `MemorizationReport`.

    Raises:
        InputError: for images that cannot be compared, or other samples that are not as many.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> training_set = np.random.default_rng(0).random((8, 16, 16))
        >>> report = kg.memorization_report(training_set[:2] + 0.001, training_set)
        >>> report.verdict, report.closest["distance"].index[:, 0]
        ('memorized', array([0, 1]))
    """
    samples, training_set = as_stack(samples), as_stack(training_set, limits=NEARLY_CLEAN)
    if other_samples is not None:
        other_samples = as_stack(other_samples)
    if other_samples is not None and other_samples.shape != samples.shape:
        raise InputError(
            f"received samples of shape {samples.shape} and others of {other_samples.shape}, expected "
            "one shape"
        )
    found = closest(samples, training_set, progress=progress)
    distance = found["distance"].value
    alone = len(training_set) == 1
    measurable = min(samples.shape[1:3]) >= WINDOW
    twins = twin_ssim = None
    if other_samples is not None:
        twins = {m: paired_similarity(samples, other_samples, m) for m in MEASURES}
        twin_ssim = ssim(samples, other_samples) if measurable else None
    return MemorizationReport(
        num_training=len(training_set),
        closest=found,
        ratio=np.full(len(samples), np.nan) if alone else distance_ratio(distance),
        memorized=copies(found),
        ssim=_ssim_with(samples, training_set, found["correlation"]) if measurable else None,
        twins=twins,
        twin_ssim=twin_ssim,
    )


def distance_ratio(distance):
    """d1 / d2 of each sample, from its distances to the closest and second closest image, (N, 2).

    Equally close images, such as repeats in the training set, have a ratio of 1, even at 0.
    """
    first, second = distance[:, 0], distance[:, 1]
    return np.where(second > 0, first / np.where(second > 0, second, 1), 1)


def copies(found: Mapping[str, Closest]) -> np.ndarray:
    """Which samples are memorized as the images are, by `RULE`; bool (N,).

    Args:
        found: measure -> `Closest` of the training images, two of each sample or the only one there is.
    """
    distance = found["distance"].value
    if distance.shape[1] == 1:
        return found["correlation"].value[:, 0] > REPEAT
    return distance_ratio(distance) < RATIO


def copies_up_to_a_factor(found: Mapping[str, Closest]) -> np.ndarray:
    """Which samples are memorized up to a factor, by `RULE`; bool (N,). Argument as for `copies`."""
    sine = sines(found)
    if sine.shape[1] == 1:
        return copies(found)
    return sine[:, 0] < RATIO * sine[:, 1]


def sines(found: Mapping[str, Closest]) -> np.ndarray:
    """Of the angles between samples and their closest training images: (N, 2), or (N, 1).

    What is within the rounding of float32 images counts as equally close.
    """
    return np.sqrt(np.maximum(_ROUNDING**2, 1 - found["cosine"].value ** 2))


def verdict(memorized, closer=None):
    """The verdict on one network, or on two with the same twins, by `RULE`.

    Args:
        memorized: bool, of all samples; see `memorized_in_a_way`.
        closer: bool, of all pairs; see `twins_closer`. None if there is one network.

    Returns:
        "memorized", "generalized" or "neither".
    """
    if np.mean(memorized) > 0.5:
        return "memorized"
    return "generalized" if closer is not None and np.mean(closer) > 0.5 else "neither"


def memorized_in_a_way(reports):
    """Which samples are memorized in any of the ways of `RULE`.

    Args:
        reports: a list of `MemorizationReport`, in which sample k belongs to the same noise.

    Returns:
        bool (reports, samples).
    """
    return np.stack([report.memorized | report.memorized_up_to_a_factor for report in reports])


def twins_closer(reports):
    """For each pair, whether the twins correlate more than each does with its training images.

    Args:
        reports: as for `memorized_in_a_way`.
    """
    closest_training = np.max([r.closest["correlation"].value[:, 0] for r in reports], axis=0)
    return reports[0].twins["correlation"] > closest_training


def _ssim_with(samples, images, best):
    """SSIM of each sample with the closest image."""
    return np.concatenate(
        [
            ssim(take(samples, slice(k, k + 1), limits=None), take(images, index, limits=None))
            for k, index in enumerate(best.index[:, :1])
        ]
    )


def _summary(values):
    """Mean, median and histogram of a measure."""
    counts, _ = np.histogram(np.clip(values, -1, 1), EDGES)
    return {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "mean_bootstrap_95": list(bootstrap_interval(values)),
        "histogram": {"edges": EDGES.round(2).tolist(), "counts": counts.tolist()},
    }
