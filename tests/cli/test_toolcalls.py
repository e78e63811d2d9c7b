"""`abverify toolcalls parse`: what a profile makes of raw text, one JSON line for each turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.console import Ran, in_process
from tests.support.repository import done

if TYPE_CHECKING:
    from pathlib import Path

NATIVE = '<tool_call>\n{"name": "file_read", "arguments": {"path": "a.py"}}\n</tool_call>'
M294 = '{"name": "file_read", "input": {"path": "a.py"}}\n</tool_call>'
CALL = {"name": "file_read", "arguments": {"path": "a.py"}}


def parse(text: str, *options: str) -> Ran:
    return in_process("toolcalls", "parse", *options, stdin=text.encode(), environment={})


def lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def test_a_native_call_is_read_by_either_profile() -> None:
    for profile in ("strict", "strict/1", "salvage", "salvage/1"):
        (turn,) = lines(done(parse(NATIVE, "--profile", profile)))
        assert turn == {"id": None, "verdict": "native", "calls": [CALL], "codes": []}


def test_the_reply_of_m294_is_no_call_to_strict_and_one_to_salvage() -> None:
    (strict,) = lines(done(parse(M294, "--profile", "strict")))
    (salvage,) = lines(done(parse(M294, "--profile", "salvage")))
    assert strict["calls"] == []
    assert (salvage["verdict"], salvage["calls"]) == ("recovered", [CALL])
    assert salvage["codes"]


@pytest.mark.parametrize("text", ["", "\n", "I would read the file.", "\ufeff", "\x00"])
def test_prose_is_no_call(text: str) -> None:
    (turn,) = lines(done(parse(text)))
    assert (turn["verdict"], turn["calls"]) == ("none", [])


def test_bytes_that_are_no_text_are_no_call() -> None:
    ran = in_process("toolcalls", "parse", stdin=b"\xff\xfe\x80", environment={})
    assert lines(done(ran))[0]["calls"] == []


def test_json_lines_keep_their_ids_and_their_order() -> None:
    turns = [
        {"id": 7, "raw": NATIVE, "finish_reason": "stop"},
        {"id": "b", "raw": "prose"},
        {"raw": M294, "finish_reason": None},
    ]
    text = "\n\n".join(json.dumps(turn) for turn in turns)
    read = lines(done(parse(text, "--jsonl")))
    assert [(turn["id"], turn["verdict"]) for turn in read] == [
        (7, "native"),
        ("b", "none"),
        (None, "recovered"),
    ]


def test_a_line_separator_inside_a_turn_ends_no_line() -> None:
    text = json.dumps({"id": 1, "raw": "a\u2028b\x85c"}, ensure_ascii=False)
    assert len(lines(done(parse(text, "--jsonl")))) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "not json", "[]", "1", "null", "{}", '{"raw": 1}', '{"raw": "x", "finish_reason": 2}',
        "[" * 99999,
    ],
    ids=["text", "list", "number", "null", "empty", "raw", "reason", "deep"],
)  # fmt: skip
def test_a_line_that_is_no_turn_is_named_by_its_number(bad: str) -> None:
    good = json.dumps({"id": 1, "raw": "prose"})
    ran = parse(f"{good}\n{bad}\n{good}\n", "--jsonl")
    assert ran.code == 2
    assert ran.err.startswith("error[AV141]: not a turn\n  at: <stdin>:2\n")
    assert "Traceback" not in ran.err


def test_no_line_at_all_is_no_turn() -> None:
    assert done(parse("", "--jsonl")).out == ""


def test_tools_can_be_declared(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    declared = [{"name": "weather", "description": "…", "parameters": parameters}]
    tools.write_text(json.dumps(declared), encoding="utf-8")
    raw = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
    (known,) = lines(done(parse(raw, "--tools", str(tools))))
    (unknown,) = lines(done(parse(raw)))
    assert known["calls"] == [{"name": "weather", "arguments": {"city": "Rome"}}]
    assert unknown != known


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": 1}]', "\x00"])
def test_a_file_that_declares_no_tools_is_refused(tmp_path: Path, content: str) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(content, encoding="utf-8")
    ran = parse(NATIVE, "--tools", str(tools))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error[AV141]: not a list of tool declarations\n")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = parse(NATIVE, "--tools", str(tmp_path / "none.json"))
    assert (ran.code, ran.out) == (3, "")
    assert f"at: {tmp_path / 'none.json'}" in ran.err
