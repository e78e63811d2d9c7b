"""A bundle handed on as a log of Inspect, read back as such, and worth no more than that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from abverify.evidence.foreign.registry import read_foreign
from tests.builders import NATIVE
from tests.support.laboratory import BASE, Written, bench, calibrate, laboratory
from tests.support.refusals import refused
from tests.support.repository import CHECKOUT, Repository, done

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = CHECKOUT / "tests/foreign/samples/inspect/limited.json"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, str, str]:
    """A repository with a bench of which 13 trials passed, and a calibration."""
    made = laboratory(tmp_path_factory.mktemp("exported"))
    return made, bench(made, Written(BASE, passes=13, raw=NATIVE)), calibrate(made)


def exported(repository: Repository, path: str, folder: Path) -> dict[str, Any]:
    file = folder / "run.json"
    done(repository.run("evidence", "export", path, "-o", str(file)))
    log: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return log


def test_it_has_what_inspects_own_logs_have(
    measured: tuple[Repository, str, str], tmp_path: Path
) -> None:
    """Inspect's reader needs what it writes itself; that it reads ours was tried with it."""
    log = exported(measured[0], measured[1], tmp_path)
    own = json.loads(SAMPLE.read_text(encoding="utf-8"))
    assert set(log) <= set(own)
    assert set(log["results"]) <= set(own["results"])
    assert {"eval_id", "created", "task", "model", "dataset", "config"} <= set(log["eval"])
    assert set(log["samples"][0]) - {"error"} <= set(own["samples"][0])


def test_it_is_read_back_with_the_same_verdicts_and_raw_texts(
    measured: tuple[Repository, str, str], tmp_path: Path
) -> None:
    exported(measured[0], measured[1], tmp_path)
    log = read_foreign({"run.json": (tmp_path / "run.json").read_bytes()})
    assert (log.tool, log.scorer, log.problems) == ("inspect", "oracle", ())
    assert sum(trial.passed is True for trial in log.trials) == 13
    raws = {turn.raw for trial in log.trials for turn in trial.turns}
    assert NATIVE in raws
    assert all("\n" not in raw or raw == NATIVE for raw in raws)
    assert log.claims["sampling.temperature"].standing == "asserted"


def test_the_run_lock_goes_with_it(measured: tuple[Repository, str, str], tmp_path: Path) -> None:
    log = exported(measured[0], measured[1], tmp_path)
    told = log["eval"]["metadata"]["abverify"]
    assert told["identity"] == "attested"
    assert len(told["runLock"]["model.weights_sha256"]) == 64


def test_what_is_no_run_of_the_model_is_not_handed_on(
    measured: tuple[Repository, str, str],
) -> None:
    refused(measured[0].run("evidence", "export", measured[2]), 5, "AV843")


def test_what_is_not_sound_is_not_handed_on(
    measured: tuple[Repository, str, str], tmp_path: Path
) -> None:
    repository = measured[0].copy(tmp_path)
    (repository.root / measured[1] / "scores.json").write_bytes(b"{}")
    refused(repository.run("evidence", "export", measured[1]), 4, "AV303")
