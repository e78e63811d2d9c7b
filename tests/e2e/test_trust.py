"""Rotation and revocation on a real ledger: who may change the trust root, and what then counts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.refusals import refused
from tests.support.repository import done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran
    from tests.support.repository import Repository

PROPOSED = "gates/_proposals/2.root.dsse.json"
SECOND = "gates/_trust/2.root.dsse.json"
NEXT_RECORD = "gates/laptop-replica/S1_004/000003.suspension.dsse.json"
SUSPEND = ("suspend", "S281", "--scope", "beta", "--lift-when", "S1_004")
OPERATOR_IS_LOST = ("--cause", "keyCompromise", "--add-key", "operator=new", "--key", "new")


@pytest.fixture
def team(repository: Repository) -> Repository:
    """Four introduced gates, and keys of Ana and Ben whom the trust root does not know yet."""
    for name in ("ana", "ben", "new"):
        done(repository.run("keys", "new", name, "--unencrypted"))
    return repository


def operators_keyid(repository: Repository) -> str:
    first = done(repository.run("trust", "show", "--format", "json")).json["versions"][0]
    (keyid,) = first["principals"]["operator"]["keys"]
    return str(keyid)


def rotate(repository: Repository, *words: str, keys: tuple[str, ...]) -> Ran:
    named = [word for key in keys for word in ("--key", key)]
    return repository.run("trust", "rotate", "--format", "json", *words, *named)


def ana_joins_root(repository: Repository) -> None:
    """Version 2: two of operator and Ana are the root."""
    words = ("--add-key", "ana=ana", "--grant", "root=ana", "--threshold", "root=2")
    done(rotate(repository, *words, keys=("operator", "ana")))


def roots(repository: Repository) -> list[str]:
    return repository.glob("gates/_trust/*")


def placed(audit: dict[str, Any]) -> set[tuple[str, str]]:
    """Each finding's rule and file."""
    return {(reason["rule"], reason["place"]) for reason in audit["reasons"]}


