"""`abverify lint`: the repository's own contracts, and the faults it must find."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import S1_004, SMALL, done

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.repository import Repository

PIN_LOCK = "contracts/pin.lock"
ADAPTER = "sha256: 9b89b12ce183674774208f2532722ad1beeb790ab7311e6802be02f63ea75654"


@pytest.mark.parametrize(
    ("gate", "found"),
    [
        ("S1_004", []),
        ("V1_004", [("AV121", "warning")]),
        ("V1_005", [("AV121", "warning")]),
        ("S1_005", []),
    ],
)
def test_our_own_contracts_are_clean_but_for_weights_nobody_pinned(
    docket: Repository, gate: str, found: list[tuple[str, str]]
) -> None:
    report = done(docket.run("lint", gate, "--format", "json")).json
    assert [(r["rule"], r["severity"]) for r in report["reasons"]] == found
    assert report["verdict"] == "clean"


def test_a_contract_whose_adapter_is_still_to_be_trained_fails(repository: Repository) -> None:
    repository.edit("contracts/S1_005.yaml", ADAPTER, "sha256: null")
    report = done(repository.run("lint", "S1_005", "--format", "json"), 1).json
    assert ("AV122", "error") in [(r["rule"], r["severity"]) for r in report["reasons"]]
    assert report["verdict"] == "faults"


def test_without_a_name_all_are_linted(docket: Repository) -> None:
    report = done(docket.run("lint", "--format", "json")).json
    assert report["facts"]["contracts"] == "4"
    assert sorted(r["rule"] for r in report["reasons"]) == ["AV121", "AV121"]


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
        ("engine: {name: llama,", "engine: {name: endpoint, server: openai,", "AV541"),
        ("at_least: 1", "at_least: 2", "AV115"),
    ],
    ids=["budgets", "placeholder", "context", "corpus", "smoke", "server", "version"],
)
def test_a_faulty_contract_is_found_before_anything_runs(
    repository: Repository, old: str, new: str, rule: str
) -> None:
    repository.edit(S1_004, old, new)
    report = repository.run("lint", "S1_004", "--format", "json").json
    (reason,) = [r for r in report["reasons"] if r["rule"] == rule]
    assert reason["place"].startswith(f"{S1_004}:")


HEAD = f"{SMALL}/unix__02-head"


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        (lambda f: f.edit(f"{HEAD}/fixture.yaml", "language: python", "language: cobol"),
         "AV102", "/fixture.yaml:4:11"),
        (lambda f: f.edit(f"{HEAD}/fixture.yaml", "id: unix__02-head", "id: unix__06-head"),
         "AV131", "/fixture.yaml:2:5"),
        (lambda f: f.edit(f"{HEAD}/fixture.yaml", "  - test_head.py", "  - test_tail.py"),
         "AV131", "/fixture.yaml:13:5"),
        (lambda f: f.edit(f"{HEAD}/fixture.yaml", "seconds: 20", "seconds: 2401"),
         "AV156", "/fixture.yaml:15:12"),
        (lambda f: f.edit(f"{HEAD}/fixture.yaml", "limits:", "deliverables: ['a/*']\nlimits:"),
         "AV151", "/fixture.yaml:14:16"),
        (lambda f: (f.root / HEAD / "why.txt").write_text(""), "AV150", "/why.txt"),
        (lambda f: shutil.rmtree(f.root / HEAD / "broken"), "AV131", "/broken"),
        (lambda f: shutil.copy(f.root / HEAD / "workspace/head.py", f.root / HEAD / "solution"),
         "AV152", "/solution/head.py"),
    ],
    ids=["language", "id", "protected", "budget", "glob", "unknown file", "no broken", "no change"],
)  # fmt: skip
def test_a_faulty_fixture_is_found_counted_and_placed(
    repository: Repository, change: Callable[[Repository], object], rule: str, place: str
) -> None:
    change(repository)
    report = done(repository.run("lint", "S1_004", "--format", "json"), 1).json
    found = [r for r in report["reasons"] if r["rule"] != "AV114"]
    assert [(r["rule"], r["place"]) for r in found] == [(rule, f"{HEAD}{place}")]
    assert report["facts"]["fixtures"] == "19/20 whole"
    assert report["total"] == 21


def test_a_corpus_that_is_not_there_is_told_once(repository: Repository) -> None:
    shutil.rmtree(repository.root / SMALL)
    report = done(repository.run("lint", "S1_004", "--format", "json"), 1).json
    assert [r["rule"] for r in report["reasons"]] == ["AV130", "AV113"]


class TestPinLock:
    def test_a_pin_that_is_not_the_signed_one_is_told_where_it_stands(
        self, repository: Repository
    ) -> None:
        lines = (repository.root / PIN_LOCK).read_text(encoding="utf-8").splitlines()
        number = next(n for n, line in enumerate(lines, 1) if SMALL in line)
        lines[number - 1] = f'  {SMALL}: "{"0" * 64}"'
        (repository.root / PIN_LOCK).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (reason,) = done(repository.run("lint", "S1_004", "--format", "json"), 1).json["reasons"]
        assert (reason["rule"], reason["found"]) == ("AV158", f"sha256 {'0' * 64}")
        assert reason["place"].startswith(f"{PIN_LOCK}:{number}:")
        assert reason["message"].endswith("S1_004/000001.amendment.dsse.json signed")

    def test_a_missing_lock_misses_every_signed_pin(self, repository: Repository) -> None:
        (repository.root / PIN_LOCK).unlink()
        report = done(repository.run("lint", "S1_004", "--format", "json"), 1).json
        assert {(r["rule"], r["found"]) for r in report["reasons"]} == {("AV158", "no such pin")}
        missed = {r["message"].split()[0] for r in report["reasons"]}
        assert {"laptop-replica/S1_004", SMALL, "fixtures/prompts/code-agent-small.md"} <= missed

    def test_a_contract_that_is_being_amended_is_not_held_against_its_old_pins(
        self, repository: Repository
    ) -> None:
        repository.edit(S1_004, "version: 2.0.0", "version: 3.0.0")
        assert done(repository.run("lint", "S1_004", "--format", "json")).json["reasons"] == []


def test_a_policy_that_cannot_be_read_is_told_where(repository: Repository) -> None:
    before = done(repository.run("lint", "--format", "json")).json
    policy = repository.root / "contracts/policy.yaml"
    policy.write_text("schema: abverify/policy/v1\n", encoding="utf-8")
    sound = done(repository.run("lint", "--format", "json")).json
    assert sound["total"] == before["total"] + 1
    policy.write_text("schema: abverify/policy/v1\nroll: []\n", encoding="utf-8")
    report = repository.run("lint", "--format", "json").json
    places = [reason["place"] for reason in report["reasons"] if reason["rule"] == "AV102"]
    assert places == ["contracts/policy.yaml:2:7"]


def test_several_faulty_files_are_all_told(repository: Repository) -> None:
    repository.edit(S1_004, "n_ctx: 4096", "n_ctx: 017")
    repository.edit("contracts/V1_004.yaml", "lifts: ", "lift: ")
    report = done(repository.run("lint", "--format", "json"), 1).json
    places = {r["place"].split(":")[0] for r in report["reasons"] if r["code"] == "invalid"}
    assert places == {S1_004, "contracts/V1_004.yaml"}
