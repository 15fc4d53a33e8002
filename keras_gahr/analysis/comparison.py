"""Two networks, trained on disjoint sets, sampled from the same noise (arXiv 2310.02557, figure 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.analysis.memorization import (
    RULE,
    MemorizationReport,
    memorization_report,
    memorized_in_a_way,
    twins_closer,
    verdict,
)
from keras_gahr.analysis.saved_numbers import SavedNumbers
from keras_gahr.analysis.similarity import MEASURES
from keras_gahr.datasets.arrays import NEARLY_CLEAN, take
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.sampling import AscentSchedule, Samples, sample

if TYPE_CHECKING:
    from keras_gahr.result import Figure

SIDES = ("a", "b")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparison(SavedNumbers):
    """Samples of networks A and B, and how close they come to each other and to the training images.

    Attributes:
        samples: what the sampler found, for A and for B.
        pairs: int64 (P,): the indices of the samples that converged for both, which are compared.
        reports: the `MemorizationReport` of A's and of B's samples in those pairs.
        closest: float32 (P, H, W, C) for A and for B: the training image that correlates most with
            its sample.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 8, 8))
        >>> denoiser = kg.baselines.Wiener.from_images(images)
        >>> schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
        >>> twins = kg.compare([denoiser, denoiser], [images, images], count=2, schedule=schedule)
        >>> twins.pairs, twins.share_twins_closer, twins.verdict
        (array([0, 1]), 1.0, 'generalized')
    """

    FILES: ClassVar[tuple[str, ...]] = (
        "comparison.json",
        "comparison.npz",
        *figure_files("samples", "similarity"),
    )
    SHOWN: ClassVar[tuple[str, ...]] = ("verdict", "share_twins_closer")

    samples: tuple[Samples, Samples]
    pairs: np.ndarray
    reports: tuple[MemorizationReport, MemorizationReport]
    closest: tuple[np.ndarray, np.ndarray]

    @property
    def verdict(self) -> str:
        """ "memorized", "generalized" or "neither"; see `keras_gahr.analysis.memorization.RULE`."""
        return verdict(memorized_in_a_way(self.reports), twins_closer(self.reports))

    @property
    def share_twins_closer(self) -> float:
        """The share of pairs in which the twins are closer than the closest training images."""
        return float(twins_closer(self.reports).mean())

    def numbers(self) -> dict[str, Any]:
        """All but the images, as JSON has it."""
        return {
            "verdict": self.verdict,
            "pairs": self.pairs.tolist(),
            "share_twins_closer_than_training_images": self.share_twins_closer,
            "status": {
                side: list(found.status) for side, found in zip(SIDES, self.samples, strict=True)
            },
            **{
                f"network_{side}": report.numbers()
                for side, report in zip(SIDES, self.reports, strict=True)
            },
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """The images and the measures by name, for a `.npz` file."""
        arrays = {"pairs": self.pairs}
        for side, found, report, closest in zip(
            SIDES, self.samples, self.reports, self.closest, strict=True
        ):
            arrays[f"samples_{side}"] = found.images
            arrays[f"closest_{side}"] = closest
            arrays[f"distance_ratio_{side}"] = report.ratio
            for measure in MEASURES:
                best = report.closest[measure]
                arrays[f"{measure}_index_{side}"] = best.index
                arrays[f"{measure}_{side}"] = best.value
        twins = self.reports[0].twins or {}
        return arrays | {f"{measure}_twins": values for measure, values in twins.items()}

    def rows(self) -> list[tuple]:
        """What `keras_gahr.plot.twin_samples` draws."""
        twins = self.arrays()["correlation_twins"]
        a, b = (report.closest["correlation"].value[:, 0] for report in self.reports)
        return [
            (
                self.samples[0].images[pair],
                self.samples[1].images[pair],
                self.closest[0][k],
                self.closest[1][k],
                (
                    f"sample {pair}",
                    f"with A: {twins[k]:.2f}",
                    f"with A: {a[k]:.2f}",
                    f"with B: {b[k]:.2f}",
                ),
            )
            for k, pair in enumerate(self.pairs)
        ]

    def plot(self, *, title: str = "") -> Figure:
        """A figure with rows of four images: the twins, and the closest training image of each.

        Args:
            title: of the figure; default: the verdict.
        """
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        super()._write(folder, {"rule": RULE, **facts})


@shows_progress("sampling")
def compare(
    denoisers: Sequence[DenoiserLike],
    train_sets: Sequence[ArrayLike],
    *,
    count: int,
    seed: int = 0,
    schedule: AscentSchedule | None = None,
    batch_size: int = 16,
    memory: int | None = None,
    progress: Progress = None,
) -> Comparison:
    """Samples both networks from the same noise and looks for the samples among the training images.

    Args:
        denoisers: A and B; see `as_denoiser`.
        train_sets: their training images, (N, H, W, C) or (N, H, W) each, uint8 or floats in [0, 1].
        count: how many pairs of samples.
        seed: of the noise.
        schedule, batch_size, memory: see `keras_gahr.sampling.sample`.
        progress: called as progress(samples done, samples in all); an unfinished one counts in part.

    Returns:
        The `Comparison`.

    Raises:
        InputError: if the training images have different shapes or do not fit the networks, or if no
            pair of samples converged.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> sets = np.random.default_rng(0).random((2, 8, 8, 8))
        >>> denoisers = [kg.baselines.Wiener.from_images(each) for each in sets]
        >>> schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
        >>> kg.compare(denoisers, sets, count=2, schedule=schedule).verdict
        'neither'
    """
    assert callable(progress)  # As the decorator makes it.
    for pair, what in ((denoisers, "denoisers"), (train_sets, "training sets")):
        if not isinstance(pair, Sequence | np.ndarray) or isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"received other {what} than A's and B's: expected a list of two")
    denoisers = [as_denoiser(denoiser) for denoiser in denoisers]
    train_sets = [as_stack(train, limits=NEARLY_CLEAN) for train in train_sets]
    shapes = [tuple(train.shape[1:]) for train in train_sets]
    if shapes[0] != shapes[1]:
        a, b = ("x".join(map(str, shape)) for shape in shapes)
        raise InputError(f"received training images of {a} and of {b}, expected one size")
    for denoiser, train in zip(denoisers, train_sets, strict=True):
        denoiser.check_shape(train.shape)

    def report(before):
        return lambda done, total: progress(before + done, 2 * total)

    found = tuple(
        sample(
            denoiser,
            shapes[0],
            count=count,
            seed=seed,
            schedule=schedule,
            batch_size=batch_size,
            memory=memory,
            progress=report(k * count),
        )
        for k, denoiser in enumerate(denoisers)
    )
    status = np.array([each.status for each in found])
    pairs = np.flatnonzero((status == "converged").all(axis=0))
    if not len(pairs):
        endings = ", ".join(sorted({*status.ravel()}))
        raise InputError(
            f"no pair of samples converged ({endings}): a larger beta, sigma-end or max-steps may help, "
            "or longer training"
        )
    images = [each.images[pairs] for each in found]
    reports = (
        memorization_report(images[0], train_sets[0], images[1], progress=False),
        memorization_report(images[1], train_sets[1], images[0], progress=False),
    )
    a, b = (
        take(train, report.closest["correlation"].index[:, 0], limits=None)
        for train, report in zip(train_sets, reports, strict=True)
    )
    return Comparison((found[0], found[1]), pairs, reports, (a, b))
