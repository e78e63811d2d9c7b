"""When a trial ends although nobody finished it: time, tokens, loops; and when the oracle runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.arena import Arena
from abverify.bench.engines.replay import ReplayEngine
from tests.builders import PROSE

from .tasks import ANY_PROMPT, MEND, TRIAL, bench, call, config, oracles, outcome, said, task, turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.bench.engines import Completion, Message

LOOK = call("glob", pattern="*")
SLEEP = call("shell", command="sleep 30")


class Asked(ReplayEngine):
    """A script that remembers what it was asked for."""

    def __init__(self, *script: Completion) -> None:
        super().__init__(script, digest=lambda _: ANY_PROMPT)
        self.tokens: list[int] = []
        self.seconds: list[float] = []

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        self.tokens.append(max_tokens)
        self.seconds.append(seconds)
        return super().complete(messages, seed=seed, max_tokens=max_tokens, seconds=seconds)


def run(engine: Asked, workspace: Path, **knobs: Any) -> tuple[str, str, int]:
    arena = Arena(TRIAL, task(), config(**knobs), "", engine, bench(), workspace, lambda _: None)
    ended = arena.run()
    return ended.outcome, ended.reason, ended.turns


class TestTokens:
    def test_a_completion_gets_what_is_left_of_the_trials_and_its_end_ends_the_trial(
        self, tmp_path: Path
    ) -> None:
        engine = Asked(said(LOOK, tokens=60), said(PROSE, tokens=60), said(LOOK, tokens=10))

        ended = run(engine, tmp_path, budgets__max_tokens_total=130)

        assert engine.tokens == [100, 70, 10]
        assert ended == ("budget_exhausted", "tokens", 3)

    def test_without_a_limit_every_completion_gets_a_turns_tokens(self, tmp_path: Path) -> None:
        engine = Asked(*[said(LOOK, tokens=100)] * 4)

        ended = run(engine, tmp_path)

        assert engine.tokens == [100] * 4
        assert ended == ("oracle_failed", "all 4 turns were used", 4)

    def test_work_done_with_the_last_token_still_counts(self, tmp_path: Path) -> None:
        engine = Asked(said(MEND, tokens=50))

        ended = run(engine, tmp_path, budgets__max_tokens_total=50)

        assert ended == ("oracle_passed", "the oracle passed after turn 1", 1)


class TestTime:
    def test_a_turn_gets_its_share_and_never_more_than_the_trial_has_left(
        self, tmp_path: Path
    ) -> None:
        engine = Asked(*[said(LOOK)] * 4)

        run(engine, tmp_path, budgets__turn_seconds=60, budgets__wall_seconds=61)

        assert engine.seconds[0] == pytest.approx(60, abs=0.5)
        assert all(59 < seconds <= 60 for seconds in engine.seconds)

    @pytest.mark.parametrize(("turn", "wall"), [(1, 60), (60, 1)])
    def test_a_command_that_outlasts_the_clock_is_killed_and_ends_the_trial(
        self, trial: Any, turn: int, wall: int
    ) -> None:
        started = time.monotonic()

        rows = trial(SLEEP, MEND, budgets__turn_seconds=turn, budgets__wall_seconds=wall)

        assert time.monotonic() - started < 15
        (only,) = turns(rows)
        assert only.results[0].output == "\n[killed: wall_seconds]\n[exit None]"
        spent = "turn_seconds" if turn == 1 else "wall_seconds"
        assert outcome(rows) == ("budget_exhausted", spent, 1)

    def test_a_command_after_the_clock_is_not_run(self, trial: Any) -> None:
        rows = trial(SLEEP + call("shell", command="touch late"), budgets__turn_seconds=1)

        assert turns(rows)[0].results[1].output == "not run: no time is left\n[exit None]"
        assert rows[-1].changes == ()

    def test_an_oracle_that_the_clock_cut_short_says_nothing_and_is_asked_again_at_the_end(
        self, trial: Any
    ) -> None:
        slow = task(command={"run": ["sh", "-c", "sleep 3; python3 -m unittest -q"]})

        rows = trial(MEND, fixture=slow, budgets__wall_seconds=2)

        assert [(row.turn, row.passed, row.killed) for row in oracles(rows)] == [(1, True, None)]
        assert outcome(rows) == ("oracle_passed", "the oracle passed at the end (wall_seconds)", 1)


class TestRepetition:
    def test_the_same_call_n_times_in_a_row_is_a_text_loop(self, trial: Any) -> None:
        rows = trial(LOOK, LOOK, LOOK, MEND, budgets__max_repeated_calls=3)

        assert outcome(rows) == ("text_loop", "the same call 3 times in a row", 3)

    def test_another_argument_breaks_the_row(self, trial: Any) -> None:
        other = call("glob", pattern="*.py")

        rows = trial(LOOK, LOOK, other, LOOK, budgets__max_repeated_calls=3)

        assert outcome(rows)[0] == "oracle_failed"

    def test_a_silent_turn_does_not(self, trial: Any) -> None:
        rows = trial(LOOK, PROSE, LOOK, MEND, budgets__max_repeated_calls=2)

        assert outcome(rows) == ("text_loop", "the same call 2 times in a row", 3)

    def test_calls_of_one_turn_are_counted_as_they_were_executed(self, trial: Any) -> None:
        rows = trial(LOOK + LOOK, MEND, budgets__max_repeated_calls=2)

        assert outcome(rows) == ("text_loop", "the same call 2 times in a row", 1)

    def test_a_call_that_was_not_executed_is_no_repetition(self, trial: Any) -> None:
        rows = trial(
            LOOK + LOOK,
            MEND,
            budgets__max_repeated_calls=2,
            loop={"calls": "first", "oracle_every_turns": 1},
        )

        assert outcome(rows)[0] == "oracle_passed"

    def test_without_a_limit_repetition_uses_up_the_turns(self, trial: Any) -> None:
        rows = trial(*[LOOK] * 4)

        assert outcome(rows) == ("oracle_failed", "all 4 turns were used", 4)


class TestCadence:
    @pytest.mark.parametrize(
        ("on_finish", "judged", "ended"),
        [(True, [2], "oracle_passed"), (False, [], "oracle_failed")],
    )
    def test_the_last_word_is_declared(
        self, trial: Any, judged: list[int], ended: str, *, on_finish: bool
    ) -> None:
        loop = {"calls": "all", "oracle_every_turns": 3, "oracle_on_finish": on_finish}

        rows = trial(MEND, PROSE, budgets__max_turns=2, loop=loop)

        assert [row.turn for row in oracles(rows)] == judged
        assert outcome(rows)[0] == ended

    def test_between_its_turns_the_oracle_does_not_run(self, trial: Any) -> None:
        rows = trial(MEND, LOOK, loop={"calls": "all", "oracle_every_turns": 2})

        assert [row.turn for row in oracles(rows)] == [2]
        assert outcome(rows) == ("oracle_passed", "the oracle passed after turn 2", 2)

    def test_tests_and_compliance_have_rows_of_their_own(self, trial: Any) -> None:
        both = task(
            oracle=[
                {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest", "-q"]},
                {"id": "lint", "kind": "compliance", "run": ["grep", "-q", "count", "head.py"]},
            ]
        )

        rows = trial(MEND, fixture=both)

        assert [(row.command, row.purpose, row.passed) for row in oracles(rows)] == [
            ("tests", "tests", True),
            ("lint", "compliance", True),
        ]
