"""Whole trials with scripted completions: real tools, a real sandbox, a real oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.arena import Arena
from abverify.bench.engines import EngineFailure
from abverify.bench.engines.replay import ReplayEngine
from abverify.bench.plan import Plan
from abverify.bench.schedule import run_trials
from abverify.evidence.bundle import read_bundle
from abverify.evidence.lock import RunLock
from abverify.evidence.scores import compute_scores
from abverify.evidence.seeds import turn_seed
from tests.builders import PROSE, lock_values
from tests.support.journals import Nobody, open_journal

from .tasks import MEND, TRIAL, bench, call, config, oracles, outcome, said, task, turns

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.bench.journal import Journal
    from abverify.evidence.rows import FinishReason, Row


def test_a_native_edit_that_mends_the_file_passes_at_turn_1(trial: Any) -> None:
    rows = trial(MEND)

    assert outcome(rows) == ("oracle_passed", "the oracle passed after turn 1", 1)
    (turn,) = turns(rows)
    assert turn.parse.verdict == "native"
    assert [(result.tool, result.ok) for result in turn.results] == [("file_edit", True)]
    assert turn.seed == turn_seed(1, "unix__01-head", 1)
    assert [change.path for change in rows[-1].changes] == ["head.py"]


def test_three_turns_without_a_call_are_a_text_loop(trial: Any) -> None:
    rows = trial(PROSE, PROSE, PROSE, MEND)

    assert outcome(rows) == ("text_loop", "3 turns in a row without a call", 3)
    assert oracles(rows) == []


def test_a_call_between_silent_turns_breaks_the_loop(trial: Any) -> None:
    rows = trial(PROSE, PROSE, call("glob", pattern="*"), MEND)

    assert outcome(rows)[0] == "oracle_passed"


def test_without_a_limit_silence_uses_up_the_turns(trial: Any) -> None:
    rows = trial(*[PROSE] * 4, budgets__max_silent_turns=None)

    assert outcome(rows) == ("oracle_failed", "all 4 turns were used", 4)


def test_a_refused_call_executes_nothing_and_is_silence(trial: Any) -> None:
    rows = trial(*["<tool_call>{broken</tool_call>"] * 3)

    assert outcome(rows)[0] == "text_loop"
    assert [turn.parse.verdict for turn in turns(rows)] == ["refused"] * 3
    assert [turn.results for turn in turns(rows)] == [()] * 3


def test_an_untagged_call_is_recovered_under_salvage_and_nothing_under_strict(
    tmp_path: Path,
) -> None:
    text = MEND.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")
    found = []
    for profile in ("salvage", "strict"):
        workspace = tmp_path / profile
        workspace.mkdir()
        rows: list[Row] = []
        arena = Arena(
            TRIAL,
            task(),
            config(parser__profile=profile),
            "",
            ReplayEngine([text] * 3),
            bench(),
            workspace,
            rows.append,
        )
        found.append((arena.run().outcome, turns(rows)[0].parse.verdict))

    assert found == [("oracle_passed", "recovered"), ("text_loop", "none")]


def test_a_turn_without_effect_is_not_judged_again(trial: Any) -> None:
    wrong = call("file_write", path="head.py", content="def head(lines, count): ...\n")

    rows = trial(call("glob", pattern="*"), wrong, call("file_read", path="head.py"), MEND)

    assert [row.turn for row in oracles(rows)] == [2]
    assert outcome(rows)[0] == "oracle_failed"


def test_the_oracle_has_the_last_word_at_the_declared_cadence(trial: Any) -> None:
    rows = trial(MEND, PROSE, PROSE, PROSE, loop={"calls": "all", "oracle_every_turns": 0})

    assert outcome(rows)[0] == "oracle_passed"
    assert outcome(rows)[1] == "the oracle passed at the end (3 turns in a row without a call)"
    assert [row.turn for row in oracles(rows)] == [4]


def test_only_the_first_call_of_a_turn_is_executed_where_the_contract_says_so(trial: Any) -> None:
    both = call("glob", pattern="*") + "\n" + MEND

    rows = trial(both, PROSE, PROSE, PROSE, loop={"calls": "first", "oracle_every_turns": 1})

    assert [result.tool for result in turns(rows)[0].results] == ["glob"]
    assert outcome(rows)[0] == "text_loop"


def test_every_call_of_a_turn_is_executed_otherwise(trial: Any) -> None:
    rows = trial(call("glob", pattern="*") + "\n" + MEND)

    assert [result.tool for result in turns(rows)[0].results] == ["glob", "file_edit"]
    assert outcome(rows)[0] == "oracle_passed"


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [("time", "turn_seconds"), ("context", "context_exhausted")],
)
def test_a_spent_budget_ends_the_trial_and_says_which(
    trial: Any, finish_reason: FinishReason, reason: str
) -> None:
    rows = trial(said(PROSE, finish_reason), MEND)

    assert outcome(rows) == ("budget_exhausted", reason, 1)


def test_a_completion_cut_by_its_token_limit_does_not_end_the_trial(trial: Any) -> None:
    rows = trial(said(PROSE, "length"), MEND)

    assert outcome(rows) == ("oracle_passed", "the oracle passed after turn 2", 2)


def test_tampering_with_the_tests_is_written_down_and_does_not_help(trial: Any) -> None:
    rows = trial(call("file_write", path="test_head.py", content=""), PROSE, PROSE, PROSE)

    assert [(row.passed, row.tampered) for row in oracles(rows)] == [(False, ("test_head.py",))]
    assert outcome(rows)[0] == "text_loop"
    assert [change.path for change in rows[-1].changes] == ["test_head.py"]


def test_tests_that_pass_without_compliance_are_an_outcome_of_their_own(trial: Any) -> None:
    strict = task(
        oracle=[
            {"id": "tests", "kind": "tests", "run": ["python3", "-m", "unittest", "-q"]},
            {"id": "lint", "kind": "compliance", "run": ["grep", "-q", "documented", "head.py"]},
        ]
    )

    rows = trial(MEND, PROSE, PROSE, PROSE, fixture=strict)

    assert outcome(rows)[0] == "compliance_failed"
    assert outcome(rows)[1].startswith("the tests passed, compliance did not")


def test_a_broken_engine_is_not_the_models_failure(trial: Any) -> None:
    with pytest.raises(EngineFailure, match="the script ends after 1 completions"):
        trial(PROSE)


def opened(folder: Path) -> Journal:
    lock = RunLock(lock_values())
    return open_journal(folder, lock)


def test_an_engine_failure_is_an_infrastructure_failure_until_the_trial_is_rerun(
    tmp_path: Path,
) -> None:
    other = task(id="unix__02-tail")
    plan = Plan((task(), other), (1,), config(), "You are a code agent.")
    with opened(tmp_path / "run") as journal:
        run_trials(plan, ReplayEngine([MEND, PROSE]), bench(), journal, Nobody())
        first = journal.trials()
        assert list(journal.measured()) == [("unix__01-head", 1)]

    with opened(tmp_path / "run") as journal:
        run_trials(plan, ReplayEngine([MEND]), bench(), journal, Nobody())
        trials = journal.trials()
        scores = compute_scores(trials, fixtures=("unix__01-head", "unix__02-tail"), seeds=(1,))
        journal.close(scores, finished_at="2026-02-20T09:00:00Z", notes=())

    failed = first["unix__02-tail", 1].ended
    assert failed is not None
    assert (failed.outcome, failed.reason, failed.turns) == (
        "infrastructure_failure",
        "the script ends after 2 completions",
        1,
    )
    assert scores.outcomes == {"oracle_passed": 2}
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    bundle = read_bundle(files, path="run")
    assert bundle.faults == ()
    assert bundle.manifest.attempts_total == 3


def test_trials_go_seed_by_seed_over_every_fixture() -> None:
    plan = Plan((task(), task(id="unix__02-tail")), (1, 2), config(), "")

    assert [(trial.seed, trial.fixture) for trial, _ in plan.trials()] == [
        (1, "unix__01-head"),
        (1, "unix__02-tail"),
        (2, "unix__01-head"),
        (2, "unix__02-tail"),
    ]
