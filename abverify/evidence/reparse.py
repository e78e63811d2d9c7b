"""Parsing stored raw text again, under the profile that a run's lock names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abverify.evidence.rows import Parse, ParsedCall
from abverify.toolcalls import DEFAULT_TOOLS, parse, profile_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import FinishReason, TurnRow
    from abverify.toolcalls import ParsedTurn, Profile, ToolCall


def parser_reason(finish_reason: FinishReason) -> str:
    """The finish reason as parsers know it: whatever cut the text short is `length`."""
    return "stop" if finish_reason == "stop" else "length"


def parse_turn(
    raw: str, finish_reason: FinishReason, profile: Profile, files: Sequence[str] = ()
) -> ParsedTurn:
    """Parses one turn's raw text with the tools every trial offers.

    Args:
        raw: the completion.
        finish_reason: why it ended.
        profile: the parser profile.
        files: the workspace's files, for a profile that reads Markdown blocks as edits.
    """
    return parse(
        raw,
        finish_reason=parser_reason(finish_reason),
        tools=DEFAULT_TOOLS,
        profile=profile,
        workspace_files=files,
    )


def stored(parsed: ParsedTurn) -> Parse:
    """A parse as a journal row keeps it: arguments as ASCII JSON text in their own order."""
    calls = tuple(ParsedCall(tool=call.name, arguments=_ascii(call)) for call in parsed.calls)
    return Parse(verdict=parsed.verdict, calls=calls, codes=tuple(parsed.codes))


def _ascii(call: ToolCall) -> str:
    """A call's arguments as ASCII JSON text; most are written so already, DEL being escaped."""
    text = call.arguments_json
    if text.isascii() and "\x7f" not in text:
        return text
    return json.dumps(call.arguments, ensure_ascii=True)


def is_stored(parsed: ParsedTurn, parse: Parse) -> bool:
    """Whether a journal row keeps a parse exactly as it is."""
    return (
        parsed.verdict == parse.verdict
        and parsed.codes == parse.codes
        and [(call.name, _ascii(call)) for call in parsed.calls]
        == [(call.tool, call.arguments) for call in parse.calls]
    )


def reparse(turn: TurnRow, lock: RunLock) -> ParsedTurn | None:
    """A stored turn parsed again under the lock's profile; None where the lock names none."""
    name, version = lock.values.get("parser.profile"), lock.values.get("parser.version")
    if not isinstance(name, str) or not isinstance(version, int):
        return None
    profile = profile_by_name(name, version)
    return parse_turn(turn.raw, turn.finish_reason, profile, turn.files or ())
