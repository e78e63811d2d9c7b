"""The append-only journal of a run: fsynced rows, one writer, resumed at the first open trial."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from abverify._canonical import canonical_bytes, parse_canonical, sha256_file
from abverify.errors import RefusedError, UntrustedError
from abverify.evidence.lock import parse_lock
from abverify.evidence.manifest import (
    ATTEMPTS,
    JOURNAL,
    LOCK,
    MANIFEST,
    MANIFEST_SCHEMA,
    SCORES,
    START,
    Attempt,
    FileDigest,
    Manifest,
    RunFacts,
    Start,
)
from abverify.evidence.rows import journal_lines, parse_row, read_rows, row_line
from abverify.evidence.trials import TrialFold, counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.evidence.lock import RunLock
    from abverify.evidence.manifest import Stage
    from abverify.evidence.rows import Row
    from abverify.evidence.scores import Scores
    from abverify.evidence.trials import TrialResult


_PIECE = 1 << 18


class Journal:
    """A run's folder while it is being written. Use it as a context manager."""

    def __init__(self, folder: Path, start: Start, lock: RunLock) -> None:
        """Opens the run's folder, making it if it is new and resuming it if it is not.

        Raises:
            RefusedError: AV520 if another process writes it, AV521 if it is another
                run's folder (its lock differs).
            UntrustedError: AV401 if its journal was altered.
        """
        self._folder = folder
        self._lock = lock
        folder.mkdir(parents=True, exist_ok=True)
        self._rows_fd = os.open(folder / JOURNAL, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._claim()
            self.start = self._begin(start)
            self._over, self._fold = self._recover(), TrialFold()
        except BaseException:
            os.close(self._rows_fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._rows_fd)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._rows_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                "another process is writing this run",
                rule="AV520",
                place=str(self._folder),
                next_step="wait for it to end, or stop it",
            ) from None

    def _begin(self, start: Start) -> Start:
        path = self._folder / START
        if not path.exists():
            _write(self._folder / LOCK, self._lock.to_bytes())
            _write(path, canonical_bytes(start.to_json()))
            return start
        kept = _read_start(path)
        if kept.lock_sha256 != self._lock.sha256:
            raise other_lock(self._folder, began=_read_lock(self._folder), now=self._lock)
        if (self._folder / LOCK).read_bytes() != self._lock.to_bytes():
            raise UntrustedError(
                "the run's lock was altered", rule="AV401", place=str(self._folder / LOCK)
            )
        return kept

    def _recover(self) -> list[TrialResult]:
        """Drops what follows the last finished trial: a half-done trial starts from turn 1."""
        place = str(self._folder / JOURNAL)
        try:
            size, over = _finished(_pieces(self._rows_fd, _whole_lines(self._rows_fd)), place)
        except ValueError as error:
            raise UntrustedError(
                "the journal contradicts itself", rule="AV401", place=place, found=str(error)
            ) from None
        os.ftruncate(self._rows_fd, size)
        os.lseek(self._rows_fd, 0, os.SEEK_END)
        os.fsync(self._rows_fd)
        return over

    def rows(self) -> Iterator[Row]:
        """Every row written so far, resumed ones included, read from the disk."""
        pieces = _pieces(self._rows_fd, os.fstat(self._rows_fd).st_size)
        return read_rows(pieces, name=str(self._folder / JOURNAL))

    def trials(self) -> dict[tuple[str, int], TrialResult]:
        """The attempt that counts for each trial so far; one that is not over is none yet."""
        return counted(self._over)

    def measured(self) -> dict[tuple[str, int], TrialResult]:
        """The trials that are measured already and are not run again."""
        return {key: result for key, result in self.trials().items() if result.measured}

    def append(self, row: Row) -> None:
        """Writes one row and syncs it to disk before returning."""
        _write_all(self._rows_fd, row_line(row))
        if (whole := self._fold.add(row)) is not None:
            self._over.append(whole.result())

    def attempt(self, attempt: Attempt) -> None:
        """Counts an attempt at a trial, before its first row.

        A run that was closed with trials unmeasured is no bundle any more from here on, until
        it is closed again: its manifest would not fit its journal.
        """
        (self._folder / MANIFEST).unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._folder / ATTEMPTS, flags, 0o644)
        try:
            # A line that was cut off belongs to an attempt that never began.
            whole = os.pread(descriptor, os.fstat(descriptor).st_size, 0).rfind(b"\n") + 1
            os.ftruncate(descriptor, whole)
            os.lseek(descriptor, whole, os.SEEK_SET)
            _write_all(descriptor, canonical_bytes(attempt.to_json()) + b"\n")
        finally:
            os.close(descriptor)
        _sync_folder(self._folder)

    def close(self, scores: Scores, *, finished_at: str, notes: tuple[str, ...]) -> Manifest:
        """Writes scores and manifest, which makes the folder an evidence bundle."""
        _write(self._folder / SCORES, scores.to_bytes())
        attempts = self._folder / ATTEMPTS
        attempts.touch()
        names = sorted((ATTEMPTS, JOURNAL, LOCK, SCORES, START))
        files = [self._folder / name for name in names]
        manifest = Manifest(
            **{name: getattr(self.start, name) for name in RunFacts.model_fields},
            schema_=MANIFEST_SCHEMA,
            finished_at=finished_at,
            attempts_total=attempts.read_bytes().count(b"\n"),
            imported_from=None,
            notes=notes,
            files=tuple(
                FileDigest(name=path.name, size=path.stat().st_size, sha256=sha256_file(path))
                for path in files
            ),
        )
        _write(self._folder / MANIFEST, canonical_bytes(manifest.to_json()))
        return manifest


