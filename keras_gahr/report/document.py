"""What a report says, before it is written as HTML, Markdown and JSON."""

import base64
import dataclasses
import re
import struct
from collections.abc import Mapping, Sequence

from .claim import Claim


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure.

    Args:
        name: of its file, without suffix, unique in the report: letters, digits, `.`, `-` and `_`.
        png: the content of a PNG file.
        caption: what is to be seen, and where the paper has it; may be empty within a `Slider`.
        description: the same for readers who cannot see it.
    """

    name: str
    png: bytes
    caption: str
    description: str

    def __post_init__(self):
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", self.name):
            raise ValueError(f"{self.name!r} is no name of a picture")

    @property
    def size(self):
        """(width, height) in pixels; raises `ValueError` if it is no PNG file."""
        if not self.png.startswith(b"\x89PNG\r\n\x1a\n") or len(self.png) < 24:
            raise ValueError(f"picture {self.name} is no PNG file")
        return struct.unpack(">II", self.png[16:24])

    @property
    def attributes(self):
        """Of its element in HTML: where it comes from, which is the element itself."""
        return {"src": f"data:image/png;base64,{base64.b64encode(self.png).decode()}"}


@dataclasses.dataclass(frozen=True)
class Slider:
    """Pictures of one kind, one at a time, chosen by a slider.

    Args:
        label: what the slider changes: "training images N".
        values: of it, one string for each picture.
        pictures: `Picture`s of one size.
        caption: of all.
    """

    label: str
    values: Sequence[str]
    pictures: Sequence[Picture]
    caption: str

    def __post_init__(self):
        if not 0 < len(self.pictures) == len(self.values):
            raise ValueError(
                f"slider {self.label!r} has {len(self.values)} values for {len(self.pictures)} pictures"
            )


@dataclasses.dataclass(frozen=True)
class Table:
    """Numbers side by side, such as those measured and those of the paper.

    Args:
        columns: their names.
        rows: cells: strings, numbers, or None where there is nothing.
        caption: with the units.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str

    def __post_init__(self):
        if {len(row) for row in self.rows} - {len(self.columns)}:
            raise ValueError(f"a row of table {self.caption!r} has not {len(self.columns)} cells")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        title: of it.
        text: paragraphs of plain text.
        items: `Picture`s, `Slider`s and `Table`s, in order.
    """

    title: str
    text: Sequence[str] = ()
    items: Sequence[Picture | Slider | Table] = ()


@dataclasses.dataclass(frozen=True)
class Document:
    """A report.

    Args:
        name: of the experiment, or of what was reported on; no spaces.
        title: of the page.
        question: that was asked, a sentence.
        answer: a sentence or two with the numbers that matter.
        claims: `Claim`s.
        sections: `Section`s.
        numbers: everything measured, as JSON has it, by name.
        settings: what was run, as JSON has it: scale, dataset, networks, trainings.
        versions: of Python, packages and the backend.
        seconds: the time that trainings and analysis took together, or None if not known.
    """

    name: str
    title: str
    question: str
    answer: str
    claims: Sequence[Claim] = ()
    sections: Sequence[Section] = ()
    numbers: Mapping[str, object] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float | None = None

    def pictures(self):
        """All `Picture`s, in order."""
        for section in self.sections:
            for item in section.items:
                if isinstance(item, Slider):
                    yield from item.pictures
                elif isinstance(item, Picture):
                    yield item
