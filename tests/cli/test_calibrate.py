"""`abverify run GATE --stage calibrate`: the meter read in public, or why it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify._clock import now, timestamp
from tests.support.repository import S1_004, SMALL, done, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository

KEPT = ("leetcode__01-missing-number", "unix__02-head")
CALIBRATE = ("run", "S1_004", "--stage", "calibrate")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose small corpus has two fixtures; read only."""
    return _with_two(tmp_path_factory.mktemp("two"))


def _with_two(folder: Path) -> Repository:
    repository = opened(folder)
    for fixture in (repository.root / SMALL).iterdir():
        if fixture.name not in KEPT:
            _remove(fixture)
    repository.edit(S1_004, "min_completed: 20", "min_completed: 2")
    return repository


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def test_every_kind_of_reading_is_counted_and_bounded(two: Repository, tmp_path: Path) -> None:
    repository = two.copy(tmp_path)
    done(repository.sign("amend", "S1_004", "--introduce"))

    out = done(repository.run(*CALIBRATE)).out

    assert "CALIBRATED" in out
    assert "states     2/2 references pass, 4/4 bad states fail" in out
    assert "agents     scripted agent passes 2/2, give-up agent fails 2/2" in out
    assert "bound      10/10 readings right: at 95% confidence the meter misreads at most" in out
    assert "checked    10/10 readings right" in out
    again = done(repository.run(*CALIBRATE, "--format", "json")).json["calibration"]
    assert again["misreadsAtMost"] == "0.2589"
    assert (again["failsGoodAtMost"], again["passesBadAtMost"]) == ("0.5272", "0.3931")


def test_calibrations_of_one_second_are_runs_of_their_own(two: Repository, tmp_path: Path) -> None:
    repository = two.copy(tmp_path)
    done(repository.sign("amend", "S1_004", "--introduce"))
    second = {"ABVERIFY_NOW": timestamp(now())}

    runs = [done(repository.run(*CALIBRATE, "--format", "json", **second)).json for _ in range(3)]

    assert len({run["evidence"]["path"] for run in runs}) == 3
    assert {run["verdict"] for run in runs} == {"calibrated"}
    assert {run["calibration"]["misreadsAtMost"] for run in runs} == {"0.2589"}


def test_a_meter_that_fails_the_reference_is_miscalibrated(two: Repository, tmp_path: Path) -> None:
    repository = two.copy(tmp_path)
    solution = repository.root / SMALL / "unix__02-head/solution/head.py"
    solution.write_text("def head(text, count):\n    return text\n", encoding="utf-8")
    done(repository.sign("amend", "S1_004", "--introduce"))

    report = done(repository.run(*CALIBRATE, "--format", "json"), 1).json

    assert report["verdict"] == "miscalibrated"
    (reason,) = report["reasons"]
    assert (reason["code"], reason["rule"]) == ("miscalibrated", "AV330")
    assert reason["found"] == "2 wrong readings; the first: unix__02-head (reference) failed"
    assert report["calibration"]["references"] == [1, 2]
    assert report["calibration"]["goodAgent"] == [1, 2]
    assert (report["checked"], report["total"]) == (8, 10)


@pytest.mark.parametrize("stage", ["calibrate", "bench"])
def test_without_cargo_the_rust_corpus_cannot_be_evaluated(
    docket: Repository, tmp_path: Path, stage: str
) -> None:
    before = docket.tree()
    elsewhere = {"PATH": str(tmp_path), "CARGO_HOME": str(tmp_path)}

    ran = docket.run("run", "V1_004", "--stage", stage, **elsewhere)

    assert ran.err.startswith("error[AV502]: cannot-evaluate: toolchain cargo not found\n")
    assert (ran.code, ran.out) == (3, "")
    assert "apt-get install -y cargo" in ran.err
    assert docket.tree() == before
