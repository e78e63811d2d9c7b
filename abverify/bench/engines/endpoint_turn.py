"""One completion from a server: what is asked against one clock, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from abverify.bench.engines import Completion, EngineFailure
from abverify.bench.engines.endpoint_facts import CHAT, prompt_tokens_of
from abverify.bench.engines.endpoint_http import Body, OutOfTime, Refusal
from abverify.bench.engines.endpoint_stream import StreamedReply, overflowing_prompt, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.bench.engines.endpoint_http import Transport
    from abverify.evidence.rows import FinishReason
    from abverify.model.config import RunConfig

_STREAM_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 4096
"""A stream may have the first number of bytes, and the second for each token."""


class _Overflow(Exception):  # noqa: N818 (the prompt alone fills the window: a finding, no failure)
    def __init__(self, prompt_tokens: int) -> None:
        super().__init__("the prompt fills the window")
        self.prompt_tokens = prompt_tokens


@dataclass(slots=True)
class Turn:
    """A request for one completion.

    Attributes:
        transport: the connection to the server.
        config: the contract's run configuration.
        body: the request: knobs, model, messages and seed.
        digest: the digest of the messages.
        max_tokens: tokens to sample at most.
        seconds: wall-clock limit of everything.
        reply: what has been streamed so far.
    """

    transport: Transport
    config: RunConfig
    body: Mapping[str, Any]
    digest: str
    max_tokens: int
    seconds: float
    reply: StreamedReply
    _prompt_tokens: int | None = None
    _started: float = field(default_factory=time.monotonic)

    def completion(self) -> Completion:
        """Asks, and makes of the answer what the journal keeps.

        Raises:
            EngineFailure: if the server failed, or did not answer properly.
        """
        try:
            if self.config.engine.server == "llama-cpp-python":
                self._prompt_tokens = self._measured()
            self._stream()
            return self._ended(self._finish())
        except _Overflow as overflow:
            self._prompt_tokens = overflow.prompt_tokens
            return self._ended("context")
        except OutOfTime as late:
            if not late.was_asked:
                raise EngineFailure("the time was up before the server took the request") from None
            return self._ended("time")

    def _measured(self) -> int:
        """The prompt's length, which this server tells in no stream: asked with one token.

        The prompt is then in its cache whole, so that the stream begins at once.
        """
        sink = Body()
        self._ask({"max_tokens": 1}, sink)
        return prompt_tokens_of(bytes(sink.data))

    def _stream(self) -> None:
        fields = {"stream": True, "stream_options": {"include_usage": True}}
        limit = _STREAM_BYTES + _CHUNK_BYTES * self.max_tokens
        self._ask({**fields, "max_tokens": self.max_tokens}, self.reply, limit=limit)

    def _ask(self, fields: Mapping[str, Any], sink: Body | StreamedReply, **limits: int) -> None:
        body = {**self.body, **fields}
        left = self.seconds - (time.monotonic() - self._started)
        longest = self.config.budgets.http_timeout_seconds or left
        seconds = min(left, longest)
        try:
            refusal = self.transport.ask(CHAT, body, sink=sink, seconds=seconds, **limits)
        except OutOfTime:
            if left <= longest:
                raise
            raise EngineFailure(
                f"a request took longer than budgets.http_timeout_seconds, {longest} s"
            ) from None
        if refusal is not None:
            raise _refused(refusal)

    def _finish(self) -> FinishReason:
        """Why a whole stream ended; a window that was full first is `context`, not `length`."""
        if self.reply.finish_reason is None:
            raise EngineFailure("the server's stream ended without a finish reason")
        if self.reply.finish_reason == "stop":
            return "stop"
        return "length" if self._made() == self.max_tokens else "context"

    def _made(self) -> int:
        """The tokens made: as the server counts them, or as they follow from how it ended."""
        if self.reply.completion_tokens is not None:
            return self.reply.completion_tokens
        if self.reply.finish_reason == "length" and self._prompt_tokens is not None:
            return min(self.max_tokens, self.config.engine.n_ctx - self._prompt_tokens)
        return self.reply.pieces

    def _ended(self, finish: FinishReason) -> Completion:
        text, made, prompt = self.reply.text, self._made(), self._prompt_tokens
        if self.transport.holds_key(text):
            raise EngineFailure("the completion holds the API key: it is not kept")
        if made > self.max_tokens:
            raise EngineFailure(f"the server made {made} tokens where {self.max_tokens} were asked")
        return Completion(
            text=text,
            finish_reason=finish,
            prompt_sha256=self.digest,
            prompt_tokens=prompt if prompt is not None else self.reply.prompt_tokens or 0,
            completion_tokens=made,
            millis=round((time.monotonic() - self._started) * 1000),
        )


def _refused(refusal: Refusal) -> Exception:
    prompt_tokens = overflowing_prompt(refusal.body)
    if prompt_tokens is not None:
        return _Overflow(prompt_tokens)
    return EngineFailure(f"HTTP {refusal.status}: {quoted(refusal.body)}")
