"""A server on loopback with the layout of the Hub: metadata by HEAD, files by ranges."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from narrowing import present

COMMIT = "0" * 40
PREFIX = "/datasets/weiminhu/D-MIPLIB/resolve/main/"


@dataclass
class Mirror:
    """What the server has, and what it was asked for."""

    files: dict[str, bytes | Path] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, one entry an answer."""
    etags: dict[str, str] = field(default_factory=dict)
    seconds_per_piece: float = 0.0
    """Between pieces of 64 KiB."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of each request."""
    url: str = ""

    def put(self, name: str, content: bytes | str) -> None:
        self.files[PREFIX + name] = content.encode() if isinstance(content, str) else content

    def ranges(self) -> list[str]:
        return [asked for method, _, asked in self.requests if method == "GET"]


@contextmanager
def serving() -> Iterator[Any]:
    mirror = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(mirror))
    mirror.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield mirror
    finally:
        server.shutdown()
        server.server_close()


def _handler(mirror: Mirror) -> type[Any]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            asked = self.headers.get("Range", "")
            mirror.requests.append((self.command, self.path, asked))
            content = mirror.files.get(self.path)
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = content.read_bytes() if isinstance(content, Path) else content
            etag = mirror.etags.get(self.path, hashlib.sha1(content).hexdigest())
            begin = int(present(re.fullmatch(r"bytes=(\d+)-", asked)).group(1)) if asked else 0
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header(
                    "Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}"
                )
            self.send_header("Content-Length", str(len(content) - begin))
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if with_body:
                self._send(content[begin:])

        def _send(self, content: bytes) -> None:
            cut = mirror.cuts.pop(0) if mirror.cuts else None
            sent = 0
            while sent < len(content) and (cut is None or sent < cut):
                piece = content[sent : min(sent + 65536, cut or len(content))]
                self.wfile.write(piece)
                self.wfile.flush()
                sent += len(piece)
                if mirror.seconds_per_piece:
                    threading.Event().wait(mirror.seconds_per_piece)
            if sent < len(content):
                self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    return Handler
