"""`abverify lint`: the repository's own contracts, and the faults it must find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.repository import S1_004, done

if TYPE_CHECKING:
    from tests.support.repository import Repository


@pytest.mark.parametrize(
    ("gate", "code", "found"),
    [
        ("S1_004", 0, []),
        ("V1_004", 0, [("AV121", "warning")]),
        ("V1_005", 0, [("AV121", "warning")]),
        ("S1_005", 1, [("AV122", "error")]),
    ],
)
def test_of_our_own_contracts_only_the_one_without_its_adapter_fails(
    docket: Repository, gate: str, code: int, found: list[tuple[str, str]]
) -> None:
    report = done(docket.run("lint", gate, "--format", "json"), code).json
    assert [(r["rule"], r["severity"]) for r in report["reasons"]] == found
    assert report["verdict"] == ("faults" if code else "clean")


def test_without_a_name_all_are_linted(docket: Repository) -> None:
    report = done(docket.run("lint", "--format", "json"), 1).json
    assert report["facts"]["contracts"] == "4"
    assert sorted(r["rule"] for r in report["reasons"]) == ["AV121", "AV121", "AV122"]


def test_the_checkouts_contracts_are_the_published_ones(docket: Repository) -> None:
    assert "AV115" not in {
        r["rule"] for r in docket.run("lint", "--format", "json").json["reasons"]
    }


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("wall_seconds: 2400", "wall_seconds: 240", "AV120"),
        ("reference: the same law", "reference: this PR, the same law", "AV124"),
        ("max_tokens: 160", "max_tokens: 4096", "AV126"),
        ("min_completed: 20", "min_completed: 21", "AV127"),
        ("leetcode__01-missing-number}", "leetcode__99-missing}", "AV128"),
        ("at_least: 1", "at_least: 2", "AV115"),
    ],
    ids=["budgets", "placeholder", "context", "corpus", "smoke", "version"],
)
def test_a_faulty_contract_is_found_before_anything_runs(
    repository: Repository, old: str, new: str, rule: str
) -> None:
    repository.edit(S1_004, old, new)
    report = repository.run("lint", "S1_004", "--format", "json").json
    (reason,) = [r for r in report["reasons"] if r["rule"] == rule]
    assert reason["place"].startswith(f"{S1_004}:")


def test_several_faulty_files_are_all_told(repository: Repository) -> None:
    repository.edit(S1_004, "n_ctx: 4096", "n_ctx: 017")
    repository.edit("contracts/V1_004.yaml", "lifts: ", "lift: ")
    report = done(repository.run("lint", "--format", "json"), 1).json
    places = {r["place"].split(":")[0] for r in report["reasons"] if r["code"] == "invalid"}
    assert places == {S1_004, "contracts/V1_004.yaml"}
