from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.bench.journal import Journal, refuse_other_locks
from abverify.errors import RefusedError, UntrustedError
from abverify.evidence.bundle import read_bundle
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import START_SCHEMA, Attempt, Start
from abverify.evidence.rows import Row, parse_rows, row_line
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import fold_trials
from tests.builders import FIXTURES, GATE, failed_trial, lock_values, passed_trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.evidence.manifest import Manifest

A, B = FIXTURES
LOCK = RunLock(lock_values())
REPOSITORY = Path(__file__).resolve().parents[3]


def start(lock: RunLock = LOCK, *, run: str = "run-1") -> Start:
    return Start(
        schema_=START_SCHEMA,
        run=run,
        stage="bench",
        offered_to=(GATE,),
        identity="attested",
        started_at="2026-02-20T08:00:00Z",
        lock_sha256=lock.sha256,
        began_after=(),
    )


def opened(folder: Path, lock: RunLock = LOCK, *, run: str = "run-1") -> Journal:
    return Journal(folder, start(lock, run=run), lock)


def write(journal: Journal, rows: list[Row]) -> None:
    journal.attempt(Attempt(fixture=A, seed=1, at="2026-02-20T08:00:00Z"))
    for row in rows:
        journal.append(row)


def close(journal: Journal) -> Manifest:
    scores = compute_scores(journal.trials(), fixtures=FIXTURES, seeds=(1,))
    return journal.close(scores, finished_at="2026-02-20T09:00:00Z", notes=())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run-1"


def test_a_finished_run_is_a_sound_bundle(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, passed_trial(A))
        write(journal, failed_trial(B))
        scores = compute_scores(journal.trials(), fixtures=FIXTURES, seeds=(1,))
        manifest = journal.close(scores, finished_at="2026-02-20T09:00:00Z", notes=("a note",))

    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    bundle = read_bundle(files, path="run-1")

    assert bundle.faults == ()
    assert bundle.manifest == manifest
    assert bundle.manifest.attempts_total == 2
    assert parse_rows(files["rows.jsonl"], name="rows") == (*passed_trial(A), *failed_trial(B))
    assert bundle.claimed_scores == scores.to_bytes()


def test_a_row_is_on_disk_when_append_returns(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, passed_trial(A))

        assert (folder / "rows.jsonl").read_bytes() == b"".join(map(row_line, passed_trial(A)))


def test_resuming_keeps_finished_trials_and_drops_the_half_done_one(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, failed_trial(B))
        write(journal, passed_trial(A)[:-1])

    with opened(folder) as journal:
        assert tuple(journal.rows()) == tuple(failed_trial(B))
        assert list(journal.measured()) == [(B, 1)]
        write(journal, passed_trial(A))
        assert list(journal.measured()) == [(B, 1), (A, 1)]

    rows = parse_rows((folder / "rows.jsonl").read_bytes(), name="rows")
    assert rows == (*failed_trial(B), *passed_trial(A))
    assert (folder / "attempts.jsonl").read_bytes().count(b"\n") == 3


def test_an_infrastructure_failure_is_kept_and_is_no_measurement(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, failed_trial(A, outcome="infrastructure_failure"))

    with opened(folder) as journal:
        assert tuple(journal.rows()) == tuple(failed_trial(A, outcome="infrastructure_failure"))
        assert journal.measured() == {}


def test_a_line_that_was_cut_off_is_dropped(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, failed_trial(B))
    with (folder / "rows.jsonl").open("ab") as stream:
        stream.write(row_line(passed_trial(A)[0])[:-9])

    with opened(folder) as journal:
        assert tuple(journal.rows()) == tuple(failed_trial(B))


def test_resuming_keeps_the_start_as_it_was_first_written(folder: Path) -> None:
    with opened(folder):
        pass
    later = start().model_copy(update={"started_at": "2026-02-25T08:00:00Z"})

    with Journal(folder, later, LOCK) as journal:
        assert journal.start.started_at == "2026-02-20T08:00:00Z"


def test_a_second_writer_is_refused_and_the_first_goes_on(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, passed_trial(A)[:2])
        with pytest.raises(RefusedError) as refusal:
            opened(folder)
        journal.append(passed_trial(A)[2])

        assert refusal.value.rule == "AV520"
        assert tuple(journal.rows()) == tuple(passed_trial(A)[:3])

    with opened(folder):
        pass


def test_another_lock_is_another_run(folder: Path) -> None:
    with opened(folder):
        pass
    other = RunLock(lock_values(sampling__temperature="0.8"))

    with pytest.raises(RefusedError) as refusal:
        opened(folder, other)

    assert (refusal.value.rule, refusal.value.expected, refusal.value.found) == (
        "AV521",
        "sampling.temperature=0.3",
        "sampling.temperature=0.8",
    )
    assert refusal.value.message == (
        "this run was begun with another lock; it differs in sampling.temperature"
    )


def test_a_key_that_only_one_lock_tells_differs_too(folder: Path) -> None:
    with opened(folder):
        pass
    values = lock_values()
    del values["toolchain.python"]

    with pytest.raises(RefusedError, match=r"differs in toolchain\.python") as refusal:
        opened(folder, RunLock(values))

    assert refusal.value.found == "toolchain.python=(not told)"


def test_of_many_differing_keys_all_are_named_and_the_first_are_shown(folder: Path) -> None:
    with opened(folder):
        pass
    other = RunLock(dict.fromkeys(LOCK.values, "other"))

    with pytest.raises(RefusedError) as refusal:
        opened(folder, other)

    assert all(key in str(refusal.value.message) for key in LOCK.values)
    assert str(refusal.value.found).endswith(f" and {len(LOCK.values) - 8} more keys")


