"""Results whose folder holds numbers, arrays and a figure."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import keras_gahr
from keras_gahr.figure_files import figure_files
from keras_gahr.json_file import write_json
from keras_gahr.result import SavedResult

if TYPE_CHECKING:
    from keras_gahr.result import Figure


def files_called(stem: str) -> tuple[str, ...]:
    """All files of such a result: STEM.json, STEM.npz and the figure STEM."""
    return (f"{stem}.json", f"{stem}.npz", *figure_files(stem))


class SavedNumbers(SavedResult):
    """A result that is saved as JSON (what it says), NPZ (its arrays) and a figure.

    The first two of its FILES are these; if it has one figure, they are `files_called` by one name.
    """

    def numbers(self) -> dict[str, Any]:
        """What it says, as JSON has it."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name, for a `.npz` file."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # pyright: ignore[reportArgumentType]
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        numbers, arrays = self.FILES[:2]
        np.savez_compressed(folder / arrays, allow_pickle=False, **self.arrays())
        package = f"keras-gahr {keras_gahr.__version__}"
        write_json(folder / numbers, {"package": package, **facts, **self.numbers()})

    def plot(self, *, title: str = "") -> Figure:
        """Its figure.

        Args:
            title: of the figure; default: what the result says, if that fits a line.
        """
        return self._figure(title=title)
