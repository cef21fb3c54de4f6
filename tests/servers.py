"""A web server on this machine that behaves badly when told to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is at a path.

    Attributes:
        data: The file.
        modes: What to do with the next requests, first come first; after that, behave. `die N`:
            announce everything, send N bytes, hang up. `stall N`: send N bytes, then nothing.
            `wait`: until the gate is opened. `to URL`: redirect. `503` and the like: that error.
        ranges: Whether parts can be asked for.
        etag: Mark of the version; empty: none.
        content_type: What it claims to be.
        sized: Whether its length is announced.
    """

    data: bytes
    modes: list[str] = field(default_factory=list)
    ranges: bool = True
    etag: str = '"1"'
    content_type: str = "application/octet-stream"
    sized: bool = True


class Site:
    """Pages by path, and a record of what was asked for and sent."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str]] = []
        self.sent = 0
        self.base = ""
        self.gate, self.over = threading.Event(), threading.Event()

    def add(self, path: str, data: bytes, *modes: str, **more: object) -> str:
        """Put a page there and return its URL."""
        self.pages[path] = Page(data, list(modes), **more)
        return self.base + path

    def wait_until_sent(self, n_bytes: int) -> None:
        """Return once so many bytes were sent."""
        self._wait(lambda: self.sent >= n_bytes)

    def wait_until_asked(self) -> None:
        """Return once somebody has asked for something."""
        self._wait(lambda: bool(self.asked))

    def _wait(self, is_so: Callable[[], bool]) -> None:
        for _ in range(6000):
            if is_so():
                return
            time.sleep(0.01)
        raise AssertionError(f"{self.sent} bytes were sent, {len(self.asked)} requests came")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the page is told to."""
        site: Site = self.server.site
        site.asked.append((self.path, self.headers.get("Range", "")))
        page = site.pages.get(self.path)
        self.close_connection = True
        if page is None:
            self.send_error(404)
            return
        word, _, value = (page.modes.pop(0) if page.modes else "good").partition(" ")
        if word.isdecimal():
            self.send_error(int(word))
        elif word == "to":
            self.send_response(302)
            self.send_header("Location", value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            if word == "wait":
                site.gate.wait(60)
            self._give(page, cut=int(value) if word in ("die", "stall") else None)
            if word == "stall":
                site.over.wait(20)

    def _give(self, page: Page, cut: int | None) -> None:
        begin = self._begin(page)
        if begin > len(page.data):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        if page.sized:
            self.send_header("Content-Length", str(len(page.data) - begin))
        if begin:
            last = len(page.data) - 1
            self.send_header("Content-Range", f"bytes {begin}-{last}/{len(page.data)}")
        if page.etag:
            self.send_header("ETag", page.etag)
        self.send_header("Content-Type", page.content_type)
        self.end_headers()
        body = page.data[begin:][:cut]
        # Counted first: whoever has got it all may look at once.
        self.server.site.sent += len(body)
        self.wfile.write(body)
        self.wfile.flush()

    def _begin(self, page: Page) -> int:
        """Return from which byte on to answer."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        version = self.headers.get("If-Range", page.etag)
        return int(asked[1]) if asked and page.ranges and version == page.etag else 0


@contextmanager
def serving(context: object = None) -> Iterator[Site]:
    """Run a server; its site is filled by the test.

    Args:
        context: Of `ssl`, for an encrypted one.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    site = server.site = Site()
    site.base = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
