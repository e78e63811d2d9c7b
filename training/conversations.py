"""From repairs to conversations in exactly the form in which the bench shows them to a model."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.bench.observation import observation
from abverify.evidence.rows import ToolResult
from training.repairs import repairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.repairs import Repair

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = "fixtures/prompts/code-agent-small.md"
NO_CALL = (
    "That reply holds no tool call, so nothing was done. Reply with exactly one tool call "
    "between <tool_call> and </tool_call>."
)
"""The observation that the S contracts declare for a turn without a call."""

_DIRECT, _AFTER_PROSE = 0.80, 0.90
_PROSE = ("Sure, I can help with that.", "Here is the corrected code.", "I will fix it now.")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; `learned` is whether the loss is taken on it."""

    role: str
    content: str
    learned: bool = False


def conversations(seed: int, count: int) -> Iterator[tuple[Turn, ...]]:
    """That many conversations, the same for the same seed."""
    chance = random.Random(seed + 1)  # noqa: S311 (data, not secrets)
    system = (ROOT / SYSTEM).read_text(encoding="utf-8")
    for repair in islice(repairs(seed), count):
        yield Turn("system", system), Turn("user", f"{repair.request}\n"), *_agent(repair, chance)


def edit_call(repair: Repair) -> str:
    """The one right answer: the edit, as the system prompt asks for it."""
    arguments = {"path": repair.path, "old_string": repair.old, "new_string": repair.new}
    return _call("file_edit", arguments)


def _agent(repair: Repair, chance: random.Random) -> tuple[Turn, ...]:
    """Mostly the edit at once; now and then a detour that ends in it."""
    edit, draw = Turn("assistant", edit_call(repair), learned=True), chance.random()
    if draw < _DIRECT:
        return (edit,)
    if draw < _AFTER_PROSE:
        return Turn("assistant", chance.choice(_PROSE)), Turn("user", NO_CALL), edit
    wrong = {"path": repair.path, "old_string": f"{repair.old} ", "new_string": repair.new}
    times = f"old_string stands 0 times in {repair.path}; it must stand exactly once"
    return (
        Turn("assistant", _call("file_edit", wrong)),
        _answer("file_edit", times, ok=False),
        edit,
    )


def _answer(tool: str, output: str, *, ok: bool) -> Turn:
    result = ToolResult(tool=tool, ok=ok, output=output)
    return Turn("user", observation((result,)))


def _call(name: str, arguments: dict[str, str]) -> str:
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"
