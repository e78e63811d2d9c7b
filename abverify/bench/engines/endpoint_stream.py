"""A streamed completion, read from server-sent events as they arrive."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from abverify.bench.engines import EngineFailure

if TYPE_CHECKING:
    from collections.abc import Callable

_LINE_BYTES: Final = 1 << 20
_FINISHED: Final = {"stop": "stop", "length": "length"}
_OVERFLOWS: Final = ("context_length_exceeded", "exceed_context_size_error")
_IN_MESSAGES: Final = re.compile(r"\((\d+) in the messages")
_HIDDEN: Final = ("tool_calls", "function_call", "reasoning_content", "reasoning", "refusal")
"""Where servers put text that they took out of the completion. Raw text is wanted whole."""


class StreamedReply:
    """What has arrived of a completion so far.

    Args:
        on_piece: called with the count of pieces after each.

    Attributes:
        pieces: how many pieces of text came: a lower bound of the tokens, exact unless
            characters spanned several.
        finish_reason: `stop` or `length` once the server said so.
        prompt_tokens: as the server counts them; null until it said so.
        completion_tokens: likewise.
        is_done: whether the server ended the stream as the protocol wants.
    """

    def __init__(self, on_piece: Callable[[int], None] | None = None) -> None:
        self._on_piece = on_piece
        self.pieces = 0
        self.finish_reason: str | None = None
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.is_done = False
        self._texts: list[str] = []
        self._rest = bytearray()

    @property
    def text(self) -> str:
        """The completion's text; halves of surrogate pairs are joined, lone ones are U+FFFD."""
        return valid_text("".join(self._texts))

    def take(self, data: bytes) -> None:
        """Reads the next bytes of the stream.

        Raises:
            EngineFailure: if they are not a stream of completion chunks, or hold an error.
        """
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        if len(rest) > _LINE_BYTES:
            raise EngineFailure("the server sent a malformed stream: a line without an end")
        for line in lines:
            self._line(bytes(line).strip())

    def _line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"error":
            raise EngineFailure(f"the server broke off: {quoted(value)}")
        if name != b"data":
            return
        if value.strip() == b"[DONE]":
            self.is_done = True
            return
        self._chunk(parsed_object(value))

    def _chunk(self, chunk: dict[str, Any]) -> None:
        if chunk.get("error"):
            raise EngineFailure(f"the server broke off: {quoted(chunk['error'])}")
        self._count(chunk)
        choices = chunk.get("choices")
        if not isinstance(choices, list) or len(choices) > 1:
            raise _malformed(chunk)
        for choice in choices:
            if not isinstance(choice, dict):
                raise _malformed(chunk)
            self._choice(choice)

    def _choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or {}
        if not isinstance(delta, dict):
            raise _malformed(choice)
        hidden = [name for name in _HIDDEN if delta.get(name)]
        if hidden:
            raise EngineFailure(
                f"the server put parts of the completion under {', '.join(hidden)}: the raw "
                "text is not whole; switch its tool and reasoning parsers off"
            )
        content = delta.get("content")
        if content is not None:
            if not isinstance(content, str):
                raise _malformed(choice)
            self._piece(content, is_opening="role" in delta)
        reason = choice.get("finish_reason")
        if reason is None:
            return
        if reason not in _FINISHED:
            raise EngineFailure(f"the server ended the completion with {quoted(reason)}")
        self.finish_reason = _FINISHED[reason]

    def _piece(self, content: str, *, is_opening: bool) -> None:
        if is_opening and not content:
            return
        self._texts.append(content)
        self.pieces += 1
        if self._on_piece is not None:
            self._on_piece(self.pieces)

    def _count(self, chunk: dict[str, Any]) -> None:
        usage, timings = chunk.get("usage"), chunk.get("timings")
        if isinstance(usage, dict):
            self.prompt_tokens = count(usage.get("prompt_tokens"))
            self.completion_tokens = count(usage.get("completion_tokens"))
        elif isinstance(timings, dict):
            self.prompt_tokens = count(timings.get("cache_n")) + count(timings.get("prompt_n"))


def parsed_object(data: bytes) -> dict[str, Any]:
    """The JSON object that a server sent.

    Raises:
        EngineFailure: if it is none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise EngineFailure(f"the server sent something that is no JSON object: {quoted(data)}")
    return value


def count(value: object) -> int:
    """A count of tokens that a server stated.

    Raises:
        EngineFailure: if it is no count.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EngineFailure(f"the server counts tokens as {quoted(value)}")
    return value


def overflowing_prompt(answer: bytes) -> int | None:
    """The length of a prompt that a server refused for filling the window; 0 if it is not told.

    Returns:
        Null if the refusal is about anything else.
    """
    try:
        error = parsed_object(answer).get("error")
    except EngineFailure:
        return None
    if not isinstance(error, dict):
        return None
    if not any(error.get(name) in _OVERFLOWS for name in ("code", "type")):
        return None
    stated = error.get("n_prompt_tokens")
    if isinstance(stated, int):
        return count(stated)
    match = _IN_MESSAGES.search(str(error.get("message")))
    return int(match[1]) if match else 0


def valid_text(text: str) -> str:
    """The text in valid Unicode: surrogate pairs joined, lone surrogates replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def quoted(value: object) -> str:
    """A server's words, made fit to stand in one line of ours; at most 200 characters."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
    line = " ".join(valid_text(text[:2000]).split())
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


_SHOWN: Final = 200


def _malformed(chunk: object) -> EngineFailure:
    return EngineFailure(f"the server sent a malformed chunk: {quoted(chunk)}")
