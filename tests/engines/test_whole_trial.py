"""A trial with the real model: its budgets stop a decode that is under way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from abverify.bench.arena import Arena
from abverify.evidence.rows import TrialEnded, TurnRow
from tests.unit.bench.tasks import TRIAL, bench, config, task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.bench.engines.llama import LlamaEngine
    from abverify.evidence.rows import Row


@pytest.fixture
def trial(engine: LlamaEngine, tmp_path: Path) -> Callable[..., list[Row]]:
    """Runs a trial in which each turn could go on for 3000 tokens."""

    def run(**knobs: object) -> list[Row]:
        rows: list[Row] = []
        settings = config(sampling__max_tokens=3000, **knobs)
        system = "Write a long story. Never stop writing."
        Arena(TRIAL, task(), settings, system, engine, bench(), tmp_path, rows.append).run()
        return rows

    return run


def outcome(rows: list[Row]) -> tuple[str, str, int]:
    ended = rows[-1]
    assert isinstance(ended, TrialEnded)
    return ended.outcome, ended.reason, ended.turns


@pytest.mark.parametrize(("turn", "wall"), [(1, 60), (60, 1)])
def test_a_decode_is_stopped_by_the_clock_not_waited_for(
    trial: Callable[..., list[Row]], turn: int, wall: int
) -> None:
    started = time.monotonic()

    rows = trial(budgets__turn_seconds=turn, budgets__wall_seconds=wall)

    assert time.monotonic() - started < 20
    (only,) = (row for row in rows if isinstance(row, TurnRow))
    assert only.finish_reason == "time"
    assert 0 < only.completion_tokens < 3000
    assert outcome(rows) == (
        "budget_exhausted",
        "turn_seconds" if turn == 1 else "wall_seconds",
        1,
    )


def test_a_decode_gets_the_tokens_that_are_left_and_their_end_is_an_outcome(
    trial: Callable[..., list[Row]],
) -> None:
    rows = trial(budgets__max_tokens_total=40, budgets__max_silent_turns=None)

    turns = [row for row in rows if isinstance(row, TurnRow)]
    assert sum(turn.completion_tokens for turn in turns) == 40
    assert turns[-1].finish_reason == "length"
    assert outcome(rows) == ("budget_exhausted", "tokens", len(turns))
