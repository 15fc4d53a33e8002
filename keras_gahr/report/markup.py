"""Pieces of HTML in which all text is escaped."""

import html


class Markup(str):
    """Text that is HTML already; every other string is plain text and gets escaped."""

    __slots__ = ()


def element(name, /, *children, **attributes):
    """An element.

    Args:
        name: of it: "p".
        *children: `Markup`, or plain strings and numbers.
        **attributes: True for one without a value; False and None leave it out. An underscore at the
            end is dropped (`class_`), others become hyphens (`aria_label`).

    Returns:
        `Markup`.
    """
    return Markup(f"{_opened(name, attributes)}{join(*children)}</{name}>")


def void(name, /, **attributes):
    """An element that has no content, such as `img`; see `element`."""
    return Markup(_opened(name, attributes))


def join(*children):
    """Pieces one after another, as `Markup`."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else html.escape(str(child)) for child in children
        )
    )


def _opened(name, attributes):
    words = [name]
    for attribute, value in attributes.items():
        attribute = attribute.removesuffix("_").replace("_", "-")
        if value is True:
            words.append(attribute)
        elif value is not None and value is not False:
            words.append(f'{attribute}="{html.escape(str(value))}"')
    return f"<{' '.join(words)}>"
