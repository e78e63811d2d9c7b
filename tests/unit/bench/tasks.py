"""A small Python task, and what a trial of it needs: configuration, calls, and a real bench."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from abverify.bench.engines import Completion
from abverify.bench.oracle import Bench
from abverify.bench.sandbox import find_sandbox, toolchains
from abverify.evidence.rows import OracleRow, Trial, TrialEnded, TurnRow
from abverify.model.corpus import Fixture, FixtureSpec
from tests.builders import contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.evidence.rows import FinishReason, Row
    from abverify.model.config import RunConfig

START = b"def head(lines, count):\n    return lines[count:]\n"
RIGHT = b"def head(lines, count):\n    return lines[:count]\n"
TESTS = b"""\
import unittest

from head import head


class HeadTest(unittest.TestCase):
    def test_first(self):
        self.assertEqual(head(["ash", "oak"], 1), ["ash"])

    def test_whole(self):
        self.assertEqual(head(["ash"], 9), ["ash"])
"""


@cache
def bench() -> Bench:
    """The real sandbox of this host with its Python; the suite needs it."""
    return Bench(find_sandbox(), {"python": toolchains.find("python")})


def task(
    *, workspace: Mapping[str, bytes] | None = None, command: Any = None, **document: Any
) -> Fixture:
    """The task `unix__01-head`; `document` adds to its fixture.yaml."""
    tests = {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest", "-q"]}
    spec = {
        "schema": "abverify/fixture/v1",
        "id": "unix__01-head",
        "title": "Keep the first lines",
        "language": "python",
        "prompt": "Mend head.py.",
        "oracle": [{**tests, **(command or {})}],
        "protected": ["test_head.py"],
        "limits": {"seconds": 20},
        **document,
    }
    return Fixture(
        FixtureSpec.model_validate_json(json.dumps(spec)),
        workspace={"head.py": START, "test_head.py": TESTS, **(workspace or {})},
        solution={"head.py": RIGHT},
        broken={"head.py": b"def head(lines, count):\n    return lines\n"},
        sha256="0" * 64,
    )


def config(**changes: Any) -> RunConfig:
    """The run configuration of the valid contract; `budgets__max_turns=1` changes a knob."""
    return contract(**{f"config__{name}": value for name, value in changes.items()}).config


def call(name: str, **arguments: str) -> str:
    """A completion that makes one native call."""
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


MEND = call("file_edit", path="head.py", old_string="lines[count:]", new_string="lines[:count]")
"""The call that makes `START` right."""

ANY_PROMPT = "0" * 64
TRIAL = Trial(fixture="unix__01-head", seed=1)


def said(text: str, finish_reason: FinishReason = "stop", *, tokens: int = 1) -> Completion:
    """A completion, made for any prompt."""
    return Completion(
        text=text,
        finish_reason=finish_reason,
        prompt_sha256=ANY_PROMPT,
        prompt_tokens=1,
        completion_tokens=tokens,
        millis=0,
    )


def outcome(rows: list[Row]) -> tuple[str, str, int]:
    """The trial's outcome, its reason and its turns."""
    last = rows[-1]
    assert isinstance(last, TrialEnded)
    return last.outcome, last.reason, last.turns


def turns(rows: list[Row]) -> list[TurnRow]:
    """The turns among some rows."""
    return [row for row in rows if isinstance(row, TurnRow)]


def oracles(rows: list[Row]) -> list[OracleRow]:
    """The oracle rows among some rows."""
    return [row for row in rows if isinstance(row, OracleRow)]
