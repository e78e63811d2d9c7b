"""The main job, end to end: a live model is measured, judged, and the verdict signed."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.console import in_subprocess
from tests.support.repository import done, opened
from tests.support.rows import steady

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository
    from tests.support.story import Story

RECORD = "gates/laptop-replica/S1_004/000003.non-discharge.dsse.json"


class TestTheLiveVerdict:
    def test_every_step_ends_as_documented(self, story: Story) -> None:
        assert story.codes == [0, 0, 0, 0, 0, 0, 0, 0, 3, 1]

    def test_without_evidence_the_gate_cannot_be_evaluated(self, story: Story) -> None:
        before = story.step("check", "S1_004")
        assert "CANNOT-EVALUATE" in before.out
        assert "no-evidence" in before.out
        assert "abverify check S1_004 --run" in before.out

    def test_the_gate_is_not_met(self, story: Story) -> None:
        report = story.live.json
        assert report["verdict"] == "not-met"
        assert story.live.codes == {"criterion-not-met"}
        assert report["eligibility"] == "eligible"
        assert report["identity"] == "attested"

    def test_the_model_called_no_tool_and_passed_no_oracle(self, story: Story) -> None:
        metrics = story.live.json["metrics"]
        assert metrics["native_call_rate"] == [0, 20]
        assert metrics["recovered_call_rate"] == [0, 20]
        assert metrics["oracle_passed"] == [0, 20]
        assert metrics["infrastructure_failures"] == [0, 20]

    def test_the_criterion_shows_its_exact_interval(self, story: Story) -> None:
        (criterion,) = story.live.json["criteria"]
        assert criterion == {
            "id": "oracle",
            "metric": "oracle_passed",
            "expected": ">= 1",
            "observed": "0",
            "numerator": 0,
            "denominator": 20,
            "interval": ["0.0000", "0.1684"],
            "holds": False,
            "bounds": None,
        }

    def test_the_calibration_it_relies_on_stands_beside_it(self, story: Story) -> None:
        calibration = story.live.json["calibration"]
        assert calibration["path"].startswith("gates/laptop-replica/S1_004/evidence/calibrate-")
        exact, cases = calibration["count"].pop("parser")
        assert exact == cases > 0
        assert calibration["count"] == {
            "references": [20, 20],
            "badStates": [40, 40],
            "goodAgent": [20, 20],
            "giveUpAgent": [20, 20],
            "failsGoodAtMost": "0.0722",
            "passesBadAtMost": "0.0488",
            "misreadsAtMost": "0.0296",
        }
        out = done(story.repository.run("check", "S1_004"), 1).out
        assert "states     20/20 references pass, 40/40 bad states fail" in out
        assert "agents     scripted agent passes 20/20, give-up agent fails 20/20" in out

    def test_progress_goes_to_standard_error_a_line_for_each_trial(self, story: Story) -> None:
        lines = story.live.err.splitlines()
        assert "calibrated: 60/60 oracle readings right" in lines
        assert "calibrated: 40/40 scripted trials right" in lines
        trials = [line for line in lines if line.startswith("[")]
        assert [line.split("]")[0] for line in trials] == [f"[{n}/20" for n in range(1, 21)]
        assert all("text_loop" in line and "tok/s" in line for line in trials)

    def test_the_journal_holds_what_the_model_really_said(self, story: Story) -> None:
        rows = _rows(story.repository, story.live.json["decidedBy"])
        turns = [row for row in rows if row["kind"] == "turn"]
        assert len(turns) == 60
        assert len({turn["raw"] for turn in turns}) > 20
        assert all(int(turn["completion_tokens"]) > 0 for turn in turns)


class TestTheRecord:
    def test_a_signed_non_discharge_is_appended(self, story: Story) -> None:
        assert story.live.json["record"] == RECORD
        statement = _statement(story.repository, RECORD)
        assert statement["subject"][0]["name"].endswith("S1_004/2.0.0.yaml")
        predicate = json.dumps(statement["predicate"])
        assert '"verdict": "not-met"' in predicate
        assert story.live.json["evidence"][0]["sha256"] in predicate

    def test_it_bears_the_signature_of_the_key_that_the_trust_root_names(
        self, story: Story
    ) -> None:
        envelope = json.loads((story.repository.root / RECORD).read_bytes())
        root_file = story.repository.root / "gates/_trust/1.root.dsse.json"
        (signature,) = envelope["signatures"]
        trust = base64.b64decode(json.loads(root_file.read_bytes())["payload"])
        assert signature["keyid"] in trust.decode("ascii")

    def test_the_audit_is_clean(self, story: Story) -> None:
        ran = story.repository.run("audit", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (0, "clean")
        assert ran.json["facts"]["records"] == "7/7 verify"
        assert ran.json["facts"]["decisions"] == "1/1 recomputed from their evidence"

    def test_the_gate_stays_proposed_and_both_scopes_suspended(self, story: Story) -> None:
        ran = done(story.repository.run("status", "--format", "json"))
        states = {line["gate"]: line["state"] for line in ran.json["gates"]}
        assert set(states.values()) == {"proposed"}
        assert {line["scope"]: line["state"] for line in ran.json["scopes"]} == {
            "laptop-phase": "suspended",
            "phase-6": "suspended",
        }

    def test_recording_the_same_decision_twice_adds_nothing(self, after_story: Repository) -> None:
        before = after_story.tree()
        again = done(after_story.run("check", "S1_004", "--record", "--format", "json"), 1)
        assert again.json["record"] is None
        assert after_story.tree() == before

    def test_running_again_finds_the_evidence_and_measures_nothing(
        self, after_story: Repository
    ) -> None:
        before = after_story.tree()
        ran = done(after_story.run("check", "S1_004", "--run", "--record", "--format", "json"), 1)
        assert ran.json["decidedBy"] is not None
        assert after_story.tree() == before

    def test_checking_changes_no_file(self, after_story: Repository) -> None:
        before = after_story.tree()
        for gate in ("S1_004", "V1_004", "V1_005", "S1_005"):
            after_story.run("check", gate)
        after_story.run("audit")
        after_story.run("status")
        after_story.run("lint")
        assert after_story.tree() == before


class TestTheSmokeTestOfM294:
    def test_it_can_never_discharge_the_gate_of_another_model(self, story: Story) -> None:
        ran = done(story.repository.run("check", "V1_004", "--format", "json"), 3)
        assert {"smoke-only", "model-mismatch"} <= ran.codes
        (mismatch,) = [r for r in ran.json["reasons"] if r["code"] == "model-mismatch"]
        assert "Qwen3-30B-A3B-Instruct-2507" in mismatch["message"]
        assert "Qwen3-Coder-30B-A3B-Instruct" in mismatch["message"]
        assert "abverify amend V1_004" in mismatch["next"]
        assert "V1_005" in mismatch["next"]

    def test_nor_the_gate_of_its_own_model(self, story: Story) -> None:
        ran = done(story.repository.run("check", "V1_005", "--format", "json"), 3)
        assert "smoke-only" in ran.codes
        assert "model-mismatch" not in ran.codes

    def test_cannot_evaluate_is_never_signed(self, after_story: Repository) -> None:
        before = after_story.tree()
        done(after_story.run("check", "V1_004", "--record"), 3)
        assert after_story.tree() == before

    def test_of_several_gates_the_gravest_answer_counts(self, story: Story) -> None:
        done(story.repository.run("check", "S1_004", "V1_004"), 3)


class TestElsewhere:
    def test_a_copy_of_the_repository_audits_clean(
        self, after_story: Repository, tmp_path: Path
    ) -> None:
        moved = tmp_path / "moved" / "far away"
        moved.parent.mkdir()
        after_story.root.rename(moved)
        shutil.rmtree(after_story.keys)
        ran = done(in_subprocess("audit", environment={}, cwd=moved))
        assert "audit  CLEAN" in ran.out

    def test_an_empty_ledger_is_nothing_to_check(self, tmp_path: Path) -> None:
        ran = opened(tmp_path).run("audit", "--format", "json")
        assert (ran.code, ran.json["verdict"]) == (5, "nothing-to-check")

    @pytest.mark.slow
    def test_a_second_bench_gives_the_same_journal_but_for_the_times(
        self, after_story: Repository, story: Story
    ) -> None:
        ran = after_story.spawn("run", "S1_004", "--stage", "bench", "--again", "--format", "json")
        report = done(ran).json
        first = story.live.json["decidedBy"]
        assert report["evidence"]["path"] == f"{first}-2"
        again = steady(after_story.root / f"{first}-2/rows.jsonl")
        assert again == steady(after_story.root / f"{first}/rows.jsonl")


def _statement(repository: Repository, path: str) -> dict[str, list[dict[str, str]]]:
    envelope = json.loads((repository.root / path).read_bytes())
    statement: dict[str, list[dict[str, str]]] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def _rows(repository: Repository, bundle: str) -> list[dict[str, str]]:
    lines = (repository.root / bundle / "rows.jsonl").read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]
