"""What a journal keeps of a parse, and when it is the same."""

from __future__ import annotations

import json

import pytest

from abverify.evidence.reparse import is_stored, parse_turn, stored
from abverify.evidence.rows import ParsedCall
from abverify.toolcalls import SALVAGE


@pytest.mark.parametrize(
    "path", ["a b", "é", "\x7f", 'quote " and \\', "\u2028", "\U0001f600", "\t"]
)
def test_arguments_are_stored_as_ascii_json_in_one_spelling(path: str) -> None:
    call = json.dumps({"name": "file_read", "arguments": {"path": path}})
    parsed = parse_turn(f"<tool_call>\n{call}\n</tool_call>", "stop", SALVAGE)

    assert stored(parsed).calls == (
        ParsedCall(tool="file_read", arguments=json.dumps({"path": path}, ensure_ascii=True)),
    )
    assert is_stored(parsed, stored(parsed))


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "recovered"},
        {"codes": ("untagged-call",)},
        {"calls": ()},
        {"calls": (ParsedCall(tool="file_read", arguments='{"path": "b"}'),)},
        {"calls": (ParsedCall(tool="grep", arguments='{"path": "a"}'),)},
    ],
)
def test_a_parse_that_differs_anywhere_is_not_the_stored_one(change: dict[str, object]) -> None:
    text = '<tool_call>\n{"name": "file_read", "arguments": {"path": "a"}}\n</tool_call>'
    parsed = parse_turn(text, "stop", SALVAGE)

    assert is_stored(parsed, stored(parsed))
    assert not is_stored(parsed, stored(parsed).model_copy(update=change))
