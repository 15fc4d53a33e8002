"""What the looks at a training say together."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras_gahr
from keras_gahr.figure_files import figure_files
from keras_gahr.json_file import write_json
from keras_gahr.result import SavedResult

from .look import Look
from .table import write_clock
from .times import first_memorizing, generalization_time, memorization_time

if TYPE_CHECKING:
    from keras_gahr.result import Figure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ClockReport(SavedResult):
    """The looks at a training, and when it generalized and began to memorize.

    Attributes:
        looks: `Look`s, in the order of their steps.
        train_size, test_size: how many images there are of each.
        gap_errors: how many standard errors the gap may have.

    Examples:
        >>> from keras_gahr.training.clock import ClockReport, Look
        >>> looks = (Look(10, 64, test_error=0.5), Look(100, 64, 0.5, 0.38, 0.62, test_error=0.2))
        >>> report = ClockReport(looks, train_size=16, test_size=64)
        >>> report.tau_gen, report.tau_mem
        (100, 100)
    """

    FILES: ClassVar[tuple[str, ...]] = ("clock.json", "clock.csv", *figure_files("clock"))
    SHOWN: ClassVar[tuple[str, ...]] = ("tau_gen", "tau_mem", "memorized_at", "reason")

    looks: tuple[Look, ...]
    train_size: int
    test_size: int
    gap_errors: float = dataclasses.field(default=3.0, repr=False)

    @property
    def tau_gen(self) -> int | None:
        """The first step whose test error is within 5% of the best one; None without test images."""
        return generalization_time(self.looks)

    @property
    def tau_mem(self) -> int | None:
        """The first step at which the 95% interval of f_mem lies above 5%; None if there is none."""
        return memorization_time(self.looks)

    @property
    def memorized_at(self) -> int | None:
        """The first step at which samples or the gap say that it memorizes; None if there is none."""
        look = self._first()
        return None if look is None else look.step

    @property
    def last_before(self) -> int | None:
        """The step of the last look before that; None if the first look shows it, or none does."""
        steps = [look.step for look in self.looks if look.step < (self.memorized_at or 0)]
        return steps[-1] if steps else None

    @property
    def reason(self) -> str | None:
        """How one sees it at that step."""
        look = self._first()
        return None if look is None else look.memorizes(self.gap_errors)

    @property
    def headline(self) -> str:
        """In a line when it generalized and when it began to memorize."""
        trained = f"N = {self.train_size}"
        if self.tau_gen is not None:
            trained += f", test error near its best from step {self.tau_gen}"
        if self.memorized_at is None:
            return f"{trained}, no memorization seen"
        return f"{trained}, memorization seen from step {self.memorized_at}"

    def _first(self):
        return first_memorizing(self.looks, self.gap_errors)

    @property
    def rows(self) -> list[dict[str, float]]:
        """The lines of clock.csv, one dictionary for each look."""
        return [look.row() for look in self.looks]

    def plot(self, *, title: str = "") -> Figure:
        """A figure of copies, gap, closeness and errors against the step.

        Args:
            title: of the figure; default: when it began to memorize.
        """
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        numbers = {name: getattr(self, name) for name in self.SHOWN}
        sizes = {"train_size": self.train_size, "test_size": self.test_size}
        package = f"keras-gahr {keras_gahr.__version__}"
        write_json(folder / "clock.json", {"package": package, **facts, **sizes, **numbers})
        write_clock(folder / "clock.csv", self.looks)