class TestRotation:
    def test_signed_by_both_versions_it_enters_at_once_and_the_records_stand(
        self, team: Repository
    ) -> None:
        ana_joins_root(team)
        assert roots(team) == ["gates/_trust/1.root.dsse.json", SECOND]
        assert team.glob("gates/_proposals/**/*") == []
        report = done(team.run("audit", "--format", "json")).json
        assert report["facts"]["records"] == "6/6 verify"
        shown = done(team.run("trust", "show", "--format", "json")).json
        assert shown["facts"]["root"] == "2 of operator, ana"
        assert [v["version"] for v in shown["versions"]] == [1, 2]

    def test_records_after_it_are_issued_under_it(self, team: Repository) -> None:
        ana_joins_root(team)
        done(team.sign(*SUSPEND))
        done(team.run("audit"))
        record = done(team.run("show", NEXT_RECORD, "--format", "json")).json
        assert record["statement"]["predicate"]["trustRoot"]["version"] == 2

    def test_with_the_old_keys_only_it_waits_until_the_new_have_signed(
        self, team: Repository
    ) -> None:
        words = ("--add-key", "ana=ana", "--grant", "root=ana", "--threshold", "root=2")
        report = done(rotate(team, *words, keys=("operator",))).json
        assert report["missing"] == ["1 more of the 2 that version 2 asks for: ana"]
        assert (roots(team), team.glob("gates/_proposals/*")) == (
            ["gates/_trust/1.root.dsse.json"],
            [PROPOSED],
        )
        done(team.run("audit"))
        done(team.run("trust", "sign", PROPOSED, "--key", "ana"))
        assert (len(roots(team)), team.glob("gates/_proposals/*")) == (2, [])
        done(team.run("audit"))

    def test_with_the_new_keys_only_it_waits_and_put_among_the_roots_it_is_seen(
        self, team: Repository
    ) -> None:
        """Whoever can write to the repository cannot appoint themselves."""
        words = ("--add-key", "ana=ana", "--grant", "root=ana", "--withdraw", "root=operator")
        report = done(rotate(team, *words, keys=("ana",))).json
        assert report["missing"] == ["1 more of the 1 that version 1 asks for: operator"]
        shutil.move(team.root / PROPOSED, team.root / SECOND)
        audit = done(team.run("audit", "--format", "json"), 4).json
        assert ("AV461", "gates/_trust/1.root.dsse.json") in placed(audit)
        refused(team.sign(*SUSPEND), 4, "AV400")

    def test_put_among_the_roots_with_the_old_keys_only_it_is_seen(self, team: Repository) -> None:
        words = ("--add-key", "ana=ana", "--grant", "root=ana", "--threshold", "root=2")
        done(rotate(team, *words, keys=("operator",)))
        shutil.move(team.root / PROPOSED, team.root / SECOND)
        audit = done(team.run("audit", "--format", "json"), 4).json
        assert ("AV414", SECOND) in placed(audit)

    def test_one_key_under_two_names_fills_a_threshold_once(self, team: Repository) -> None:
        """The same 32 bytes in two files: a second name makes no second person."""
        shutil.copy(team.keys / "operator.pem", team.keys / "other.pem")
        shutil.copy(team.keys / "operator.pub.pem", team.keys / "other.pub.pem")
        ana_joins_root(team)
        before = team.tree()
        ran = rotate(team, "--note", "moved", keys=("operator", "other"))
        assert refused(ran, 2, "AV465")["expected"] == "different keys, at most 16"
        ran = rotate(team, "--add-key", "twin=other", "--grant", "root=twin", keys=("operator",))
        assert refused(ran, 2, "AV464")["message"] == "the key is there already"
        assert team.tree() == before
        done(rotate(team, "--note", "moved", keys=("operator",)))
        proposed = "gates/_proposals/3.root.dsse.json"
        facts = refused(team.run("trust", "sign", proposed, "--key", "other"), 1, "AV465")
        assert facts["expected"] == "a key that has not signed it yet"

    def test_two_people_propose_one_version_and_the_second_is_refused(
        self, team: Repository
    ) -> None:
        ana_joins_root(team)
        done(rotate(team, "--note", "by the operator", keys=("operator",)))
        facts = refused(rotate(team, "--note", "by Ana", keys=("ana",)), 1, "AV484")
        assert facts["at"] == "gates/_proposals/3.root.dsse.json"

    def test_a_proposal_that_the_log_has_outgrown_is_refused(self, team: Repository) -> None:
        """It says from which record on it counts; records after that are under the old one."""
        ana_joins_root(team)
        done(rotate(team, "--note", "moved", keys=("operator",)))
        done(team.sign(*SUSPEND))
        proposed = "gates/_proposals/3.root.dsse.json"
        facts = refused(team.run("trust", "sign", proposed, "--key", "ana"), 4, "AV460")
        assert facts["next"] == "if the log has grown since, delete the proposal and rotate again"
        done(team.run("audit"))

    def test_while_a_record_waits_for_the_log_there_is_none(self, team: Repository) -> None:
        words = ("--add-key", "ben=ben", "--grant", "integrator=ben")
        done(rotate(team, *words, "--withdraw", "integrator=operator", keys=("operator",)))
        done(team.sign(*SUSPEND))
        facts = refused(rotate(team, "--note", "moved", keys=("operator",)), 1, "AV429")
        assert (facts["at"], facts["found"]) == (NEXT_RECORD, "1 that wait")
        done(team.run("integrate", "--key", "ben"))
        done(rotate(team, "--note", "moved", keys=("operator",)))

    def test_a_stranger_changes_nothing(self, team: Repository) -> None:
        before = team.tree()
        refused(rotate(team, "--note", "mine", keys=("ben",)), 1, "AV465")
        refused(team.run("trust", "sign", PROPOSED, "--key", "operator"), 2, "AV484")
        assert team.tree() == before


