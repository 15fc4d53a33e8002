"""PSNR curves on disk."""

from __future__ import annotations

import csv
import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import keras_gahr
from keras_gahr.figure_files import figure_files
from keras_gahr.json_file import write_json
from keras_gahr.result import SavedResult

from .slopes import Slope

if TYPE_CHECKING:
    from keras_gahr.result import Figure

    from .psnr_curves import PSNRCurve

_COLUMNS = ("sigma", "input_psnr", "noisy", "denoised", "error_over_images", "error_over_draws")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PSNRCurves(SavedResult):
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

    FILES: ClassVar[tuple[str, ...]] = ("psnr.json", "psnr.csv", "psnr.npz", *figure_files("psnr"))

    curves: tuple[tuple[str, PSNRCurve, Slope | None], ...]
    optimum: float | None = None

    def save(
        self,
        folder: str | Path,
        *,
        title: str = "",
        overwrite: bool = False,
        figures: str = "png",
        **facts: Any,
    ) -> Path:
        """Writes a folder with psnr.json, psnr.csv, psnr.npz and the figure psnr, as `gahr psnr` does.

        Args:
            folder: written whole or not at all.
            title: of the figure; default: none.
            overwrite: whether to replace curves that are there; nothing else is ever replaced.
            figures: format of the figure: "png", "pdf" or "svg".
            **facts: more entries for psnr.json.

        Returns:
            The folder.

        Raises:
            InputError: if it exists, or cannot be written.
        """
        write = functools.partial(_write, self, facts)
        return self._save(folder, overwrite, write, figures, title=title)

    def plot(self, *, title: str = "") -> Figure:
        """A figure with all curves: PSNR of denoised images against that of noisy ones."""
        return self._figure(title=title)


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


def _write(found, facts, folder):
    report = {
        "package": f"keras-gahr {keras_gahr.__version__}",
        **facts,
        "optimal_slope": found.optimum,
    }
    rows, arrays = [], {}
    for name, curve, slope in found.curves:
        arrays |= {f"before_{name}": curve.before, f"after_{name}": curve.after}
        levels = [dict(zip(_COLUMNS, row, strict=True)) for row in curve_rows(curve)]
        rows += [{"set": name, **level} for level in levels]
        report[name] = {
            "images": curve.after.shape[-1],
            "levels": levels,
            "slope": slope and _without_nan(dataclasses.asdict(slope)),
        }
    np.savez_compressed(folder / "psnr.npz", sigmas=found.curves[0][1].sigmas, **arrays)
    with open(folder / "psnr.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("set", *_COLUMNS))
        writer.writeheader()
        writer.writerows(rows)
    write_json(folder / "psnr.json", report)


def _without_nan(numbers):
    numbers["interval"] = [None if value != value else value for value in numbers["interval"]]
    return numbers
