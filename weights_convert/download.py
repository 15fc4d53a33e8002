"""Files from the network, whole or not at all."""

import http.client
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from keras_gahr import __version__
from keras_gahr.errors import InputError
from keras_gahr.files import resuming_file
from keras_gahr.names import printable

_ATTEMPTS = 4
"""In a row without progress."""

_PROGRESS_BYTES = 2**16
_PAUSE_SECONDS = 0.5
"""Before the second attempt; doubled before each further one."""

_TIMEOUT_SECONDS = 30
"""Without any answer."""

_WINDOW_SECONDS = 60
_LEAST_SPEED = 1_000
"""Bytes a second over a window, below which another attempt is made."""

_LEAST_AVERAGE = 10_000
"""Bytes a second of the whole file, below which it is given up after `_ALWAYS_SECONDS`."""

_ALWAYS_SECONDS = 600
_CHUNK_BYTES = 2**18
_MOST_BYTES = 2**27
"""Four times the largest published file, for a server that never stops sending."""

_now = time.monotonic
_pause = time.sleep


class _Broken(Exception):
    """A transfer that another attempt may complete."""


class _NoSuchRest(_Broken):
    """The server has no bytes where ours end."""


def download(url, path, check, *, progress=lambda done, total: None):
    """Downloads a file that is known beforehand.

    A broken transfer is taken up where it broke, if the server can do that, or else started again; so is
    one that an earlier call left, in a hidden file beside the path. The file gets its name only when it
    is complete and `check` is content, so that two programs may download the same one at once.

    A server that sends less than 1 kB a second, or takes longer than ten minutes and the time of the whole
    file at 10 kB a second, is given up.

    Args:
        url: of the file, http or https.
        path: where to write it; what is there is replaced.
        check: a function that raises `InputError` if the file at a path is not the expected one.
        progress: called with (bytes done, bytes in all), the latter None if not known.

    Raises:
        InputError: if it cannot be downloaded, or by `check`.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"received the address {url}, expected one that begins with https://")
    with resuming_file(path) as partial:
        transfer = _Transfer(url, partial, progress)
        if transfer.done and not _passes(check, partial):
            transfer.complete()
            # The part of an earlier call may have been of another file.
            if not _passes(check, partial):
                transfer.start_again()
        if not transfer.done:
            transfer.complete()
        try:
            check(partial)
        except InputError as error:
            transfer.start_again()
            raise InputError(f"{url} is not the expected file: {error}") from error


def _passes(check, path):
    try:
        check(path)
    except InputError:
        return False
    return True


class _Transfer:
    """One file on its way, in as many attempts as it takes.

    Args:
        url: of the file.
        path: where to write it; if there is a part of it already, the rest is asked for.
        progress: see `download`.
    """

    def __init__(self, url, path, progress):
        self.url = url
        self.path = path
        self.progress = progress
        self.started = _now()
        self.done = path.stat().st_size if path.exists() else 0
        self.tag = None

    def start_again(self):
        """Throws away what there is."""
        self.path.write_bytes(b"")
        self.done, self.tag = 0, None

    def complete(self):
        """Receives all that is missing."""
        failures, most = 0, self.done
        while True:
            try:
                self._receive()
                return
            except _Broken as error:
                # What came before and comes again is no progress.
                failures = 1 if self.done >= most + _PROGRESS_BYTES else failures + 1
                most = max(most, self.done)
                if failures == _ATTEMPTS:
                    raise InputError(
                        f"{self.url} cannot be downloaded after {_ATTEMPTS} attempts: {error}"
                    ) from error
                _pause(_PAUSE_SECONDS * 2 ** (failures - 1))

    def _receive(self):
        """One attempt, which appends to what earlier ones wrote."""
        try:
            response = _within(_TIMEOUT_SECONDS, self._open)
        except _NoSuchRest:
            self.start_again()
            raise
        with response:
            if response.status == http.HTTPStatus.PARTIAL_CONTENT:
                self._check_rest(response)
            else:
                self.start_again()
            self.tag = response.headers.get("ETag")
            total = self._total(response)
            speed = _Speed(self.url, self.started, _MOST_BYTES if total is None else total)
            with self.path.open("ab") as file:
                for chunk in _chunks(response):
                    file.write(chunk)
                    self.done += len(chunk)
                    if self.done > _MOST_BYTES:
                        break
                    self.progress(self.done, total)
                    speed.check(len(chunk))
        if self.done > _MOST_BYTES:
            self._refuse("larger than any published file")
        if total is not None and self.done < total:
            raise _Broken(f"the transfer ended after {self.done} of {total} bytes")

    def _open(self):
        """The server's answer to a request for all that is missing."""
        headers = {"User-Agent": f"keras-gahr/{__version__}", "Accept-Encoding": "identity"}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
            if self.tag and not self.tag.startswith("W/"):
                # Of another file the whole is sent.
                headers["If-Range"] = self.tag
        try:
            request = urllib.request.Request(self.url, headers=headers)
            return urllib.request.build_opener(_Redirections).open(
                request, timeout=_TIMEOUT_SECONDS
            )
        except urllib.error.HTTPError as error:
            error.close()
            message = f"the server answers {error.code} {_short(error.reason)}"
            if self.done and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _NoSuchRest(message) from error
            if error.code >= 500 or error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
                raise _Broken(message) from error
            raise InputError(f"{self.url} cannot be downloaded: {message}") from error
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(_reason(error)) from error
        except ValueError as error:
            raise InputError(f"{self.url} is no address: {_short(error)}") from error

    def _check_rest(self, response):
        """Refuses a part of the file that does not begin where ours ends."""
        sent = response.headers.get("Content-Range", "")
        found = re.match(r"bytes (\d{1,19})-", sent, re.ASCII)
        if not found or int(found[1]) != self.done:
            expected = self.done
            self.start_again()
            raise _Broken(f"the server sends {_short(sent)!r} for the bytes from {expected} on")

    def _total(self, response):
        """Bytes of the whole file, or None if the server does not say."""
        coding = response.headers.get("Content-Encoding", "identity")
        if coding.lower() != "identity":
            self._refuse(f"sent in the encoding {_short(coding)!r}, which was not asked for")
        length = response.headers.get("Content-Length")
        if length is None:
            return None
        if not re.fullmatch(r"\d{1,19}", length, re.ASCII):
            self._refuse(f"announced with a length of {_short(length)!r}")
        total = self.done + int(length)
        if total > _MOST_BYTES:
            self._refuse("larger than any published file")
        return total

    def _refuse(self, what):
        self.start_again()
        raise InputError(f"{self.url} cannot be downloaded: it is {what}")


