"""Servers that are slow, lie or lead elsewhere."""

import hashlib
import itertools
import threading

import pytest
from file_server import serving

from keras_gahr.errors import InputError
from weights_convert import download as download_module
from weights_convert.catalogue import Published, fetch

pytestmark = pytest.mark.one_backend

CONTENT = bytes(range(256)) * 1200


@pytest.fixture
def pauses(monkeypatch):
    """Of the program between its attempts, which takes none."""
    taken = []
    monkeypatch.setattr(download_module, "_pause", taken.append)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    return taken


@pytest.fixture
def published(pauses):
    blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    return Published("tiny", "someone/networks", "0" * 40, "m.pt", blob, "MIT", "unet")


def files(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def partial(published, cache):
    return published.cached(cache).with_name(".m.pt.partial")


@pytest.fixture
def failure(published, tmp_path):
    """A function that fetches from a server and returns the one line that it ends in."""

    def fail(*behaviours, resumes=False, kept=False):
        with serving(CONTENT, behaviours, resumes) as server, pytest.raises(InputError) as caught:
            fetch(published, server.url, tmp_path)
        assert str(caught.value).isprintable()
        assert files(tmp_path) == ([".m.pt.partial"] if kept else [])
        return str(caught.value)

    return fail


def answer(handler, body=CONTENT, status=200, reason=None, **headers):
    handler.send_response(status, reason)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("length", ["9" * 5000, "-5", "x", "1\t2", "9" * 19, "", "٣"])
def test_lengths_that_are_none(failure, length):
    encoded = length.encode().decode("latin-1")
    text = failure(lambda handler: answer(handler, b"", Content_Length=encoded))
    assert "announced with a length of" in text or "larger than any published file" in text
    assert len(text) < 300


def test_a_body_longer_than_announced(failure):
    text = failure(lambda handler: answer(handler, CONTENT, Content_Length=str(len(CONTENT) - 1)))
    assert "is not the expected file" in text


def test_chunks_without_end(failure, monkeypatch):
    monkeypatch.setattr(download_module, "_MOST_BYTES", 100_000)

    def endless(handler):
        handler.protocol_version = "HTTP/1.1"
        answer(handler, b"", Transfer_Encoding="chunked")
        try:
            while True:
                handler.wfile.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
        except OSError:
            pass

    assert "larger than any published file" in failure(endless)


def test_an_encoding_that_was_not_asked_for(failure):
    text = failure(lambda handler: answer(handler, Content_Encoding="gzip"))
    assert "the encoding 'gzip', which was not asked for" in text


@pytest.mark.parametrize("status", [404, 503])
def test_what_a_server_says_does_not_reach_the_terminal(failure, status):
    def rude(handler):
        handler.wfile.write(b"HTTP/1.0 %d \x1b[2J\x07%s\r\n\r\n" % (status, b"x" * 5000))

    text = failure(*[rude] * 4)
    assert rf"the server answers {status} \x1b[2J\x07xxx" in text
    assert len(text) < 300


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("file:///etc/passwd", "not allowed"),
        ("ftp://127.0.0.1/x", "where it is not looked for"),
        ("http://localhost:1/x", "where it is not looked for"),
        ("data:,x", "not allowed"),
        ("//localhost:1/x", "where it is not looked for"),
    ],
)
def test_redirections_elsewhere(failure, place, says):
    text = failure(lambda handler: answer(handler, b"", 302, Location=place))
    assert "the server answers 302" in text
    assert says in text


def test_redirections_on_the_same_server(published, tmp_path):
    with serving(CONTENT, [lambda handler: answer(handler, b"", 301, Location="/moved")]) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
        assert [path for path, _ in server.requests][1:] == ["/moved"]


def test_redirections_in_a_circle(failure):
    text = failure(*[lambda handler: answer(handler, b"", 302, Location="/again")] * 20)
    assert "the server answers 302 again and again" in text


def test_redirections_without_end(failure):
    number = itertools.count()
    text = failure(*[lambda h: answer(h, b"", 302, Location=f"/{next(number)}")] * 20)
    assert "the server answers 302 again and again" in text


