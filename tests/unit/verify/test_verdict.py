from __future__ import annotations

from abverify.model.report import Reason
from abverify.verify.verdict import Decision, decide, evidence_line, weights_reason
from tests.builders import FIXTURES, PATH, Run, contract, docket, failed_trial, passed_trial

FAILED = [*failed_trial(FIXTURES[0]), *failed_trial(FIXTURES[1])]
PASSED = [*passed_trial(FIXTURES[0]), *passed_trial(FIXTURES[1])]


def deciding_run(decision: Decision) -> str | None:
    return decision.deciding.bundle.manifest.run if decision.deciding else None


def test_a_gate_is_met_when_its_criteria_hold() -> None:
    decision = decide(docket(), [Run().bundle()])

    assert decision.verdict == "met"
    assert [reason.code for reason in decision.reasons] == ["criterion-met"]
    assert decision.reasons[0].message == "oracle_passed >= 1: observed 1 (1/2)"
    assert decision.reasons[0].severity == "note"
    assert decision.attempts_total == 2


def test_a_gate_is_not_met_when_a_criterion_does_not_hold() -> None:
    decision = decide(docket(), [Run(rows=FAILED).bundle()])

    assert decision.verdict == "not-met"
    assert [(r.code, r.severity) for r in decision.reasons] == [("criterion-not-met", "error")]
    assert decision.reasons[0].message == "oracle_passed >= 1: observed 0 (0/2)"


def test_a_gate_cannot_be_evaluated_when_a_criterion_has_nothing_to_measure() -> None:
    law = contract(criteria=[{"id": "early", "metric": "turns_to_first_call", "at_most": 2}])

    decision = decide(docket(contract=law), [Run(rows=FAILED).bundle()])

    assert decision.verdict == "cannot-evaluate"
    assert [(r.code, r.rule) for r in decision.reasons] == [("criterion-unknown", "AV312")]


def test_one_missed_criterion_of_two_is_not_met() -> None:
    law = contract(
        criteria=[
            {"id": "oracle", "metric": "oracle_passed", "at_least": 1},
            {"id": "both", "metric": "oracle_passed", "at_least": 2},
        ]
    )

    decision = decide(docket(contract=law), [Run().bundle()])

    assert decision.verdict == "not-met"
    assert [line.holds for line in decision.criteria] == [True, False]


def test_without_evidence_the_answer_is_neither_yes_nor_no() -> None:
    decision = decide(docket(), [])

    assert decision.verdict == "cannot-evaluate"
    assert [(r.code, r.next) for r in decision.reasons] == [
        ("no-evidence", "abverify check T1_001 --run")
    ]
    assert [line.observed for line in decision.criteria] == [None]
    assert (decision.deciding, decision.attempts_total) == (None, 0)


def test_with_ineligible_evidence_alone_its_reasons_are_the_reasons() -> None:
    decision = decide(
        docket(), [Run(stage="smoke").bundle(), Run(run="run-2", identity="absent").bundle()]
    )

    assert decision.verdict == "cannot-evaluate"
    assert [r.code for r in decision.reasons] == ["smoke-only", "identity-unproven"]
    assert [item.eligible for item in decision.considered] == [False, False]


def test_the_first_eligible_bench_counts_and_a_later_better_run_does_not_replace_it() -> None:
    first = Run(run="run-1", rows=FAILED).bundle()
    later = Run(
        run="run-2",
        rows=PASSED,
        started_at="2026-02-21T08:00:00Z",
        finished_at="2026-02-21T09:00:00Z",
    ).bundle()

    for offered in ([first, later], [later, first]):
        decision = decide(docket(), offered)
        assert (decision.verdict, deciding_run(decision)) == ("not-met", "run-1")
        assert decision.attempts_total == 4


def test_an_ineligible_earlier_run_does_not_decide() -> None:
    smoke = Run(run="run-0", stage="smoke", started_at="2026-02-19T08:00:00Z").bundle()

    decision = decide(docket(), [smoke, Run(rows=PASSED).bundle()])

    assert (decision.verdict, deciding_run(decision)) == ("met", "run-1")
    assert [item.bundle.manifest.run for item in decision.considered] == ["run-0", "run-1"]


def test_unpinned_weights_are_said_with_every_verdict() -> None:
    reason = weights_reason(contract(model__weights__sha256=None), "contracts/T1_001.yaml:9:5")

    assert isinstance(reason, Reason)
    assert (reason.code, reason.severity) == ("weights-unpinned", "warning")
    assert reason.place == "contracts/T1_001.yaml:9:5"
    assert weights_reason(contract(), "") is None


def test_an_evidence_line_says_what_ran_and_whether_it_counts() -> None:
    bundle = Run().bundle()
    (item,) = decide(docket(), [bundle]).considered

    line = evidence_line(item)

    assert line.to_json() == {
        "path": PATH,
        "run": "run-1",
        "stage": "bench",
        "sha256": bundle.sha256,
        "identity": "attested",
        "model": "Tiny-Instruct",
        "eligible": True,
        "reasons": [],
    }


def test_attempts_of_benches_that_never_finished_are_counted_too() -> None:
    decision = decide(docket(abandoned_attempts=5), [Run().bundle()])

    assert decision.attempts_total == 7
