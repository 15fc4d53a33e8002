"""The pages of `gahr view` in headless Chromium."""

import json

import numpy as np
import pytest
from chromium import DESK, PHONE, eventually, overflow
from viewed import (
    png,
    serving,
    write_dataset,
    write_eigenbasis,
    write_result,
    write_run,
    write_trajectory,
)

pytestmark = pytest.mark.slow


SHOWN = "[...document.images].every(image => !image.offsetParent || image.naturalWidth > 0)"
"""Whether all pictures that are to be seen are there."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    write_run(root / "runs" / "first")
    write_run(root / "runs" / ("a-training-whose-name-says-all-of-its-options-" * 3))
    write_trajectory(root / "samples")
    write_eigenbasis(root / "basis")
    write_dataset(root / "set")
    return root


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder) as server:
        yield server


def zoomed(page):
    return page.locator(".plot").first.get_attribute("data-zoomed") == "true"


def ticks(plot):
    """The texts at the ticks of y."""
    return plot.locator("text[text-anchor=end]").all_text_contents()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_goes_wrong(opened, server, viewport):
    page = opened(server.address, viewport=viewport)
    for path in ("", "look/runs/first", "look/samples", "look/basis", "look/set"):
        page.goto(server.address + path)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        assert overflow(page) == 0
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        assert eventually(page, lambda: page.evaluate(SHOWN))
    assert not page.complaints
    assert all(url.startswith((server.address, "data:")) for url in page.requests)


def test_results_are_searched(opened, server):
    page = opened(server.address, viewport=PHONE)
    page.get_by_label("Search").fill("FIRST run")
    assert page.locator(".cards > li:visible").count() == 1
    page.get_by_label("Search").fill("")
    page.get_by_label("Kind").select_option("dataset")
    assert page.locator("#count").inner_text() == "1 of 5"
    page.keyboard.press("Tab")
    page.locator(".cards a:visible").focus()
    page.keyboard.press("Enter")
    assert eventually(page, lambda: page.title() == "set")


def test_curves_are_zoomed_by_keys(opened, server):
    page = opened(server.address + "look/runs/first")
    plot = page.locator(".plot").first
    plot.focus()

    def numbers():
        return plot.locator("text").all_text_contents()

    seen = [numbers()]
    for key in ("+", "ArrowRight", "ArrowUp", "-", "0"):
        page.keyboard.press(key)
        seen.append(numbers())
    assert seen[0] == seen[-1] and seen[1] != seen[0] and seen[2] != seen[1]
    assert not zoomed(page) and not page.complaints
    # Whoever sees no curves has a table.
    page.locator(".curves summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".curves table").first.locator("tbody tr").count() == 3


def test_curves_are_zoomed_by_the_mouse(opened, server):
    page = opened(server.address + "look/runs/first")
    box = page.locator(".plot").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, 60)
    # A wheel that passes by scrolls the page.
    assert eventually(page, lambda: page.evaluate("scrollY") == 60) and not zoomed(page)
    page.mouse.move(x, y - 60)
    page.mouse.down()
    page.mouse.move(x + 90, y - 20, steps=3)
    page.mouse.up()
    assert zoomed(page)
    page.mouse.dblclick(x, y)
    assert not zoomed(page)
    page.locator(".plot").first.focus()
    page.mouse.wheel(0, -60)
    assert eventually(page, lambda: zoomed(page))
    page.locator(".tools").first.get_by_text("All").click()
    assert not zoomed(page)
    page.locator(".legend button").first.click()
    assert page.locator(".plot").first.locator(".line-0").count() == 0


def test_curves_are_zoomed_by_fingers(opened, server):
    page = opened(server.address + "look/runs/first", viewport=PHONE, has_touch=True)
    plot = page.locator(".plot").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, apart in (
        ("touchStart", 20),
        ("touchMove", 40),
        ("touchMove", 80),
        ("touchEnd", None),
    ):
        points = (
            []
            if apart is None
            else [{"x": middle + s * apart, "y": y, "id": s + 1} for s in (-1, 1)]
        )
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert eventually(page, lambda: zoomed(page))
    page.locator(".tools").first.get_by_text("All").tap()
    assert not zoomed(page)


def test_steps_are_scrubbed(opened, server):
    page = opened(server.address + "look/samples", viewport=PHONE)
    slider = page.get_by_role("slider", name="step")
    slider.focus()
    page.keyboard.press("ArrowRight")
    shown = page.locator(".frames > li:visible")
    assert shown.count() == 1 and shown.get_attribute("data-value").startswith("11, sigma ")
    image = shown.locator("img")
    assert eventually(page, lambda: image.evaluate("image => image.naturalWidth > 0"))
    page.locator("button.play").click()
    assert eventually(page, lambda: slider.input_value() == "4")
    assert page.locator("button.play").inner_text() == "Play"


def test_a_training_is_followed(opened, tmp_path):
    """What changes is replaced; what is looked at stays as it is."""
    write_run(tmp_path / "run", 3, state="running")
    with serving(tmp_path) as server:
        page = opened(server.address + "look/run")
        assert page.locator("progress").get_attribute("value") == "3"
        page.get_by_label("epoch", exact=True).focus()
        page.keyboard.press("ArrowLeft")
        page.locator(".plot").first.focus()
        page.keyboard.press("+")
        page.evaluate("scrollTo(0, 300)")
        write_run(tmp_path / "run", 4, state="running")
        assert eventually(page, lambda: page.locator("progress").get_attribute("value") == "4")
        found = page.locator("figure.curves").first.get_attribute("data-curves")
        assert json.loads(found)["values"] == ["1", "2", "3", "4"]
        assert page.get_by_label("epoch", exact=True).input_value() == "1"
        assert zoomed(page) and page.evaluate("scrollY") == 300
        assert page.evaluate("document.activeElement.className") == "plot"
        page.get_by_label("epoch", exact=True).focus()
        page.keyboard.press("End")
        write_run(tmp_path / "run", 5)
        assert eventually(page, lambda: page.get_by_label("epoch", exact=True).input_value() == "4")
        assert not page.complaints
        page.context.set_offline(True)
        assert eventually(page, lambda: "has ended" in page.locator("#following").inner_text())


LOOKED_AT = """[...document.querySelectorAll("figure.curves")].map(figure => [
  figure.querySelector(".plot").dataset.zoomed === "true",
  figure.querySelector("details").open,
  figure.contains(document.activeElement)])"""
"""Of each figure whether it is zoomed, its table open, and the keyboard in it."""


def test_more_curves_come(opened, tmp_path):
    """What is looked at stays that."""
    write_run(tmp_path / "run")
    levels = tmp_path / "run" / "levels.csv"
    levels.rename(levels.with_name(".later"))
    with serving(tmp_path) as server:
        page = opened(server.address + "look/run")
        page.locator("summary").first.click()
        page.locator(".plot").first.focus()
        page.keyboard.press("+")
        assert page.evaluate(LOOKED_AT) == [[True] * 3, [False] * 3, [False] * 3]
        levels.with_name(".later").rename(levels)
        assert eventually(page, lambda: page.locator("figure.curves").count() == 4)
    titles = page.locator("figure.curves h3").all_text_contents()
    assert titles[:2] == ["PSNR over noise levels", "PSNR while training"]
    assert page.evaluate(LOOKED_AT) == [[False] * 3, [True] * 3, [False] * 3, [False] * 3]


def test_other_epochs_are_kept(opened, tmp_path):
    """Of many some, and the nearest to the chosen one is shown."""
    write_run(tmp_path / "run", 150, 200, "running")
    with serving(tmp_path) as server:
        page = opened(server.address + "look/run")
        slider = page.get_by_label("epoch", exact=True)
        output = page.locator("figure.curves output").first
        slider.fill("50")
        chosen = int(output.inner_text())
        assert 70 < chosen < 80
        for epochs in (190, 150):
            write_run(tmp_path / "run", epochs, 200, "running")
            said = f"{epochs} of 200"
            assert eventually(page, lambda said=said: said in page.locator("#head").inner_text())
            assert abs(int(output.inner_text()) - chosen) <= (epochs == 190)
            assert slider.get_attribute("aria-valuetext") == output.inner_text()


def test_a_result_that_is_gone(opened, tmp_path):
    write_run(tmp_path / "run")
    with serving(tmp_path) as server:
        page = opened(server.address + "look/run")
        said = page.locator("#following")
        (tmp_path / "run").rename(tmp_path / ".run")
        assert eventually(page, lambda: "shows this no more" in said.inner_text())
        assert page.locator("progress").get_attribute("value") == "3"
        (tmp_path / ".run").rename(tmp_path / "run")
        assert eventually(page, lambda: said.inner_text() == "")


def cards(page):
    return page.evaluate("[...document.querySelectorAll('.cards > li')].map(card => card.id)")


def test_new_results_are_listed(opened, tmp_path):
    write_run(tmp_path / "b")
    write_run(tmp_path / "c")
    with serving(tmp_path) as server:
        page = opened(server.address)
        page.evaluate("document.getElementById('result-b').dataset.mine = 1")
        page.get_by_label("Search").fill("a")
        write_dataset(tmp_path / "a")
        assert eventually(page, lambda: page.locator("#count").inner_text().endswith("of 3"))
        assert cards(page) == ["result-a", "result-b", "result-c"]
        assert page.evaluate("document.getElementById('result-b').dataset.mine") == "1"
        # There is another kind to choose, and what was typed is still there.
        assert page.get_by_label("Search").input_value() == "a"
        page.get_by_label("Kind").select_option("dataset")
        assert page.locator("#count").inner_text() == "1 of 3"
        (tmp_path / "a").rename(tmp_path / ".a")
        assert eventually(page, lambda: page.locator("#count").inner_text().endswith("of 2"))
        assert page.get_by_label("Kind").input_value() == "" and not page.complaints


def test_results_are_in_order(opened, tmp_path):
    """By name, too, after the newest first."""
    for name in "bdf":
        write_run(tmp_path / name)
    with serving(tmp_path) as server:
        page = opened(server.address)
        page.get_by_label("Order").select_option("time")
        write_run(tmp_path / "d", epochs=4)
        assert eventually(page, lambda: "4 of 5" in page.locator("#result-d").inner_text())
        write_run(tmp_path / "a")
        assert eventually(page, lambda: len(cards(page)) == 4)
        page.get_by_label("Order").select_option("name")
        assert cards(page) == [f"result-{name}" for name in "abdf"]


def test_a_folder_becomes_a_result_and_a_list(opened, tmp_path):
    with serving(tmp_path) as server:
        page = opened(server.address)
        (tmp_path / "picture.png").write_bytes(png())
        assert eventually(page, lambda: page.locator("#part-pictures").count() == 1)
        write_run(tmp_path / "run")
        assert eventually(page, lambda: len(cards(page)) == 2)
        page.get_by_label("Search").fill("run")
        assert page.locator("#count").inner_text() == "1 of 2"
        write_run(tmp_path / "another")
        assert eventually(page, lambda: page.locator("#count").inner_text() == "2 of 3")
        assert page.locator("#following").inner_text() == "" and not page.complaints


@pytest.mark.parametrize(("errors", "all_seen"), [([0.5, 0.5], True), ([100, 100], False)])
def test_bands_are_seen_unless_they_go_far(opened, tmp_path, errors, all_seen):
    write_result(tmp_path, "density", bits_per_dimension=[1, 2], bits_error=errors)
    with serving(tmp_path) as server:
        page = opened(server.address)
        band = page.locator(".plot .band").bounding_box()
        frame = page.locator(".plot .frame").bounding_box()
    within = frame["y"] <= band["y"] and band["y"] + band["height"] <= frame["y"] + frame["height"]
    assert within == all_seen


CLOSE = [1 - k * 2.0**-53 for k in range(4)]
"""Numbers that differ by rounding alone, as those of exact copies."""


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("patch_sources", {"correlation": [CLOSE]}), ("posterior", {"shares": CLOSE})],
    ids=["linear", "logarithmic"],
)
def test_numbers_that_differ_by_rounding(opened, tmp_path, name, numbers):
    """They are one number, and have an axis around it."""
    write_result(tmp_path, name, **numbers)
    with serving(tmp_path) as server:
        page = opened(server.address)
        plot = page.locator(".plot")
        assert "1" in ticks(plot)
        plot.focus()
        for _ in range(80):
            page.keyboard.press("+")
        assert zoomed(page) and plot.locator(".grid").count() < 50
        page.keyboard.press("0")
    assert not zoomed(page) and not page.complaints


APART = """plot => {
  const [area, ...boxes] = [plot, ...plot.querySelectorAll("text:not(.title)")].map(
    each => each.getBoundingClientRect());
  return boxes.every((box, k) => box.left > area.left + 20 && box.right < area.right
    && boxes.slice(k + 1).every(other => box.right < other.left || other.right < box.left
      || box.bottom < other.top || other.bottom < box.top));
}"""
"""Whether all texts of ticks can be read."""


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("values", [(158_000, 158_600), (1.23451e-4, 1.23456e-4), (1, 1 + 1e-9)])
def test_ticks_have_the_digits_of_their_steps(opened, tmp_path, viewport, values):
    write_result(tmp_path, "closest", value=[[value] for value in values])
    with serving(tmp_path) as server:
        page = opened(server.address, viewport=viewport)
        plot = page.locator(".plot")
        steps = np.diff([float(text) for text in ticks(plot)])
        assert len(steps) >= 2
        np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
        plot.focus()
        for _ in range(30):
            page.keyboard.press("+")
            assert plot.evaluate(APART)
