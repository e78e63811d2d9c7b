"""Reported comparisons, concluded from what was told by the rule that concludes our own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from abverify.model.reported import History, ReportedExperiment
from abverify.verify.experiment.table import reported_row, superseded
from tests.builders import changed
from tests.unit.verify.experiment.arms import rule

ROW: dict[str, Any] = {
    "id": "R1",
    "claim": "finetune",
    "date": "2026-05-22",
    "variable": {"name": "finetune", "keys": ["model.name", "model.finetune"]},
    "test": "one prompt",
    "said": "confirmed",
    "source": "a note",
    "stage": "smoke",
    "planned": 20,
    "fixture": "leetcode__01-two-sum",
    "primary": "call",
    "control": {
        "name": "A",
        "told": {"model.name": "A", "model.finetune": "x", "sampling.top_k": 50},
        "counts": {"call": {"successes": 0, "trials": 1}},
    },
    "treatment": {
        "name": "B",
        "told": {"model.name": "B", "model.finetune": "y"},
        "counts": {"call": {"successes": 1, "trials": 1}},
    },
}
BENCH = {"id": "R2", "stage": "bench", "treatment__counts": {"call": {"successes": 0, "trials": 1}}}


def reported(**changes: Any) -> ReportedExperiment:
    """One reported smoke test, changed as `builders.changed` says."""
    return ReportedExperiment.model_validate_json(json.dumps(changed(ROW, **changes)))


def rows(*changes: dict[str, Any]) -> list[Any]:
    """Rows derived and set against each other."""
    return list(superseded([reported_row(reported(**c), rule(), {}) for c in changes]))


class TestOneRow:
    def test_a_smoke_test_is_an_observation_whatever_was_said(self) -> None:
        (row,) = rows({})
        assert (row.conclusion, row.level, row.said) == ("inconclusive", "smoke", "confirmed")
        assert (row.effect, row.p) == (1.0, 1.0)

    def test_a_key_that_only_one_arm_tells_is_no_confound(self) -> None:
        assert rows({})[0].confounds == ()

    def test_a_key_that_both_tell_otherwise_is_one(self) -> None:
        told = {"model.name": "B", "model.finetune": "y", "sampling.top_k": 40}
        (row,) = rows({"treatment__told": told})
        assert row.conclusion == "confounded"
        assert [confound.key for confound in row.confounds] == ["sampling.top_k"]

    def test_a_whole_reported_bench_is_still_not_attested(self) -> None:
        counts = [{"call": {"successes": x, "trials": 20}} for x in (0, 19)]
        changes = {"stage": "bench", "control__counts": counts[0], "treatment__counts": counts[1]}
        (row,) = rows(changes)
        assert (row.conclusion, row.level) == ("inconclusive", "bench")
        assert "identity-unproven" in {reason.code for reason in row.reasons}

    def test_counts_without_trials_give_no_effect(self) -> None:
        (row,) = rows({"control__counts": {"call": {"successes": 0, "trials": None}}})
        assert (row.effect, row.interval, row.p) == (None, None, None)
        assert [reason.code for reason in row.reasons] == ["not-told"]

    def test_the_evidence_is_the_bundle_or_the_facts_themselves(self) -> None:
        bundle = {"treatment__bundle": "fixtures/recorded/one"}
        digest = {"fixtures/recorded/one": "a" * 64}
        assert reported_row(reported(**bundle), rule(), digest).evidence == "a" * 64
        facts, others = (reported_row(reported(planned=n), rule(), {}).evidence for n in (20, 21))
        assert facts != others


class TestLaterRows:
    def test_a_stronger_result_that_disagrees_contradicts(self) -> None:
        smoke, bench = rows({}, BENCH)
        assert smoke.reasons[-1].code == "contradicted"
        assert smoke.reasons[-1].message.startswith("contradicted at bench level by R2")
        assert bench.later == ()

    def test_one_that_agrees_supersedes(self) -> None:
        agreeing = {"id": "R2", "stage": "bench"}
        assert rows({}, agreeing)[0].reasons[-1].code == "superseded"

    @pytest.mark.parametrize("change", [{"claim": "another"}, {"stage": "smoke"}])
    def test_another_claim_or_a_result_no_stronger_does_neither(
        self, change: dict[str, Any]
    ) -> None:
        assert rows({}, BENCH | change)[0].later == ()

    def test_an_earlier_result_does_neither(self) -> None:
        assert rows(BENCH, {})[1].later == ()


class TestTheDocument:
    def test_a_row_without_a_count_of_its_endpoint_is_refused(self) -> None:
        with pytest.raises(ValueError, match="A has no count of call"):
            reported(control__counts={})

    def test_more_successes_than_trials_are_refused(self) -> None:
        with pytest.raises(ValueError, match="more successes than trials"):
            reported(control__counts={"call": {"successes": 2, "trials": 1}})

    def test_two_rows_of_one_id_are_refused(self) -> None:
        document = {
            "schema": "abverify/experiment-history/v1",
            "decision": rule().to_json(),
            "rows": [ROW, ROW],
        }
        with pytest.raises(ValueError, match="two rows share an id"):
            History.model_validate_json(json.dumps(document))
