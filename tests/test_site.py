"""The pages that MkDocs builds from docs/."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="run by `tox -e docs`")

ROOT = Path(__file__).resolve().parents[1]
ROOMS = [
    *(path.parent for path in sorted(ROOT.glob("keras_gahr/*/__init__.py"))),
    ROOT / "keras_gahr" / "sampling" / "measurements",
]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of built pages; any warning is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    out = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(out), strict=True))
    return out


class Loaded(HTMLParser):
    """The addresses that a browser would load by itself, and the anchors of a page."""

    def __init__(self, page):
        super().__init__()
        self.addresses, self.anchors = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.add(attributes.get("id"))
        if tag == "link" and attributes.get("rel") not in {"canonical", "next", "prev"}:
            self.addresses.append(attributes.get("href"))
        if tag in {"script", "img", "iframe", "source"}:
            self.addresses.append(attributes.get("src"))


def exported(room):
    """The names in a room's `__all__`."""
    for node in ast.parse((room / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return [ast.literal_eval(name) for name in node.value.elts if name is not None]
    return []


def test_pages_load_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for address in Loaded(page.read_text()).addresses:
            assert not address or not re.match(r"(https?:)?//", address), f"{page}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )['\"]?(https?:)?//", style.read_text()), style


def test_the_test_sees_a_script_from_elsewhere():
    """Negative control."""
    assert Loaded('<script src="https://cdn.example/x.js"></script>').addresses == [
        "https://cdn.example/x.js"
    ]


@pytest.mark.parametrize("room", [r for r in ROOMS if exported(r)], ids=lambda room: room.name)
def test_every_exported_name_is_described(site, room):
    anchors = set().union(
        *(Loaded(page.read_text()).anchors for page in (site / "reference").glob("*.html"))
    )
    module = ".".join(room.relative_to(ROOT).parts)
    ends = {anchor.rpartition(".")[2] for anchor in anchors if (anchor or "").startswith(module)}
    missing = {*exported(room)} - ends
    assert not missing
