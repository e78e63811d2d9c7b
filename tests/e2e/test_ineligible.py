"""Evidence that must not count: each kind made for real, and `check` says why, exit 3."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from abverify._clock import now, timestamp
from abverify.evidence.rows import Trial, TrialStarted
from tests.builders import NATIVE, ended, oracle, turn
from tests.support.bundles import replace_trials, rows_of, seal
from tests.support.processes import descendants, running, wait_until
from tests.support.refusals import refused
from tests.support.repository import SMALL, Repository, done, shared
from tests.support.short import BENCH, ONE_ENGINE, in_mid_trial, journal, short_repository

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.evidence.rows import Row

CHECK = ("check", "S1_004", "--format", "json")
FIRST = "leetcode__01-missing-number"
COMPILES = "  - {id: compiles, kind: compliance, run: [python3, -m, py_compile, missing.py]}\n"


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibrated gate whose first fixture declares a compliance check: before and after."""
    return shared(tmp_path_factory, "ineligible", _make)


def _make(folder: Path) -> None:
    def declare(repository: Repository) -> None:
        repository.edit(f"{SMALL}/{FIRST}/fixture.yaml", "protected:\n", f"{COMPILES}protected:\n")

    before = short_repository(folder / "before", prepare=declare)
    done(before.spawn("run", "S1_004", "--stage", "calibrate"))
    done(before.copy(folder / "after").spawn(*BENCH))


@pytest.fixture
def before(benches: Path, tmp_path: Path) -> Repository:
    """Calibrated, and waiting for its bench."""
    return _repository(benches / "before").copy(tmp_path)


@pytest.fixture
def after(benches: Path, tmp_path: Path) -> Repository:
    """Its bench is whole and eligible, and decides not-met."""
    return _repository(benches / "after").copy(tmp_path)


def _repository(folder: Path) -> Repository:
    return Repository(folder / "repository", folder / "keys")


def bench(repository: Repository) -> Path:
    path = journal(repository)
    assert path is not None
    return path.parent


def fixtures(repository: Repository) -> list[str]:
    return sorted(path.name for path in (repository.root / SMALL).iterdir())


def only_reason(repository: Repository) -> dict[str, Any]:
    """The one kind of reason for which nothing can be evaluated."""
    report = done(repository.run(*CHECK), 3).json
    assert report["verdict"] == "cannot-evaluate"
    errors = [reason for reason in report["reasons"] if reason["severity"] == "error"]
    assert len({reason["code"] for reason in errors}) == 1, errors
    first: dict[str, Any] = errors[0]
    return first


def test_untouched_the_evidence_decides(after: Repository) -> None:
    report = done(after.run(*CHECK), 1).json
    assert (report["verdict"], report["eligibility"]) == ("not-met", "eligible")
    assert report["metrics"]["oracle_passed"] == [0, 3]


def test_a_trial_that_the_operator_killed_is_no_measurement_until_it_is_run_again(
    before: Repository,
) -> None:
    with running(before, *ONE_ENGINE) as process:
        wait_until(lambda: in_mid_trial(before), process)
        (engine,) = (pid for pid, _ in descendants(process) if os.getsid(pid) == pid)
        os.kill(engine, signal.SIGKILL)
        out, err = process.communicate(timeout=240)
    assert process.returncode == 3, out + err
    assert "infrastructure_failure" in out
    reason = only_reason(before)
    assert (reason["code"], reason["rule"]) == ("incomplete", "AV307")
    assert reason["found"] == "2 measured, 1 infrastructure failures"

    again = done(before.spawn(*BENCH)).json
    assert (again["verdict"], again["checked"], again["total"]) == ("complete", 3, 3)
    report = done(before.run(*CHECK), 1).json
    assert report["attemptsTotal"] == 4
    assert report["metrics"]["infrastructure_failures"] == [0, 3]


def test_an_edited_score_is_unsound(after: Repository) -> None:
    scores = bench(after) / "scores.json"
    edited = scores.read_bytes().replace(b'"oracle_passed":[0,3]', b'"oracle_passed":[3,3]')
    scores.write_bytes(edited)
    assert only_reason(after)["code"] == "unsound"

    seal(bench(after))
    reason = only_reason(after)
    assert (reason["code"], reason["rule"]) == ("unsound", "AV303")
    assert reason["message"] == "the claimed scores are not what the journal gives"


class TestCompliance:
    def trials(self, repository: Repository, *judged: Row) -> list[Row]:
        """The real bench, with a first trial that these oracle rows ended."""
        first = Trial(fixture=FIRST, seed=1)
        rest = [row for row in rows_of(bench(repository)) if getattr(row, "trial", None) != first]
        begun: list[Row] = [TrialStarted(trial=first), turn(first, 1, NATIVE)]
        return [*begun, *judged, ended(first, "oracle_passed", 1), *rest]

    def test_with_its_check_on_the_bench_is_eligible(self, after: Repository) -> None:
        first = Trial(fixture=FIRST, seed=1)
        compiled = oracle(first, 1, passed=True, purpose="compliance", command="compiles")
        rows = self.trials(after, oracle(first, 1, passed=True), compiled)

        replace_trials(bench(after), rows, fixtures=fixtures(after))

        report = done(after.run(*CHECK), 0).json
        assert (report["verdict"], report["metrics"]["oracle_passed"]) == ("met", [1, 3])

    def test_with_its_check_switched_off_it_is_not(self, after: Repository) -> None:
        first = Trial(fixture=FIRST, seed=1)
        rows = self.trials(after, oracle(first, 1, passed=True))

        replace_trials(bench(after), rows, fixtures=fixtures(after))

        reason = only_reason(after)
        assert (reason["code"], reason["rule"]) == ("compliance-missing", "AV320")
        assert reason["found"] == f"not run: {FIRST} seed 1: compiles"

    def test_taking_the_check_out_of_the_fixture_is_drift(self, after: Repository) -> None:
        after.edit(f"{SMALL}/{FIRST}/fixture.yaml", COMPILES, "")

        assert "pin-drift" in done(after.run(*CHECK), 3).codes


def test_a_calibration_of_31_days_ago_leaves_the_meter_uncalibrated(after: Repository) -> None:
    (calibration,) = after.root.glob("gates/*/*/evidence/calibrate-*")

    seal(calibration, finished_at=timestamp(now() - timedelta(days=31, hours=1)))

    reason = only_reason(after)
    assert (reason["code"], reason["rule"]) == ("uncalibrated", "AV310")
    assert reason["found"] == (
        "the calibration is 31 days old when the run ended; at most 30 count"
    )


def test_a_bench_with_another_lock_beside_an_unfinished_one_is_refused(
    before: Repository,
) -> None:
    with running(before, *BENCH) as process:
        wait_until(lambda: in_mid_trial(before), process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before.edit("contracts/S1_004.yaml", 'temperature: "0.3"', 'temperature: "0.8"')

    ran = before.spawn(*BENCH)

    told = refused(ran, 1, "AV521")
    message = "this run was begun with another lock; it differs in sampling.temperature"
    assert told["message"] == message
    assert told["expected"] == "sampling.temperature=0.3"
    assert told["found"] == "sampling.temperature=0.8"


def test_attempts_of_a_bench_that_was_given_up_stay_counted(before: Repository) -> None:
    with running(before, *ONE_ENGINE) as process:
        wait_until(lambda: in_mid_trial(before), process)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    assert done(before.run(*CHECK), 3).json["attemptsTotal"] == 2