def _finished(pieces: Iterator[bytes], place: str) -> tuple[int, list[TrialResult]]:
    """Up to which byte a journal's rows belong to finished trials or to none, and those trials.

    Raises:
        ValueError: if a row belongs to no begun attempt, or a trial was measured twice.
    """
    over: list[TrialResult] = []
    fold, size, begun = TrialFold(), 0, 0
    for number, line in enumerate(journal_lines(pieces, name=place), 1):
        row = parse_row(line, place=f"{place}:{number}")
        if (whole := fold.add(row)) is not None:
            over.append(whole.result())
        if row.kind == "trial":
            begun = size
        size += len(line) + 1
    cut = fold.cut_off()
    counted([*over, cut.result()] if cut else over)
    return begun if cut else size, over


def _pieces(descriptor: int, size: int) -> Iterator[bytes]:
    """The first bytes of a file that is open, without moving where it is written next."""
    for start in range(0, size, _PIECE):
        yield os.pread(descriptor, min(_PIECE, size - start), start)


def _whole_lines(descriptor: int) -> int:
    """Up to which byte a file holds whole lines; what follows was cut off."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _PIECE)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _read_start(path: Path) -> Start:
    data = path.read_bytes()
    parse_canonical(data, name=str(path))
    try:
        return Start.model_validate_json(data)
    except ValueError as error:
        found = " ".join(str(error).split())[:300]
        raise UntrustedError(
            "not the start of a run", rule="AV401", place=str(path), found=found
        ) from None


def refuse_other_locks(runs: Path, stage: Stage, lock: RunLock) -> None:
    """Refuses to begin a run beside one of the same stage that was begun and never finished.

    Args:
        runs: the folder of a gate's runs.
        stage: the stage about to run.
        lock: its lock; a run that has it was begun already, and nothing is refused.

    Raises:
        RefusedError: AV521 naming the keys in which the locks differ.
        UntrustedError: AV401 if the unfinished run was altered.
    """
    begun = [(path.parent, _read_start(path)) for path in sorted(runs.glob(f"*/{START}"))]
    same_stage = [(folder, start) for folder, start in begun if start.stage == stage]
    if any(start.lock_sha256 == lock.sha256 for _, start in same_stage):
        return
    for folder, _ in same_stage:
        if not (folder / MANIFEST).exists():
            raise other_lock(folder, began=_read_lock(folder), now=lock)


def _read_lock(folder: Path) -> RunLock:
    path = folder / LOCK
    return parse_lock(path.read_bytes(), name=str(path))


def other_lock(folder: Path, *, began: RunLock, now: RunLock) -> RefusedError:
    """The refusal to go on with a run under another lock, which names the differing keys."""
    keys = now.against(began)
    more = f" and {len(keys) - _SHOWN_KEYS} more keys" if len(keys) > _SHOWN_KEYS else ""

    def told(lock: RunLock) -> str:
        texts = (f"{key}={lock.values.get(key, '(not told)')}" for key in keys[:_SHOWN_KEYS])
        return ", ".join(texts) + more

    return RefusedError(
        f"this run was begun with another lock; it differs in {', '.join(keys)}",
        rule="AV521",
        place=str(folder),
        expected=told(began),
        found=told(now),
        next_step="go on with what the run was begun with, or begin another run: "
        "abverify run … --again; the attempts of this one stay counted",
    )


_SHOWN_KEYS = 8


def _write_all(descriptor: int, data: bytes) -> None:
    """Writes every byte and syncs."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def _write(path: Path, data: bytes) -> None:
    """Replaces a file of the run in one step, synced."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes new names in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
