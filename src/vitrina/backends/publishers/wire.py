"""Requests to a marketplace: credentials that never show, pauses, waiting when told to, and answers in plain words."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vitrina.codec.metadata import media_type
from vitrina.errors import Refused, ResourceError, Retryable, UsageError
from vitrina.plugins import Journal, Picture

PATIENCE_S = 30.0
"""Longest wait that is made on the spot; a longer one is told, and the same command goes on later."""
TRIES = 4
MOST_BYTES = 64 * 2**20
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential: where it is set, and its value, which no repr, plan, message or record shows."""

    setting: str
    value: str = field(repr=False)


def secret(setting: str) -> Secret:
    """The credential of an environment variable, else of the system's keyring (service ``vitrina``).

    Raises ResourceError naming the setting.
    """
    value = os.environ.get(setting, "").strip() or _from_keyring(setting)
    if not value:
        raise ResourceError(
            f"{setting}: not set. Put the credential into that environment variable, or into the system's keyring as "
            f"service vitrina, user {setting} (pip install 'vitrina[keyring]')."
        )
    return Secret(setting, value)


def base_url(setting: str, default: str) -> str:
    """The address of an interface: the setting (a sandbox, a local server) or the marketplace's own.

    Raises UsageError for plain http to another machine: credentials would travel in the clear.
    """
    url = os.environ.get(setting, "").strip().rstrip("/") or default
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise UsageError(f"{setting}: {url!r} is not https. Credentials are sent over https only.")
    return url


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `form` and `file` (a field's name and a picture) make it multipart; `is_text` sends JSON as text."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    is_text: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, Picture] | None = None

    def shown(self) -> dict[str, Any]:
        """The request for a dry run: everything but credentials and the pictures' bytes."""
        told: dict[str, Any] = {"method": self.method, "url": self.url, "headers": dict(self.headers)}
        if self.json is not None:
            told["text/plain" if self.is_text else "json"] = self.json
        if self.form:
            told["form"] = dict(self.form)
        if self.file is not None:
            name, picture = self.file
            told["file"] = {
                "field": name, "name": picture.name, "bytes": len(picture.data), "sha256": picture.digest,
            }  # fmt: skip
        return told


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers by lower-case name, and the JSON of its body (None when it is none)."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Wire:
    """A line to one marketplace. `secrets` are headers and the credentials that make them up, joined by a colon.

    `pause_s` lies between two requests; `clock` and `sleep` are given by tests.
    """

    market: str
    secrets: Mapping[str, tuple[Secret, ...]]
    pause_s: float
    prefix: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _free_at: float = 0.0
    _pool: Any = None

    def plan(self, request: Request) -> dict[str, Any]:
        """`request` as it would be sent, saying where its credentials come from."""
        named = {
            header: f"(from {' and '.join(part.setting for part in parts)})" for header, parts in self.secrets.items()
        }
        told = request.shown()
        return {**told, "headers": {**told["headers"], **named}}

    def ask(self, request: Request) -> Reply:
        """Send `request` and return its answer below 400.

        Waits and tries again when told to (429) or when the other side fails (5xx, no connection). Raises Retryable
        when that takes longer than a moment, Refused with the marketplace's own words otherwise.
        """
        for attempt in range(1, TRIES + 1):
            self._take_turn()
            reply = self._once(request)
            if reply is not None and reply.status < 400:
                return reply
            if reply is not None and reply.status != 429 and reply.status < 500:
                raise Refused(self._said(request, reply))
            wait = _wait_s(reply) if reply is not None else None
            wait = 2.0**attempt if wait is None else wait
            if wait > PATIENCE_S or attempt == TRIES:
                why = "no connection" if reply is None else self._said(request, reply)
                raise Retryable(
                    f"{why} What was answered so far is kept: run the same command again in {wait:.0f} s.", after_s=wait
                )
            self.sleep(wait)
        raise AssertionError

    def once(
        self,
        journal: Journal,
        key: str,
        request: Request,
        read: Callable[[Reply], dict[str, Any]],
        *,
        is_good: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    ) -> Any:
        """The kept answer of `key` if it `is_good`, or `request` sent and what `read` takes from its answer, kept."""
        known = journal.answer(key)
        if known is not None and is_good(known):
            return known
        answer = read(self.ask(request))
        journal.keep(key, json.loads(self.scrubbed(json.dumps(answer))))
        return answer

    def fetch(self, address: str) -> bytes:
        """The bytes at a public address, without credentials. Raises Refused when they are not to be had."""
        if urlsplit(address).scheme not in ("https", "http"):
            raise Refused(f"{self.market}: {address!r} is no web address.")
        try:
            reply = self._lines().request("GET", address, redirect=True, preload_content=False)
            data = bytes(reply.read(MOST_BYTES + 1))
            reply.release_conn()
        except OSError as error:
            raise Refused(f"{address}: cannot be fetched ({type(error).__name__}). Is it public?") from error
        except _http_error() as error:
            raise Refused(f"{address}: cannot be fetched ({type(error).__name__}). Is it public?") from error
        if reply.status != 200 or len(data) > MOST_BYTES:
            raise Refused(f"{address}: answered {reply.status} with {len(data)} bytes, 200 and a picture are wanted.")
        return data

    def scrubbed(self, text: str) -> str:
        """`text` without any credential, should the other side repeat one."""
        for part in (part for parts in self.secrets.values() for part in parts):
            text = text.replace(part.value, "•••")
        return text

    def wait(self, seconds: float) -> None:
        """Let the marketplace work for a while."""
        self.sleep(seconds)

    def _once(self, request: Request) -> Reply | None:
        credentials = {
            header: self.prefix.get(header, "") + ":".join(part.value for part in parts)
            for header, parts in self.secrets.items()
        }
        options: dict[str, Any] = {"headers": {**request.headers, **credentials}, "redirect": False}
        if request.file is not None:
            name, picture = request.file
            options["fields"] = [*request.form.items(), (name, (picture.name, picture.data, media_type(picture.data)))]
        elif request.json is not None:
            options["body"] = json.dumps(request.json, ensure_ascii=False).encode()
            options["headers"]["Content-Type"] = "text/plain" if request.is_text else "application/json"
        try:
            answer = self._lines().request(request.method, request.url, **options)
        except _http_error():
            return None
        try:
            body = json.loads(answer.data or b"null")
        except ValueError:
            body = None
        return Reply(answer.status, {key.lower(): value for key, value in answer.headers.items()}, body)

    def _said(self, request: Request, reply: Reply) -> str:
        words = self.scrubbed(_words(reply.body))[:600] or "no words"
        what = f"{self.market}: {request.method} {urlsplit(request.url).path} answered {reply.status}: {words}."
        if reply.status in (401, 403):
            settings = ", ".join(part.setting for parts in self.secrets.values() for part in parts)
            what += f" Check the credentials in {settings}: are they valid, and may they do this?"
        return what

    def _take_turn(self) -> None:
        now = self.clock()
        if now < self._free_at:
            self.sleep(self._free_at - now)
        self._free_at = max(now, self._free_at) + self.pause_s

    def _lines(self) -> Any:
        if self._pool is None:
            import urllib3

            self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10.0, read=60.0))
        return self._pool


