"""A server on this machine alone that shows results and changes nothing.

It is the one of Python's standard library: a few addresses for one reader need no more, and so nothing is
to be installed. Whoever can reach the machine's own network interface, and any page in the reader's
browser, may ask it. So every address begins with a token that is drawn anew; the name in the Host header
must be this machine's, or a page could let its own name point here; and pages may load nothing from
elsewhere and run nothing but our script.
"""

import contextlib
import hashlib
import hmac
import http.server
import re
import secrets
import threading
import urllib.parse

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of
from keras_gahr.report.html_frame import content_policy, page_file

from .addresses import Addresses, name_of_part
from .entries import PICTURES, ending, entry_at, find_entries
from .pages import POLICY, index_page, result_page
from .viewed_folder import ViewedFolder

HOST = "127.0.0.1"

_HOSTS = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.IGNORECASE)
"""What the Host header may say. Any port: that of a tunnel through SSH may be another one."""

_DATA = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The policy of pictures, of which those in SVG are documents, and of lines of text."""

_REPORT = content_policy(None, page_file("page.js"))
"""That of report.html, which may be anybody's: no script runs in it but that of reports."""

_UNFRAMED = "; frame-ancestors 'none'"

_MOST_AT_ONCE = 32
_SECONDS = 30


class ViewServer(http.server.ThreadingHTTPServer):
    """Shows the results in a folder.

    Args:
        folder: path of it.
        port: of 127.0.0.1; 0 for a free one.

    Attributes:
        address: of the first page.

    Raises:
        InputError: if there is no such folder, or the port is taken.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder, port=0):
        self.folder = ViewedFolder(folder)
        self.addresses = Addresses(secrets.token_urlsafe(24))
        # Pages are made one after another, so that only one holds what it read.
        self.making = threading.Lock()
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"port {port} cannot be had ({reason_of(error)}): choose another --port, or none"
            ) from error

    @property
    def address(self):
        return f"http://{HOST}:{self.server_address[1]}{self.addresses.index()}"

    def process_request(self, request, client_address):
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request, client_address):
        """A reader that went away is no error."""


class _Answer(Exception):
    """An answer other than what was asked for: a status and a line."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self):
        # A body would be read as the next request.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        try:
            route, name, query = self._asked()
            getattr(self, f"_{route}")(name, query)
        except _Answer as answer:
            self._say(*answer.args)
        except InputError as error:
            self._say(404, f"cannot be shown: {reason_of(error)}")
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # Files may be anybody's.
            self._say(500, f"cannot be shown: {reason_of(error)}")

    do_HEAD = do_GET

    def _refuse(self):
        self.close_connection = True
        self._say(405, "only GET and HEAD")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse

    def _asked(self):
        """The route, the name of a file or folder, and the query.

        Raises:
            _Answer: if that is not to be answered.
        """
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not _HOSTS.fullmatch(hosts[0]):
            raise _Answer(403, "this server answers to the name of this machine only")
        path, _, query = self.path.partition("?")
        token, _, rest = path.removeprefix("/").partition("/")
        # In as much time whatever it begins with.
        if not hmac.compare_digest(
            token.encode(errors="replace"), self.server.addresses.token.encode()
        ):
            raise _Answer(404, "nothing here")
        route, _, name = rest.partition("/")
        if route not in ("", "look", "file", "frame") or (not route and name):
            raise _Answer(404, "nothing here")
        return route or "index", name_of_part(name), dict(urllib.parse.parse_qsl(query[:1000]))

    def _index(self, name, query):
        folder, addresses = self.server.folder, self.server.addresses
        with self.server.making:
            entries, cut = find_entries(folder)
            if [entry.name for entry in entries] == [""]:
                page = result_page(folder, entries[0], addresses, listed=False)
            else:
                page = index_page(folder, entries, cut, addresses)
        self._page(page)

    def _look(self, name, query):
        folder, addresses = self.server.folder, self.server.addresses
        with self.server.making:
            try:
                entry = entry_at(folder, name)
            except OSError as error:
                raise _Answer(404, "there is no such folder") from error
            if entry is None:
                raise _Answer(404, "there is no result in this folder")
            page = result_page(folder, entry, addresses, listed=True)
        self._page(page)

    def _page(self, page):
        """Answers with a page, or that it is what the browser has already."""
        body = page.encode("utf-8", "backslashreplace")
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            self._begin(304, {"ETag": tag})
            return
        self._send(200, body, "text/html; charset=utf-8", POLICY, {"ETag": tag})

    def _file(self, name, query):
        kind = PICTURES.get(ending(name))
        policy = _DATA
        if name.rpartition("/")[2] == "report.html":
            kind, policy = "text/html; charset=utf-8", _REPORT
        if kind is None:
            raise _Answer(404, "only pictures and reports are shown")
        with self.server.folder.open(name) as file:
            size = file.seek(0, 2)
            file.seek(0)
            self._begin(200, {"Content-Type": kind, "Content-Length": size}, policy)
            if self.command == "GET":
                self._copy(file, size)

    def _copy(self, file, size):
        """Sends just so many bytes of a file, which somebody may write to meanwhile."""
        while size and (some := file.read(min(size, 2**16))):
            self.wfile.write(some)
            size -= len(some)
        self.close_connection = self.close_connection or size > 0

    def _frame(self, name, query):
        from .frames import KINDS

        kind, place = KINDS.get(query.get("of")), query.get("k", "")
        if kind is None or not re.fullmatch("[0-9]{1,12}", place):
            raise _Answer(404, "there is no such picture")
        with self.server.making:
            body = kind(self.server.folder, name).png(int(place))
        self._send(200, body, "image/png", _DATA)

    def _say(self, status, line):
        with contextlib.suppress(OSError):
            more = {"Allow": "GET, HEAD"} if status == 405 else {}
            self._send(status, f"{line}\n".encode(), "text/plain; charset=utf-8", _DATA, more)

    def _send(self, status, body, kind, policy, more=()):
        self._begin(
            status, {"Content-Type": kind, "Content-Length": len(body), **dict(more)}, policy
        )
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status, headers, policy=_DATA):
        self.send_response(status)
        for name, value in {
            **headers,
            **_ALWAYS,
            "Content-Security-Policy": policy + _UNFRAMED,
        }.items():
            self.send_header(name, str(value))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code, message=None, explain=None):
        """Of what is no request that `http.server` understands."""
        self.close_connection = True
        self._say(code, message or "no request")

    def version_string(self):
        return "keras-gahr"

    def log_message(self, *arguments):
        """Nothing: the terminal is the reader's."""


_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
