"""Records that two people sign: proposed, judged again at each signature, then in the ledger."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.met import met_repository
from tests.support.refusals import refused
from tests.support.repository import done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran
    from tests.support.repository import Repository

SUSPEND = ("suspend", "S281", "--scope", "beta", "--lift-when", "S1_004")
PLACE = "laptop-replica/S1_004/000003.suspension.dsse.json"
PROPOSED, RECORD = f"gates/_proposals/{PLACE}", f"gates/{PLACE}"
AMENDMENT = "gates/_proposals/laptop-replica/S1_004/000003.amendment.dsse.json"
DISCHARGE = "laptop-replica/S1_004/000004.discharge.dsse.json"


def two_sign(repository: Repository, role: str) -> None:
    """Ana and Ben join a role, which now asks for two of three."""
    words = [word for who in ("ana", "ben") for word in ("--add-key", f"{who}={who}")]
    words += [word for who in ("ana", "ben") for word in ("--grant", f"{role}={who}")]
    for name in ("ana", "ben", "eve"):
        done(repository.run("keys", "new", name, "--unencrypted"))
    threshold = ("--threshold", f"{role}=2", "--key", "operator")
    done(repository.run("trust", "rotate", *words, *threshold))


@pytest.fixture
def team(repository: Repository) -> Repository:
    """Four introduced gates; a suspension needs two people."""
    two_sign(repository, "suspender")
    return repository


@pytest.fixture
def met(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Repository:
    """S1_004 is met; its discharge needs two people."""
    repository = met_repository(tmp_path_factory).copy(tmp_path)
    two_sign(repository, "discharger")
    return repository


def sign(repository: Repository, key: str, path: str = PROPOSED) -> Ran:
    return repository.run("sign", path, "--key", key, "--format", "json")


class TestProposing:
    def test_one_of_two_signs_nothing_without_saying_so(self, team: Repository) -> None:
        before = team.tree()
        facts = refused(team.sign(*SUSPEND), 4, "AV414")
        assert facts["expected"] == "2 of role suspender: operator, ana, ben"
        assert team.tree() == before

    def test_a_proposal_counts_for_nothing_and_is_announced(self, team: Repository) -> None:
        report = done(team.sign(*SUSPEND, "--propose", "--format", "json")).json
        assert report["facts"]["record"] == PROPOSED
        assert report["reasons"][0]["next"] == f"abverify sign {PROPOSED} --key KEY"
        status = done(team.run("status", "--format", "json")).json
        assert "beta" not in {scope["scope"] for scope in status["scopes"]}
        (waiting,) = status["reasons"]
        assert waiting["message"] == "waits for signatures: 1 more of role suspender: ana, ben"
        done(team.run("audit"))

    def test_the_second_signature_brings_it_into_the_ledger(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        done(sign(team, "ben"))
        assert (team.glob("gates/_proposals/**/*"), team.glob(RECORD)) == ([], [RECORD])
        done(team.run("integrate"))
        assert done(team.run("audit", "--format", "json")).json["facts"]["records"] == (
            "7/7 verify"
        )
        shown = done(team.run("show", RECORD, "--format", "json")).json
        assert shown["issuers"] == ["ben", "operator"]

    def test_who_is_enough_alone_signs_at_once(self, repository: Repository) -> None:
        report = done(repository.sign(*SUSPEND, "--propose", "--format", "json")).json
        assert (report["facts"]["record"], report["reasons"]) == (RECORD, [])

    def test_without_a_key_it_is_shown_and_nothing_changes(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        before = team.tree()
        report = done(team.run("sign", PROPOSED, "--format", "json")).json
        assert (report["missing"], report["facts"]["signed by"]) == (1, "operator")
        assert report["statement"]["predicate"]["scope"] == "beta"
        assert team.tree() == before


class TestWhoDoesNotCount:
    @pytest.mark.parametrize("key", ["operator", "eve"])
    def test_the_same_person_or_a_stranger(self, team: Repository, key: str) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        before = team.tree()
        refused(sign(team, key), 1, "AV486")
        assert team.tree() == before

    def test_the_same_key_under_another_name(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        for end in (".pem", ".pub.pem"):
            shutil.copy(team.keys / f"operator{end}", team.keys / f"twin{end}")
        refused(sign(team, "twin"), 1, "AV486")

    def test_a_person_with_a_second_key(self, team: Repository) -> None:
        done(team.run("keys", "new", "other", "--unencrypted"))
        done(team.run("trust", "rotate", "--add-key", "operator=other", "--key", "operator"))
        done(team.sign(*SUSPEND, "--propose"))
        refused(sign(team, "other"), 1, "AV486")

    def test_a_proposal_put_among_the_records_is_a_fault(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        shutil.move(team.root / PROPOSED, team.root / RECORD)
        audit = done(team.run("audit", "--format", "json"), 4).json
        assert ("AV414", RECORD) in {(r["rule"], r["place"]) for r in audit["reasons"]}

    def test_a_changed_proposal_is_refused(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        done(team.copy(team.root.parent / "other").run("sign", PROPOSED))
        file = team.root / PROPOSED
        data = file.read_bytes()
        file.write_bytes(data.replace(b'"payload":"ey', b'"payload":"eX', 1))
        assert file.read_bytes() != data
        refused(sign(team, "ben"), 4, "AV406")


class TestStale:
    def test_after_another_record_of_the_gate(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        done(team.sign("suspend", "S282", "--scope", "gamma", "--lift-when", "V1_004", "--propose"))
        other = "gates/_proposals/qwen3-moe-serve-dispatch/V1_004/000003.suspension.dsse.json"
        done(sign(team, "ben", other))
        done(team.run("integrate"))
        done(sign(team, "ben"))

    def test_the_place_in_the_chain_is_taken(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        kept = (team.root / PROPOSED).read_bytes()
        done(sign(team, "ben"))
        (team.root / PROPOSED).parent.mkdir(parents=True)
        (team.root / PROPOSED).write_bytes(kept)
        done(team.run("integrate"))
        facts = refused(sign(team, "ana"), 1, "AV485")
        assert facts["next"] == f"delete {PROPOSED}, and propose it anew with --propose"

    def test_the_trust_root_is_another(self, team: Repository) -> None:
        done(team.sign(*SUSPEND, "--propose"))
        done(team.run("trust", "rotate", "--note", "moved", "--key", "operator"))
        facts = refused(sign(team, "ben"), 1, "AV485")
        assert (facts["expected"], facts["found"]) == (
            "version 3 of the trust root",
            "version 2",
        )


class TestDischarge:
    def test_two_people_discharge_a_gate(self, met: Repository) -> None:
        report = done(met.sign("discharge", "S1_004", "--propose", "--format", "json")).json
        assert (report["record"], report["state"]) == (f"gates/_proposals/{DISCHARGE}", "proposed")
        done(sign(met, "ana", report["record"]))
        done(met.run("integrate"))
        assert done(met.run("check", "S1_004", "--format", "json")).json["state"] == "discharged"
        done(met.run("audit"))

    def test_check_proposes_what_it_would_record(self, met: Repository) -> None:
        words = ("check", "S1_004", "--record", "--propose", "--format", "json")
        report = done(met.run(*words, "--reason", "for the test")).json
        assert report["record"] == f"gates/_proposals/{DISCHARGE}"
        assert report["reasons"][-1]["next"] == (
            f"abverify sign gates/_proposals/{DISCHARGE} --key KEY"
        )

    def test_what_would_not_be_decided_now_is_not_signed(self, met: Repository) -> None:
        """The evidence is gone when the second person looks: there is nothing to agree with."""
        report = done(met.sign("discharge", "S1_004", "--propose", "--format", "json")).json
        for bench in met.root.glob("gates/laptop-replica/S1_004/evidence/bench-*"):
            shutil.rmtree(bench)
        facts = refused(sign(met, "ana", report["record"]), 1, "AV485")
        assert facts["message"] == (
            "the proposal is out of date: the same would not be decided now"
        )


class TestAmendment:
    """S1_004's next version asks for two people, and so does its own publication."""

    @pytest.fixture
    def edited(self, repository: Repository) -> Repository:
        done(repository.run("keys", "new", "ana", "--unencrypted"))
        words = ("--add-key", "ana=ana", "--grant", "amender=ana", "--key", "operator")
        done(repository.run("trust", "rotate", *words))
        repository.edit("contracts/S1_004.yaml", "approvals: 1", "approvals: 2")
        repository.edit("contracts/S1_004.yaml", "version: 2.0.0", "version: 3.0.0")
        return repository

    def test_it_is_published_when_the_approvals_of_its_contract_are_there(
        self, edited: Repository
    ) -> None:
        before = edited.tree()
        report = done(edited.sign("amend", "S1_004", "--propose", "--format", "json")).json
        assert report["facts"]["record"] == AMENDMENT
        assert {p: d for p, d in edited.tree().items() if p != AMENDMENT} == before
        done(edited.run("status"))
        done(sign(edited, "ana", AMENDMENT))
        done(edited.run("integrate"))
        done(edited.run("audit"))
        shown = done(edited.run("show", "S1_004#3", "--format", "json")).json
        assert shown["issuers"] == ["ana", "operator"]
        assert edited.glob("contracts/_versions/*/S1_004/*") == [
            "contracts/_versions/laptop-replica/S1_004/2.0.0.yaml",
            "contracts/_versions/laptop-replica/S1_004/3.0.0.yaml",
        ]

    def test_of_a_contract_that_was_edited_since_it_is_refused(self, edited: Repository) -> None:
        done(edited.sign("amend", "S1_004", "--propose"))
        edited.edit("contracts/S1_004.yaml", "approvals: 2", "approvals: 3")
        before = edited.tree()
        facts = refused(sign(edited, "ana", AMENDMENT), 4, "AV415")
        assert facts["message"] == "the published contract version is not the one that was signed"
        assert edited.tree() == before
