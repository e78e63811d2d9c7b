"""Requests to a server: bounded in time and size, tried again where that can help.

A request is tried again only when it cannot have been answered in part: the
connection failed, or the server said that it is busy or broken, before any
byte of an answer came. Redirects are refused, environment proxies and `.netrc` are not
read, and the API key goes into one header and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import aclosing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from abverify._frozen import frozen
from abverify.bench.engines import EngineFailure
from abverify.bench.engines.endpoint_stream import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    import httpx

TRIES: Final = 4
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_BODY_BYTES: Final = 4 << 20
_BUSY: Final = frozenset([429, 500, 502, 503, 504])
_REDIRECTS: Final = range(300, 400)
_ERRORS: Final = 400


class Sink(Protocol):
    """Where the bytes of a good answer go as they arrive."""

    def take(self, data: bytes) -> None:
        """Reads the next bytes."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more is wanted."""


@dataclass(slots=True)
class Body:
    """A sink that keeps everything, for answers that are read whole."""

    data: bytearray = field(default_factory=bytearray)
    is_done: bool = False

    def take(self, data: bytes) -> None:
        """Keeps the bytes."""
        self.data += data


@frozen
class Refusal:
    """A server's answer that the request is at fault.

    Attributes:
        status: the HTTP status, 400 to 499.
        body: what it said.
    """

    status: int
    body: bytes


class OutOfTime(Exception):  # noqa: N818 (the clock struck; whose fault it is, the caller says)
    """The time given was up before the answer was whole.

    Attributes:
        was_asked: whether the server had the whole request, and no try before had failed.
    """

    def __init__(self, *, was_asked: bool) -> None:
        super().__init__("the time is up")
        self.was_asked = was_asked


class _Busy(Exception):  # noqa: N818
    def __init__(self, status: int, words: bytes, wait: float | None) -> None:
        super().__init__(f"HTTP {status}: {quoted(words)}")
        self.wait = wait


class Transport:
    """The connection to one server.

    Args:
        base: its URL, without a trailing slash.
        key: the API key, or null. An answer that holds it is refused unread, so that it can
            get into no message and no evidence.
    """

    def __init__(self, base: str, *, key: str | None = None) -> None:
        import httpx

        self._key = key
        self._runner = asyncio.Runner()
        headers = {"Accept-Encoding": "identity", "User-Agent": "abverify"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx.AsyncClient(
            base_url=base,
            headers=headers,
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        sink: Sink,
        seconds: float,
        limit: int = _BODY_BYTES,
    ) -> Refusal | None:
        """Sends a request, a POST if it has a body, and gives the answer to the sink.

        Args:
            path: where to, below the base URL.
            body: what to send, as JSON.
            sink: where the bytes of the answer go.
            seconds: wall-clock limit of everything, waiting between tries included.
            limit: bytes the answer may have.

        Returns:
            The refusal, if the server said that the request is at fault.

        Raises:
            EngineFailure: if no try was answered properly.
            OutOfTime: if the time was up first; the request is then given up and closed.
        """
        exchange = _Exchange(self._client, path, body, sink, limit, self._key)
        return self._runner.run(exchange.within(seconds))

    def holds_key(self, text: str) -> bool:
        """Whether the API key stands in a text."""
        return self._key is not None and self._key in text

    def close(self) -> None:
        """Closes the connection. It may be called twice."""
        if not self._client.is_closed:
            self._runner.run(self._client.aclose())
            self._runner.close()


@dataclass(slots=True)
class _Exchange:
    """One request, tried until it is answered."""

    client: httpx.AsyncClient
    path: str
    body: Mapping[str, Any] | None
    sink: Sink
    limit: int
    key: str | None
    tries: int = 0
    was_sent: bool = False
    has_begun: bool = False

    async def within(self, seconds: float) -> Refusal | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._until_answered()
        except TimeoutError:
            raise OutOfTime(was_asked=self.was_sent and self.tries == 1) from None

    async def _until_answered(self) -> Refusal | None:
        import httpx

        while True:
            self.tries += 1
            try:
                return await self._try()
            except (httpx.TransportError, _Busy) as error:
                self.was_sent = False
                words = self._without_key(str(error)) or type(error).__name__
                if self.has_begun:
                    raise EngineFailure(f"the server broke off: {quoted(words)}") from None
                if self.tries == TRIES:
                    raise EngineFailure(
                        f"the server gave no answer in {TRIES} tries; the last: {quoted(words)}"
                    ) from None
                await asyncio.sleep(_wait(error, self.tries))

    async def _try(self) -> Refusal | None:
        import httpx

        request = self.client.build_request(
            "GET" if self.body is None else "POST",
            self.path,
            content=None if self.body is None else json.dumps(self.body).encode("ascii"),
            headers={} if self.body is None else {"Content-Type": "application/json"},
            extensions={"trace": self._trace},
        )
        try:
            response = await self.client.send(request, stream=True)
        except httpx.InvalidURL as error:
            raise EngineFailure(f"not a URL: {quoted(error)}") from None
        try:
            return await self._read(response)
        finally:
            await response.aclose()

    async def _trace(self, event: str, _info: object) -> None:
        self.was_sent = self.was_sent or event.endswith("send_request_body.complete")

    async def _read(self, response: httpx.Response) -> Refusal | None:
        status = response.status_code
        if status in _REDIRECTS:
            raise EngineFailure(f"HTTP {status}: redirects are refused; name the server itself")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise EngineFailure("the server compressed its answer, which was not asked for")
        if status < _ERRORS:
            await self._pour(response, self.sink)
            return None
        words = Body()
        await self._pour(response, words)
        if status in _BUSY:
            raise _Busy(status, bytes(words.data), _retry_after(response.headers))
        return Refusal(status, bytes(words.data))

    async def _pour(self, response: httpx.Response, sink: Sink) -> None:
        size, seen, key = 0, b"", (self.key or "").encode("ascii")
        raw = cast("AsyncGenerator[bytes, None]", response.aiter_raw())
        async with aclosing(raw) as pieces:
            async for data in pieces:
                size += len(data)
                seen = seen[-len(key) :] + data
                if key and key in seen:
                    raise EngineFailure("the server's answer holds the API key: it is not read")
                if size > self.limit:
                    raise EngineFailure(f"the server's answer is longer than {self.limit} bytes")
                self.has_begun = self.has_begun or sink is self.sink
                sink.take(data)
                if sink.is_done:
                    return

    def _without_key(self, text: str) -> str:
        return text.replace(self.key, "[API key]") if self.key else text


def _wait(error: Exception, tries: int) -> float:
    """Seconds until the next try: what the server asks for, else doubling, with jitter."""
    asked = error.wait if isinstance(error, _Busy) else None
    if asked is None:
        jitter = random.uniform(0.5, 1)  # noqa: S311 (no secret)
        return _FIRST_WAIT * float(2 ** (tries - 1)) * jitter
    if asked > _LONGEST_WAIT:
        raise EngineFailure(f"the server asks to wait {asked:.0f} s: {quoted(error)}")
    return asked


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait that a server asks for, in seconds: given as such, or as a date by its clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError):  # no dates, or one with and one without a zone
        return None
