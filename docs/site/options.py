"""Tables of options in the pages, made from where they are declared when the pages are built.

A line `<!-- options: MODULE.CLASS -->` becomes the table of the options of that class.
"""

import importlib
import re

_MARK = re.compile(r"^<!-- options: ([\w.]+)\.(\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **page):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(
        lambda found: options_table(getattr(importlib.import_module(found[1]), found[2])), markdown
    )


def options_table(kind):
    """The options of a class as a table in Markdown, under their headings."""
    from keras_gahr.options.option import declared

    panels = {}
    for name, each in declared(kind).items():
        default = "" if each.default is None else f"`{each.default}`"
        cells = (f"`{name}`", default, each.expected.removesuffix(" or none"), each.description)
        row = " | ".join(cell.replace("|", r"\|") for cell in cells)
        panels.setdefault(each.option.panel, []).append(f"| {row} |")
    lines = ["| option | default | what it may be | what it does |", "|---|---|---|---|"]
    for panel, rows in panels.items():
        lines += [f"| **{panel}** | | | |"] * (panel is not None) + rows
    return "\n".join(lines)
