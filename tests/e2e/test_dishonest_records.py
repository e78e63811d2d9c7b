"""Records that somebody with every right signed, and that say what their evidence does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_digest, sha256_hex
from abverify._clock import now
from tests.support.insider import decided_again, signed_anew
from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from tests.support.repository import Repository

RECORD = "gates/laptop-replica/S1_004/000003.non-discharge.dsse.json"
SMOKE = "fixtures/recorded/m294-smoke"


def found(repository: Repository) -> list[tuple[str, str, str]]:
    """Code, rule and place of every fault that the audit finds; it must find some."""
    report = done(repository.run("audit", "--format", "json"), 4).json
    return [(r["code"], r["rule"], r["place"]) for r in report["reasons"]]


def test_signed_again_as_it_was_it_is_sound(after_story: Repository) -> None:
    signed_anew(after_story, RECORD, lambda _: None)
    done(after_story.run("audit"))


def test_another_observation_than_the_journals(after_story: Repository) -> None:
    signed_anew(after_story, RECORD, lambda p: p["criteria"][0].update(observed="7"))
    assert found(after_story) == [("wrong-conclusion", "AV439", RECORD)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Qwen3-Coder-30B-A3B-Instruct"),
        ("weightsSha256", "0" * 64),
        ("adapterSha256", "0" * 64),
        ("identity", "asserted"),
    ],
)
def test_another_model_than_the_one_that_ran(
    after_story: Repository, field: str, value: str
) -> None:
    signed_anew(after_story, RECORD, lambda p: p["model"].update({field: value}))
    assert found(after_story) == [("wrong-evidence", "AV471", RECORD)]


def test_another_configuration_than_the_one_that_ran(after_story: Repository) -> None:
    signed_anew(after_story, RECORD, lambda p: p["runLock"].update(sha256="0" * 64))
    assert found(after_story) == [("wrong-evidence", "AV471", RECORD)]


def test_a_smoke_test_of_another_model_instead_of_the_bench(after_story: Repository) -> None:
    """The bundle is sound and every digest is right; it is not what the contract asks for."""
    manifest = (CHECKOUT / SMOKE / "manifest.json").read_bytes()
    run = json.loads(manifest)["run"]
    evidence = [
        {"run": run, "stage": "smoke", "path": SMOKE, "manifestSha256": sha256_hex(manifest)}
    ]

    def cite(predicate: dict[str, Any]) -> None:
        predicate.update(evidence=evidence, evidenceRoot=canonical_digest(evidence))

    signed_anew(after_story, RECORD, cite)
    report = done(after_story.run("audit", "--format", "json"), 4).json
    (wrong,) = [reason for reason in report["reasons"] if reason["rule"] == "AV471"]
    assert "AV301 bench evidence; " in wrong["expected"]
    assert "AV301 smoke evidence; " in wrong["found"]
    assert "AV302 Qwen3-30B-A3B-Instruct-2507; " in wrong["found"]
    assert report["facts"]["decisions"] == "0/1 recomputed from their evidence"


def test_evidence_that_was_made_before_the_contract_was_amended(after_story: Repository) -> None:
    """`check` would refuse it; somebody with the key signs it all the same."""
    done(after_story.sign("amend", "S1_004", "--set", "evidence.valid_days=90"))
    forged = decided_again(after_story, RECORD, version="2.1.0", now=now())
    (wrong,) = wrong_evidence(after_story, forged)
    assert wrong["expected"] == "AV308 begun after record 4 of laptop-replica/S1_004"
    assert wrong["found"] == "AV308 after record 2"


def test_words_that_were_amended_since_change_nothing(after_story: Repository) -> None:
    """What holds of an amended meaning must not hold of amended words."""
    title = "title=The same gate in other words"
    done(after_story.sign("amend", "S1_004", "--set", title))
    decided_again(after_story, RECORD, version="2.0.1", now=now())
    done(after_story.run("audit"))


def wrong_evidence(repository: Repository, record: str) -> list[dict[str, Any]]:
    """The faults of a record's evidence, which must be the only ones that the audit finds."""
    report = done(repository.run("audit", "--format", "json"), 4).json
    assert {(r["rule"], r["place"]) for r in report["reasons"]} == {("AV471", record)}
    found: list[dict[str, Any]] = report["reasons"]
    return found
