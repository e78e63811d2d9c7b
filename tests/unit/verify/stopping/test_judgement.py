"""A stopped bench before the law: what its own journal gives, and every way to cheat with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes
from abverify.evidence.order import order_sha256, trial_order
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import counted, fold_trials
from abverify.verify.amendment.changes import Side, changes_between
from abverify.verify.amendment.replay import replay
from abverify.verify.eligibility import judge
from abverify.verify.stopping.rule import Stopping
from abverify.verify.verdict import decide
from tests.builders import (
    FIXTURES,
    Run,
    calibration_run,
    contract,
    docket,
    failed_trial,
    lock_values,
    passed_trial,
)

if TYPE_CHECKING:
    from abverify.evidence.rows import Row
    from abverify.model.contract import Contract
    from abverify.model.report import Reason
    from abverify.verify.eligibility import Docket

SEEDS = [1, 2, 3]
LAW = contract(
    evidence__bench__stop=["success-certain", "failure-certain"],
    config__sampling__seeds=SEEDS,
    criteria=[
        {"id": "rate", "metric": "student_pass_rate", "at_least": "0.5"},
        {"id": "oracle", "metric": "oracle_passed", "at_least": 2},
    ],
)
"""Two fixtures and three seeds: three passes of six, and both fixtures passed."""
ORDER = trial_order(FIXTURES, SEEDS)


def rows(text: str, *, skip: tuple[int, ...] = ()) -> list[Row]:
    """The trials of the fixed order as they ended: `+` passed, `-` failed."""
    made = [
        (passed_trial if sign == "+" else failed_trial)(fixture, seed=seed)
        for (fixture, seed), sign in zip(ORDER, text, strict=False)
    ]
    return [row for number, trial in enumerate(made) if number not in skip for row in trial]


def bench(text: str, law: Contract = LAW, **changes: Any) -> Run:
    """A bench as the runner closes it: scores and notes say where its rule stopped it."""
    kept = changes.pop("rows", rows(text))
    trials = counted(fold_trials(kept))
    stopping = Stopping.of(law, FIXTURES)
    stop = stopping.stop(trials) if stopping else None
    scores = compute_scores(trials, fixtures=FIXTURES, seeds=SEEDS, stop=stop)
    order = {"bench.order_sha256": order_sha256(ORDER)} if stopping else {}
    run = Run(
        values=lock_values(law) | order,
        rows=kept,
        scores=scores.to_bytes(),
        notes=(stop.text(),) if stop and stop.fired else (),
    )
    return replace(run, **changes)


def against(law: Contract = LAW) -> Docket:
    calibration = calibration_run(values=lock_values(law))
    path = "gates/laptop/T1_001/evidence/calibration-1"
    return docket(contract=law, calibrations=(calibration.bundle(path),))


def reasons(run: Run, law: Contract = LAW) -> list[Reason]:
    return list(judge(run.bundle(), against(law)).reasons)


def rules_of(run: Run, law: Contract = LAW) -> list[str]:
    return [reason.rule for reason in reasons(run, law)]


def test_a_bench_that_stopped_where_success_was_certain_is_eligible_and_met() -> None:
    run = bench("+++")

    decision = decide(against(), [run.bundle()])

    assert reasons(run) == []
    assert decision.verdict == "met"
    assert [(line.observed, line.holds, line.bounds) for line in decision.criteria] == [
        (None, True, ("1/2", "1")),
        (None, True, ("2", "2")),
    ]
    assert decision.reasons[0].message == (
        "student_pass_rate >= 0.5: certain to hold, at least 1/2 and at most 1"
    )


def test_a_bench_that_stopped_where_failure_was_certain_is_eligible_and_not_met() -> None:
    run = bench("----")

    decision = decide(against(), [run.bundle()])

    assert reasons(run) == []
    assert decision.verdict == "not-met"
    assert [(line.holds, line.bounds) for line in decision.criteria] == [
        (False, ("0", "1/3")),
        (None, ("0", "2")),
    ]
    assert [(r.code, r.severity) for r in decision.reasons] == [
        ("criterion-not-met", "error"),
        ("criterion-open", "note"),
    ]


def test_a_stopped_bench_says_where_by_which_rule_and_what_is_left_and_no_rate() -> None:
    scores = json.loads(bench("+++").files()["scores.json"])

    assert scores["measures"] == {}
    assert scores["outcomes"] == {"not_run": 3, "oracle_passed": 3}
    assert scores["stop"] == {
        "rules": ["failure-certain", "success-certain"],
        "fired": "success-certain",
        "ran": 3,
        "planned": 6,
        "order": "sha256/1",
        "remaining": [list(key) for key in ORDER[3:]],
        "bounds": {
            "oracle_passed": ["2", "2"],
            "student_pass_rate": ["1/2", "1"],
            "native_call_rate": ["1/2", "1"],
            "recovered_call_rate": ["0", "1/2"],
            "markdown_edit_rate": ["0", "1/2"],
            "turns_to_first_call": ["1", "5/2"],
            "format_survival": ["1/5", "1"],
            "recovery_rate": ["0", "1/2"],
            "infrastructure_failures": ["0", "0"],
        },
    }


def test_a_bench_that_no_rule_stopped_reports_its_rates_as_ever() -> None:
    run = bench("-+-+-+")

    decision = decide(against(), [run.bundle()])

    assert reasons(run) == []
    assert decision.criteria[0].observed == "1/2"
    assert json.loads(run.files()["scores.json"])["stop"]["fired"] is None


def test_trials_measured_past_the_stop_change_nothing() -> None:
    short, long = bench("+++"), bench("+++--")

    assert reasons(long) == []
    assert long.files()["scores.json"] == short.files()["scores.json"]


def test_a_bench_that_was_cut_before_its_rule_fired_is_incomplete() -> None:
    (reason,) = reasons(bench("-+-"))

    assert (reason.code, reason.rule) == ("incomplete", "AV307")
    assert reason.message == "3 of 6 trials were measured, and no stop rule has fired"


def test_a_claim_to_have_stopped_before_the_rule_fired_is_unsound() -> None:
    honest = bench("+++")
    cut = bench("++", scores=honest.files()["scores.json"], notes=honest.notes)

    assert rules_of(cut) == ["AV303", "AV861", "AV307"]


def test_a_claim_to_have_stopped_later_than_the_rule_fired_is_unsound() -> None:
    scores = json.loads(bench("+++-").files()["scores.json"])
    scores["stop"] |= {"ran": 4, "remaining": [list(key) for key in ORDER[4:]]}
    note = "stopped at 4 of 6 by success-certain: every completion of the bench has this verdict"
    late = bench("+++-", scores=canonical_bytes(scores), notes=(note,))

    found = reasons(late)

    assert [reason.rule for reason in found] == ["AV303", "AV861"]
    assert found[1].expected == (
        "stopped at 3 of 6 by success-certain: every completion of the bench has this verdict"
    )
    assert found[1].found == note


@pytest.mark.parametrize("notes", [(), ("stopped at 2 of 6 by success-certain: as I say",)])
def test_a_manifest_that_does_not_tell_the_stop_or_tells_another_is_unsound(
    notes: tuple[str, ...],
) -> None:
    assert rules_of(bench("+++", notes=notes)) == ["AV861"]


def test_a_full_bench_that_is_dressed_as_stopped_is_unsound() -> None:
    note = "stopped at 2 of 6 by failure-certain: every completion of the bench has this verdict"

    assert rules_of(bench("-+-+-+", notes=(note,))) == ["AV861"]


def test_a_favourable_trial_run_out_of_order_leaves_a_hole_before_it() -> None:
    """The second of the order fails: leaving it out for a later pass is no prefix any more."""
    picked = bench("", rows=rows("+-++", skip=(1,)))

    assert rules_of(picked) == ["AV307"]


def test_an_order_of_ones_own_is_another_lock() -> None:
    own = bench("+++")
    other = replace(own, values={**own.values, "bench.order_sha256": order_sha256(ORDER[::-1])})

    assert "AV862" in rules_of(other)


def test_the_order_in_which_trials_ended_means_nothing() -> None:
    turned = bench("", rows=[*rows("+++", skip=(0,)), *rows("+")])

    assert reasons(turned) == []


def test_a_stop_under_a_contract_that_declares_none_is_no_evidence() -> None:
    never = contract(
        config__sampling__seeds=SEEDS,
        criteria=[item.model_dump(exclude_none=True) for item in LAW.criteria],
    )

    assert rules_of(bench("+++"), never) == ["AV860", "AV304", "AV307"]


def test_a_stop_under_other_criteria_than_the_contracts_is_another_run() -> None:
    easier = contract(
        evidence__bench__stop=["success-certain", "failure-certain"],
        config__sampling__seeds=SEEDS,
        criteria=[{"id": "oracle", "metric": "oracle_passed", "at_least": 1}],
    )

    found = reasons(bench("+", easier))

    assert [reason.rule for reason in found][:1] == ["AV304"]
    assert found[0].message.endswith("1 keys have another value (bench.criteria_sha256)")


def test_a_rule_that_the_contract_does_not_declare_is_another_run() -> None:
    failure_only = contract(
        evidence__bench__stop=["failure-certain"],
        config__sampling__seeds=SEEDS,
        criteria=[item.model_dump(exclude_none=True) for item in LAW.criteria],
    )

    assert "AV304" in rules_of(bench("+++"), failure_only)


def test_a_full_bench_counts_for_no_contract_that_demands_another_order() -> None:
    values = {key: v for key, v in bench("-+-+-+").values.items() if key[:6] != "bench."}
    never = Run(values=values, rows=rows("-+-+-+"))

    assert "AV304" in rules_of(never)


def test_a_lock_without_stop_rules_is_what_it_always_was() -> None:
    assert not [key for key in lock_values() if key.startswith("bench.")]
    assert "stop" not in json.loads(Run().files()["scores.json"])


def test_an_amendment_replays_a_stopped_bench_by_all_of_its_completions() -> None:
    bundle = bench("+++").bundle()
    impossible = contract(
        config__sampling__seeds=SEEDS,
        criteria=[{"id": "oracle", "metric": "oracle_passed", "at_most": 1}],
    )
    open_still = contract(
        config__sampling__seeds=SEEDS,
        criteria=[{"id": "rate", "metric": "student_pass_rate", "at_least": "0.8"}],
    )

    assert [item.after for item in replay([bundle], LAW, impossible)] == ["not-met"]
    assert [item.after for item in replay([bundle], LAW, open_still)] == ["cannot-evaluate"]


def test_other_criteria_ask_for_another_run_where_a_bench_may_stop_early() -> None:
    never = {"evidence__bench__stop": "never"}
    tighter = {"criteria": [{"id": "oracle", "metric": "oracle_passed", "at_least": 2}]}
    may_stop = {"evidence__bench__stop": ["success-certain"]}

    def consequence(changes: dict[str, Any]) -> str:
        old, new = (Side(contract(**changes, **more), b"") for more in ({}, tighter))
        (change,) = changes_between(old, new)
        assert (change.path, change.change_class) == ("criteria", "C2")
        return change.consequence

    assert (consequence(never), consequence(may_stop)) == ("rescore", "rerun")
