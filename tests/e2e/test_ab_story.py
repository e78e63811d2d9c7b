"""The story goes on, live: the A/B confirmed by the bench, the gate discharged, S280 lifted."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from tests.support.console import Ran
from tests.support.repository import Repository, done, shared
from tests.support.story import compared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.story import Story

BASE, ADAPTER = "laptop-replica/S1_004", "laptop-replica/S1_005"
REASON = ("--reason", "told once")
STEPS = (
    ("discharge", "S1_005", *REASON, "--format", "json"),
    ("lift", "S280", *REASON, "--format", "json"),
)


@pytest.fixture(scope="module")
def sequel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, list[Ran]]:
    """The repository after the steps above, and how each of them ended; read only."""
    before = compared(tmp_path_factory)
    folder = shared(tmp_path_factory, "sequel", lambda folder: _tell(before, folder))
    ran = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
    repository = Repository(folder / "repository", folder / "keys")
    return repository, [before.step("compare"), *(Ran(**one) for one in ran)]


def _tell(story: Story, folder: Path) -> None:
    repository = story.repository.copy(folder)
    steps = [asdict(repository.spawn(*step)) for step in STEPS]
    (folder / "steps.json").write_text(json.dumps(steps), encoding="utf-8")


class TestTheExperiment:
    def test_the_finetune_alone_is_confirmed_at_bench_level(
        self, sequel: tuple[Repository, list[Ran]]
    ) -> None:
        report = done(sequel[1][0]).json
        assert (report["conclusion"], report["level"]) == ("confirmed", "bench")
        assert report["confounds"] == []
        low, high = (float(limit) for limit in report["interval"])
        assert 0 < low <= float(report["effect"]) <= high <= 1
        assert float(report["p"]) < 0.001
        assert float(report["power"]) > 0.8

    def test_the_adapter_calls_tools_where_the_base_never_does(
        self, sequel: tuple[Repository, list[Ran]]
    ) -> None:
        text = done(sequel[0].run("compare", "S294")).out
        assert "strict-call 0/20  (at most 16.8%, exact 95 %)" in text
        assert "strict-call 20/20" in text
        assert "varied     model.adapter_sha256, model.adapter_scale" in text

    def test_no_arm_is_run_twice(self, story: Story, sequel: tuple[Repository, list[Ran]]) -> None:
        benches = sequel[0].glob("gates/laptop-replica/*/evidence/bench-*/manifest.json")
        assert len(benches) == 2
        assert f"{story.live.json['decidedBy']}/manifest.json" in benches

    def test_comparing_again_reads_only(self, sequel: tuple[Repository, list[Ran]]) -> None:
        before = sequel[0].tree()
        done(sequel[0].run("compare", "S294", "--format", "json"))
        done(sequel[0].run("compare", "--table"))
        assert sequel[0].tree() == before


class TestTheEnd:
    def test_the_gate_of_the_adapter_is_discharged_by_the_same_bench(
        self, sequel: tuple[Repository, list[Ran]]
    ) -> None:
        report = done(sequel[1][1]).json
        assert (report["verdict"], report["state"]) == ("met", "discharged")
        assert report["metrics"]["native_call_rate"] == [20, 20]
        assert report["identity"] == "attested"

    def test_the_lift_cites_that_discharge(self, sequel: tuple[Repository, list[Ran]]) -> None:
        report = done(sequel[1][2]).json
        assert report["facts"]["opens"] == "scope laptop-phase"
        assert ADAPTER in report["facts"]["cites"]

    def test_the_status_shows_all_of_it(self, sequel: tuple[Repository, list[Ran]]) -> None:
        report = done(sequel[0].run("status", "--format", "json")).json
        states = {line["gate"]: line["state"] for line in report["gates"]}
        assert (states[BASE], states[ADAPTER]) == ("proposed", "discharged")
        assert {line["scope"]: line["state"] for line in report["scopes"]} == {
            "laptop-phase": "open",
            "phase-6": "suspended",
        }
        done(sequel[0].run("audit"))
