"""Changing several files as one step that a crash can interrupt, and that can be taken back.

Before anything is changed, what the files held is written down in one file beside the
contracts. A record in the ledger decides: once it is there the step has happened, and
until then it can be taken back whole. While that file lies there no other command reads
the repository: it waits for a living writer, and names a dead one's work as unfinished.
Whoever changes files here holds the ledger's own lock.
"""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.errors import IndeterminateError, RefusedError, UntrustedError
from abverify.workspace.files import read_bytes, replace_file, write_new
from abverify.workspace.ledger_store import ledger_files, reading, writing
from abverify.workspace.proposals import PROPOSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JOURNAL = "contracts/.abverify-amend"
RECOVER = "abverify amend recover"
_TEMPORARY = ".abverify-*"
_OUTSIDE = ("/", "../")


@frozen
class Undo:
    """What an interrupted step was about to do.

    Attributes:
        record: the path of the record that makes it happen.
        sha256: the digest of that record.
        before: what each file held, by path; None for one that did not exist.
        after: the digest of what each file was to hold.
        folders: the folders that did not exist, the innermost first.
    """

    record: str
    sha256: str
    before: Mapping[str, bytes | None]
    after: Mapping[str, str]
    folders: tuple[str, ...]


def require_finished(root: Path) -> None:
    """Waits until nobody changes the contracts.

    Raises:
        RefusedError: AV457 if a writer does not end.
        IndeterminateError: AV742 if a step was interrupted: nothing here can be relied on.
    """
    if not (root / JOURNAL).exists():
        return
    with reading(root):
        if (root / JOURNAL).exists():
            raise _unfinished(root)


@contextmanager
def undoable(root: Path, files: Mapping[str, bytes], record: str, data: bytes) -> Iterator[None]:
    """Writes files, and takes them all back unless the record is in the ledger at the end.

    Only to be called inside `writing`.

    Args:
        root: the repository.
        files: what to write, by path relative to the root.
        record: the path of the record, or of the proposal, that the block inside writes.
        data: the record's bytes.

    Raises:
        IndeterminateError: AV404 if a file cannot be written; all are as they were.
    """
    undo = Undo(
        record=record,
        sha256=sha256_hex(data),
        before={path: _read(root, path) for path in files},
        after={path: sha256_hex(content) for path, content in files.items()},
        folders=_missing_folders(root, files),
    )
    try:
        write_new(root / JOURNAL, _dumped(undo))
        for path, content in files.items():
            if undo.before[path] != content:
                replace_file(root / path, content)
        yield
    finally:
        if (root / JOURNAL).exists():
            _settle(root, undo)


def recover(root: Path) -> tuple[str, tuple[str, ...]] | None:
    """Finishes or takes back what was interrupted.

    Returns:
        `finished` or `taken back`, and the files concerned; None if nothing was interrupted.

    Raises:
        RefusedError: AV743 if a file was edited since, AV457 if the writer is alive.
    """
    if not (root / JOURNAL).exists():
        return None
    with writing(root):
        if not (root / JOURNAL).exists():
            return None
        undo = _load(root)
        happened = _happened(root, undo)
        if not happened:
            _refuse_edited(root, undo)
        _settle(root, undo)
        return ("finished" if happened else "taken back"), tuple(undo.after)


def _settle(root: Path, undo: Undo) -> None:
    if not _happened(root, undo):
        for path, content in undo.before.items():
            _restore(root, path, content)
        _sweep(root, undo)
    (root / JOURNAL).unlink()


def _happened(root: Path, undo: Undo) -> bool:
    """Whether the record is in the ledger, or the proposal where others find it."""
    proposed = undo.record.startswith(f"{PROPOSALS}/")
    data = _read(root, undo.record) if proposed else ledger_files(root).records.get(undo.record)
    return data is not None and sha256_hex(data) == undo.sha256


def _restore(root: Path, path: str, content: bytes | None) -> None:
    if content is None:
        (root / path).unlink(missing_ok=True)
    elif _read(root, path) != content:
        replace_file(root / path, content)


def _sweep(root: Path, undo: Undo) -> None:
    """Removes what a killed writer left half-written, and the folders it made."""
    for folder in {(root / path).parent for path in undo.before}:
        for stray in folder.glob(_TEMPORARY):
            if stray != root / JOURNAL:
                stray.unlink(missing_ok=True)
    for path in undo.folders:
        with suppress(OSError):  # somebody has put something else there: it stays
            (root / path).rmdir()


def _missing_folders(root: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    inside = (path for path in files if not path.startswith(_OUTSIDE))
    parents = {parent.as_posix() for path in inside for parent in PurePosixPath(path).parents}
    missing = (path for path in parents if not (root / path).exists())
    return tuple(sorted(missing, key=lambda path: -path.count("/")))


def _refuse_edited(root: Path, undo: Undo) -> None:
    for path, before in undo.before.items():
        found = _read(root, path)
        digest = None if found is None else sha256_hex(found)
        if found != before and digest != undo.after[path]:
            raise RefusedError(
                "a file was edited after the amendment was cut off",
                rule="AV743",
                place=path,
                expected="what it held before, or what the amendment wrote",
                found=f"sha256 {digest}" if digest else "no file",
                next_step=f"put your edit aside, git restore the file, then {RECOVER}",
            )


def _read(root: Path, path: str) -> bytes | None:
    """A file's bytes; a mirror may lie outside the repository, and is read as what it is."""
    if path.startswith(_OUTSIDE):
        return (root / path).read_bytes() if (root / path).is_file() else None
    try:
        return read_bytes(root, path)
    except FileNotFoundError:
        return None


def _dumped(undo: Undo) -> bytes:
    before = {path: _encoded(content) for path, content in undo.before.items()}
    document: dict[str, Any] = {"record": undo.record, "sha256": undo.sha256, "before": before}
    document |= {"after": dict(undo.after), "folders": list(undo.folders)}
    return json.dumps(document, indent=1).encode()


def _load(root: Path) -> Undo:
    try:
        document: Any = json.loads(read_bytes(root, JOURNAL))
        before = {path: _decoded(text) for path, text in document["before"].items()}
        after, folders = dict(document["after"]), tuple(document["folders"])
        undo = Undo(document["record"], document["sha256"], before, after, folders)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable() from None
    if not all(map(_restorable, (*before, *folders))):
        raise _unreadable()
    return undo


def _unreadable() -> UntrustedError:
    return UntrustedError(
        "an amendment was cut off, and what it left cannot be followed",
        rule="AV742",
        place=JOURNAL,
        expected="the file as abverify wrote it",
        next_step="git status shows what changed; restore it, then remove this file",
    )


def _restorable(path: str) -> bool:
    """Whether an amendment could have written there: whoever made this file need not be us."""
    parts = PurePosixPath(path).parts
    mirrored = path.endswith((".yaml", ".yml"))
    inside = ".." not in parts and not path.startswith("/")
    return ".git" not in parts and (inside or mirrored)


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode("ascii")


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _unfinished(root: Path) -> IndeterminateError:
    undo = _load(root)
    return IndeterminateError(
        "an amendment was cut off before its end",
        rule="AV742",
        place=JOURNAL,
        expected="all of its files, or none",
        found=f"up to {len(undo.after)} files written: {', '.join(undo.after)}",
        next_step=f"{RECOVER} finishes it if its record is in the ledger, else takes it back",
    )
