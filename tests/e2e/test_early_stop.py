"""A live bench that stops early: the real model fails until failure is certain, and no further."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_bytes, canonical_digest, sha256_hex
from tests.support.bundles import rows_of, seal
from tests.support.early import stopped_early, two_of_three
from tests.support.insider import signed_anew
from tests.support.processes import running, wait_until
from tests.support.repository import S1_004, Repository, done
from tests.support.rows import steady
from tests.support.short import BENCH, in_mid_trial, journal, short_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

STOPPED = "stopped at 2 of 3 by failure-certain: every completion of the bench has this verdict"


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Repository]:
    """The repository before its bench, and after it."""
    return stopped_early(tmp_path_factory)


@pytest.fixture
def after(stopped: tuple[Repository, Repository], tmp_path: Path) -> Repository:
    return stopped[1].copy(tmp_path)


def bundle(repository: Repository) -> Path:
    path = journal(repository)
    assert path is not None
    return path.parent


def document(repository: Repository, name: str) -> Any:
    return json.loads((bundle(repository) / name).read_bytes())


def test_the_bench_stops_as_soon_as_two_passes_are_out_of_reach(after: Repository) -> None:
    again = done(after.run(*BENCH)).json

    assert (again["verdict"], again["checked"], again["total"]) == ("stopped", 2, 3)
    assert again["evidence"]["fresh"] is False
    assert again["metrics"] == {}
    assert again["stop"]["fired"] == "failure-certain"
    assert len(again["stop"]["notRun"]) == 1
    assert 0 < again["stop"]["savedAtTheMean"] <= again["stop"]["savedAtMost"] == 8 * 48
    assert document(after, "manifest.json")["notes"][-1] == STOPPED
    assert document(after, "scores.json")["measures"] == {}


def test_the_gate_is_not_met_and_no_rate_is_told_in_any_format(after: Repository) -> None:
    report = done(after.run("check", "S1_004", "--format", "json"), 1).json
    text = done(after.run("check", "S1_004", "--no-color"), 1).out

    assert report["verdict"] == "not-met"
    assert report["metrics"] == {}
    assert report["criteria"][0]["observed"] is None
    assert report["criteria"][0]["bounds"] == ["0", "1"]
    assert "stopped at 2 of 3 by failure-certain" in text
    assert "oracle: oracle_passed >= 2: certainly not, at least 0, at most 1" in text
    markdown = done(after.run("check", "S1_004", "--format", "markdown"), 1).out
    assert "at least 0, at most 1 (stopped early)" in markdown
    page = after.root / "page.html"
    after.run("report", "S1_004", "--output", str(page))
    assert "stopped early: no rate is measured" in page.read_text(encoding="utf-8")


def test_the_record_names_the_rule_and_what_did_not_run_and_its_audit_is_clean(
    after: Repository,
) -> None:
    record = done(after.sign("check", "S1_004", "--record", "--format", "json"), 1).json["record"]

    body = json.loads(done(after.run("show", record, "--format", "json")).out)
    left = document(after, "scores.json")["stop"]["remaining"][0][0]
    told = json.dumps(body)
    assert f"{STOPPED}; no rate is reported, oracle_passed at least 0 at most 1" in told
    assert f"the trials after it: {left} seed 1" in told
    done(after.run("audit"))
    done(after.run("evidence", "verify", bundle(after).name))


def test_a_bench_that_was_killed_stops_where_it_would_have_stopped(
    stopped: tuple[Repository, Repository], tmp_path: Path
) -> None:
    killed = stopped[0].copy(tmp_path)
    with running(killed, *BENCH) as process:
        wait_until(lambda: in_mid_trial(killed), process)
        process.kill()
    done(killed.spawn(*BENCH))

    whole = stopped[1]
    assert steady(bundle(killed) / "rows.jsonl") == steady(bundle(whole) / "rows.jsonl")
    for name in ("lock.json", "scores.json"):
        assert (bundle(killed) / name).read_bytes() == (bundle(whole) / name).read_bytes()


def test_a_wave_past_the_stop_is_kept_and_does_not_count(
    stopped: tuple[Repository, Repository], tmp_path: Path
) -> None:
    folder = tmp_path / "waves"

    def in_waves(repository: Repository) -> None:
        two_of_three(repository)
        repository.edit(S1_004, "sequences: 1", "sequences: 3")

    waves = short_repository(folder, prepare=in_waves)
    report = done(waves.spawn(*BENCH)).json

    assert (report["verdict"], report["checked"], report["total"]) == ("stopped", 2, 3)
    assert len(report["stop"]["notCounted"]) == 1
    assert report["stop"]["savedAtMost"] == 0
    single = document(stopped[1], "scores.json")["stop"]
    assert document(waves, "scores.json")["stop"]["remaining"] == single["remaining"]


def forged(repository: Repository, **changes: Any) -> None:
    """Claims another stop, with notes to it, and seals the bundle again."""
    folder = bundle(repository)
    scores = document(repository, "scores.json")
    scores["stop"] |= changes
    (folder / "scores.json").write_bytes(canonical_bytes(scores))
    note = STOPPED.replace("at 2", f"at {scores['stop']['ran']}")
    notes = [*document(repository, "manifest.json")["notes"][:-1], note]
    attempts = (folder / "attempts.jsonl").read_bytes().count(b"\n")
    seal(folder, notes=notes, attempts_total=attempts)


def without_the_second(repository: Repository) -> str:
    """Takes the second trial out of the journal; gives its fixture."""
    folder = bundle(repository)
    order = [row.trial.fixture for row in rows_of(folder) if row.kind == "trial"]
    second = f'"fixture":"{order[1]}"'.encode()
    for name in ("rows.jsonl", "attempts.jsonl"):
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(line for line in lines if second not in line))
    return order[1]


def cut_after_one(repository: Repository) -> None:
    """Leaves the first trial alone, and has everything in the bundle say so."""
    left = document(repository, "scores.json")["stop"]["remaining"]
    forged(repository, ran=1, remaining=[[without_the_second(repository), 1], *left])


def test_a_bench_whose_trials_are_missing_and_that_claims_no_stop_is_incomplete_and_sound(
    after: Repository,
) -> None:
    without_the_second(after)
    forged(after, fired=None, ran=3, remaining=[])
    seal(bundle(after), notes=[])

    verified = done(after.run("evidence", "verify", bundle(after).name, "--format", "json")).json
    checked = done(after.run("check", "S1_004", "--format", "json"), 3).json

    assert verified["facts"]["stop"] == "no rule has fired, and trials are missing"
    assert "AV307" in {reason["rule"] for reason in checked["reasons"]}


def test_a_journal_cut_before_the_stop_is_found_by_check_and_by_evidence_verify(
    after: Repository,
) -> None:
    cut_after_one(after)

    found = done(after.run("check", "S1_004", "--format", "json"), 3).json
    verified = done(after.run("evidence", "verify", bundle(after).name, "--format", "json"), 4).json

    assert {"AV861", "AV307"} <= {reason["rule"] for reason in found["reasons"]}
    assert [reason["rule"] for reason in verified["reasons"]] == ["AV861"]


def test_a_record_that_tells_another_stop_than_its_evidence_is_found(after: Repository) -> None:
    record = done(after.sign("check", "S1_004", "--record", "--format", "json"), 1).json["record"]
    told = "stopped at 1 of 3 by failure-certain: every completion of the bench has this verdict"

    signed_anew(after, record, lambda predicate: predicate.update(stopRule=told))

    (reason,) = done(after.run("audit", "--format", "json"), 4).json["reasons"]
    assert (reason["code"], reason["rule"]) == ("wrong-conclusion", "AV439")
    assert reason["expected"].endswith(STOPPED)
    assert reason["found"].endswith(told)


def test_an_insider_who_cuts_the_bench_and_signs_everything_again_is_found(
    after: Repository,
) -> None:
    record = done(after.sign("check", "S1_004", "--record", "--format", "json"), 1).json["record"]
    cut_after_one(after)
    manifest = sha256_hex((bundle(after) / "manifest.json").read_bytes())

    def cite(predicate: dict[str, Any]) -> None:
        predicate["evidence"][0]["manifestSha256"] = manifest
        predicate["evidenceRoot"] = canonical_digest(predicate["evidence"])
        predicate["stopRule"] = STOPPED.replace("at 2", "at 1")

    signed_anew(after, record, cite)

    found = done(after.run("audit", "--format", "json"), 4).json["reasons"]
    assert (found[0]["rule"], found[0]["place"]) == ("AV471", record)
    assert "AV861 no early stop: no rule has fired" in found[0]["expected"]


def test_a_bench_of_another_contract_cannot_be_derived_here(after: Repository) -> None:
    shutil.rmtree(after.root / "contracts/_versions")
    after.edit(S1_004, "stop: [success-certain, failure-certain]", "stop: never")

    verified = done(after.run("evidence", "verify", bundle(after).name, "--format", "json"), 4).json

    assert [reason["rule"] for reason in verified["reasons"]] == ["AV863"]
