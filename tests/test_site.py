"""The pages that MkDocs builds from docs/."""

import ast
import functools
import re
import shutil
import sys
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


class Text(HTMLParser):
    """The text of a page without spaces."""

    def __init__(self, page):
        super().__init__()
        self.parts = []
        self.feed(page)

    def handle_data(self, data):
        self.parts.append(data)

    @property
    def text(self):
        return squeezed("".join(self.parts))


def squeezed(text):
    return re.sub(r"\s", "", text)


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
            self.addresses.append(attributes.get("href", ""))
        if tag in {"script", "img", "iframe", "source"}:
            self.addresses.append(attributes.get("src", ""))


def exported(room):
    """The names in a room's `__all__`."""
    for node in ast.parse((room / "__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return [ast.literal_eval(name) for name in node.value.elts if name is not None]
    return []


def test_pages_load_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for address in Loaded(page.read_text("utf-8")).addresses:
            assert not address or not re.match(r"(https?:)?//", address), f"{page}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )['\"]?(https?:)?//", style.read_text("utf-8")), style


def test_the_test_sees_a_script_from_elsewhere():
    """Negative control."""
    assert Loaded('<script src="https://cdn.example/x.js"></script>').addresses == [
        "https://cdn.example/x.js"
    ]


@pytest.mark.parametrize("room", [r for r in ROOMS if exported(r)], ids=lambda room: room.name)
def test_every_exported_name_is_described(site, room):
    anchors = set().union(
        *(Loaded(page.read_text("utf-8")).anchors for page in (site / "reference").glob("*.html"))
    )
    module = ".".join(room.relative_to(ROOT).parts)
    ends = {anchor.rpartition(".")[2] for anchor in anchors if (anchor or "").startswith(module)}
    missing = {*exported(room)} - ends
    assert not missing


@pytest.fixture(scope="session")
def extension():
    """The module that separates joint names."""
    folder = str(ROOT / "docs" / "site")
    sys.path.insert(0, folder)
    try:
        import joint_names
    finally:
        sys.path.remove(folder)
    return joint_names


@functools.cache
def sources():
    """What Griffe finds in the packages, by name."""
    import griffe

    loader = griffe.GriffeLoader(search_paths=[str(ROOT)])
    for package in ("keras_gahr", "weights_convert"):
        loader.load(package)
    return loader.modules_collection


def shown_docstrings(page):
    """Names and docstrings of what a page of the reference describes."""
    for name in filter(None, Loaded(page).anchors):
        if not re.fullmatch(r"(keras_gahr|weights_convert)(\.\w+)+", name):
            continue
        described = sources()[name]
        if described.docstring:
            yield name, described.docstring.value


def parts(docstring):
    """The lines of a docstring as a page shows them: no names of sections, no marks of Markdown."""
    for line in docstring.splitlines():
        line = re.sub(r"^ +\*{0,2}\w+(, \w+)*:( |$)", "", line)
        line = re.sub(r"[`*]", "", line).strip(" -")
        if not re.fullmatch(r"\w+:", line):
            yield line


@pytest.fixture(scope="session")
def references(site):
    return sorted((site / "reference").glob("*.html"))


def lost(page):
    """Lines of docstrings that a page does not show."""
    shown = Text(page).text.replace("*", "")
    for name, docstring in shown_docstrings(page):
        for line in parts(docstring):
            if squeezed(line) not in shown:
                yield f"{name}: {line}"


def test_no_text_of_docstrings_is_lost(references):
    missing = [line for page in references for line in lost(page.read_text("utf-8"))]
    assert not missing, missing[:20]


def test_no_section_of_a_docstring_is_read_as_text(references):
    titles = re.compile(r"<p>(?:Args|Attributes|Returns|Raises|Warns|Examples):")
    assert [page.name for page in references if titles.search(page.read_text("utf-8"))] == []


def test_the_test_sees_text_that_is_read_as_an_element():
    """Negative control."""
    page = '<h2 id="keras_gahr.noise"></h2><p><y, e_k>, as HTML has no text</p>'
    assert Text(page).text == ",asHTMLhasnotext"
    assert len(list(lost(page))) > 0


def test_joint_names_are_told_apart(extension, references):
    text = """One line, two, three: no entry.

    Args:
        left, right: vectors,
            float, double: both.
        a: of three,
            a: b.
        x, y:
            what is below

    Returns:
        a, b: a tuple.
    """
    separated = extension.separate(text)
    assert (
        "        left: vectors,\n            float, double: both.\n        right: vec" in separated
    )
    assert "        x:\n            what is below\n        y:\n            what" in separated
    assert "what is below\n\n    Returns:" in separated
    assert "One line, two, three: no entry." in separated and "        a, b: a tuple" in separated
    for page in references:
        cells = re.findall(r"<td>\s*<code>(.*?)</code>\s*</td>", page.read_text("utf-8"), re.S)
        assert not [cell for cell in cells if re.fullmatch(r"\w+(,\w*)+", Text(cell).text)], page


def test_the_reference_begins_with_what_users_seek():
    sought = (
        "keras_gahr load wrap denoise sampling restoration eigenbasis psnr memorization training"
    )
    order = list(
        dict.fromkeys(re.findall(r"reference/(\w+)\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    )
    assert order[:10] == sought.split()


def test_every_page_of_the_reference_has_one_picture(references):
    for page in references:
        pictures = [
            address
            for address in Loaded(page.read_text("utf-8")).addresses
            if "pictures/" in address
        ]
        assert len(pictures) == 1, page
        assert (page.parent / pictures[0]).is_file()


def test_defaults_and_types_are_shown(site):
    page = (site / "reference" / "eigenbasis.html").read_text("utf-8")
    rows = [Text(row).text for row in re.findall(r"<tr.*?</tr>", page, re.S)]
    assert any(row.startswith("count") and row.endswith("64") for row in rows)
    assert any(row.startswith("shrinkagendarray") for row in rows)
    assert any(row.startswith("leftndarray") for row in rows)


def test_the_landing_page_has_what_one_looks_for(site):
    page = (site / "index.html").read_text("utf-8")
    for text in ("import keras_gahr as kg", "@inproceedings", "KERAS_BACKEND"):
        assert squeezed(text) in Text(page).text
    assert any("pictures/" in address for address in Loaded(page).addresses)
    shown = Text(
        re.search(r'<nav class="md-nav md-nav--primary".*?</nav>\s*</div>', page, re.S)[0]
    ).text
    for title in ("In Python", "Your own images", "Bring your own denoiser", "Choose the backend"):
        assert squeezed(title) in shown


def test_the_search_is_on_the_disk(site):
    for page in site.rglob("*.html"):
        scripts = [
            address
            for address in Loaded(page.read_text("utf-8")).addresses
            if "iframe-worker" in address
        ]
        assert len(scripts) == 1, page
        assert page.name == "404.html" or (page.parent / scripts[0]).is_file()
    assert "eigenbasis" in (site / "search" / "search_index.js").read_text("utf-8")


def test_the_search_finds_something_from_a_disk(site):
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium is installed: on Debian, `apt-get install chromium`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        page = browser.new_page()
        page.goto((site / "how-to" / "convert.html").as_uri())
        page.click("input.md-search__input")
        page.keyboard.type("effective dimension")
        found = page.wait_for_selector(".md-search-result__item a")
        assert found.get_attribute("href").startswith("file:")
        browser.close()
