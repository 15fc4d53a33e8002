"""A Hugging Face Hub on this machine: the few endpoints that its library asks to read and write a model."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

LARGE = (".keras", ".safetensors", ".pt")
"""Suffixes of what is kept outside git."""


class Hub:
    """Repositories of models.

    Attributes:
        commits: by repository, a list of (commit, {path: content}), oldest first.
        private: names of repositories that only answer who sends `token`.
        requests: (method, path) of all that was asked.
        altered: whether what is sent differs from what is kept.
        claimed: sizes by path that are told in the place of the true ones.
    """

    token = "hf_secret"

    def __init__(self):
        self.commits, self.private, self.requests, self.stored = {}, set(), [], {}
        self.branches, self.claimed, self.altered = {}, {}, False
        self.url = ""

    def add(self, repository, files):
        """A commit with these files, and those of the commit before; None removes one."""
        known = self.commits.setdefault(repository, [])
        content = {**(known[-1][1] if known else {}), **files}
        content = {path: data for path, data in content.items() if data is not None}
        commit = hashlib.sha1(repr((repository, len(known))).encode()).hexdigest()
        known.append((commit, content))
        return commit

    def at(self, repository, revision):
        """(commit, files) of a revision, or None."""
        known = self.commits[repository]
        if revision in (None, "main"):
            return known[-1]
        return next((each for each in known if each[0] == revision), None)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self._begin()
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/revision/([^/]+))?", path):
            if revision := self._revision(*found.groups()):
                self._json(self._info(found[1], *revision))
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            if revision := self._revision(found[1], found[2]):
                self._file(*revision, found[3])
        else:
            self._json({"error": f"no {path}"}, 404)

    do_HEAD = do_GET

    def do_POST(self):
        hub, path = self.server.hub, self._begin()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/api/models/(.+)/paths-info/([^/]+)", path):
            _, files = self._revision(*found.groups())
            paths = urllib.parse.parse_qs(body.decode())["paths"]
            self._json([self._entry(name, files[name]) for name in paths if name in files])
        elif self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._json({"error": "who are you?"}, 401)
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            if name in hub.commits:
                self._json({"error": "it is there", "url": f"{hub.url}/{name}"}, 409)
                return
            hub.add(name, {".gitattributes": b"*.keras filter=lfs\n"})
            if asked.get("private") or asked.get("visibility") == "private":
                hub.private.add(name)
            self._json({"url": f"{hub.url}/{name}"})
        elif re.fullmatch(r"/api/models/.+/preupload/[^/]+", path):
            self._json({"files": [*map(_upload_mode, json.loads(body)["files"])]})
        elif path.endswith(".git/info/lfs/objects/batch"):
            href = f"{hub.url}/large"
            objects = [
                {**each, "actions": {"upload": {"href": f"{href}/{each['oid']}"}}}
                for each in json.loads(body)["objects"]
            ]
            self._json({"transfer": "basic", "objects": objects})
        elif found := re.fullmatch(r"/api/models/(.+)/commit/([^/]+)", path):
            self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._json({"error": f"no {path}"}, 404)

    def do_PUT(self):
        oid = self._begin().rpartition("/")[2]
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hub.stored[oid] = content
        self._json({})

    def _begin(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.server.hub.requests.append((self.command, path))
        return path

    def _revision(self, repository, revision):
        """(commit, files), or None after an error was sent."""
        hub = self.server.hub
        known = repository in hub.commits
        hidden = self.headers.get("Authorization") != f"Bearer {hub.token}"
        if not known or (repository in hub.private and hidden):
            self._json({"error": "not found"}, 401, {"X-Error-Code": "RepoNotFound"})
            return None
        found = hub.at(repository, revision)
        if found is None:
            self._json({"error": "not found"}, 404, {"X-Error-Code": "RevisionNotFound"})
        return found

    def _info(self, repository, commit, files):
        licence = re.search(rb"^license: (\S+)$", files.get("README.md", b""), re.MULTILINE)
        return {
            "id": repository,
            "sha": commit,
            "private": repository in self.server.hub.private,
            "siblings": [{"rfilename": name} for name in files],
            "cardData": {"license": licence[1].decode()} if licence else {},
        }

    def _entry(self, name, content):
        size = self.server.hub.claimed.get(name, len(content))
        entry = {"type": "file", "path": name, "size": size, "oid": _blob(content)}
        if name.endswith(LARGE):
            oid = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": oid, "size": size, "pointerSize": 130}
        return entry

    def _file(self, commit, files, name):
        if name not in files:
            self._json({"error": "no"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        content = files[name]
        tag = hashlib.sha256(content).hexdigest() if name.endswith(LARGE) else _blob(content)
        self.send_response(200)
        self.send_header("ETag", f'"{tag}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            if self.server.hub.altered:
                content = content[:-1] + bytes([content[-1] ^ 1])
            self.wfile.write(content)

    def _commit(self, repository, lines):
        hub, files = self.server.hub, {}
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                assert value["parentCommit"] == hub.commits[repository][-1][0]
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = hub.stored[value["oid"]]
            else:
                assert line["key"] == "deletedFile"
                files[value["path"]] = None
        commit = hub.add(repository, files)
        url = f"{hub.url}/{repository}/commit/{commit}"
        self._json({"commitOid": commit, "commitUrl": url, "success": True})

    def _json(self, value, status=200, headers=()):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, text in dict(headers).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def _upload_mode(file):
    mode = "lfs" if file["path"].endswith(LARGE) else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}


def _blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextlib.contextmanager
def serving_hub(port=0):
    """Yields a `Hub` that answers at its `url`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.hub = Hub()
    server.hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environment(hub, cache):
    """Variables with which a process of the real library asks this Hub and no other."""
    return {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(cache),
        "HF_TOKEN": hub.token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "no_proxy": "127.0.0.1",
    }
