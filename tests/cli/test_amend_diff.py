"""`abverify amend diff`: what a change means, typed at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.refusals import refused
from tests.support.repository import S1_004, done
from tests.unit.workspace.test_git import commit, run_git

if TYPE_CHECKING:
    from tests.support.repository import Repository

LOOSER = ("at_least: 1", "at_least: 0")


def test_the_working_contract_is_compared_with_the_published(repository: Repository) -> None:
    version = done(repository.run("status", "--format", "json")).json["gates"][0]["version"]
    published = f"S1_004@{version}"
    same = done(repository.run("amend", "diff", published, "S1_004", "--format", "json")).json
    assert (same["verdict"], same["class"], same["changes"]) == ("unchanged", None, [])
    repository.edit(S1_004, *LOOSER)
    ran = done(repository.run("amend", "diff", published, "S1_004", "--format", "json"), 1)
    assert (ran.json["verdict"], ran.json["class"], ran.json["bump"]) == ("unlawful", "C3", "major")
    assert ran.codes == {"version-step"}
    (change,) = ran.json["changes"]
    assert (change["path"], change["class"]) == ("criteria", "C3")
    assert change["newPlace"].startswith("contracts/S1_004.yaml:")
    assert change["witness"] == ["failed before, passes now: oracle_passed 0"]


def test_a_commit_is_compared_with_the_working_contract(repository: Repository) -> None:
    run_git(repository.root, "init", "-q")
    commit(repository.root, {})
    repository.edit(S1_004, *LOOSER)
    text = done(repository.run("amend", "diff", f"HEAD:{S1_004}", S1_004), 1).out
    assert "C3 loosening: criteria" in text
    assert "failed before, passes now: oracle_passed 0" in text
    assert "1/1 changes classed" in text


def test_a_successor_is_no_amendment(repository: Repository) -> None:
    report = done(repository.run("amend", "diff", "V1_004", "V1_005", "--format", "json")).json
    assert (report["verdict"], report["succeeds"], report["class"]) == ("lawful", True, "C5")


@pytest.mark.parametrize(
    ("name", "rule"),
    [("nothing", "AV703"), ("S1_004@9.9.9", "AV703"), ("nosuch:contracts/S1_004.yaml", "AV700")],
)
def test_a_name_for_nothing_is_refused(repository: Repository, name: str, rule: str) -> None:
    code = 3 if rule == "AV700" else 2
    assert refused(repository.run("amend", "diff", name, "S1_004"), code, rule)
