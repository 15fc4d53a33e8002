"""The pages of a server: the list of results, and one for each of them."""

import collections
import re

from keras_gahr.errors import InputError
from keras_gahr.names import printable
from keras_gahr.report.html import claims_section, section_element, values_element
from keras_gahr.report.html_frame import content_policy, framed, page_file
from keras_gahr.report.markup import element, void

from .columns import read_columns
from .contents import Contents, time_text, title_of
from .curves import Curves, even_places
from .entries import DATASET, MOST_ENTRIES, MOST_FOLDERS, PICTURES, RUN, ending
from .items import drawn, time_element
from .viewed_folder import name_below

STYLE = page_file("page.css") + page_file("view.css", __package__)
SCRIPT = page_file("view.js", __package__) + page_file("page.js")
POLICY = content_policy(STYLE, SCRIPT, images="'self' data:", reached="'self'")


def result_page(folder, entry, addresses, listed):
    """The text of the page of an `Entry`.

    Args:
        folder: `ViewedFolder`.
        entry: it.
        addresses: `Addresses`.
        listed: whether there is a list of results to go back to.
    """
    contents = Contents(folder, entry, addresses)
    sections = contents.sections()
    title = title_of(folder, entry.name)
    parts = [_section(section) for section in sections]
    if contents.settings:
        parts.append(
            element(
                "section",
                element("h2", "What was run", id="run-title"),
                element(
                    "details",
                    element("summary", "Settings and numbers"),
                    values_element(contents.settings),
                ),
                id="run",
                aria_labelledby="run-title",
            )
        )
    above = element("a", "All results", href=addresses.index()) if listed else ""
    return _page(
        title,
        above,
        element(
            "header",
            element("p", f"keras-gahr · {entry.kind}", class_="name"),
            element("h1", title),
            *(
                element("p", text, class_="answer" if k else "question")
                for k, text in _said(contents)
            ),
            _facts(entry),
            id="head",
        ),
        claims_section(contents.claims),
        *parts,
    )


def index_page(folder, entries, cut, addresses):
    """The text of the list of results.

    Args:
        folder: `ViewedFolder`.
        entries: list of `Entry`s.
        cut: whether there may be more.
        addresses: `Addresses`.
    """
    title = title_of(folder, "")
    kinds = sorted({entry.kind for entry in entries})
    filters = element(
        "form",
        element(
            "div",
            element("label", "Search", for_="search"),
            void("input", id="search", type="search", autocomplete="off", spellcheck="false"),
        ),
        _choice("kind", "Kind", [("", "all"), *((kind, kind) for kind in kinds)]),
        _choice("order", "Order", [("name", "by name"), ("time", "newest first")]),
        element("output", for_="search kind", id="count"),
        id="filters",
        hidden=True,
    )
    more = (
        f"There may be more: {MOST_ENTRIES:,} results and {MOST_FOLDERS:,} folders are looked at. "
        "Give a folder further down."
        if cut
        else ""
    )
    counted = (
        f"{len(entries)} result{'s' * (len(entries) != 1)} in {printable(folder.path)}. {more}"
    )
    return _page(
        title,
        "",
        element(
            "header",
            element("p", "keras-gahr · results", class_="name"),
            element("h1", title),
            element("p", counted if entries else _nothing(folder)),
            id="head",
        ),
        filters,
        element(
            "ul",
            *(_card(folder, entry, addresses) for entry in entries),
            id="results",
            class_="cards",
            data_parts=True,
        ),
    )


def _choice(name, label, options):
    return element(
        "div",
        element("label", label, for_=name),
        element(
            "select",
            *(element("option", text, value=value) for value, text in options),
            id=name,
            autocomplete="off",
        ),
    )


def _nothing(folder):
    return (
        f"Nothing in {printable(folder.path)} is a result yet: no training, dataset, report or picture. "
        "What comes is shown here."
    )


def _page(title, above, *parts):
    return framed(
        title,
        element("a", "To the results", class_="skip", href="#main"),
        element("nav", above, class_="above", aria_label="Above") if above else "",
        element("main", *parts, id="main", data_parts=True),
        element("p", "", class_="following", id="following", role="status"),
        style=STYLE,
        script=SCRIPT,
        policy=POLICY,
        # A browser would ask for one in a place without the token.
        links=[void("link", rel="icon", href="data:,")],
    )


