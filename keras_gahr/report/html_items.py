"""Pictures, sliders and tables in HTML."""

from .document import Slider, Table
from .markup import element, void
from .wording import cell_texts, numeric_columns


def item_element(item, name):
    """The `Markup` of an item.

    Args:
        item: `Slider`, `Table`, or what has a caption and is drawn as a `Picture` is.
        name: an id for it that no other element has.
    """
    if isinstance(item, Slider):
        return _slider(item, name)
    if isinstance(item, Table):
        return _table(item, name)
    return element("figure", _image(item), element("figcaption", item.caption))


def _image(picture):
    width, height = picture.size
    return void("img", **picture.attributes, alt=picture.description, width=width, height=height)


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
