"""The densities of one set of images, beside those of another set or under another denoiser."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from keras_gahr.figure_files import figure_files

from ..intervals import area_interval, correlation, correlation_interval
from ..saved_numbers import SavedNumbers
from .result import LogDensity

if TYPE_CHECKING:
    from keras_gahr.result import Figure

SHOWN = 8
"""Images at either end of the ranking that are kept."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DensityComparison(SavedNumbers):
    """Densities, and how they compare.

    Attributes:
        found: `LogDensity` of N images.
        images: float32 (up to 16, H, W, C), the most probable ones first, then the least probable.
        others: `LogDensity` of another set under the same denoiser, such as images of another kind, or None.
        twin: `LogDensity` of the N images under another denoiser, such as one of other images, or None.
        places: int (N,), where the images are in the set that they were taken from, counted from 0; None if
            they are all of it.
        other_places: those of the other images in theirs.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import DensityComparison, LogDensity
        >>> values = np.array([[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]])
        >>> sets = [
        ...     LogDensity(v, v / 10, v / 5, np.full(3, 400), 4, "mmse", 0.0, (0.01, 1.0), 0)
        ...     for v in values
        ... ]
        >>> compared = DensityComparison.of(sets[0], np.zeros((3, 2, 2, 1)), others=sets[1], twin=sets[1])
        >>> round(compared.told_apart[0], 3), round(compared.agreement[0], 3)
        (1.0, 1.0)
    """

    FILES: ClassVar[tuple[str, ...]] = (
        "density.json",
        "density.npz",
        "density.csv",
        *figure_files("density"),
        *figure_files("ranking"),
        *figure_files("others"),
        *figure_files("agreement"),
    )
    SHOWN: ClassVar[tuple[str, ...]] = ("told_apart", "agreement")

    found: LogDensity
    images: np.ndarray
    others: LogDensity | None = None
    twin: LogDensity | None = None
    places: np.ndarray | None = None
    other_places: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        found: LogDensity,
        images: np.ndarray,
        others: LogDensity | None = None,
        twin: LogDensity | None = None,
        *,
        places: np.ndarray | None = None,
        other_places: np.ndarray | None = None,
    ) -> DensityComparison:
        """That of all images, (N, H, W, C), of which those at both ends of the ranking are kept."""
        order = found.order
        ends = order if len(order) <= 2 * SHOWN else np.append(order[:SHOWN], order[-SHOWN:])
        shown = np.stack([images[k] for k in ends])
        return cls(found, shown, others, twin, places, other_places)

    @property
    def told_apart(self) -> tuple[float, tuple[float, float]] | None:
        """How often an image is more probable than one of the others, and the 95% interval; 1/2 by chance."""
        if self.others is None:
            return None
        bits, others = self.found.bits_per_dimension, self.others.bits_per_dimension
        fewer, equal = (np.mean(compare(bits[:, None], others)) for compare in (np.less, np.equal))
        share = float(fewer + equal / 2)
        return share, area_interval(share, len(bits), len(others))

    @property
    def agreement(self) -> tuple[float, tuple[float, float]] | None:
        """The correlation of log p(x) under both denoisers over images, with its 95% interval."""
        if self.twin is None or len(self.found.log_density) < 3:
            return None
        pair = self.found.log_density, self.twin.log_density
        return float(correlation(*pair)), correlation_interval(*pair)

    def numbers(self) -> dict[str, Any]:
        """Of each set what it says, as JSON has it, and the comparisons."""
        said = self.found.numbers()
        for name in ("others", "twin"):
            if (found := getattr(self, name)) is not None:
                said[name] = found.numbers()
        if self.places is not None:
            said["places"] = self.places.tolist()
        if self.others is not None and self.other_places is not None:
            said["others"]["places"] = self.other_places.tolist()
        for name in ("told_apart", "agreement"):
            if (value := getattr(self, name)) is not None:
                said[name] = {"value": value[0], "interval_95": list(value[1])}
        return said

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, for a `.npz` file."""
        sets = {"": self.found, "others_": self.others, "twin_": self.twin}
        places = {"places": self.places, "others_places": self.other_places}
        return {
            "images": self.images,
            **{name: values for name, values in places.items() if values is not None},
            **{
                f"{prefix}{name}": values
                for prefix, found in sets.items()
                if found is not None
                for name, values in found.arrays().items()
            },
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: bits per dimension of all images in order, with their intervals."""
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        super()._write(folder, facts)
        with open(folder / "density.csv", "w", newline="", encoding="utf-8") as file:
            count = len(self.found.log_density)
            columns = {
                "image": np.arange(count) if self.places is None else self.places,
                "log_density": self.found.log_density,
                "standard_error": self.found.standard_error,
                "bits_per_dimension": self.found.bits_per_dimension,
                "bits_error": self.found.bits_error,
            }
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
