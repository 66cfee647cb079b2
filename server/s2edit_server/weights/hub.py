"""The model hub's protocol, over the standard library: what a file is, and its bytes from some offset on.

A file's address is `{base}/{repo}/resolve/{revision}/{name}`. The answer to HEAD names its digest: for large files
`X-Linked-Etag` is the SHA-256 and `X-Linked-Size` the size, while the answer redirects to a store elsewhere; for small
ones `ETag` is the git blob's SHA-1. Source: huggingface_hub's documentation of `get_hf_file_metadata`.
"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError
from s2edit_wire.plain_files import read_plain

from . import places

HUB = "https://huggingface.co"
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""
MAX_REDIRECTS = 5
MAX_TOKEN = 4 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SHA256, _SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Facts:
    """What the hub says a file is: its size in bytes, and the digest it can be checked by (one of the two, or "")."""

    size: int
    sha256: str = ""
    git_sha1: str = ""


class Broken(Exception):
    """The connection failed or broke off; trying again may help."""


class NoSuchRange(Broken):
    """The store's file ends before the offset that was asked for: what is here can't be a part of it."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Hub:
    """A hub or a mirror of it.

    Args:
        base: address, "" for the public hub.
        proxy: address of an HTTP proxy, "" for the system's settings.
        token: sent only once the hub has asked for it (401 or 403), only to the hub itself and never to the stores that
            it redirects to, and only where nobody on the way can read it: by https, or on this machine; "" for none.
    """

    def __init__(self, base: str = "", proxy: str = "", token: str = "") -> None:
        self.base = (base or HUB).rstrip("/")
        self._token, self._asked_for_token, self._proxy = token, False, proxy
        proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
        self._opener = urllib.request.build_opener(proxies, _NoRedirects())

    def address(self, repo: str, revision: str, name: str) -> str:
        """A file's address."""
        return f"{self.base}/{repo}/resolve/{revision}/{urllib.parse.quote(name)}"

    def facts(self, repo: str, revision: str, name: str) -> Facts:
        """Ask what a file is.

        Raises:
            Broken: no answer came.
            WireError: the hub refuses (a token is needed, the file is gone), or it serves another revision.
        """
        address = self.address(repo, revision, name)
        for _ in range(MAX_REDIRECTS):
            headers, status = self._head(address, repo)
            target = headers.get("Location", "")
            # A large file's digest stands in the hub's own answer; where that leads to is no longer the hub.
            if "X-Linked-Etag" in headers or status == 200:
                break
            address = urllib.parse.urljoin(address, target)
            if _host(address) != _host(self.base):
                raise _failed(repo, "the hub redirects to another host without saying what the file is")
        else:
            raise _failed(repo, "the hub redirects in circles")
        served = headers.get("X-Repo-Commit", revision)
        if served != revision:
            raise _failed(repo, f"the hub serves revision {served[:40]!r} where {revision[:12]} is pinned")
        etag = (headers.get("X-Linked-Etag") or headers.get("ETag") or "").removeprefix("W/").strip('"')
        size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
        if not size.isdigit():
            raise _failed(repo, "the hub does not tell the file's size")
        return Facts(
            int(size),
            sha256=etag if _SHA256.fullmatch(etag) else "",
            git_sha1=etag if _SHA1.fullmatch(etag) else "",
        )

    def open(self, repo: str, revision: str, name: str, offset: int, etag: str) -> Body:
        """Ask for the file's bytes from `offset` on; raises as `facts` does.

        Args:
            offset: bytes that are here already.
            etag: the store's tag for them ("" at the start): if the file changed, all of it comes instead of the rest.
        """
        address = self.address(repo, revision, name)
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and etag.startswith('"'):
            # RFC 9110, 13.1.5: only a strong tag will do. Without one, the digest at the end has to find out.
            wanted["If-Range"] = etag
        for _ in range(MAX_REDIRECTS):
            try:
                response = self._ask("GET", address, wanted)
                return Body(response, _start(response.headers) if response.status == 206 else 0)
            except urllib.error.HTTPError as error:
                address = self._next(error, address, repo)
            except (OSError, http.client.HTTPException) as error:
                raise Broken(_reason(error)) from error
        raise _failed(repo, "the hub redirects in circles")

    def _head(self, address: str, repo: str) -> tuple[Message, int]:
        try:
            with self._ask("HEAD", address, {}) as response:
                return response.headers, response.status
        except urllib.error.HTTPError as error:
            self._next(error, address, repo)
            return error.headers, int(error.code)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(_reason(error)) from error

    def _ask(self, method: str, address: str, headers: Mapping[str, str]) -> Any:
        """The open answer; raises what urllib raises."""
        try:
            return self._opener.open(self._request(method, address, headers), timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            if error.code not in (401, 403) or self._asked_for_token or not self._may_carry_token(address):
                raise
            error.close()
            self._asked_for_token = True
            return self._opener.open(self._request(method, address, headers), timeout=TIMEOUT)

    def _may_carry_token(self, address: str) -> bool:
        if not self._token or _host(address) != _host(self.base):
            return False
        parts = urllib.parse.urlsplit(address)
        if parts.scheme == "https":
            return True
        if parts.hostname not in _LOOPBACK or self._proxy:
            return False
        return "http" not in urllib.request.getproxies() or bool(urllib.request.proxy_bypass(parts.netloc))

    def _next(self, error: urllib.error.HTTPError, address: str, repo: str) -> str:
        """Where a redirect leads; any other answer becomes an error."""
        error.close()
        if error.code in (301, 302, 303, 307, 308) and error.headers.get("Location"):
            return str(urllib.parse.urljoin(address, error.headers["Location"]))
        if error.code == 416:
            raise NoSuchRange("the file is shorter than what is here already")
        if error.code in (408, 429) or error.code >= 500:
            raise Broken(f"the hub answered {error.code}")
        raise refusal(error.code, repo, self.base, sent_token=self._asked_for_token)

    def _request(self, method: str, address: str, headers: Mapping[str, str]) -> urllib.request.Request:
        if not address.startswith(("http://", "https://")):
            raise _failed("", "the hub redirects to something that is no web address")
        request = urllib.request.Request(address, method=method, headers=dict(headers))  # noqa: S310 - checked above
        request.add_header("User-Agent", "s2edit")
        request.add_header("Accept-Encoding", "identity")
        if self._asked_for_token and self._may_carry_token(address):
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return request


class Body:
    """The bytes of an answer.

    Args:
        response: the open answer.
        start: offset in the file at which they begin: 0 when the whole file comes.
    """

    def __init__(self, response: Any, start: int) -> None:
        self._response = response
        self.start = start
        self.etag: str = response.headers.get("ETag", "")

    def read(self, count: int) -> bytes:
        """The next bytes, b"" at the end (or where the connection broke off: compare with the size)."""
        try:
            data: bytes = self._response.read1(count)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(_reason(error)) from error
        return data

    def close(self) -> None:
        """Drop the connection."""
        self._response.close()


def refusal(code: int, repo: str, base: str, *, sent_token: bool) -> WireError:
    """What an answer of 401, 403, 404 … means, and what to do."""
    page = f"{base}/{repo}"
    if code in (401, 403) and sent_token:
        message = f"The hub refuses these weights ({code}) although a token was sent."
        return WireError("download_failed", message, f"Accept the conditions on {page} with the account of that token.")
    if code in (401, 403) and base.startswith("http:") and urllib.parse.urlsplit(base).hostname not in _LOOPBACK:
        hint = "Set a mirror whose address begins with https://: a token is never sent where others could read it."
        return WireError("download_failed", f"The mirror wants a token ({code}), but is not asked by https.", hint)
    if code in (401, 403):
        hint = (
            f"Accept the conditions on {page}, make a read token there, and save it as “token” in the weights folder."
        )
        return WireError(
            "download_failed", f"The hub gives these weights only to people who are signed in ({code}).", hint
        )
    if code == 404:
        return WireError(
            "download_failed", "The hub no longer has these weights (404).", "Set another mirror, or import a copy."
        )
    return WireError(
        "download_failed", f"The hub refuses the download ({code}).", "Try again later, or set another mirror."
    )


def find_token(weights: Path, environment: Mapping[str, str]) -> str:
    """The user's token: from the environment, the weights folder, or where Hugging Face's tools keep it; or ""."""
    if environment.get("HF_TOKEN"):
        return environment["HF_TOKEN"].strip()
    for file in [folder / "token" for folder in (weights, *places.hub_homes(environment))]:
        try:
            token = read_plain(file, MAX_TOKEN).decode("ascii").strip()
        except (OSError, ValueError):
            continue
        if token:
            return token
    return ""


def _start(headers: Message) -> int:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    if not found:
        raise Broken("the store sent a part of the file without saying which")
    return int(found[1])


def _host(address: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(address)
    return parts.scheme, parts.netloc


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(getattr(inner, "strerror", None) or inner) or type(inner).__name__


def _failed(repo: str, why: str) -> WireError:
    return WireError(
        "download_failed", f"The weights can't be downloaded: {why}.", f"Check the mirror's address. ({repo})"
    )
