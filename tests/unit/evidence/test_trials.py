from __future__ import annotations

import pytest

from abverify.evidence.rows import Row, Trial, TrialStarted
from abverify.evidence.trials import counted, fold_trials
from tests.builders import (
    FIXTURES,
    NATIVE,
    PROSE,
    RECOVERED,
    ended,
    failed_trial,
    oracle,
    passed_trial,
    turn,
)

A, B = FIXTURES
TRIAL = Trial(fixture=A, seed=1)
STARTED = TrialStarted(trial=TRIAL)


def test_rows_fold_into_attempts_in_the_order_begun() -> None:
    first, second = fold_trials([*failed_trial(B), *passed_trial(A, raws=(PROSE, NATIVE))])

    assert (first.trial.fixture, first.passed, first.measured) == (B, False, True)
    assert (second.trial.fixture, second.passed, second.measured) == (A, True, True)
    assert [row.turn for row in second.turns] == [1, 2]
    assert second.first_call == second.turns[1]
    assert second.turns_with_call == 1


def test_a_trial_that_was_cut_off_is_no_measurement() -> None:
    (cut,) = fold_trials(passed_trial(A)[:-1])

    assert (cut.ended, cut.measured, cut.passed) == (None, False, False)


def test_a_failure_of_ours_is_no_measurement() -> None:
    (failed,) = fold_trials(failed_trial(A, outcome="infrastructure_failure"))

    assert not failed.measured


@pytest.mark.parametrize(
    "rows",
    [
        [turn(TRIAL, 1, PROSE)],
        [STARTED, ended(Trial(fixture=B, seed=1), "text_loop", 0)],
        [STARTED, ended(Trial(fixture=A, seed=2), "text_loop", 0)],
        [STARTED, ended(TRIAL, "text_loop", 0), turn(TRIAL, 1, PROSE)],
        [STARTED, ended(TRIAL, "text_loop", 0), ended(TRIAL, "text_loop", 0)],
        [STARTED, turn(TRIAL, 2, PROSE)],
        [STARTED, turn(TRIAL, 1, PROSE), turn(TRIAL, 1, PROSE)],
        [oracle(TRIAL, 1, passed=True)],
    ],
    ids=[
        "before any trial",
        "of another fixture",
        "of another seed",
        "after the outcome",
        "a second outcome",
        "a turn left out",
        "a turn twice",
        "an oracle row alone",
    ],
)
def test_a_row_outside_its_trial_is_refused(rows: list[Row]) -> None:
    with pytest.raises(ValueError, match=r"outside its trial|out of order"):
        fold_trials(rows)


def test_the_first_measurement_counts_after_failures_of_ours() -> None:
    rows = [
        *failed_trial(A, outcome="infrastructure_failure"),
        *passed_trial(A)[:-1],
        *passed_trial(A),
    ]

    chosen = counted(fold_trials(rows))

    assert list(chosen) == [(A, 1)]
    assert chosen[A, 1].passed


def test_without_a_measurement_the_last_attempt_stands_for_the_trial() -> None:
    rows = [*passed_trial(A)[:-1], *failed_trial(A, outcome="infrastructure_failure")]

    chosen = counted(fold_trials(rows))

    assert chosen[A, 1].ended is not None


def test_measuring_until_luck_strikes_is_refused() -> None:
    with pytest.raises(ValueError, match="unix__01-head seed 1 was measured twice"):
        counted(fold_trials([*failed_trial(A), *passed_trial(A)]))


def test_each_seed_is_a_trial_of_its_own() -> None:
    chosen = counted(fold_trials([*failed_trial(A), *passed_trial(A, seed=2)]))

    assert list(chosen) == [(A, 1), (A, 2)]


def test_recovery_is_passing_after_a_failed_tool_or_oracle() -> None:
    tool: list[Row] = [
        STARTED,
        turn(TRIAL, 1, RECOVERED, ok=False),
        oracle(TRIAL, 1, passed=True),
        ended(TRIAL, "oracle_passed", 1),
    ]
    judged: list[Row] = [
        STARTED,
        turn(TRIAL, 1, NATIVE),
        oracle(TRIAL, 1, passed=False),
        turn(TRIAL, 2, NATIVE),
        oracle(TRIAL, 2, passed=True),
        ended(TRIAL, "oracle_passed", 2),
    ]

    assert [fold_trials(rows)[0].recovered_from_failure for rows in (tool, judged)] == [True, True]
    assert not fold_trials(passed_trial(A))[0].recovered_from_failure
    assert not fold_trials([*judged[:-1], ended(TRIAL, "oracle_failed", 2)])[
        0
    ].recovered_from_failure


def test_the_last_oracle_round_is_every_command_of_the_last_judged_turn() -> None:
    rows: list[Row] = [
        STARTED,
        turn(TRIAL, 1, NATIVE),
        oracle(TRIAL, 1, passed=False),
        turn(TRIAL, 2, NATIVE),
        oracle(TRIAL, 2, passed=True),
        oracle(TRIAL, 2, passed=False, purpose="compliance", command="lint"),
        ended(TRIAL, "compliance_failed", 2),
    ]

    last = fold_trials(rows)[0].last_oracle_round()

    assert [(row.turn, row.command) for row in last] == [(2, "tests"), (2, "lint")]
    assert fold_trials(failed_trial(A))[0].last_oracle_round() == ()
