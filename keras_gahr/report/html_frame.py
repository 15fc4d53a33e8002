"""The frame of an HTML page, and the policy under which it runs nothing but our own."""

import base64
import hashlib
import importlib.resources

import keras_gahr

from .markup import Markup, element, void


def framed(title, *body, style, script, policy, links=()):
    """The text of a page.

    Args:
        title: plain text.
        *body: `Markup`.
        style: the text of its style sheet.
        script: the text of its script, which runs when the body is there.
        policy: see `content_policy`.
        links: more elements of the head.
    """
    head = element(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=policy),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="generator", content=f"keras-gahr {keras_gahr.__version__}"),
        *links,
        element("title", title),
        element("style", Markup(style)),
    )
    body = element("body", *body, element("script", Markup(script)))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def content_policy(style, script, images="data:", reached="'none'"):
    """A Content-Security-Policy under which nothing runs but one script.

    Args:
        style: the text of the style sheet; None for any that is in the page.
        script: the text of it.
        images: where images may come from.
        reached: what the script may ask for.
    """
    style = "'unsafe-inline'" if style is None else _source(style)
    return (
        f"default-src 'none'; img-src {images}; style-src {style}; script-src {_source(script)}; "
        f"connect-src {reached}; base-uri 'none'; form-action 'none'"
    )


def _source(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page_file(name, package=__package__):
    """The text of a style sheet or a script that lies beside the modules of a room."""
    return importlib.resources.files(package).joinpath(name).read_text(encoding="utf-8")
