"""Discharge, lift, retract, and the trail they leave: on real evidence and a real ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from abverify._clock import now, timestamp
from tests.support.met import SCOPE, met_repository, raise_version
from tests.support.refusals import refused
from tests.support.repository import S1_004, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository

GATE = "laptop-replica/S1_004"
RETRACT = ("retract", "--cause", "evidence-invalid")


@pytest.fixture
def met(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Repository:
    """A gate that is met, in a copy that the test may change."""
    return met_repository(tmp_path_factory).copy(tmp_path)


@pytest.fixture
def lifted(met: Repository) -> Repository:
    """The same after its discharge and the lift of S280."""
    done(met.sign("discharge", "S1_004"))
    done(met.sign("lift", "S280"))
    return met


def state(repository: Repository, *words: str) -> tuple[str, str]:
    """The state of the gate and of the scope."""
    report = repository.run("status", "--format", "json", *words).json
    gates = {line["gate"]: line["state"] for line in report["gates"]}
    scopes = {line["scope"]: line["state"] for line in report["scopes"]}
    return gates[GATE], scopes.get(SCOPE, "never named")


class TestDischarge:
    def test_a_gate_that_is_met_is_discharged_once(self, met: Repository) -> None:
        assert state(met) == ("proposed", "suspended")
        first = done(met.sign("discharge", "S1_004", "--format", "json")).json
        assert (first["verdict"], first["state"]) == ("met", "discharged")
        assert first["record"].endswith("/000004.discharge.dsse.json")
        again = done(met.sign("discharge", "S1_004", "--format", "json")).json
        assert again["record"] is None
        assert state(met) == ("discharged", "suspended")

    def test_a_gate_without_evidence_is_not(self, met: Repository) -> None:
        done(met.sign("amend", "V1_004", "--introduce"))
        before = met.tree()
        ran = done(met.sign("discharge", "V1_004", "--format", "json"), 3)
        assert ran.json["reasons"][-1]["code"] == "not-discharged"
        assert met.tree() == before


class TestLift:
    def test_it_is_refused_until_the_condition_is_discharged(self, met: Repository) -> None:
        before = met.tree()
        facts = refused(met.sign("lift", "S280"), 1, "AV427")
        assert facts["message"] == f"S280 still holds: this gate is not discharged: {GATE}"
        assert facts["next"] == "abverify check S1_004"
        assert met.tree() == before

    def test_a_live_discharge_lets_it_pass_and_it_cites_it(self, met: Repository) -> None:
        done(met.sign("discharge", "S1_004"))
        report = done(met.sign("lift", "S280", "--format", "json")).json
        assert report["facts"]["opens"] == f"scope {SCOPE}"
        assert report["facts"]["cites"].startswith(
            "gates/laptop-replica/S1_004/000004.discharge.dsse.json"
        )
        assert state(met) == ("discharged", "open")
        done(met.run("audit"))

    def test_a_suspension_is_lifted_once(self, lifted: Repository) -> None:
        facts = refused(lifted.sign("lift", "S280"), 1, "AV426")
        assert facts["message"] == "no unlifted suspension is called S280; there are: none"

    def test_a_discharge_of_an_earlier_version_does_not_cover(self, met: Repository) -> None:
        done(met.sign("discharge", "S1_004"))
        met.edit(S1_004, "valid_days: 180", "valid_days: 170")
        raise_version(met, "3.1.0")
        done(met.sign("amend", "S1_004"))
        assert state(met) == ("lapsed", "suspended")
        assert refused(met.sign("lift", "S280"), 1, "AV427")

    def test_other_words_leave_a_discharge_and_its_evidence_standing(self, met: Repository) -> None:
        done(met.sign("discharge", "S1_004"))
        met.edit(S1_004, "(a laptop-scale replica of", "(the laptop-scale replica of")
        raise_version(met, "3.0.1")
        report = done(met.sign("amend", "S1_004", "--format", "json")).json
        assert report["facts"]["change"].startswith("C1 title")
        assert state(met) == ("discharged", "suspended")
        again = done(met.run("check", "S1_004", "--format", "json")).json
        assert (again["verdict"], again["eligibility"]) == ("met", "eligible")
        done(met.sign("lift", "S280"))
        assert state(met) == ("discharged", "open")
        done(met.run("audit"))

    def test_words_that_are_more_than_words_are_a_fault_of_the_ledger(
        self, met: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signer whose own tool lies about the class: every other tool derives it again."""
        done(met.sign("discharge", "S1_004"))
        met.edit(S1_004, "at_most: 0", "at_most: 20")
        raise_version(met, "4.0.0")
        before = met.tree()
        monkeypatch.setattr("abverify.app.amend.headline", lambda _classes: "C1")
        facts = refused(met.sign("amend", "S1_004"), 4, "AV741")
        assert (facts["expected"], facts["found"]) == ("class C3", "class C1")
        assert met.tree() == before


