"""Reports on disk."""

import base64
import hashlib
import itertools
import json
import re
import subprocess
import sys
from importlib import resources

import pytest
from documents import hostile_document, sample_document, twins_picture
from html_reader import HtmlReader

from keras_gahr.errors import InputError
from keras_gahr.report.document import Claim, Document, Picture, Section, Slider, Table
from keras_gahr.report.markdown import escaped
from keras_gahr.report.page import NAMES, write_report

DOCUMENTS = {"sample": sample_document, "hostile": hostile_document}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folders of both reports, by name."""
    folder = tmp_path_factory.mktemp("reports")
    return {name: write_report(make(), folder / name).parent for name, make in DOCUMENTS.items()}


@pytest.fixture(params=DOCUMENTS)
def report(request, written):
    """The folder of a report."""
    return written[request.param]


@pytest.fixture
def page(report):
    return HtmlReader((report / "report.html").read_text(encoding="utf-8"))


def test_the_folder_holds_what_it_should(report):
    assert {path.name for path in report.iterdir()} == set(NAMES)
    pictures = {path.stem for path in (report / "pictures").iterdir()}
    assert pictures == set(json.loads((report / "numbers.json").read_text())["pictures"])


def test_the_page_needs_nothing_else(page):
    assert page.references()
    assert all(value.startswith("data:image/png;base64,") for value in page.references())
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}
    styles = [text for tag, text in page.texts if tag == "style"]
    assert len(styles) == 1
    assert not re.search(r"url\(|@import", styles[0])


def test_only_our_own_style_and_script_may_run(page):
    (policy,) = (
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("img-src") == "data:"
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        (text,) = (text for inside, text in page.texts if inside == tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert not any(
        name == "style" or name.startswith("on") for _, found in page.elements for name in found
    )


def test_hostile_text_is_shown_and_does_nothing(written):
    html = (written["hostile"] / "report.html").read_text(encoding="utf-8")
    page = HtmlReader(html)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert "<script>alert('\"N\" & M')</script> | *a*" in page.text()
    assert "<script>alert" not in html


def test_who_cannot_see_it(page):
    assert page.all("html") == [{"lang": "en"}]
    assert all(len(image["alt"]) > 10 for image in page.all("img"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    pointed = [
        value
        for _, found in page.elements
        for name in ("for", "aria-labelledby", "aria-controls", "list")
        if (value := found.get(name))
    ] + [link["href"][1:] for link in page.all("a")]
    assert set(pointed) <= set(ids)
    for slider in page.all("input"):
        assert slider["aria-valuetext"]
        assert slider["id"] in {label["for"] for label in page.all("label")}


def test_verdicts_are_words_too(written):
    page = HtmlReader((written["sample"] / "report.html").read_text(encoding="utf-8"))
    words = [text for tag, text in page.texts if text in {"seen", "not seen", "undecided"}]
    assert words == ["seen", "not seen", "undecided"]
    assert "1 of 3 seen, 1 not seen, 1 undecided" in page.text()


def test_the_numbers_are_strict_json(report):
    def refuse(name):
        raise AssertionError(name)

    text = (report / "numbers.json").read_text(encoding="utf-8")
    numbers = json.loads(text, parse_constant=refuse)
    assert {"name", "question", "answer", "claims", "numbers", "settings", "versions"} < set(
        numbers
    )
    if numbers["name"] == "transition":
        assert numbers["numbers"]["not measured"] is None
        assert numbers["numbers"]["gap"] == pytest.approx(0.42)
        assert numbers["numbers"]["slopes"] == [1, 1]
        assert [claim["passed"] for claim in numbers["claims"]] == [True, False, None]


def test_values_that_json_does_not_have(tmp_path):
    with pytest.raises(InputError, match="received a object to write as JSON"):
        write_report(sample_document(numbers={"a": object()}), tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_markdown_shows_text_as_it_is(written):
    for name, folder in written.items():
        text = (folder / "report.md").read_text(encoding="utf-8")
        for picture in DOCUMENTS[name]().pictures():
            assert f"](pictures/{picture.name}.png)" in text
    fenced = re.sub(r"(?ms)^(`{3,})json\n.*?^\1$", "", text)
    assert "<script" not in fenced.replace("\\<", "")
    # Each row of the table has as many cells as its header.
    rows = [line for line in fenced.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


@pytest.mark.parametrize("start", ["# a", "- a", "+ a", "1. a", "2) a", "> a", "=== a", "***"])
def test_markdown_starts_nothing(start):
    assert re.match(r"\d*\\", escaped(start))
    assert re.sub(r"\\(.)", r"\1", escaped(start)) == start


def test_reports_are_not_overwritten_unasked(tmp_path):
    folder = tmp_path / "report"
    write_report(sample_document(), folder)
    with pytest.raises(InputError, match="--overwrite"):
        write_report(sample_document(), folder)
    write_report(sample_document(sections=()), folder, overwrite=True)
    assert not list((folder / "pictures").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_is_not_ours_is_not_deleted(tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.md").write_text("years of work")
    with pytest.raises(InputError, match=r"numbers\.json"):
        write_report(sample_document(), foreign, overwrite=True)
    folder = tmp_path / "report"
    write_report(sample_document(), folder)
    for name in ("notes.txt", "pictures/mine.png"):
        (folder / name).write_text("mine")
        with pytest.raises(InputError, match="not ours to delete"):
            write_report(sample_document(), folder, overwrite=True)
        (folder / name).unlink()
    write_report(sample_document(), folder, overwrite=True)
    with pytest.raises(InputError, match="not a folder"):
        write_report(sample_document(), folder / "report.md" / "inside")


def test_a_killed_process_leaves_no_half_report(tmp_path):
    """Killed between two files, it leaves the report before."""
    folder = tmp_path / "report"
    program = (
        "import os, sys; from pathlib import Path; import keras_gahr.report.page as page;"
        "from keras_gahr.report.document import Document;"
        "write = Path.write_text;"
        "Path.write_text = lambda path, *a, **k: "
        "os._exit(9) if path.name == 'report.md' else write(path, *a, **k);"
        "page.write_report(Document('a', 'b', 'c', 'd'), sys.argv[1], overwrite=True)"
    )
    write_report(sample_document(), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert subprocess.run([sys.executable, "-c", program, folder]).returncode == 9
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_error_leaves_nothing(tmp_path, monkeypatch):
    def fail(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(InputError, match="No space left"):
        write_report(sample_document(), tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_documents_that_make_no_sense(tmp_path):
    picture = twins_picture(1)
    for name in ("a/b", "", "..", "a b", "ä", ".hidden"):
        with pytest.raises(ValueError, match="name"):
            Picture(name, picture.png, "", "")
    for values in ((), ("1",)):
        with pytest.raises(ValueError, match="values"):
            Slider("N", values, [picture] * 2 if values else [], "")
    with pytest.raises(ValueError, match="cells"):
        Table(["a", "b"], [[1, 2], [1]], "")
    for items in ([picture, picture], [Picture("a", b"GIF89a", "", "")]):
        with pytest.raises(ValueError, match=r"called twins-1|no PNG"):
            write_report(sample_document(sections=[Section("a", items=items)]), tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_a_document_of_nothing(tmp_path):
    page = write_report(Document("a", "b", "c", "d", sections=[Section("e")]), tmp_path / "report")
    found = HtmlReader(page.read_text("utf-8"))
    assert "Claims" not in found.text()
    assert not found.all("img")


def test_empty_tables(tmp_path):
    table = Table(["a", "b"], [], "nothing")
    claim = Claim("a", None, "b", "c", "d")
    document = sample_document(claims=[claim], sections=[Section("a", items=[table])])
    page = write_report(document, tmp_path / "report")
    assert len(HtmlReader(page.read_text("utf-8")).all("th")) == 2


def contrast(first, second):
    """The ratio of two colours as WCAG 2 defines it."""

    def luminance(color):
        channels = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_texts_stand_out_in_light_in_the_dark_and_on_paper():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") < 4.5  # Negative control.
    style = (resources.files("keras_gahr.report") / "page.css").read_text("utf-8")
    schemes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(schemes) == 3
    for scheme in schemes:
        colors = {
            name: color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])
            for name, color in re.findall(r"--(\w+): (#\w+);", scheme)
        }
        for text in ("ink", "soft", "accent", "seen", "missed", "undecided"):
            for ground in ("paper", "sheet"):
                assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("wrong", ["<p><b>a</p></b>", "<p>a", "<a href='b' href='c'></a>", "a</p>"])
def test_the_reader_sees_what_is_not_well_formed(wrong):
    """Negative control."""
    with pytest.raises((AssertionError, IndexError)):
        HtmlReader(wrong)


def test_the_reader_sees_references():
    """Negative control."""
    assert HtmlReader("<img src='http://a.b/c.png'>").references() == ["http://a.b/c.png"]
