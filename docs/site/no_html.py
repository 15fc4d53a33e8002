"""A hook of MkDocs: pages and docstrings hold no HTML, so that `<y, e_k>` is text and no element."""

import re

from markdown.extensions import Extension


class NoHTML(Extension):
    """Markdown in which elements of HTML are text."""

    def extendMarkdown(self, md):
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")


def on_config(config):
    config.markdown_extensions.append(NoHTML())
    return config


def on_page_markdown(markdown, **_):
    """The page without the comments that are for the tests."""
    return re.sub(r"^<!-- (test|not run): .*? -->\n", "", markdown, flags=re.MULTILINE)
