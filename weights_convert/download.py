"""Files from the network, whole or not at all."""

import http.client
import time
import urllib.error
import urllib.request

from keras_gahr import __version__
from keras_gahr.errors import InputError
from keras_gahr.files import replacing

_ATTEMPTS = 4
# Before the second attempt; doubled before each further one.
_PAUSE_SECONDS = 0.5
# Without any answer.
_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 2**18
# Four times the largest published file, for a server that never stops sending.
_MOST_BYTES = 2**27


class _Broken(Exception):
    """A transfer that another attempt may complete."""


def download(url, path, check, *, progress=lambda done, total: None):
    """Downloads a file that is known beforehand.

    A broken transfer is taken up where it broke, if the server can do that, or else started again.
    The file gets its name only when it is complete and `check` is content, so that two programs may
    download the same one at once.

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
    with replacing(path) as temporary:
        for attempt in range(_ATTEMPTS):
            try:
                _receive(url, temporary, progress)
                break
            except _Broken as error:
                if attempt == _ATTEMPTS - 1:
                    raise InputError(
                        f"{url} cannot be downloaded after {_ATTEMPTS} attempts: {error}"
                    ) from error
                time.sleep(_PAUSE_SECONDS * 2**attempt)
        try:
            check(temporary)
        except InputError as error:
            raise InputError(f"{url} is not the expected file: {error}") from error


def _receive(url, path, progress):
    """One attempt, which appends to what earlier ones wrote."""
    done = path.stat().st_size if path.exists() else 0
    with _open(url, done) as response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if not resumed:
            done = 0
        announced = response.headers.get("Content-Length", "")
        total = done + int(announced) if announced.isdecimal() else None
        with path.open("ab" if resumed else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                if done > _MOST_BYTES:
                    raise InputError(f"{url} is larger than any published file")
                progress(done, total)
    if total is not None and done < total:
        raise _Broken(f"the transfer ended after {done} of {total} bytes")


def _open(url, start):
    """The server's answer to a request for the file from byte `start` on."""
    headers = {"User-Agent": f"keras-gahr/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        return urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_SECONDS
        )
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _open(url, 0)
        message = f"the server answers {error.code} {error.reason}"
        if error.code >= 500 or error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
            raise _Broken(message) from error
        raise InputError(f"{url} cannot be downloaded: {message}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(_reason(error)) from error
    except ValueError as error:
        raise InputError(f"{url} is no address: {error}") from error


def _chunks(response):
    while True:
        try:
            chunk = response.read(_CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _reason(error):
    """What went wrong, in one line."""
    reason = getattr(error, "reason", error)
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return text.splitlines()[0]
