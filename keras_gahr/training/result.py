"""What comes of a training."""

import dataclasses
import shutil
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from keras_gahr.denoisers import Denoiser
from keras_gahr.files import replacing_folder

from .run_folder import check_run_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class TrainingResult:
    """How a training ended, and what it left.

    Args:
        state: "finished", "stopped" (by a signal), "early stop" (by patience or a callback),
            "diverged", or still "running".
        history: the rows of history.csv, one dictionary for each epoch.
        signal: the signal that stopped it, or None.
        levels: the rows of levels.csv: PSNR at ten noise levels after each epoch.
        pictures: see `NoiseLevels`; empty if no epoch was trained now.
        denoiser: the one that was trained; it has its new weights when the training has ended.
        folder: the run directory. One that nobody asked for lies among the system's temporary files
            and is gone when the result is.
    """

    state: str
    history: list[dict]
    signal: Signals | None = None
    levels: list[dict] = dataclasses.field(default_factory=list)
    pictures: list[tuple] = dataclasses.field(default_factory=list)
    denoiser: Denoiser | None = None
    folder: Path | None = None
    _temporary: object = None

    @property
    def diverged(self) -> bool:
        """Whether the loss was not finite or rose; the model is that of the epoch before, if any."""
        return self.state == "diverged"

    def __repr__(self) -> str:
        text = f"TrainingResult: {self.state} after {len(self.history)} epochs"
        if self.denoiser is not None:
            name, count = type(self.denoiser).__name__, self.denoiser.num_parameters
            text += f", {name} with {count:,} parameters"
        if self.history:
            numbers = [
                f"{self.history[-1][f'{part}_psnr']:.2f} dB on {part} images"
                for part in ("train", "test")
                if f"{part}_psnr" in self.history[-1]
            ]
            text += f"; last epoch {', '.join(numbers)}"
        return f"<{text}>"

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Keeps the run directory, as `gahr train` writes it, somewhere else.

        Args:
            folder: the new one.
            overwrite: whether it may be an older run, which is removed first.

        Raises:
            InputError: if it cannot be written.
        """
        folder = check_run_output(folder, overwrite)
        with replacing_folder(folder, overwrite) as new:
            shutil.copytree(self.folder, new, dirs_exist_ok=True)
        return folder

    def plot(self) -> "Figure":
        """Loss and PSNR of each epoch; see `keras_gahr.plot.training_history`."""
        from keras_gahr.plot import training_history

        return training_history(self.history)
