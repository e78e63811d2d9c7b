"""An experiment run live: arms that have evidence are not run, arms that have none are, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.laboratory import put_experiment
from tests.support.repository import SMALL, Repository, done, shared
from tests.support.short import BENCH, short_repository
from tests.unit.verify.experiment.arms import experiment_document

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

GATE = "laptop-replica/S1_004"
NAME = "T291"
COMPARE = ("compare", NAME, "--run", "--format", "json")


def document(**changes: Any) -> dict[str, Any]:
    """The repeat penalty at 1.2 and at 1.1, everything else held."""
    return experiment_document(
        id=NAME,
        variable={"name": "repeat penalty", "keys": ["sampling.repeat_penalty"]},
        control="penalty",
        arms=[
            {"id": "penalty", "gate": GATE},
            {"id": "lower", "gate": GATE, "set": {"config.sampling.repeat_penalty": "1.1"}},
        ],
        corpus=SMALL,
        multiplicity={"method": "none", "family": [NAME]},
        exploratory=True,
        **changes,
    )


def _make(folder: Path) -> None:
    repository = short_repository(folder)
    done(repository.spawn("run", "S1_004", "--stage", "calibrate"))
    done(repository.spawn(*BENCH))
    put_experiment(repository, document())
    ran = repository.spawn(*COMPARE)
    (folder / "out.json").write_text(ran.out, encoding="utf-8")
    assert ran.code == 1, ran.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose gate was benched first, and whose experiment was then run; read only."""
    return shared(tmp_path_factory, "experiment", _make)


@pytest.fixture
def repository(folder: Path) -> Repository:
    """The repository after the experiment."""
    return Repository(folder / "repository", folder / "keys")


def evidence(repository: Repository) -> dict[str, list[str]]:
    """The bundles of the gate and of the experiment, by stage."""
    found = repository.glob("gates/*/*/evidence/*/manifest.json")
    runs = [path.split("/") for path in found]
    return {
        owner: sorted(run[4].split("-")[0] for run in runs if "/".join(run[1:3]) == owner)
        for owner in (GATE, f"experiments/{NAME}")
    }


def report(repository: Repository) -> dict[str, Any]:
    """The comparison as it stands."""
    return done(repository.run("compare", NAME, "--format", "json"), 1).json


def test_the_arm_with_evidence_is_not_run_again(repository: Repository) -> None:
    assert evidence(repository)[GATE] == ["bench", "calibrate"]


def test_the_arm_with_another_knob_is_run_under_the_experiments_name(
    repository: Repository,
) -> None:
    assert evidence(repository)[f"experiments/{NAME}"] == ["bench"]  # the gate's calibration counts
    arm = report(repository)["arms"][1]
    assert arm["evidence"].startswith(f"gates/experiments/{NAME}/evidence/bench-")
    assert arm["identity"] == "attested"


def test_only_the_knob_differs_between_the_two_locks(repository: Repository) -> None:
    (contrast,) = report(repository)["contrasts"]
    assert contrast["varied"] == ["sampling.repeat_penalty"]
    assert contrast["confounds"] == []


def test_two_arms_that_never_pass_refute_nothing(repository: Repository) -> None:
    found = report(repository)
    assert (found["conclusion"], found["level"]) == ("inconclusive", "bench")
    assert [reason["code"] for reason in found["reasons"]] == ["no-weight"]


def test_running_again_measures_nothing(repository: Repository, tmp_path: Path) -> None:
    copy = repository.copy(tmp_path)
    before = copy.tree()
    done(copy.spawn(*COMPARE), 1)
    assert copy.tree() == before


def test_no_gate_takes_the_experiments_evidence(repository: Repository) -> None:
    checked = repository.run("check", GATE, "--format", "json").json
    assert all("experiments" not in line["path"] for line in checked["evidence"])
    done(repository.run("audit"))