def _section(section):
    name = f"part-{_id_part(section.title)}"
    return section_element(section, name, _ids(name, section.items), drawn)


def _ids(name, items):
    """An id for each item; those of curves are made of their titles, and stay as others come before them."""
    counts = collections.Counter()
    for item in items:
        of = f"{name}-{_id_part(item.title)}" if isinstance(item, Curves) else name
        counts[of] += 1
        yield f"{of}-{counts[of]}"


def _id_part(title):
    return re.sub("[^a-z]+", "-", title.lower()).strip("-")


def _said(contents):
    """The paragraphs that a result begins with; a report's question comes first."""
    question = contents.entry.kind == "report"
    return [(not question or k > 0, text) for k, text in enumerate(contents.said)]


def _facts(entry):
    """What there is to say of a result in a line or two, and how far a training is."""
    run = entry.run
    parts = _run_facts(entry)
    parts.append(("changed", time_element(entry.changed, time_text(entry.changed))))
    drawn_parts = [
        element("div", element("dt", name), element("dd", value)) for name, value in parts
    ]
    progress = ""
    if run and run.epochs and run.epoch is not None:
        progress = element(
            "progress", max=run.epochs, value=min(run.epoch, run.epochs), aria_label="epochs"
        )
    return element("div", progress, element("dl", *drawn_parts, class_="facts"))


def _run_facts(entry):
    """Pairs (name, text) of what is known of a training; none of anything else."""
    run = entry.run
    if run is None:
        return []
    facts = [("network", entry.about)] if entry.about else []
    facts.append(("state", printable(run.state)))
    if run.epochs is not None:
        facts.append(("epochs", f"{run.epoch} of {run.epochs}"))
    for name, value in (("training", run.train_psnr), ("test", run.test_psnr)):
        if value is not None:
            facts.append((f"{name} PSNR", f"{value:.2f} dB"))
    return facts


def _card(folder, entry, addresses):
    """A result in the list."""
    title = title_of(folder, entry.name)
    facts = _run_facts(entry)
    return element(
        "li",
        element("div", _thumbnail(folder, entry, addresses), class_="thumbnail"),
        element("h2", element("a", title, href=addresses.look(entry.name))),
        element("p", entry.kind, class_="kind"),
        *(element("p", f"{key}: {text}") for key, text in facts),
        element("p", time_element(entry.changed, time_text(entry.changed)), class_="when"),
        element("p", printable(entry.name) or ".", class_="where"),
        id=f"result-{entry.name}",
        data_kind=entry.kind,
        data_changed=f"{entry.changed:.0f}",
    )


def _thumbnail(folder, entry, addresses):
    """What stands for a result: a picture, the curve of a training that has none yet, or nothing."""
    address = None
    if name := _picture_of(folder, entry):
        address = addresses.file(name, entry.changed)
    elif entry.kind == DATASET:
        address = addresses.frame(entry.name, "images", 0, entry.changed)
    if address:
        return void("img", src=address, alt="", loading="lazy", decoding="async")
    if entry.kind != RUN or "history.csv" not in entry.files:
        return ""
    try:
        columns = read_columns(folder, name_below(entry.name, "history.csv"))
        values = columns.get("test_psnr", columns.get("train_psnr", []))
        values = [value for value in values if isinstance(value, float)]
    except (InputError, ValueError):
        return ""
    return _sparkline([values[k] for k in even_places(len(values), 200)])


def _sparkline(values):
    """A small curve of some numbers."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    points = (
        f"{4 + 192 * k / (len(values) - 1):.1f},{56 - 52 * (value - low) / (high - low or 1):.1f}"
        for k, value in enumerate(values)
    )
    line = element("polyline", points=" ".join(points), class_="curve line-0")
    return element("svg", line, viewBox="0 0 200 60", class_="sparkline", aria_hidden="true")


def _picture_of(folder, entry):
    """The name of the picture that stands for a result, or None."""
    if entry.pictures:
        return name_below(entry.name, entry.pictures[0])
    for below in entry.folders[:3] if entry.kind != RUN else ():
        name = name_below(entry.name, below)
        try:
            pictures = [file for file in folder.files(name)[0] if ending(file) in PICTURES]
        except OSError:
            continue
        if pictures:
            return name_below(name, pictures[0])
    return None
