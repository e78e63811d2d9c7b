"""What `parse` promises beside the calls themselves: spans, prose, immutability, limits."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys

import pytest

from abverify.toolcalls import (
    DEFAULT_TOOLS,
    SALVAGE,
    STRICT,
    ParsedTurn,
    ToolSpec,
    parse,
    profile_by_name,
    tools_from_json,
)

CALL = '<tool_call>\n{"name": "file_read", "arguments": {"path": "src/lib.rs"}}\n</tool_call>'


def salvage(text: str, finish_reason: str = "stop") -> ParsedTurn:
    return parse(text, finish_reason=finish_reason, tools=DEFAULT_TOOLS, profile=SALVAGE)


def test_spans_point_into_the_raw_text_even_behind_reasoning() -> None:
    text = f"<think>hm</think>\nFirst.\n{CALL}\nThen.\n{CALL}"
    turn = salvage(text)
    assert [text[span.start : span.end] for span in turn.spans] == [CALL, CALL]


def test_a_repair_points_at_what_it_repaired() -> None:
    text = 'x\n<tool_call>\n{"name": "file_read", "arguments": {"path": "a",}}\n</tool_call>'
    (repair,) = salvage(text).repairs
    assert (repair.code, text[repair.span.start : repair.span.end]) == ("trailing-comma", ",")


def test_a_refusal_points_at_the_text_it_refused() -> None:
    text = f"{CALL}\nHuman: now this\n{CALL}"
    (refusal,) = salvage(text).refusals
    assert (refusal.code, text[refusal.span.start :][:6]) == ("role-marker", "Human:")


def test_prose_is_the_answer_without_calls_reasoning_and_what_was_cut() -> None:
    turn = salvage(f"<think>secret</think>\nI will read it.\n{CALL}\nDone.\nHuman: hi")
    assert turn.prose == "I will read it.\n\nDone."


def test_a_call_cannot_be_changed_through_its_arguments() -> None:
    (call,) = salvage(CALL).calls
    call.arguments["path"] = "/etc/passwd"
    assert call.arguments == {"path": "src/lib.rs"}


def test_a_turn_is_hashable_and_survives_pickling() -> None:
    turn = salvage(CALL)
    assert hash(turn) == hash(salvage(CALL))
    assert pickle.loads(pickle.dumps(turn)) == turn  # noqa: S301  # our own bytes


def test_a_profile_is_given_by_value_or_by_name() -> None:
    by_name = parse(CALL, finish_reason="stop", tools=DEFAULT_TOOLS, profile="strict/1")
    assert by_name == parse(CALL, finish_reason="stop", tools=DEFAULT_TOOLS, profile=STRICT)
    assert profile_by_name("salvage", 1) is SALVAGE


@pytest.mark.parametrize("name", ["lenient/1", "salvage/2", "salvage/x"])
def test_an_unknown_profile_is_an_error_that_lists_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape("there are strict/1, salvage/1, markdown-edit")):
        parse("", finish_reason="stop", tools=DEFAULT_TOOLS, profile=name)


def test_tools_files_hold_our_shape_or_the_wire_shape() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    plain = tools_from_json([{"name": "f", "description": "d", "parameters": schema}])
    wire = tools_from_json(
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}
    )
    assert plain == (ToolSpec("f", "d", schema),)
    assert [tool.name for tool in wire] == ["f"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "non-empty list"),
        ([{"parameters": {}}], r"tools\[0\]: expected an object with a string 'name'"),
        ([{"name": "f", "parameters": {"type": "string"}}], r"tools\[0\] \(f\): expected"),
    ],
)
def test_a_malformed_tools_file_says_which_entry(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools_from_json(value)


def test_a_tool_schema_cannot_reach_for_another_document() -> None:
    tool = ToolSpec("f", "", {"$ref": "https://example.com/schema.json"})
    text = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    turn = parse(text, finish_reason="stop", tools=[tool], profile="salvage/1")
    assert (turn.calls, turn.codes) == ((), ("invalid-tool-schema",))


def test_importing_the_parser_does_not_import_jsonschema() -> None:
    program = "import sys, abverify.toolcalls; print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        "<tool_call>" * 20_000,
        '{"a":' * 50_000,
        '<tool_call>{"a": ' + "[" * 100_000 + "]" * 100_000,
        '<tool_call>{"name": "' + "x" * 200_000,
        '\n{"a": "' * 20_000,
        "<tool_call><function=shell><parameter=command>" + "</tool_call>" * 20_000,
        "<think>" * 30_000,
    ],
    ids=["braces", "tags", "nested", "deep", "open-string", "open-strings", "xml", "think"],
)
def test_hostile_text_is_read_to_the_end_and_executes_nothing(text: str) -> None:
    for finish_reason in ("stop", "length"):
        assert salvage(text, finish_reason).calls == ()
