"""An extension of Griffe: `left, right: ...` in a docstring describes two names."""

import re

import griffe

_SECTION = re.compile(r"^( *)(?:Args|Attributes):\n(?:\1 +.*\n|\n)*", re.MULTILINE)
_ENTRY = r"^({indent})(\w+(?:, \w+)+):(.*(?:\n(?:\1 +.*)?)*)"


def separate(docstring):
    """The text of a docstring with an entry for each argument and attribute, and no section without."""
    return _SECTION.sub(_separate_section, docstring + "\n").rstrip()


def _separate_section(section):
    if not section[0].partition(":")[2].strip():
        # The site puts a table of options in its place.
        return ""
    entry = _ENTRY.format(indent=section[1] + " " * 4)
    return re.sub(entry, _separate_entry, section[0], flags=re.MULTILINE)


def _separate_entry(entry):
    indent, names, text = entry.groups()
    each = "".join(f"{indent}{name}:{text.rstrip()}\n" for name in names.split(", "))
    # An empty line ends a section: without it the next one would be text.
    return f"{each}\n" if text.endswith("\n\n") else each


class JointNames(griffe.Extension):
    """Separates them in every docstring, so that each finds its type and default."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = separate(obj.docstring.value)
