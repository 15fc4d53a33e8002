"""A web server on this machine that serves one file and misbehaves as told."""

import contextlib
import http.server
import threading
import time


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range")))
        behaviour = server.behaviours.pop(0) if server.behaviours else "whole"
        if isinstance(behaviour, int):
            self.send_error(behaviour)
            return
        if callable(behaviour):
            behaviour(self)
            return
        content = server.content
        if behaviour == "truncated":
            content = content[:-100]
        elif behaviour == "altered":
            content = content[:50] + bytes([content[50] ^ 1]) + content[51:]
        start = 0
        requested = self.headers.get("Range", "")
        if server.resumes and requested:
            start = int(requested.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        part = content[start:]
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if behaviour == "broken":
            part = part[: len(part) // 2]
        elif isinstance(behaviour, str) and behaviour.startswith("first "):
            part = part[: int(behaviour.removeprefix("first "))]
        for i in range(0, len(part), 1000):
            self.wfile.write(part[i : i + 1000])
            if behaviour == "slow":
                self.wfile.flush()
                time.sleep(0.01)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(content, behaviours=(), resumes=False):
    """Yields a server with `url` and `requests`, a list of (path, Range header).

    Args:
        content: the bytes it answers with, whatever the path.
        behaviours: of its first answers: "whole", "broken" (it hangs up halfway), "truncated" and
            "altered" (complete answers with another content), "slow", "first N" (bytes, then it hangs up),
            a status code, or a function that is given the handler and answers itself.
        resumes: whether it answers a request for the rest of the file with the rest.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.content, server.behaviours, server.resumes = content, list(behaviours), resumes
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
