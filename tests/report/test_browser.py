"""Reports in headless Chromium."""

import io

import numpy as np
import pytest
from chromium import DESK, PHONE, eventually, overflow
from documents import SIZES, hostile_document, sample_document
from PIL import Image

from keras_gahr.report.page import write_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """The addresses of a good and of a hostile report."""
    folder = tmp_path_factory.mktemp("reports")
    documents = {"sample": sample_document(), "hostile": hostile_document()}
    return {
        name: write_report(document, folder / name).as_uri() for name, document in documents.items()
    }


def pixels(shown):
    """The screenshot of a page or of a part, (height, width, 3), from 0 to 255."""
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    return np.asarray(picture, np.float32)


def distance(first, second):
    """The mean difference of two screenshots, which may be of one pixel more or less."""
    height, width = np.minimum(first.shape, second.shape)[:2]
    return np.abs(first[:height, :width] - second[:height, :width]).mean()


def shades(page):
    """How many different colours a screenshot has, and its median brightness from 0 to 255."""
    seen = pixels(page).reshape(-1, 3)
    return len(np.unique(seen, axis=0)), float(np.median(seen))


@pytest.mark.parametrize("name", ["sample", "hostile"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_goes_wrong(opened, addresses, name, viewport):
    page = opened(addresses[name], viewport=viewport)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert overflow(page) == 0
    assert not page.complaints
    assert all(url.startswith(("file:", "data:image/png")) for url in page.requests)
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")


def test_wide_tables_scroll_in_their_box(opened, addresses):
    page = opened(addresses["sample"], viewport=PHONE)
    box = page.locator(".scroll").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    page.keyboard.press("ArrowRight")
    assert eventually(page, lambda: box.evaluate("box => box.scrollLeft") > 0)


def test_the_slider_moves_by_keyboard(opened, addresses):
    page = opened(addresses["sample"])
    slider = page.get_by_label("training images N")
    output, pictures = page.locator("output"), page.locator(".frames img")

    def shown():
        return [k for k in range(len(SIZES)) if pictures.nth(k).is_visible()]

    assert slider.get_attribute("type") == "range"
    assert (output.inner_text(), shown()) == ("1", [0])
    # It is reached by the keyboard alone.
    for _ in range(20):
        page.keyboard.press("Tab")
        if slider.evaluate("input => input === document.activeElement"):
            break
    seen = {0: pixels(page.locator(".frames"))}
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 4),
        ("ArrowRight", 4),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        value = f"{SIZES[place]:,}"
        assert (output.inner_text(), shown()) == (value, [place])
        assert slider.get_attribute("aria-valuetext") == value
        now = pixels(page.locator(".frames"))
        for other, before in seen.items():
            assert (distance(now, before) < 1) == (place == other)
        seen[place] = now
    assert len(seen) == 4


def test_the_slider_moves_by_finger(opened, addresses):
    page = opened(addresses["sample"], viewport=PHONE, has_touch=True)
    slider = page.get_by_label("training images N")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["height"] >= 24
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert eventually(page, lambda: page.locator("output").inner_text() == "10,000")


def test_without_javascript_all_pictures_are_there(opened, addresses):
    page = opened(addresses["sample"], java_script_enabled=False)
    pictures = page.locator(".frames img")
    assert pictures.count() == len(SIZES)
    assert all(pictures.nth(k).is_visible() for k in range(len(SIZES)))
    assert not page.locator(".control").is_visible()
    assert page.get_by_text("training images N: 10,000").is_visible()


def test_it_is_printed_whole(opened, addresses):
    page = opened(addresses["sample"])
    page.emulate_media(media="print")
    pictures = page.locator(".frames img")
    assert all(pictures.nth(k).is_visible() for k in range(len(SIZES)))
    assert not page.locator(".control").is_visible()


def test_light_and_dark(opened, addresses):
    for scheme, bright in (("light", True), ("dark", False)):
        page = opened(addresses["sample"], color_scheme=scheme)
        colors, brightness = shades(page)
        assert colors > 50
        assert (brightness > 128) == bright


def test_what_goes_wrong_is_seen(opened, tmp_path):
    """Negative controls."""
    path = tmp_path / "wrong.html"
    path.write_text(
        "<!doctype html><div style='width: 3000px'>wide</div><script>missing()</script>"
        "<img src='https://localhost:9/a.png'>"
    )
    page = opened(path.as_uri(), viewport=PHONE)
    assert overflow(page) > 0
    assert any("missing" in complaint for complaint in page.complaints)
    assert any(url.startswith("https:") for url in page.requests)
    # Of about:blank Chromium may have nothing to take a picture of.
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><p>&nbsp;")
    assert shades(opened(blank.as_uri()))[0] < 50
