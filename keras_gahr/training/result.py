"""What comes of a training."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any, ClassVar

from keras_gahr.denoisers import Denoiser
from keras_gahr.result import SavedResult

from .clock.report import ClockReport
from .run_folder import FILES, check_run_output

if TYPE_CHECKING:
    from keras_gahr.result import Figure


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class TrainingResult(SavedResult):
    """How a training ended, and what it left.

    Attributes:
        state: "finished", "stopped" (by a signal), "early stop" (by patience or a callback),
            "diverged", or still "running".
        history: the rows of history.csv, one dictionary for each epoch.
        signal: the signal that stopped it, or None.
        levels: the rows of levels.csv: PSNR at ten noise levels after each epoch.
        pictures: noisy and denoised images at four noise levels after the last epoch that was trained
            now, a list of (sigma, clean, noisy, denoised).
        denoiser: the one that was trained; it has its new weights when the training has ended.
        folder: the run directory. One that nobody asked for lies among the system's temporary files
            and is gone when the result is.
        temporary: what keeps such a directory, or None.
        clock: the `ClockReport` of a training with a clock, or None.
        memorized: how one saw that it memorized, if that ended it; or None.

    Examples:
        >>> from keras_gahr.training import TrainingResult
        >>> result = TrainingResult("finished", [{"epoch": 1, "train_psnr": 25.0}])
        >>> result.epochs, result.train_psnr, result.test_psnr
        (1, 25.0, None)
        >>> result.diverged
        False
    """

    FILES: ClassVar[tuple[str, ...]] = FILES
    SHOWN: ClassVar[tuple[str, ...]] = ("epochs", "train_psnr", "test_psnr")

    state: str
    history: list[dict[str, Any]] = dataclasses.field(repr=False)
    signal: Signals | None = None
    levels: list[dict[str, Any]] = dataclasses.field(default_factory=list, repr=False)
    pictures: list[tuple[Any, ...]] = dataclasses.field(default_factory=list, repr=False)
    denoiser: Denoiser | None = None
    folder: Path | None = None
    temporary: object = dataclasses.field(default=None, repr=False)
    clock: ClockReport | None = dataclasses.field(default=None, repr=False)
    memorized: str | None = dataclasses.field(default=None, repr=False)

    @property
    def diverged(self) -> bool:
        """Whether the loss was not finite or rose; the model is that of the epoch before, if any."""
        return self.state == "diverged"

    @property
    def epochs(self) -> int:
        """How many were trained, the one included in which it was stopped."""
        return len(self.history)

    @property
    def train_psnr(self) -> float | None:
        """Of the last epoch, in dB, at the noise levels that are trained for."""
        return self.history[-1].get("train_psnr") if self.history else None

    @property
    def test_psnr(self) -> float | None:
        """The same of the test images; None if there are none."""
        return self.history[-1].get("test_psnr") if self.history else None

    @classmethod
    def check_output(cls, folder: str | Path, overwrite: bool = False) -> Path:
        """The folder, if a run may be saved there.

        Raises:
            InputError: if not; see `save`.
        """
        return check_run_output(folder, overwrite)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Keeps the run as `gahr train` writes it, with its figures, in another folder.

        Args:
            folder: written whole or not at all.
            overwrite: whether to replace a run that is there; nothing else is ever replaced.

        Returns:
            The folder.

        Raises:
            InputError: if it exists, or cannot be written.
        """

        def write(made):
            others = shutil.ignore_patterns("*.png")
            # None only before `run_training` returns.
            shutil.copytree(self.folder, made, dirs_exist_ok=True, ignore=others)  # pyright: ignore[reportArgumentType]

        return self._save(folder, overwrite, write, figures="png")

    def plot(self) -> Figure:
        """A figure of loss and PSNR in each epoch."""
        return self._figure()
