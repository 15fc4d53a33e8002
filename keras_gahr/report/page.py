"""A report on disk: one HTML page, the same in Markdown, and the numbers."""

import dataclasses
from collections import Counter
from pathlib import Path

import keras_gahr
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder, replacing_folder
from keras_gahr.json_file import json_text, read_json

from .html import html_page
from .markdown import markdown_page

NAMES = ("report.html", "report.md", "numbers.json", "pictures")
"""All that the folder of a report may hold."""


def check_report_output(folder, overwrite=False):
    """The path, if a report may be written there.

    An older report is only replaced if nobody has put anything into it since.

    Raises:
        InputError: if it exists and may not be replaced, or if it would lie inside a file.
    """
    folder = check_output_folder(folder, overwrite, known_by="numbers.json", contents=NAMES)
    pictures = folder / "pictures"
    foreign = sorted({path.name for path in pictures.glob("*")} - _written_pictures(folder))
    if foreign:
        raise InputError(
            f"{pictures} also holds {foreign[0]}, which is not ours to delete: move it or choose "
            "another name"
        )
    return folder


def _written_pictures(folder):
    """The names of the files that the report in a folder says it put into pictures/."""
    try:
        names = read_json(folder / "numbers.json")["pictures"]
        return {f"{name}.png" for name in names}
    except (InputError, LookupError, TypeError):
        return set()


def write_report(document, folder, overwrite=False):
    """Writes a report, whole or not at all.

    Args:
        document: `Document`.
        folder: gets report.html, which holds everything and loads nothing, report.md with the
            pictures in pictures/NAME.png, and numbers.json.
        overwrite: whether an older report there is replaced.

    Returns:
        The path of report.html.

    Raises:
        InputError: if the folder may not be written; see `check_report_output`.
        ValueError: if two pictures have one name, or one is no PNG file.
    """
    folder = check_report_output(folder, overwrite)
    pictures = list(document.pictures())
    for name, count in Counter(picture.name for picture in pictures).items():
        if count > 1:
            raise ValueError(f"{count} pictures are called {name}")
    files = {
        "report.html": html_page(document),
        "report.md": markdown_page(document),
        "numbers.json": json_text(_numbers(document)) + "\n",
    }
    with replacing_folder(folder, overwrite) as temporary:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
        (temporary / "pictures").mkdir()
        for picture in pictures:
            (temporary / "pictures" / f"{picture.name}.png").write_bytes(picture.png)
    return Path(folder) / "report.html"


def _numbers(document):
    """The content of numbers.json."""
    return {
        "package": f"keras-gahr {keras_gahr.__version__}",
        "name": document.name,
        "title": document.title,
        "question": document.question,
        "answer": document.answer,
        "claims": [dataclasses.asdict(claim) for claim in document.claims],
        "numbers": document.numbers,
        "settings": document.settings,
        "versions": document.versions,
        "seconds": document.seconds,
        "pictures": [picture.name for picture in document.pictures()],
    }
