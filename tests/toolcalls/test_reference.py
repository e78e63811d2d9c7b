"""The reference page says what the parser does."""

from __future__ import annotations

import re
from pathlib import Path

from abverify.toolcalls import DEFAULT_TOOLS, PROFILES, code_catalogue, parse

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "toolcalls.md").read_text("utf-8")


def test_the_page_lists_exactly_the_catalogue_in_order() -> None:
    rows = re.findall(r"(?m)^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", PAGE.split("codes: begin")[1])
    assert rows == [(c.code, c.meaning, c.reason) for c in code_catalogue().values()]


def test_the_page_names_every_profile() -> None:
    assert re.findall(r"(?m)^\| `([a-z-]+/\d+)` \| (?!`)", PAGE) == [str(p) for p in PROFILES]


def test_the_m294_response_on_the_page_parses_as_the_page_says() -> None:
    block = re.search(r"## The M294 response\n\n```\n(.*?)\n```", PAGE, re.DOTALL)
    assert block is not None
    text = block.group(1)
    assert text == '{"name": "file_read", "input": {"path": "src/lib.rs"}}\n</tool_call>'
    strict = parse(text, finish_reason="stop", tools=DEFAULT_TOOLS, profile="strict/1")
    assert (strict.verdict, strict.calls, strict.codes) == ("none", (), ())
    salvage = parse(text, finish_reason="stop", tools=DEFAULT_TOOLS, profile="salvage/1")
    assert salvage.verdict == "recovered"
    assert [call.as_json() for call in salvage.calls] == [
        {"name": "file_read", "arguments": {"path": "src/lib.rs"}}
    ]
    assert salvage.codes == ("missing-opener", "key-alias")
    assert [repair.code for repair in salvage.repairs] == ["missing-opener", "key-alias"]
