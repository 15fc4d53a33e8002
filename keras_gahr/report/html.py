"""A report as one HTML file that needs nothing else."""

import base64
import hashlib
import importlib.resources
import itertools
from collections.abc import Mapping

import keras_gahr

from .document import Picture, Slider
from .markup import Markup, element, void
from .wording import VERDICTS, cell_texts, numeric_columns, seconds_text, setting_text, tally

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
    style, script = (_package_file(name) for name in ("page.css", "page.js"))
    ids = (f"item-{number}" for number in itertools.count(1))
    head = element(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="generator", content=f"keras-gahr {keras_gahr.__version__}"),
        element("title", document.title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "To the report", class_="skip", href="#report"),
        element(
            "main",
            _header(document),
            _claims(document.claims),
            *(
                _section(section, f"section-{k}", ids)
                for k, section in enumerate(document.sections, start=1)
            ),
            _run(document),
            id="report",
        ),
        element("script", Markup(script)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _package_file(name):
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style, script):
    """A Content-Security-Policy under which nothing runs but our own style and script."""
    style, script = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    )
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; "
        f"script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
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


def _claims(claims):
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


def _section(section, name, ids):
    return element(
        "section",
        element("h2", section.title, id=f"{name}-title"),
        *(element("p", paragraph) for paragraph in section.text),
        *(_item(item, next(ids)) for item in section.items),
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _item(item, name):
    if isinstance(item, Picture):
        return element("figure", _image(item), element("figcaption", item.caption))
    return _slider(item, name) if isinstance(item, Slider) else _table(item, name)


def _image(picture):
    width, height = picture.size
    data = base64.b64encode(picture.png).decode()
    return void(
        "img",
        src=f"data:image/png;base64,{data}",
        alt=picture.description,
        width=width,
        height=height,
    )


def _slider(slider, name):
    """All pictures as a list; page.js shows the control, and one picture at a time."""
    values, pictures = slider.values, slider.pictures
    ticks = (element("option", value=k) for k in range(len(values)))
    control = element(
        "div",
        element("label", slider.label, for_=name),
        element("output", values[0], for_=name, aria_live="off"),
        void(
            "input",
            id=name,
            type="range",
            min=0,
            max=len(values) - 1,
            step=1,
            value=0,
            list=f"{name}-ticks",
            autocomplete="off",
            aria_valuetext=values[0],
            aria_controls=f"{name}-pictures",
        ),
        element("datalist", *ticks, id=f"{name}-ticks"),
        element("span", values[0], class_="least", aria_hidden="true"),
        element("span", values[-1], class_="most", aria_hidden="true"),
        class_="control",
        hidden=True,
    )
    frames = (
        element(
            "li",
            element("p", f"{slider.label}: ", element("b", value), class_="value"),
            _image(picture),
            element("p", picture.caption, class_="caption") if picture.caption else "",
            data_value=value,
        )
        for value, picture in zip(values, pictures, strict=True)
    )
    return element(
        "figure",
        control,
        element("ol", *frames, id=f"{name}-pictures", class_="frames"),
        element("figcaption", slider.caption),
        class_="slider",
    )


def _table(table, name):
    numeric = numeric_columns(table)
    header = (
        element("th", column, scope="col", class_="number" if right else None)
        for column, right in zip(table.columns, numeric, strict=True)
    )
    rows = (
        element(
            "tr",
            *(
                element(
                    "th" if k == 0 else "td",
                    cell,
                    scope="row" if k == 0 else None,
                    class_="number" if numeric[k] else None,
                )
                for k, cell in enumerate(row)
            ),
        )
        for row in cell_texts(table)
    )
    drawn = element(
        "table",
        element("thead", element("tr", *header)),
        element("tbody", *rows),
        aria_labelledby=name,
    )
    return element(
        "figure",
        # Wide tables scroll within their own box, which the keyboard can reach.
        element("div", drawn, class_="scroll", tabindex=0, role="region", aria_labelledby=name),
        element("figcaption", table.caption, id=name),
        class_="table",
    )


def _run(document):
    """Settings, versions and time."""
    parts = [
        element("details", element("summary", name), _values(values))
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


def _values(values):
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", name),
                element(
                    "dd", _values(value) if isinstance(value, Mapping) else setting_text(value)
                ),
            )
            for name, value in values.items()
        ),
        class_="values",
    )
