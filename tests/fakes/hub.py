"""A server on this machine that speaks the model hub's protocol, and can be told to misbehave.

`/{repo}/resolve/{revision}/{name}` answers HEAD and GET as the hub does: large files redirect to a store (another path
prefix here, another host there) with `X-Linked-Etag`; small ones come directly with a git digest as `ETag`.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Faults:
    """What the server does wrong.

    Args:
        cut: offsets in the file at which a connection is broken, each once, in order.
        flip: offset of a byte to be sent wrong; flips_left: in how many answers.
        token: the token it wants, "" for none. status: an answer to give to everything instead.
        linked_etag: a digest to claim in place of the true one. commit: a revision to claim.
        ignore_range: send everything whatever is asked for.
        moved: small files are answered with a redirect to a cache on the same host, as the public hub does.
        slow: seconds to wait after each piece.
    """

    cut: list[int] = field(default_factory=list)
    flip: int = -1
    flips_left: int = 0
    token: str = ""
    status: int = 0
    linked_etag: str = ""
    commit: str = ""
    ignore_range: bool = False
    moved: bool = False
    slow: float = 0.0


class FakeHub:
    """The server; use it as a context manager.

    Args:
        files: content by name; names that end in `.safetensors` are kept in the store.
        store_etag: the store's own tag, to be changed for a changed file.
    """

    def __init__(self, repo: str, revision: str, files: dict[str, bytes]) -> None:
        self.repo, self.revision, self.files = repo, revision, dict(files)
        self.faults = Faults()
        self.store_etag = '"one"'
        self.requests: list[tuple[str, str, str, str]] = []
        """(method, path, Range, Authorization) of every request."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.store = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> FakeHub:
        # A quick poll, so that leaving does not take half a second a test.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, *, body: bool) -> None:
        asked = handler.headers.get("Range", "")
        self.requests.append((handler.command, handler.path, asked, handler.headers.get("Authorization", "")))
        if self.faults.status:
            return _plain(handler, self.faults.status)
        stored = handler.path.startswith("/store/")
        cached = handler.path.startswith("/cache/")
        name = (
            handler.path.removeprefix("/store/")
            .removeprefix("/cache/")
            .removeprefix(f"/{self.repo}/resolve/{self.revision}/")
        )
        if name not in self.files:
            return _plain(handler, 404)
        content = self.files[name]
        if stored:
            return self._send(handler, content, self.store_etag, body=body)
        if self.faults.token and handler.headers.get("Authorization") != f"Bearer {self.faults.token}":
            return _plain(handler, 401 if "Authorization" not in handler.headers else 403)
        headers = {"X-Repo-Commit": self.faults.commit or self.revision}
        if self.faults.moved and not cached and not name.endswith(".safetensors"):
            return _plain(handler, 307, headers | {"Location": f"/cache/{name}"})
        if name.endswith(".safetensors"):
            digest = self.faults.linked_etag or _sha256(content)
            headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
            return _plain(handler, 302, headers | {"Location": f"{self.store}/store/{name}"})
        digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return self._send(handler, content, f'"{digest}"', body=body, extra=headers)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        content: bytes,
        etag: str,
        *,
        body: bool,
        extra: dict[str, str] | None = None,
    ) -> None:
        start = 0
        asked = handler.headers.get("Range", "")
        condition = handler.headers.get("If-Range", etag)
        if asked and condition == etag and not self.faults.ignore_range:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return _plain(handler, 416)
        handler.send_response(206 if start else 200)
        handler.send_header("ETag", etag)
        handler.send_header("Content-Length", str(len(content) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for key, value in (extra or {}).items():
            handler.send_header(key, value)
        handler.end_headers()
        if body:
            self._send_body(handler, content, start)
        return None

    def _send_body(self, handler: BaseHTTPRequestHandler, content: bytes, start: int) -> None:
        faults = self.faults
        data = bytearray(content)
        if 0 <= faults.flip < len(data) and faults.flips_left:
            faults.flips_left -= 1
            data[faults.flip] ^= 1
        end = len(data)
        if faults.cut and start <= faults.cut[0] < end:
            end = min(end, faults.cut.pop(0))
        piece = 1 << 16
        try:
            for offset in range(start, end, piece):
                handler.wfile.write(data[offset : min(offset + piece, end)])
                if faults.slow:
                    threading.Event().wait(faults.slow)
        except OSError:
            handler.close_connection = True
        if end < len(data):
            handler.close_connection = True


@functools.cache
def _sha256(content: bytes) -> str:
    """Worked out once, since every request wants it."""
    return hashlib.sha256(content).hexdigest()


def _plain(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", "0")
    for key, value in (headers or {}).items():
        handler.send_header(key, value)
    handler.end_headers()
