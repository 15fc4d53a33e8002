"""Ending a server, and opening its page."""

import contextlib
import threading
import webbrowser

from keras_gahr.signals import taken_over


@contextlib.contextmanager
def until_ended():
    """What is done within it ends with Ctrl-C, or another signal that asks to end, as if it were done."""
    with taken_over(_end), contextlib.suppress(KeyboardInterrupt):
        yield


def _end(number, frame):
    raise KeyboardInterrupt


def open_page(address):
    """Opens an address in a browser, if there is one that does not take the terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        # Some browsers answer when they are closed.
        threading.Thread(target=browser.open, args=(address,), daemon=True).start()