@dataclass(slots=True)
class OverWire:
    """What every publisher over the wire has: its line, the address of the interface, and a way to look at pictures."""

    wire: Wire
    base: str

    def fetch(self, address: str) -> bytes:
        """The picture at a public address, as it is shown."""
        return self.wire.fetch(address)


def key_of(*parts: object) -> str:
    """The idempotency key of a request: the same for the same bytes at the same place of the same listing."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:24]


def require(market: str, is_so: bool, said: str) -> None:
    """Raise Refused unless `is_so`."""
    if not is_so:
        raise Refused(f"{market}: {said}")


def _http_error() -> type[Exception]:
    import urllib3

    return urllib3.exceptions.HTTPError


def _from_keyring(setting: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return str(keyring.get_password("vitrina", setting) or "")
    except KeyringError:
        return ""


def _wait_s(reply: Reply) -> float | None:
    """How long the other side asks to wait (RFC 9110 10.2.3; X-Ratelimit-Retry is Wildberries' own)."""
    for header in ("retry-after", "x-ratelimit-retry"):
        try:
            return max(0.0, float(reply.headers[header]))
        except (KeyError, ValueError):
            continue
    return None


def _words(body: Any) -> str:
    """The texts of an error's body, whatever its shape: media or gateway (WB), errors[] (eBay), error, message."""
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping):
        keys = ("errorText", "title", "detail", "error", "message", "longMessage", "additionalErrors", "errors", "code")
        return "; ".join(dict.fromkeys(text for key in keys if (text := _words(body.get(key)))))
    if isinstance(body, list):
        return "; ".join(text for item in body if (text := _words(item)))
    return str(body) if isinstance(body, int | float) and not isinstance(body, bool) else ""