@pytest.mark.parametrize(
    "sent", ["bytes 0-9/10", "bytes 7-", "", "x", "bytes " + "9" * 5000 + "-", "bytes -5-9/10"]
)
def test_parts_that_are_not_the_rest(published, tmp_path, sent):
    """The whole is asked for again."""
    with serving(
        CONTENT, ["broken", lambda h: answer(h, b"x", 206, Content_Range=sent)], True
    ) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
        assert [part for _, part in server.requests][2:] == [None]


def test_a_file_that_changes_on_the_way(published, tmp_path):
    """The server is asked for the rest of what it sent before, or else the whole."""
    tags = []

    def half(handler):
        answer(handler, b"x" * 1000, ETag='"one"', Content_Length=str(len(CONTENT)))

    def whole(handler):
        tags.append(handler.headers.get("If-Range"))
        answer(handler, ETag='"two"', Content_Length=str(len(CONTENT)))

    with serving(CONTENT, [half, whole]) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
    assert tags == ['"one"']


def test_progress_allows_more_attempts(published, tmp_path, monkeypatch, pauses):
    monkeypatch.setattr(download_module, "_PROGRESS_BYTES", 10_000)
    with serving(CONTENT, ["first 20000"] * 15, resumes=True) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
        assert len(server.requests) == 16
    assert set(pauses) == {0.5}


def test_too_little_progress_is_none(failure, pauses):
    assert "after 4 attempts" in failure(*["first 1000"] * 9, resumes=True, kept=True)
    assert pauses == [0.5, 1, 2]


def test_what_was_kept_is_gone_on_with(published, failure, tmp_path):
    failure(*["first 1000"] * 4, resumes=True, kept=True)
    with serving(CONTENT, resumes=True) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
        assert [part for _, part in server.requests] == ["bytes=4000-"]
    assert files(tmp_path) == ["m.pt"]


@pytest.mark.parametrize("size", [1000, len(CONTENT), 2 * len(CONTENT)])
def test_a_part_of_something_else_is_thrown_away(published, tmp_path, size):
    path = partial(published, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"!" * size)
    with serving(CONTENT, resumes=True) as server:
        assert fetch(published, server.url, tmp_path).read_bytes() == CONTENT
        assert [part for _, part in server.requests] == [f"bytes={size}-", None]
    assert files(tmp_path) == ["m.pt"]


def test_a_whole_file_that_has_no_name_yet(published, tmp_path):
    path = partial(published, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(published, "http://127.0.0.1:1", tmp_path).read_bytes() == CONTENT
    assert files(tmp_path) == ["m.pt"]


@pytest.fixture
def clock(monkeypatch):
    """Time that passes by 10 seconds whenever it is asked for."""
    ticks = itertools.count(step=10)
    monkeypatch.setattr(download_module, "_now", lambda: next(ticks))


def test_a_server_that_drips(failure, clock, monkeypatch):
    """The file comes in pieces of 100 bytes, that is 10 a second."""
    monkeypatch.setattr(download_module, "_CHUNK_BYTES", 100)
    assert "after 4 attempts: less than 1 kB a second came" in failure(resumes=True, kept=True)


def test_a_server_that_takes_too_long_in_all(failure, clock, monkeypatch):
    monkeypatch.setattr(download_module, "_CHUNK_BYTES", 100)
    monkeypatch.setattr(download_module, "_LEAST_SPEED", 0)
    text = failure(resumes=True, kept=True)
    assert "less than 10 kB a second; try again later" in text


def test_an_answer_that_never_ends_to_begin(failure, monkeypatch):
    """A header comes line by line, for as long as somebody listens."""
    monkeypatch.setattr(download_module, "_TIMEOUT_SECONDS", 0.05)
    over = threading.Event()

    def dawdle(handler):
        handler.send_response(200)
        handler.flush_headers()
        over.wait()

    threading.Timer(5, over.set).start()
    try:
        assert "no answer in 0.05 seconds" in failure(*[dawdle] * 4)
    finally:
        over.set()