class _Speed:
    """Looks at how fast a file comes.

    Args:
        url: of the file.
        started: when the first attempt was.
        size: bytes of the file, at most.
    """

    def __init__(self, url, started, size):
        self.url = url
        self.last = started + _ALWAYS_SECONDS + size / _LEAST_AVERAGE
        self.window = _now()
        self.bytes = 0

    def check(self, count):
        """Takes note of so many bytes more; raises an error if they came too late."""
        now = _now()
        self.bytes += count
        if now > self.last:
            raise InputError(
                f"{self.url} cannot be downloaded: it comes with less than {_LEAST_AVERAGE // 1000} kB a "
                "second; try again later, which goes on where this ends"
            )
        if now - self.window >= _WINDOW_SECONDS:
            if self.bytes < _LEAST_SPEED * (now - self.window):
                raise _Broken(f"less than {_LEAST_SPEED // 1000} kB a second came")
            self.window, self.bytes = now, 0


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows a few, to addresses that are no less safe."""

    max_repeats = 2
    max_redirections = 5
    inf_msg = "again and again: "

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        old, new = (urllib.parse.urlsplit(url) for url in (req.full_url, newurl))
        if new.scheme != "https" and (new.scheme, new.netloc) != (old.scheme, old.netloc):
            where = f"{msg}, at {new.scheme}://{new.netloc}, where it is not looked for"
            raise urllib.error.HTTPError(req.full_url, code, where, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _within(seconds, call):
    """What a call returns or raises, if it takes no longer.

    A limit for each answer of a socket is not enough: a server may send its headers byte by byte.
    """
    outcome = []

    def run():
        try:
            outcome.append((call(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise _Broken(_no_answer(seconds))
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _no_answer(seconds):
    return f"no answer in {seconds} seconds"


def _chunks(response):
    """The body as it comes."""
    while True:
        try:
            chunk = _within(_TIMEOUT_SECONDS, lambda: response.read1(_CHUNK_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _short(text):
    """What a server said, in one short line without control characters."""
    return printable(str(text).strip()[:80])


def _reason(error):
    """What went wrong, in one line."""
    reason = getattr(error, "reason", error)
    # A socket may see its own limit before ours is over.
    if isinstance(reason, TimeoutError):
        return _no_answer(_TIMEOUT_SECONDS)
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return _short(text.splitlines()[0])
