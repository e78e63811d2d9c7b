"""The values a parse is made of: what went in (tools) and what came out (calls, codes, spans).

Everything here is frozen and hashable; offsets count code points of the text given to `parse`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["native", "recovered", "refused", "none"]


@frozen
class Span:
    """A half-open range of the parsed text, in code points."""

    start: int
    end: int

    def shifted(self, offset: int) -> Span:
        """The same range seen from a text that has `offset` more characters in front."""
        return Span(self.start + offset, self.end + offset)


@frozen
class Repair:
    """One deviation that was read past, because it left exactly one reading."""

    code: str
    span: Span
    message: str


@frozen
class Refusal:
    """One piece of text that was not executed, and why."""

    code: str
    span: Span
    message: str


@frozen
class ToolCall:
    """One call that may be executed: a declared tool with arguments its schema accepts.

    Attributes:
        name: the declared tool name, exactly.
        arguments_json: the arguments as JSON text (the stored form: immutable and hashable).
        native: the call stood in a native dialect and needed no repair.
        span: where the call, with its tags, stood in the text.
    """

    name: str
    arguments_json: str
    native: bool
    span: Span

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments; every access gives a fresh copy, so the call cannot be changed."""
        decoded: dict[str, Any] = json.loads(self.arguments_json)
        return decoded

    def as_json(self) -> dict[str, Any]:
        """`{"name", "arguments"}`, the shape every report prints."""
        return {"name": self.name, "arguments": self.arguments}


@frozen
class ParsedTurn:
    """What one assistant turn amounts to.

    Attributes:
        calls: the calls to execute, in the order of the text.
        verdict: `native` (every call in a native dialect, nothing repaired), `recovered` (at
            least one call needed a repair), `refused` (call-like text, nothing executed) or
            `none` (no call-like text).
        prose: the answer text without its calls, reasoning and anything after a cut.
        spans: the source range of each call, in the same order as `calls`.
        repairs: what was read past in the executed calls.
        refusals: what was not executed.
    """

    calls: tuple[ToolCall, ...]
    verdict: Verdict
    prose: str
    spans: tuple[Span, ...]
    repairs: tuple[Repair, ...]
    refusals: tuple[Refusal, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every repair and refusal code once, in the order of the text."""
        found: list[Repair | Refusal] = [*self.repairs, *self.refusals]
        found.sort(key=lambda item: item.span.start)
        return tuple(dict.fromkeys(item.code for item in found))


@frozen
class ToolSpec:
    """One tool the model was offered.

    Attributes:
        name: the only name that counts; there are no aliases.
        description: what the tool does, for the prompt.
        parameters: the JSON Schema of the arguments object. Treat it as read-only.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash((self.name, self.description))

    @property
    def properties(self) -> Mapping[str, Any]:
        """The declared parameters, name to schema."""
        found = self.parameters.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def required(self) -> frozenset[str]:
        """The parameters a call cannot leave out."""
        found = self.parameters.get("required")
        return frozenset(found) if isinstance(found, list | tuple) else frozenset()


class Malformed(Exception):  # noqa: N818  # a signal between the readers, never seen outside
    """Text that cannot be read as a call: raised by a reader, caught by the scanner."""

    def __init__(self, code: str, start: int, end: int | None = None, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.start = start
        self.end = start if end is None else end
        self.message = message

    def refusal(self) -> Refusal:
        """The refusal this amounts to."""
        return Refusal(self.code, Span(self.start, max(self.start, self.end)), self.message)
