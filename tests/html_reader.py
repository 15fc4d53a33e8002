"""Reading HTML as strictly as these tests need."""

from html.parser import HTMLParser

VOID = {"meta", "img", "input", "br", "hr", "link"}


class HtmlReader(HTMLParser):
    """Elements and texts of a page in which every element is closed where it was opened.

    Attributes:
        elements: pairs (name, attributes), in order.
        texts: pairs (name of the element, text).
    """

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self._open[-1], data))

    def all(self, name):
        """The attributes of all elements of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]

    def text(self):
        """All that is to be read."""
        return " ".join(data for tag, data in self.texts if tag not in {"style", "script"})

    def references(self):
        """All that the page refers to, but for places within it."""
        return [
            value
            for _, attributes in self.elements
            for name in ("src", "href", "srcset", "action", "data", "poster")
            if (value := attributes.get(name)) and not value.startswith("#")
        ]
