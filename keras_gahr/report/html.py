"""A report as one HTML file that needs nothing else."""

import itertools
from collections.abc import Mapping

import keras_gahr

from .html_frame import content_policy, framed, page_file
from .html_items import item_element
from .markup import element
from .wording import VERDICTS, seconds_text, setting_text, tally

_SHAPES = {
    True: "M3.5 8.5l3 3 6-7",
    False: "M4 4l8 8M12 4l-8 8",
    None: "M5.6 6a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.8M8 12.4v.2",
}
"""Drawn beside the word of a verdict: a check, a cross, a question mark."""

_CLASSES = {True: "seen", False: "missed", None: "undecided"}


def html_page(document):
    """The text of report.html: pictures, style and script are in it, and it may load nothing.

    Args:
        document: `Document`.
    """
    style, script = page_file("page.css"), page_file("page.js")
    ids = (f"item-{number}" for number in itertools.count(1))
    return framed(
        document.title,
        element("a", "To the report", class_="skip", href="#report"),
        element(
            "main",
            _header(document),
            claims_section(document.claims),
            *(
                section_element(section, f"section-{k}", ids)
                for k, section in enumerate(document.sections, start=1)
            ),
            _run(document),
            id="report",
        ),
        style=style,
        script=script,
        policy=content_policy(style, script),
    )


def _header(document):
    parts = [("claims", "Claims")] if document.claims else []
    parts += [(f"section-{k}", s.title) for k, s in enumerate(document.sections, start=1)]
    contents = [
        element("li", element("a", title, href=f"#{target}"))
        for target, title in (*parts, ("run", "What was run"))
    ]
    return element(
        "header",
        element("p", f"keras-gahr · {document.name}", class_="name"),
        element("h1", document.title),
        element("p", document.question, class_="question"),
        element("p", document.answer, class_="answer"),
        element("nav", element("ul", *contents), aria_label="Contents"),
    )


def claims_section(claims):
    """The section of all `Claim`s, as `Markup`; nothing if there are none."""
    if not claims:
        return ""
    return element(
        "section",
        element("h2", "Claims", id="claims-title"),
        element("p", f"What the paper claims of such experiments; in this one, {tally(claims)}."),
        element("ul", *map(_claim, claims), class_="claims"),
        id="claims",
        aria_labelledby="claims-title",
    )


def _claim(claim):
    shape = element(
        "svg",
        element("path", d=_SHAPES[claim.passed]),
        viewBox="0 0 16 16",
        width=16,
        height=16,
        aria_hidden="true",
    )
    facts = (("measured", claim.measured), ("expected", claim.expected), ("source", claim.source))
    return element(
        "li",
        element("p", shape, VERDICTS[claim.passed], class_="verdict"),
        element("h3", claim.statement),
        element(
            "dl",
            *(element("div", element("dt", name), element("dd", text)) for name, text in facts),
        ),
        class_=_CLASSES[claim.passed],
    )


def section_element(section, name, ids, draw=item_element):
    """A `Section`, as `Markup`.

    Args:
        section: it.
        name: its id.
        ids: an iterator of ids for its items.
        draw: called as draw(item, id).
    """
    return element(
        "section",
        element("h2", section.title, id=f"{name}-title"),
        *(element("p", paragraph) for paragraph in section.text),
        *(draw(item, next(ids)) for item in section.items),
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _run(document):
    """Settings, versions and time."""
    parts = [
        element("details", element("summary", name), values_element(values))
        for name, values in (("Settings", document.settings), ("Versions", document.versions))
        if values
    ]
    if document.seconds is not None:
        parts.insert(0, element("p", f"It took {seconds_text(document.seconds)}."))
    return element(
        "section",
        element("h2", "What was run", id="run-title"),
        *parts,
        element(
            "footer",
            element(
                "p",
                f"Written by keras-gahr {keras_gahr.__version__}; numbers.json has all numbers.",
            ),
        ),
        id="run",
        aria_labelledby="run-title",
    )


def values_element(values):
    """Names and values, which may be mappings again, as `Markup`."""
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", name),
                element(
                    "dd",
                    values_element(value) if isinstance(value, Mapping) else setting_text(value),
                ),
            )
            for name, value in values.items()
        ),
        class_="values",
    )
