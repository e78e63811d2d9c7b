from __future__ import annotations

from fractions import Fraction

import pytest

from abverify.evidence.rows import Row, Trial, TrialStarted
from abverify.evidence.scores import Measure, Scores, compute_scores
from abverify.evidence.trials import counted, fold_trials
from abverify.model.metrics import METRICS
from tests.builders import (
    NATIVE,
    PROSE,
    RECOVERED,
    ended,
    failed_trial,
    oracle,
    passed_trial,
    turn,
)

A, B, C, D = "unix__01-a", "unix__02-b", "unix__03-c", "unix__04-d"


def scores(rows: list[Row], *, seeds: tuple[int, ...] = (1,)) -> Scores:
    return compute_scores(counted(fold_trials(rows)), fixtures=(A, B, C, D), seeds=seeds)


def measured(rows: list[Row], metric: str, *, seeds: tuple[int, ...] = (1,)) -> tuple[int, int]:
    measure = scores(rows, seeds=seeds).measures[metric]
    return measure.numerator, measure.denominator


@pytest.fixture
def journal() -> list[Row]:
    """A passes natively at turn 2 after a failed oracle; b calls late by repair; c never; d broke.

    | fixture | turns                    | outcome                |
    |---------|--------------------------|------------------------|
    | a       | native, native           | oracle_passed          |
    | b       | prose, recovered, prose  | oracle_failed          |
    | c       | prose                    | text_loop              |
    | d       | native                   | infrastructure_failure |
    """
    a = Trial(fixture=A, seed=1)
    return [
        TrialStarted(trial=a),
        turn(a, 1, NATIVE),
        oracle(a, 1, passed=False),
        turn(a, 2, NATIVE),
        oracle(a, 2, passed=True),
        ended(a, "oracle_passed", 2),
        *failed_trial(B, raws=(PROSE, RECOVERED, PROSE), outcome="oracle_failed"),
        *failed_trial(C, raws=(PROSE,)),
        *failed_trial(D, raws=(NATIVE,), outcome="infrastructure_failure"),
    ]


@pytest.mark.parametrize(
    ("metric", "numerator", "denominator"),
    [
        ("oracle_passed", 1, 4),
        ("student_pass_rate", 1, 4),
        ("native_call_rate", 1, 3),
        ("recovered_call_rate", 1, 3),
        ("turns_to_first_call", 1 + 2, 2),
        ("format_survival", 2 + 1, 2 + 3 + 1),
        ("recovery_rate", 1, 3),
        ("infrastructure_failures", 1, 4),
    ],
)
def test_each_metric_counts_what_its_definition_says(
    journal: list[Row], metric: str, numerator: int, denominator: int
) -> None:
    assert measured(journal, metric) == (numerator, denominator)


def test_every_registered_metric_is_computed(journal: list[Row]) -> None:
    assert list(scores(journal).measures) == list(METRICS)


def test_outcomes_name_unfinished_trials_too() -> None:
    result = scores([*passed_trial(A), *failed_trial(B), *passed_trial(C)[:-1]])

    assert result.outcomes == {"oracle_passed": 1, "text_loop": 1, "unfinished": 2}
    assert (result.completed_fixtures, result.planned) == (2, 4)


def test_nothing_measured_leaves_rates_without_a_value() -> None:
    result = scores([])

    assert measured([], "oracle_passed") == (0, 4)
    assert measured([], "native_call_rate") == (0, 0)
    assert result.measures["native_call_rate"].value is None
    assert result.measures["turns_to_first_call"].value is None
    assert result.measures["oracle_passed"].value == 0


def test_a_fixture_passes_once_with_any_seed_but_trials_count_each() -> None:
    rows = [*passed_trial(A), *passed_trial(A, seed=2), *failed_trial(B), *passed_trial(B, seed=2)]

    assert measured(rows, "oracle_passed", seeds=(1, 2)) == (2, 4)
    assert measured(rows, "student_pass_rate", seeds=(1, 2)) == (3, 8)


def test_a_fixture_is_complete_only_with_every_declared_seed() -> None:
    rows = [*passed_trial(A), *passed_trial(A, seed=2), *passed_trial(B)]

    assert scores(rows, seeds=(1, 2)).completed_fixtures == 1


def test_trials_the_contract_does_not_demand_count_for_nothing() -> None:
    rows = [*passed_trial("unix__99-other"), *passed_trial(A, seed=7), *failed_trial(B)]

    assert measured(rows, "student_pass_rate") == (0, 4)
    assert measured(rows, "native_call_rate") == (0, 1)


def test_a_refused_call_is_no_call() -> None:
    rows = failed_trial(A, raws=("<tool_call>{broken</tool_call>",))

    assert measured(rows, "native_call_rate") == (0, 1)
    assert measured(rows, "format_survival") == (0, 1)


def test_values_are_exact() -> None:
    assert Measure("student_pass_rate", 1, 3).value == Fraction(1, 3)
    assert Measure("turns_to_first_call", 7, 2).value == Fraction(7, 2)
    assert Measure("oracle_passed", 3, 20).value == 3


def test_scores_have_one_spelling() -> None:
    result = compute_scores({}, fixtures=(A,), seeds=(1,))

    assert result.to_bytes() == (
        b'{"completedFixtures":0,"measures":{"format_survival":[0,0],'
        b'"infrastructure_failures":[0,1],"markdown_edit_rate":[0,0],'
        b'"native_call_rate":[0,0],"oracle_passed":[0,1],'
        b'"recovered_call_rate":[0,0],"recovery_rate":[0,0],"student_pass_rate":[0,1],'
        b'"turns_to_first_call":[0,0]},"outcomes":{"unfinished":1},"planned":1,'
        b'"schema":"abverify/scores/v1"}'
    )