def test_a_lock_that_was_altered_is_not_resumed(folder: Path) -> None:
    with opened(folder):
        pass
    (folder / "lock.json").write_bytes(RunLock(lock_values(engine__n_ctx=1)).to_bytes())

    with pytest.raises(UntrustedError, match="the run's lock was altered"):
        opened(folder)


class TestAnotherRunBesideAnUnfinishedOne:
    OTHER = RunLock(lock_values(sampling__temperature="0.8"))

    def test_is_refused_with_the_keys_in_which_the_locks_differ(self, folder: Path) -> None:
        with opened(folder):
            pass

        with pytest.raises(RefusedError) as refusal:
            refuse_other_locks(folder.parent, "bench", self.OTHER)

        assert refusal.value.rule == "AV521"
        assert "sampling.temperature" in refusal.value.message
        assert refusal.value.place is not None
        assert refusal.value.place.file == str(folder)

    def test_is_the_same_run_where_the_locks_agree(self, folder: Path) -> None:
        with opened(folder):
            pass

        refuse_other_locks(folder.parent, "bench", LOCK)

    def test_is_free_to_begin_once_the_first_is_finished(self, folder: Path) -> None:
        with opened(folder) as journal:
            scores = compute_scores({}, fixtures=FIXTURES, seeds=(1,))
            journal.close(scores, finished_at="2026-02-20T09:00:00Z", notes=())

        refuse_other_locks(folder.parent, "bench", self.OTHER)

    def test_that_was_begun_before_may_go_on(self, folder: Path) -> None:
        with opened(folder):
            pass
        with opened(folder.with_name("run-2"), self.OTHER, run="run-2"):
            pass

        refuse_other_locks(folder.parent, "bench", self.OTHER)

    def test_of_another_stage_is_another_matter(self, folder: Path) -> None:
        with opened(folder):
            pass

        refuse_other_locks(folder.parent, "smoke", self.OTHER)


def test_an_attempt_that_was_cut_off_in_the_middle_of_its_line_never_began(folder: Path) -> None:
    with opened(folder) as journal:
        write(journal, failed_trial(B))
    with (folder / "attempts.jsonl").open("ab") as stream:
        stream.write(b'{"at":"2026-02-20T08')

    with opened(folder) as journal:
        write(journal, passed_trial(A))

    lines = (folder / "attempts.jsonl").read_bytes().splitlines()
    assert len(lines) == 2
    assert all(line.endswith(b"}") for line in lines)


def test_a_closed_run_that_goes_on_is_no_bundle_until_it_is_closed_again(folder: Path) -> None:
    broken = failed_trial(A, outcome="infrastructure_failure")
    with opened(folder) as journal:
        write(journal, broken)
        close(journal)
    assert (folder / "manifest.json").exists()

    with opened(folder) as journal:
        write(journal, passed_trial(A)[:2])
    assert not (folder / "manifest.json").exists()

    with opened(folder) as journal:
        write(journal, passed_trial(A))
        manifest = close(journal)
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    bundle = read_bundle(files, path="run-1")
    assert bundle.faults == ()
    assert manifest.attempts_total == 3
    assert parse_rows(files["rows.jsonl"], name="rows") == (*broken, *passed_trial(A))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda data: data.replace(b'"seed":1', b'"seed": 1', 1),
        lambda data: data.replace(b'"kind":"outcome"', b'"kind":"outcomes"'),
        lambda data: data.replace(b'"turn":1', b'"turn":2'),
        lambda data: b"\n" + data,
        lambda data: data + data,
        lambda data: data.split(b"\n", 1)[1],
    ],
    ids=["white space", "kind", "turn number", "empty line", "measured twice", "first row gone"],
)
def test_a_tampered_journal_is_not_resumed_and_not_touched(
    folder: Path, tamper: Callable[[bytes], bytes]
) -> None:
    with opened(folder) as journal:
        write(journal, passed_trial(A))
    path = folder / "rows.jsonl"
    path.write_bytes(tamper(path.read_bytes()))
    before = path.read_bytes()

    with pytest.raises(UntrustedError) as refusal:
        opened(folder)

    assert refusal.value.rule == "AV401"
    assert path.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"{}", b"not json", b'{"run":1}'])
def test_a_tampered_start_is_not_resumed(folder: Path, data: bytes) -> None:
    with opened(folder):
        pass
    (folder / "start.json").write_bytes(data)

    with pytest.raises(UntrustedError) as refusal:
        opened(folder)

    assert refusal.value.rule == "AV401"
    assert refusal.value.place is not None
    assert refusal.value.place.file == str(folder / "start.json")


WRITER = """
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from tests.builders import FIXTURES, failed_trial
from tests.unit.bench.test_journal import opened, write

with opened(Path(sys.argv[1])) as journal:
    for seed in range(1, 10_000):
        write(journal, failed_trial(FIXTURES[0], seed=seed))
        if seed == 1:
            print("one trial is done", flush=True)
"""


def test_killing_a_writer_at_any_moment_leaves_a_journal_that_resumes(tmp_path: Path) -> None:
    for round_number, seconds in enumerate((0.01, 0.05, 0.11, 0.2)):
        folder = tmp_path / f"run-{round_number}"
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], cwd=REPOSITORY, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"one trial is done\n"
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()

        with opened(folder) as journal:
            rows = tuple(journal.rows())
        attempts = fold_trials(rows)
        whole = (folder / "rows.jsonl").read_bytes()

        assert attempts
        assert all(attempt.measured for attempt in attempts)
        assert b"".join(map(row_line, rows)) == whole
        assert (folder / "attempts.jsonl").read_bytes().count(b"\n") - len(attempts) in (0, 1)
