"""What all experiments have in common."""

import abc
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from keras_gahr.datasets import Dataset
from keras_gahr.denoisers import load_denoiser
from keras_gahr.report.document import Document

from .plan import TrainingTask

SCALES = ("smoke", "laptop", "paper")


class Experiment(abc.ABC):
    """A figure of the paper: what it asks, what must be trained for it, and what is made of that.

    Attributes:
        name: on the command line, one word.
        title, question: of the report.
        figures: of the paper: "Figs. 1, 2".
        scales: for each of `SCALES` its settings, a frozen dataclass as in
            `keras_gahr.reproduction.settings`. Each of their fields can be overridden on the command
            line by name, so that all are numbers, strings, booleans, None, or tuples of numbers or
            strings. `smoke` takes seconds to two minutes, `laptop` at most
            40 minutes on two cores and shows the claim, `paper` has the paper's settings.
        uses_faces: whether its images are given by the user as a dataset of faces. Without one,
            it takes a synthetic family in their place and says so in the report.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    figures: ClassVar[str]
    scales: ClassVar[Mapping[str, object]]
    uses_faces: ClassVar[bool] = False

    @abc.abstractmethod
    def trainings(self, settings, faces=None):
        """The networks that the experiment needs.

        Args:
            settings: one of `scales`, perhaps with some fields changed.
            faces: `DatasetFolder` of the user, or None.

        Returns:
            A list of `TrainingTask`; those of one `TrainingTask.folder` are trained once.

        Raises:
            InputError: for settings that cannot be run.
        """

    @abc.abstractmethod
    def analyse(self, settings, runs, progress):
        """What was found.

        Args:
            settings: as for `trainings`.
            runs: the finished ones, a list of `FinishedRun` in the order of `trainings`.
            progress: called as progress(text, part done) now and then, part done from 0 to 1.

        Returns:
            What `document` makes: without settings, versions and time, which are added by who called.
        """

    def document(self, answer, claims, sections, numbers):
        """The `Document` of what was found; see there."""
        return Document(
            self.name,
            self.title,
            self.question,
            answer,
            claims=claims,
            sections=sections,
            numbers=numbers,
        )


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A training of an experiment that has ended.

    Args:
        task: the `TrainingTask`.
        folder: the run directory, a path, with model.keras, history.csv and levels.csv.
        dataset: the `Dataset` that it was trained on, whole; `split` gives its parts.
    """

    task: TrainingTask
    folder: Path
    dataset: Dataset

    def denoiser(self):
        """The trained `Denoiser`."""
        return load_denoiser(self.folder / "model.keras")

    def split(self):
        """Its training and test images, two `Dataset`s."""
        options = self.task.options
        return self.dataset.split(
            options["train_size"], options["test_size"], options.get("half", "A")
        )
