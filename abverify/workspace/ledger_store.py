"""The ledger on disk: read whole in one moment, and the one way to append.

An append changes several files and is one step all the same. It first writes
down all that it will change, in one file (`gates/_log/.abverify-append`); from
that moment it has happened. Readers take that file's word for the files it
names, and the next writer finishes the work, so that nobody ever sees a part.
Writers hold a lock on `gates/` alone, readers share it while they read.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, parse_canonical
from abverify._frozen import frozen
from abverify.errors import IndeterminateError, RefusedError, UntrustedError
from abverify.records.record import RECORD_PATH
from abverify.workspace.evidence_store import GATES
from abverify.workspace.files import read_bytes, replace_file, write_new
from abverify.workspace.log_files import log_files
from abverify.workspace.record_files import RecordFiles, record_listings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TRUST = f"{GATES}/_trust"
LOG = f"{GATES}/_log"
UNFINISHED = f"{LOG}/.abverify-append"
PATIENCE = 30.0
_RECORD = "*.dsse.json"
_PAUSE = 0.02
_HELD: ContextVar[bool] = ContextVar("writing", default=False)


@frozen
class LedgerFiles:
    """Every file of the ledger, as of one moment.

    Attributes:
        records: the files that stand where records stand, by path; each is read
            when it is asked for.
        log: the files below `gates/_log/`, by path; those that are never changed again
            are read when they are asked for.
        unfinished: whether an append was interrupted; what it would have
            written is in `records` and `log` already.
    """

    records: RecordFiles
    log: Mapping[str, bytes]
    unfinished: bool


def ledger_files(root: Path) -> LedgerFiles:
    """The ledger's records and log; never a state between two appends.

    Whatever lies there is given to verification, so that a stray file is a
    fault and not overlooked.

    Raises:
        UntrustedError: AV402 for what is no plain file, AV454 for an
            interrupted append that cannot be read.
        RefusedError: AV457 if a writer does not end.
    """
    with _lock(root, fcntl.LOCK_SH):
        listings, log = record_listings(root), log_files(root)
    if UNFINISHED not in log:
        return LedgerFiles(RecordFiles(root, listings, {}), log, unfinished=False)
    plan = _plan(log[UNFINISHED])
    instead = {path: data for path, data in plan.items() if RECORD_PATH.fullmatch(path)}
    grown = {path: data for path, data in plan.items() if path not in instead}
    log = log.changed(without=UNFINISHED, instead=grown)
    return LedgerFiles(RecordFiles(root, listings, instead), log, unfinished=True)


@contextmanager
def reading(root: Path) -> Iterator[Callable[[str], bytes]]:
    """Holds the ledger as it is, and gives a way to read files of the log.

    The way raises UntrustedError AV454 for a file that is not there.

    Raises:
        RefusedError: AV457 if a writer does not end.
    """
    with _lock(root, fcntl.LOCK_SH):
        try:
            plan = _plan(read_bytes(root, UNFINISHED))
        except FileNotFoundError:
            plan = {}

        def read(path: str) -> bytes:
            try:
                return plan[path] if path in plan else read_bytes(root, path)
            except FileNotFoundError:
                raise _absent(path) from None

        yield read


def _absent(path: str) -> UntrustedError:
    return UntrustedError(
        "a file of the log is missing",
        rule="AV454",
        place=path,
        expected="the file as it was written",
        found="no file",
        next_step="restore gates/_log from version control",
    )


def root_files(root: Path) -> dict[str, bytes]:
    """The bytes of every trust root version, by relative path."""
    found = sorted((root / TRUST).glob(_RECORD))
    paths = [path.relative_to(root).as_posix() for path in found]
    return {path: read_bytes(root, path) for path in paths}


def kept_bytes(file: str) -> bytes:
    """The bytes of a checkpoint that is kept elsewhere.

    Raises:
        IndeterminateError: AV456 if it cannot be read.
    """
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise IndeterminateError(
            "the kept checkpoint cannot be read",
            rule="AV456",
            place=file,
            expected="a copy of gates/_log/checkpoint",
            found=error.strerror or str(error),
        ) from None


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Holds the ledger for one writer, who finds every earlier append finished.

    Raises:
        RefusedError: AV457 if another writer does not end.
        IndeterminateError: AV404 if an interrupted append cannot be finished.
    """
    _make_folder(root)
    with _lock(root, fcntl.LOCK_EX):
        token = _HELD.set(True)
        try:
            _finish(root)
            yield
        finally:
            _HELD.reset(token)


