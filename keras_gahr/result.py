"""What every result has: a short repr, a picture of itself, and files that are written whole."""

from __future__ import annotations

import collections
import dataclasses
import functools
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from .errors import InputError
from .figure_files import FORMATS
from .files import check_output_folder, replacing_folder

if TYPE_CHECKING:
    import matplotlib.figure

    Figure: TypeAlias = matplotlib.figure.Figure

_WIDTH = 100
_MOST_LINES = 5
_MOST_LETTERS = 60


class Result:
    """What functions return that found something: a frozen dataclass, with `repr=False`.

    Attributes:
        SHOWN: properties that its repr shows before the fields.
    """

    SHOWN: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        names = [*self.SHOWN, *(field.name for field in dataclasses.fields(self) if field.repr)]  # pyright: ignore[reportArgumentType]
        parts = (f"{name}: {_short(getattr(self, name))}" for name in names)
        lines = textwrap.wrap(
            f"{type(self).__name__}({'; '.join(parts)})",
            _WIDTH,
            subsequent_indent="  ",
            max_lines=_MOST_LINES,
            placeholder=" ...)",
        )
        return "\n".join(lines)

    def _figure(self, **options: Any) -> Figure:
        """The first figure of the result."""
        return next(iter(_figures(self, **options)))[1]


class SavedResult(Result):
    """A result that can be saved: `_write` writes all but its figures.

    Attributes:
        FILES: what its folder holds; by the first one, a JSON file, it is known.
    """

    FILES: ClassVar[tuple[str, ...]] = ()

    def save(
        self,
        folder: str | Path,
        *,
        title: str = "",
        overwrite: bool = False,
        figures: str = "png",
        **facts: Any,
    ) -> Path:
        """Writes a folder with `FILES`: numbers, arrays and figures, as a command of `gahr` does.

        Args:
            folder: written whole or not at all.
            title: of the figure; default: as `plot` has it.
            overwrite: whether to replace such a result that is there; nothing else is ever replaced.
            figures: format of the figures: "png", "pdf" or "svg".
            **facts: more entries for the JSON file.

        Returns:
            The folder.

        Raises:
            InputError: if it exists, or cannot be written.
        """
        write = functools.partial(self._write, facts=facts)
        return self._save(folder, overwrite, write, figures, title=title)

    @classmethod
    def check_output(cls, folder: str | Path, overwrite: bool = False) -> Path:
        """The folder, if such a result may be saved there.

        Raises:
            InputError: if not; see `save`.
        """
        return check_output_folder(folder, overwrite, known_by=cls.FILES[0], contents=cls.FILES)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        """Writes all but figures into a folder; `facts` are more entries for its JSON file."""
        raise NotImplementedError

    def _save(
        self,
        folder: str | Path,
        overwrite: bool,
        write: Callable[[Path], object],
        figures: str | None = None,
        **options: Any,
    ) -> Path:
        """Writes the folder of a result, whole or not at all.

        Args:
            write: called with the folder to write all but figures into.
            figures: None, or the format of the figures.
            options: of the figures.
        """
        folder = self.check_output(folder, overwrite)
        with replacing_folder(folder, overwrite) as made:
            write(made)
            if figures is not None:
                save_figures(self, made, figures, **options)
        return folder


def save_figures(result: Result, folder: Path, ending: str, **options: Any) -> None:
    """Writes all figures of a result into a folder, as PNG, PDF or SVG.

    Raises:
        InputError: for another format.
    """
    if ending not in FORMATS:
        raise InputError(f"received format {ending!r}, expected one of {', '.join(FORMATS)}")
    from .plot import save

    for stem, figure in _figures(result, **options):
        save(figure, folder / f"{stem}.{ending}")


def _figures(result, **options):
    """Names and figures of a result.

    How results are drawn is told in a room above, which is reached when one is to be drawn.
    """
    from .plot import figures_of

    return figures_of(result, **options)


def _short(value):
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return _short_array(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return f"{{{_cut(', '.join(map(str, value)))}}}"
    if isinstance(value, list | tuple) and value:
        if all(isinstance(entry, str) for entry in value):
            counts = collections.Counter(value)
            return _cut(", ".join(f"{count} {name}" for name, count in counts.items()))
        if all(isinstance(entry, np.ndarray) for entry in value):
            return _cut(", ".join(map(_short_array, value)))
    if dataclasses.is_dataclass(value) and isinstance(value, Result):
        return type(value).__name__
    if isinstance(value, list | tuple) and any(isinstance(entry, Result) for entry in value):
        return f"{len(value)} {type(value[0]).__name__}"
    return _cut(repr(value))


def _short_array(array):
    text = f"{array.dtype} {array.shape}"
    if array.dtype == bool:
        return f"{np.count_nonzero(array)} of {array.size}"
    if array.dtype.kind not in "iuf" or not array.size:
        return text
    finite = array[np.isfinite(array)]
    if not len(finite):
        return f"{text}, not finite"
    return f"{text}, {finite.min():.3g} to {finite.max():.3g}"


def _cut(text):
    text = " ".join(text.split())
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}..."
