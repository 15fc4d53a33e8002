"""Pages in headless Chromium."""

import contextlib
import shutil

import pytest
from waiting import FOR_EVER

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}


@contextlib.contextmanager
def running():
    """A browser; skips the test if there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed: on Debian, `apt-get install chromium`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@contextlib.contextmanager
def opening(browser):
    """A function that opens an address; the page gets `complaints` and `requests`."""
    contexts = []

    def open_page(address, **options):
        contexts.append(browser.new_context(**{"viewport": DESK, **options}))
        page = contexts[-1].new_page()
        page.complaints, page.requests = [], []
        page.on(
            "console",
            lambda message: (
                message.type in {"error", "warning"} and page.complaints.append(message.text)
            ),
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def eventually(page, condition):
    """Waits for a condition in a page, whose policy keeps others from polling."""
    for _ in range(20 * FOR_EVER):
        if condition():
            return True
        page.wait_for_timeout(50)
    return False