def commit(root: Path, record: str | None, files: Mapping[str, bytes]) -> None:
    """Writes a record and the log's files in one step: all of them, or none.

    Only to be called inside `writing`.

    Args:
        root: the repository.
        record: the path of the new record among the files, which must not
            exist yet; None if only the log changes.
        files: what to write, by path.

    Raises:
        RefusedError: AV403 if the record exists.
        IndeterminateError: AV404 if the ledger cannot be written; it is as it was.
    """
    if record is not None and (root / record).exists():
        write_new(root / record, files[record])
    if set(files) == {record}:
        write_new(root / str(record), files[str(record)])
        return
    try:
        write_new(root / UNFINISHED, _planned(files))
    except IndeterminateError as error:
        raise _unwritable(root, record, error) from None
    try:
        if record is not None:
            write_new(root / record, files[record])
    except BaseException as error:
        if record is not None and not isinstance(error, RefusedError):
            with suppress(OSError):
                (root / record).unlink(missing_ok=True)
        (root / UNFINISHED).unlink(missing_ok=True)
        raise
    _finish_quietly(root)


def _finish_quietly(root: Path) -> None:
    """Finishes an append that has happened already: what hinders it now, the next writer mends.

    An interrupt is no exception: to report it would say that nothing was appended.
    """
    with suppress(IndeterminateError, KeyboardInterrupt):
        _finish(root)


def _finish(root: Path) -> None:
    """Writes what an append still has to write, if one was interrupted."""
    try:
        data = read_bytes(root, UNFINISHED)
    except FileNotFoundError:
        return
    plan = _plan(data)
    for path in sorted(plan, key=lambda path: (not RECORD_PATH.fullmatch(path), path)):
        if RECORD_PATH.fullmatch(path):
            _place(root, path, plan[path])
        else:
            replace_file(root / path, plan[path])
    (root / UNFINISHED).unlink()


def _place(root: Path, path: str, data: bytes) -> None:
    try:
        found = read_bytes(root, path)
    except FileNotFoundError:
        write_new(root / path, data)
        return
    if found != data:
        raise _unreadable(f"{path} as the interrupted append has it", "another file")


def _planned(files: Mapping[str, bytes]) -> bytes:
    return canonical_bytes(
        {path: base64.b64encode(data).decode("ascii") for path, data in files.items()}
    )


def _plan(data: bytes) -> dict[str, bytes]:
    """What an interrupted append would write; it may name nothing but records and the log."""
    value: Any = parse_canonical(data, name=UNFINISHED)
    if not isinstance(value, dict):
        raise _unreadable("an object of paths and contents", type(value).__name__)
    for path in value:
        parts = path.split("/")
        plain = {"", ".", ".."}.isdisjoint(parts) and path != UNFINISHED
        if not (RECORD_PATH.fullmatch(path) or (path.startswith(f"{LOG}/") and plain)):
            raise _unreadable("paths of records and of the log", path)
    try:
        return {path: base64.b64decode(text, validate=True) for path, text in value.items()}
    except (binascii.Error, TypeError, ValueError):
        raise _unreadable("contents in base64", "something else") from None


@contextmanager
def _lock(root: Path, kind: int) -> Iterator[None]:
    """Holds the lock; whoever writes already reads under their own."""
    if _HELD.get() or not (root / GATES).is_dir():
        yield
        return
    folder = os.open(root / GATES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for(folder, kind)
        yield
    finally:
        os.close(folder)


def _wait_for(folder: int, kind: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(folder, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise _busy() from None
            time.sleep(_PAUSE)
        else:
            return


def _make_folder(root: Path) -> None:
    try:
        (root / GATES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, None, error) from None


def _busy() -> RefusedError:
    return RefusedError(
        "somebody else is writing to the ledger and does not end",
        rule="AV457",
        place=GATES,
        expected=f"the lock within {PATIENCE:.0f} seconds",
        found="a lock that another process holds",
        next_step="wait for it, or end it, and run the command again",
    )


def _unwritable(root: Path, record: str | None, error: OSError | IndeterminateError) -> Exception:
    found = error.found if isinstance(error, IndeterminateError) else error.strerror
    return IndeterminateError(
        "cannot write the file; nothing was changed",
        rule="AV404",
        place=str(root / (record or GATES)),
        expected="a writable folder with space left",
        found=found or str(error),
        next_step=f"make {root / GATES} writable and run the command again",
    )


def _unreadable(expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "an append was interrupted, and what it left cannot be followed",
        rule="AV454",
        place=UNFINISHED,
        expected=expected,
        found=found[:200],
        next_step="git status shows what changed; remove the file to go back to before the append",
    )