class TestRetract:
    def test_a_retracted_discharge_takes_the_lift_with_it(self, lifted: Repository) -> None:
        report = done(lifted.sign(*RETRACT, "S1_004#4", "--format", "json")).json
        assert report["facts"]["state of S1_004"] == "retracted"
        assert report["facts"][f"scope {SCOPE}"] == "suspended"
        assert state(lifted) == ("retracted", "suspended")
        done(lifted.run("audit"))
        lines = lifted.run("log", "S1_004", "--format", "json").json["records"]
        assert [(line["kind"], line["standing"]) for line in lines] == [
            ("amendment", "past"),
            ("amendment", "stands"),
            ("suspension", "stands"),
            ("discharge", "void"),
            ("lift", "void"),
            ("retraction", "stands"),
        ]

    @pytest.mark.parametrize("target", ["S1_004#3", "S1_004#6"])
    def test_neither_a_suspension_nor_a_retraction_is_retracted(
        self, lifted: Repository, target: str
    ) -> None:
        done(lifted.sign(*RETRACT, "S1_004#4"))
        before = lifted.tree()
        assert refused(lifted.sign(*RETRACT, target), 1, "AV481")
        assert lifted.tree() == before

    def test_a_record_is_retracted_once(self, lifted: Repository) -> None:
        done(lifted.sign(*RETRACT, "S1_004#4"))
        facts = refused(lifted.sign(*RETRACT, "S1_004#4"), 1, "AV481")
        assert facts["message"] == "the record was retracted already"

    def test_the_same_evidence_may_discharge_again_after_a_mistake(
        self, lifted: Repository
    ) -> None:
        words = ("retract", "S1_004#4", "--cause", "issued-in-error")
        done(lifted.sign(*words))
        assert done(lifted.sign("discharge", "S1_004", "--format", "json")).json["record"]
        assert state(lifted) == ("discharged", "suspended")

    def test_evidence_that_was_disowned_decides_nothing_any_more(self, lifted: Repository) -> None:
        done(lifted.sign(*RETRACT, "S1_004#4"))
        ran = done(lifted.sign("discharge", "S1_004", "--format", "json"), 3)
        assert "tainted" in ran.codes

    @pytest.mark.parametrize("name", ["S1_004#99", "00000000", "gates/none", "deadbeef" * 8])
    def test_a_record_that_is_not_there_is_refused(self, lifted: Repository, name: str) -> None:
        facts = refused(lifted.sign(*RETRACT, name), 2, "AV480")
        assert facts["next"] == "abverify log lists every record"


class TestTheTrail:
    def test_a_record_goes_by_file_place_and_digest(self, lifted: Repository) -> None:
        by_place = done(lifted.run("show", "S1_004#4", "--format", "json")).json["record"]
        for name in (by_place["path"], by_place["sha256"], by_place["sha256"][:8]):
            shown = done(lifted.run("show", name, "--format", "json")).json
            assert shown["record"] == by_place
        assert shown["statement"]["predicate"]["verdict"] == "met"
        assert shown["citedBy"] == ["gates/laptop-replica/S1_004/000005.lift.dsse.json"]

    def test_the_log_is_in_order_and_counts_every_record(self, lifted: Repository) -> None:
        report = done(lifted.run("log", "--format", "json")).json
        assert [line["seq"] for line in report["records"]] == [1, 2, 3, 4, 5]
        assert (report["checked"], report["total"]) == (5, 5)
        text = done(lifted.run("log")).out
        assert "S280 lifted by the discharge of laptop-replica/S1_004" in text
        assert "5/5 records" in text

    def test_a_damaged_ledger_is_never_shown_as_whole(self, lifted: Repository) -> None:
        lift = lifted.root / "gates/laptop-replica/S1_004/000005.lift.dsse.json"
        lift.write_bytes(lift.read_bytes().replace(b'"sig":"', b'"sig":"A', 1))
        assert done(lifted.run("log"), 4)
        assert refused(lifted.run("show", "S1_004#4"), 4, "AV400")

    def test_status_looks_back(self, met: Repository) -> None:
        then = now() + timedelta(days=30)
        later = {"ABVERIFY_NOW": timestamp(then)}
        met.edit(S1_004, "(a laptop-scale replica of", "(the laptop-scale replica of")
        raise_version(met, "3.0.1")
        done(met.sign("amend", "S1_004", **later))
        before = met.run("status", "--at", "2020-01-01", "--format", "json", **later).json
        assert before["at"] == "2020-01-01T23:59:59Z"
        assert {line["state"] for line in before["gates"]} == {"unknown"}
        assert before["scopes"] == []
        eve = timestamp(then - timedelta(days=1))
        with_future = met.run("status", "--at", eve, "--format", "json", **later).json
        versions = {line["gate"]: line["version"] for line in with_future["gates"]}
        assert versions[GATE] == "3.0.0"

    def test_status_looks_back_to_a_size_of_the_log(self, lifted: Repository) -> None:
        def states(index: int) -> tuple[str, list[str]]:
            report = lifted.run("status", "--at", str(index), "--format", "json").json
            (gate,) = [line["state"] for line in report["gates"] if line["gate"] == GATE]
            assert report["at"] == f"{index} records"
            return gate, [scope["state"] for scope in report["scopes"]]

        assert [states(index) for index in range(6)] == [
            ("unknown", []),
            ("proposed", []),
            ("proposed", []),
            ("proposed", ["suspended"]),
            ("discharged", ["suspended"]),
            ("discharged", ["open"]),
        ]
        facts = refused(lifted.run("status", "--at", "6"), 2, "AV445")
        assert facts["expected"] == "0 to 5"

    def test_a_moment_that_cannot_be_read_is_a_usage_error(self, met: Repository) -> None:
        ran = met.run("status", "--at", "yesterday")
        assert (ran.code, ran.out) == (2, "")
        assert "'yesterday' is not a date like 2026-06-30" in ran.err


def test_the_working_contract_is_what_is_discharged(met: Repository) -> None:
    met.edit(S1_004, "at_most: 0", "at_most: 1")
    ran = done(met.sign("discharge", "S1_004", "--format", "json"), 3)
    assert "contract-unpublished" in ran.codes
