"""`abverify lint` over experiments: what is wrong with them, with the place it stands at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.repository import done, scratch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran
    from tests.support.repository import Repository

S294 = "contracts/experiments/S294.yaml"
HISTORY = "contracts/experiments/history.yaml"
SECOND = "  - {id: adapter, gate: laptop-replica/S1_005}"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The checkout's contracts and experiments in a copy that a test may change."""
    return scratch(tmp_path)


def findings(ran: Ran) -> list[tuple[str, str]]:
    """The rule and the file of each finding on an experiment."""
    reasons = [r for r in ran.json["reasons"] if "experiments/" in (r["place"] or "")]
    return [(r["rule"], r["place"].rsplit("/", 1)[1]) for r in reasons]


def test_our_own_experiments_are_clean(repository: Repository) -> None:
    ran = repository.run("lint", "--format", "json")
    assert findings(ran) == []
    assert int(ran.json["facts"]["experiments"]) >= 2


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "place"),
    [
        (S294, "model.adapter_scale]", "model.adapter_size]", "AV602", "S294.yaml:7:32"),
        (S294, SECOND, SECOND.replace("S1_005", "S1_006"), "AV615", "S294.yaml:11:25"),
        (S294, SECOND, SECOND.replace("laptop-replica/S1_005", "qwen3-moe-serve-dispatch/V1_005"),
         "AV615", "S294.yaml:11:25"),
        (S294, SECOND, SECOND.replace("}", ', set: {config.sampling.top_q: "1"}}'),
         "AV603", "S294.yaml:11:53"),
        (S294, SECOND, SECOND.replace("}", ", set: {config.sampling.top_k: 40}}"),
         "AV604", "S294.yaml:11:5"),
        (S294, SECOND, SECOND.replace("S1_005", "S1_004"), "AV605", "S294.yaml:11:5"),
        (S294, "direction: higher", "direction: up", "AV102", "S294.yaml:23:14"),
        (S294, "family: [S294]", "family: [S295]", "AV102", "S294.yaml:1:1"),
        (HISTORY, "engine.kv_cache: none", "engine.cache: none", "AV602", "history.yaml"),
        (HISTORY, "stage: smoke", "stage: bar", "AV102", "history.yaml"),
    ],
    ids=["key", "gate", "corpus", "setting", "confound", "identical", "direction",
         "family", "told", "history"],
)  # fmt: skip
def test_each_fault_is_found_before_anything_runs(
    repository: Repository, file: str, old: str, new: str, rule: str, place: str
) -> None:
    repository.edit(file, old, new)
    found = findings(done(repository.run("lint", "--format", "json"), 1))
    assert rule in {name for name, _ in found}
    assert any(name == rule and where.startswith(place) for name, where in found), found


def test_an_id_used_twice_is_found(repository: Repository) -> None:
    repository.edit(S294, "id: S294\n", "id: M294\n")
    repository.edit(S294, "family: [S294]", "family: [M294]")
    found = findings(done(repository.run("lint", "--format", "json"), 1))
    assert found == [("AV617", "S294.yaml:2:5")]