class TestRevocation:
    def test_records_before_it_verify_and_the_key_signs_nothing_more(
        self, team: Repository
    ) -> None:
        lost = operators_keyid(team)
        revoke = ("trust", "revoke", lost[:12], *OPERATOR_IS_LOST, "--key", "operator")
        report = done(team.run(*revoke, "--format", "json")).json
        assert report["facts"]["revoked"] == f"{lost[:16]}  keyCompromise, from record 6 of the log"
        audit = done(team.run("audit", "--format", "json")).json
        assert audit["facts"]["records"] == "6/6 verify"
        facts = refused(team.sign(*SUSPEND), 4, "AV437")
        assert facts["message"] == "the trust root does not know this key"
        done(team.sign(*SUSPEND, "--key", "new"))
        done(team.run("audit"))

    def test_what_the_key_signs_elsewhere_afterwards_does_not_verify(
        self, team: Repository, tmp_path: Path
    ) -> None:
        """Whoever took the key has the ledger as it was, and can date a record as they like."""
        thief = team.copy(tmp_path / "thief")
        revoke = ("trust", "revoke", operators_keyid(team), *OPERATOR_IS_LOST)
        done(team.run(*revoke, "--key", "operator"))
        done(thief.sign(*SUSPEND))
        shutil.copy(thief.root / NEXT_RECORD, team.root / NEXT_RECORD)
        audit = done(team.run("audit", "--format", "json"), 4).json
        assert ("AV462", NEXT_RECORD) in placed(audit)
        refused(team.run("integrate", "--key", "new"), 4, "AV400")

    def test_it_is_final(self, team: Repository) -> None:
        lost = operators_keyid(team)
        done(team.run("trust", "revoke", lost, *OPERATOR_IS_LOST, "--key", "operator"))
        facts = refused(rotate(team, "--add-key", f"operator={lost}", keys=("new",)), 2, "AV464")
        assert facts["message"] == "the key was revoked, for good"

    def test_the_last_key_of_the_root_cannot_go(self, team: Repository) -> None:
        words = ("--cause", "keyLost", "--key", "operator")
        ran = team.run("trust", "revoke", operators_keyid(team), *words)
        facts = refused(ran, 1, "AV464")
        assert facts["message"] == (
            "role root could never act: it asks for more people than it has"
        )

    def test_a_key_that_nobody_has_is_not_found(self, team: Repository) -> None:
        ran = team.run("trust", "revoke", "0" * 12, "--cause", "keyLost", "--key", "operator")
        assert refused(ran, 2, "AV469")["found"] == "0" * 12


class TestPin:
    def test_any_version_may_be_pinned_from_outside(self, team: Repository) -> None:
        ana_joins_root(team)
        shown = done(team.run("trust", "show", "--format", "json")).json
        for version in shown["versions"]:
            done(team.run("audit", ABVERIFY_TRUST_ROOT=version["sha256"]))
            done(team.run("trust", "show", "--root-sha256", version["sha256"]))

    def test_another_ledger_in_its_place_is_refused_everywhere(self, team: Repository) -> None:
        other = {"ABVERIFY_TRUST_ROOT": "0" * 64}
        facts = refused(team.run("trust", "show", **other), 4, "AV424")
        assert facts["expected"] == f"sha256 {'0' * 64}"
        for words in (("audit",), ("status",), ("check", "S1_004")):
            ran = team.run(*words, "--format", "json", **other)
            assert ran.code == 4, words
            assert "AV424" in ran.out or "not the trust root that was pinned" in ran.err, words
        refused(team.sign(*SUSPEND, **other), 4, "AV400")

    def test_a_pin_that_is_no_digest_is_a_mistake(self, team: Repository) -> None:
        refused(team.run("trust", "show", ABVERIFY_TRUST_ROOT="latest"), 2, "AV424")
