"""A report as Markdown, with its pictures in files beside it."""

import re

import keras_gahr
from keras_gahr.json_file import json_text

from .document import Picture, Slider
from .wording import VERDICTS, cell_texts, numeric_columns, seconds_text, tally

_MARKS = {True: "✓", False: "✗", None: "?"}


def markdown_page(document):
    """The text of report.md; the pictures are expected in pictures/NAME.png.

    Args:
        document: `Document`.
    """
    blocks = [
        f"# {escaped(document.title)}",
        f"*{escaped(document.question)}*",
        f"**{escaped(document.answer)}**",
    ]
    if document.claims:
        blocks += ["## Claims", f"{tally(document.claims)}."]
        blocks.append("\n".join(map(_claim, document.claims)))
    for section in document.sections:
        blocks += [f"## {escaped(section.title)}", *map(escaped, section.text)]
        for item in section.items:
            blocks += _item(item)
    blocks.append("## What was run")
    if document.seconds is not None:
        blocks.append(f"It took {seconds_text(document.seconds)}.")
    for name, values in (("Settings", document.settings), ("Versions", document.versions)):
        if values:
            blocks += [f"### {name}", fenced(values)]
    blocks.append(f"Written by keras-gahr {keras_gahr.__version__}; numbers.json has all numbers.")
    return "\n\n".join(block for block in blocks if block) + "\n"


def escaped(text):
    """Text that Markdown shows as it is, on one line."""
    text = re.sub(r"([\\`*_\[\]<>|~&#$])", r"\\\1", " ".join(str(text).split()))
    # At the start of a line these would make a list, a heading or a rule.
    return re.sub(r"^(\d*)([-+=.)])(?=[\s=-]|$)", r"\1\\\2", text)


def _claim(claim):
    facts = (("measured", claim.measured), ("expected", claim.expected), ("source", claim.source))
    return "\n".join(
        [
            f"- {_MARKS[claim.passed]} **{VERDICTS[claim.passed]}**: {escaped(claim.statement)}",
            *(f"  - {name}: {escaped(text)}" for name, text in facts),
        ]
    )


def _item(item):
    if isinstance(item, Picture):
        return [_image(item), escaped(item.caption)]
    if isinstance(item, Slider):
        blocks = []
        for value, picture in zip(item.values, item.pictures, strict=True):
            blocks += [
                f"**{escaped(item.label)}: {escaped(value)}**",
                _image(picture),
                escaped(picture.caption),
            ]
        return [*blocks, escaped(item.caption)]
    return [table_text(item), escaped(item.caption)]


def table_text(table):
    """A `Table` without its caption."""
    rules = ["---:" if right else "---" for right in numeric_columns(table)]
    rows = [map(escaped, table.columns), rules, *(map(escaped, row) for row in cell_texts(table))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _image(picture):
    return f"![{escaped(picture.description)}](pictures/{picture.name}.png)"


def fenced(values):
    """Plain values as a block of JSON."""
    text = json_text(values)
    # A fence longer than any row of backticks within.
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}json\n{text}\n{fence}"
