"""Figures as files."""

import numpy as np
import pytest
from PIL import Image

from keras_gahr.commands.options import Format
from keras_gahr.errors import InputError
from keras_gahr.figure_files import FORMATS, figure_files
from keras_gahr.plot import image_row, png_bytes, save

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture
def figure(smooth_images):
    """A function that draws one picture and a caption."""
    return lambda: image_row([("a wave", smooth_images(1, 12, 12)[0])])


@pytest.mark.parametrize("ending", [*FORMATS, "PNG"])
def test_a_figure_drawn_again_is_the_same_file(figure, tmp_path, ending):
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    assert save(figure(), first) == first
    save(figure(), str(second))
    assert first.read_bytes().startswith(STARTS[ending.lower()])
    assert first.read_bytes() == second.read_bytes()


def test_size(figure, tmp_path):
    """120 dots per inch."""
    drawn = figure()
    save(drawn, tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size == tuple(120 * drawn.get_size_inches())
    assert png_bytes(figure()) == (tmp_path / "a.png").read_bytes()


def test_text_of_pdf_and_svg_is_in_them(tmp_path, figure):
    """No dates, and the fonts of PDF are TrueType."""
    pdf, svg = save(figure(), tmp_path / "a.pdf"), save(figure(), tmp_path / "a.svg")
    assert b"CreationDate" not in pdf.read_bytes()
    assert b"/FontFile2" in pdf.read_bytes()
    assert b"dc:date" not in svg.read_bytes()


def test_other_endings_are_refused(figure, tmp_path):
    for name in ("a.jpg", "a", "png", "a.png.exe"):
        with pytest.raises(InputError, match="end its name in"):
            save(figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_when_asked(figure, tmp_path):
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        save(figure(), path)
    assert path.read_text() == "mine"
    save(figure(), path, overwrite=True)
    assert path.read_bytes() == png_bytes(figure())


def test_whole_or_not_at_all(figure, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_text("old")
    drawn = figure()

    def fail(file, **options):
        file.write_bytes(b"half")
        raise RuntimeError

    monkeypatch.setattr(drawn, "savefig", fail)
    with pytest.raises(RuntimeError):
        save(drawn, path, overwrite=True)
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]
    assert path.read_text() == "old"


def test_formats_of_commands_are_those_of_figures():
    assert tuple(Format) == FORMATS
    assert figure_files("a", "b") == ("a.png", "a.pdf", "a.svg", "b.png", "b.pdf", "b.svg")


def test_nothing_global_changes(figure, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    save(figure(), tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before
    assert np.asarray(Image.open(save(figure(), tmp_path / "a.png"))).std() > 0
