"""One attempt to bring a file over HTTP, which goes on where the last one stopped."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from pose3d_cli import __version__
from pose3d_cli.files.model_cache import cannot_write

_BLOCK = 1 << 16
# Overloaded, restarting or slow: the same question may be answered in a moment.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNSATISFIABLE = 416
_PARTIAL = 206
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", *_BUNDLES)

Tell = Callable[[int, int], None]
"""Told how many bytes there are, and of how many (0: nobody knows)."""


class PlaceError(Exception):
    """This place will not give the file, however often it is asked."""


class BrokenError(Exception):
    """The transfer ended early; another attempt may get further."""


@dataclass(frozen=True)
class _Origin:
    """What the bytes of a part are of."""

    url: str = ""
    validator: str = ""
    """The server's mark of this version of the file: a strong ETag, or when it was changed."""
    total: int = 0


class Part:
    """A file that is not here whole yet, and what is known of the whole.

    Args:
        path: Where its bytes are; a note beside it says what they are of.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(f"{path.name}.json")

    @property
    def n_bytes(self) -> int:
        """How many bytes are here."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def origin(self) -> _Origin:
        """Return what the bytes are of; nothing where that is not known."""
        try:
            return _Origin(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return _Origin()

    def begin(self, origin: _Origin) -> None:
        """Note what the bytes to come are of."""
        try:
            self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        except OSError as error:
            raise cannot_write(error, self._note) from error

    def drop(self) -> None:
        """Delete the bytes and the note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def attempt(
    url: str,
    part: Part,
    *,
    opener: OpenerDirector,
    n_bytes: int,
    may_mix: bool,
    timeout_s: float,
    tell: Tell,
) -> None:
    """Bring what is missing of a file.

    Args:
        url: Of HTTP or HTTPS.
        part: What is here of it, and where the rest goes.
        opener: What asks.
        n_bytes: Length of the file; 0 where unknown.
        may_mix: Whether bytes of another URL may stay: only where the whole is checked later.
        timeout_s: Seconds of silence after which the attempt is given up.
        tell: Is told of progress.

    Raises:
        PlaceError: There is no such file there, or another one.
        BrokenError: It ended early.
        OutputError: The disk is full, or cannot be written to.
    """
    origin, start = part.origin(), part.n_bytes
    if start and origin.url != url and not may_mix:
        part.drop()
        origin, start = _Origin(), 0
    if start and start == origin.total:
        return
    headers = {"User-Agent": f"pose3d/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if origin.url == url and origin.validator:
            headers["If-Range"] = origin.validator
    with _told(part, start, timeout_s):
        with opener.open(Request(url, headers=headers), timeout=timeout_s) as answer:
            begin, total = _extent(answer)
            _check_answer(answer, total, n_bytes)
            if begin and (begin != start or (origin.total and total != origin.total)):
                part.drop()
                raise BrokenError("the file there has changed, so it is fetched from the start")
            part.begin(_Origin(url, _validator(answer), total))
            _pour(answer, part, begin, lambda done: tell(done, total))
        if total and part.n_bytes < total:
            raise BrokenError(f"it broke off after {part.n_bytes:,} of {total:,} bytes")


@contextmanager
def _told(part: Part, start: int, timeout_s: float) -> Iterator[None]:
    """Turn what the network throws into one of the two errors above."""
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code == _UNSATISFIABLE and start:
            part.drop()
            raise BrokenError("what is here is longer than the file there") from error
        kind = BrokenError if error.code in _PASSING else PlaceError
        raise kind(f"HTTP {error.code} {error.reason}".strip()) from error
    except URLError as error:
        raise _unreachable(error.reason, timeout_s) from error
    except (OSError, http.client.HTTPException) as error:  # none of the disk: those are told apart
        raise _unreachable(error, timeout_s) from error


def _unreachable(why: Any, timeout_s: float) -> Exception:
    if isinstance(why, ssl.SSLCertVerificationError):
        return PlaceError(
            f"its certificate is not trusted ({why.verify_message}); behind a proxy that "
            "inspects traffic, set SSL_CERT_FILE to its certificate"
        )
    if isinstance(why, TimeoutError):
        return BrokenError(f"nothing came for {timeout_s:g} s")
    words = str(getattr(why, "strerror", None) or why) or type(why).__name__
    if isinstance(why, socket.gaierror) and why.errno != socket.EAI_AGAIN:
        return PlaceError(f"the address is not found ({words.lower()})")
    return BrokenError(f"the connection failed ({words.lower()})")


def _extent(answer: Any) -> tuple[int, int]:
    """Return at which byte the answer begins and how long the whole file is, 0 if unsaid."""
    if answer.status != _PARTIAL:
        length = answer.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else 0
    said = re.match(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if not said:
        raise PlaceError("it answers with a part of the file and does not say which")
    return int(said[1]), int(said[2]) if said[2] != "*" else 0


def _check_answer(answer: Any, total: int, n_bytes: int) -> None:
    """Refuse what is plainly another file, before it is fetched."""
    if answer.headers.get_content_type() == "text/html":
        raise PlaceError("it gave a web page, not the file")
    if n_bytes and total and total != n_bytes:
        raise PlaceError(f"the file there has {total:,} bytes, and should have {n_bytes:,}")


def _validator(answer: Any) -> str:
    etag: str = answer.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    changed: str = answer.headers.get("Last-Modified", "")
    return changed


def _pour(answer: Any, part: Part, begin: int, tell: Callable[[int], None]) -> None:
    """Write what comes to the part, from byte `begin` on."""
    done = begin
    tell(done)
    try:
        # Unbuffered, so that a full disk shows here and what has come is kept whatever happens.
        file = part.path.open("ab" if begin else "wb", buffering=0)
    except OSError as error:
        raise cannot_write(error, part.path) from error
    with file:
        while block := answer.read1(_BLOCK):
            try:
                file.write(block)
            except OSError as error:
                raise cannot_write(error, part.path) from error
            done += len(block)
            tell(done)


class _Onward(HTTPRedirectHandler):
    """Follows redirects, but never from an encrypted address to one that is not."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Return the next request."""
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise PlaceError("it sends us on to an address without encryption")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def make_opener() -> OpenerDirector:
    """Return what asks: proxies and certificates are those of the usual variables."""
    return build_opener(_Onward(), HTTPSHandler(context=_context(*map(os.environ.get, _TRUST))))


@cache
def _context(*_: str | None) -> ssl.SSLContext:
    """Return who is trusted, for these values of the variables; reading it takes a while."""
    context = ssl.create_default_context()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    for variable in _BUNDLES:
        bundle = os.environ.get(variable, "")
        if Path(bundle).is_file():
            context.load_verify_locations(cafile=bundle)
    return context
