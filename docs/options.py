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

    lines = ["| option | default | what it is |", "|---|---|---|"]
    panel = None
    for name, each in sorted(declared(kind).items(), key=lambda item: item[1].option.panel or ""):
        if each.option.panel != panel:
            panel = each.option.panel
            lines.append(f"| **{panel}** | | |")
        default = "" if each.default is None else f"`{each.default}`"
        limits = f" ({each.expected})" if each.types != (bool,) else ""
        lines.append(
            f"| `{name}` | {default} | {each.description.replace('|', chr(92) + '|')}{limits} |"
        )
    return "\n".join(lines)
