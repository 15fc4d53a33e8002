"""What pages show beside the tables and sliders of reports: linked pictures, and curves to zoom."""

import dataclasses
import json

from keras_gahr.report.document import Table
from keras_gahr.report.html_items import item_element
from keras_gahr.report.markup import Markup, element, void

from .curves import Curves, even_places

_MOST_ROWS = 200


@dataclasses.dataclass(frozen=True)
class LinkedPicture:
    """A picture that the page asks for when it is to be seen.

    Args:
        address: of it.
        size: (width, height) as it is shown, or (None, None) if they are not known.
        caption: may be empty.
        description: for readers who cannot see it.
        magnified: whether its pixels are to be seen.
    """

    address: str
    size: tuple
    caption: str
    description: str
    magnified: bool = False

    @property
    def attributes(self):
        """Of its element in HTML."""
        kind = "pixels" if self.magnified else None
        return {"src": self.address, "loading": "lazy", "class_": kind}


@dataclasses.dataclass(frozen=True)
class Links:
    """Other places.

    Args:
        targets: pairs (text, address).
        caption: of all.
    """

    targets: tuple
    caption: str


def drawn(item, name):
    """The `Markup` of an item: of these, or of a report.

    Args:
        item: it.
        name: an id that no other element has.
    """
    if isinstance(item, Curves):
        return _curves(item, name)
    if isinstance(item, Links):
        return element(
            "figure",
            element(
                "ul",
                *(element("li", element("a", text, href=to)) for text, to in item.targets),
                class_="links",
            ),
            element("figcaption", item.caption),
        )
    return item_element(item, name)


def _curves(curves, name):
    """The numbers, which view.js draws, and a table of the last frame for those who cannot see curves."""
    last = len(curves.frames) - 1
    slider = element(
        "div",
        element("label", curves.label, for_=f"{name}-frame"),
        element("output", curves.values[last], for_=f"{name}-frame", aria_live="off"),
        void(
            "input",
            id=f"{name}-frame",
            type="range",
            min=0,
            max=last,
            step=1,
            value=last,
            autocomplete="off",
            aria_valuetext=curves.values[last],
        ),
        element("span", curves.values[0], class_="least", aria_hidden="true"),
        element("span", curves.values[last], class_="most", aria_hidden="true"),
        class_="control",
        hidden=True,
    )
    lines = curves.frames[last]
    shown = f"Numbers of {curves.label} {curves.values[last]}" if last else "Numbers"
    return element(
        "figure",
        element("h3", curves.title, id=f"{name}-title"),
        slider,
        element("div", class_="plot", id=f"{name}-plot", tabindex=0, hidden=True),
        element("figcaption", curves.caption),
        element(
            "details",
            element("summary", shown),
            item_element(_table(curves, lines), f"{name}-numbers"),
        ),
        id=name,
        class_="curves",
        data_curves=_json(curves),
    )


def _json(curves):
    frames = [[dataclasses.asdict(line.thinned()) for line in lines] for lines in curves.frames]
    content = dataclasses.asdict(dataclasses.replace(curves, frames=(), caption="")) | {
        "frames": frames
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _table(curves, lines):
    """The numbers of some lines side by side, by x."""
    named = {line.name: dict(zip(line.x, line.y, strict=True)) for line in lines}
    places = sorted({x for line in lines for x in line.x if x is not None})
    kept = [places[k] for k in even_places(len(places), _MOST_ROWS)]
    rows = [
        [int(x) if x == int(x) else x, *(values.get(x) for values in named.values())] for x in kept
    ]
    some = f"; {len(kept)} of {len(places)} points" if len(kept) < len(places) else ""
    return Table([curves.x, *named], rows, f"{curves.y} against {curves.x}{some}")


def time_element(seconds, text):
    """A point in time, in seconds since 1970, as `Markup`."""
    return Markup(element("time", text, datetime=f"{seconds:.0f}"))
