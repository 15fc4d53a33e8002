"""PSNR curves on disk."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .saved_numbers import SavedNumbers, files_called
from .slopes import Slope

if TYPE_CHECKING:
    from keras_gahr.result import Figure

    from .psnr_curves import PSNRCurve

_COLUMNS = ("sigma", "input_psnr", "noisy", "denoised", "error_over_images", "error_over_draws")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PSNRCurves(SavedNumbers):
    """PSNR curves of several sets of images at the same noise levels.

    Attributes:
        curves: (name of the set, `PSNRCurve`, `Slope` or None) for each set.
        optimum: the slope of the best possible denoiser of these images, if it is known.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import PSNRCurve, PSNRCurves
        >>> curve = PSNRCurve(np.array([0.1, 1]), np.zeros((2, 1, 3)), np.ones((2, 1, 3)))
        >>> both = PSNRCurves((("faces", curve, None), ("disks", curve, None)))
        >>> type(both.plot()).__name__
        'Figure'
    """

    FILES: ClassVar[tuple[str, ...]] = (*files_called("psnr"), "psnr.csv")

    curves: tuple[tuple[str, PSNRCurve, Slope | None], ...]
    optimum: float | None = None

    def numbers(self) -> dict[str, Any]:
        """The curves and their slopes by the names of the sets, as JSON has them."""
        return {"optimal_slope": self.optimum} | {
            name: {
                "images": curve.after.shape[-1],
                "levels": _levels(curve),
                "slope": slope and dataclasses.asdict(slope),
            }
            for name, curve, slope in self.curves
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """The noise levels, and the PSNR of each set's noisy and denoised images."""
        arrays = {"sigmas": self.curves[0][1].sigmas}
        for name, curve, _ in self.curves:
            arrays |= {f"before_{name}": curve.before, f"after_{name}": curve.after}
        return arrays

    def plot(self, *, title: str = "") -> Figure:
        """A figure with all curves: PSNR of denoised images against that of noisy ones."""
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        super()._write(folder, facts)
        with open(folder / "psnr.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ("set", *_COLUMNS))
            writer.writeheader()
            for name, curve, _ in self.curves:
                writer.writerows({"set": name, **level} for level in _levels(curve))


def curve_rows(curve: PSNRCurve) -> list[list[float | None]]:
    """For each noise level: sigma, the PSNR expected of noisy images, that of the noisy ones and of the
    denoised ones, and its standard errors over images and over draws; None for NaN.
    """
    columns = (
        curve.sigmas,
        curve.input_psnr,
        curve.before.mean(axis=(1, 2)),
        curve.mean,
        curve.error_over_images,
        curve.error_over_draws,
    )
    return [
        [None if value != value else float(value) for value in row]
        for row in zip(*columns, strict=True)
    ]


def _levels(curve):
    return [dict(zip(_COLUMNS, row, strict=True)) for row in curve_rows(curve)]
