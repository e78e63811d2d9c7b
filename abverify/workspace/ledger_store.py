"""The ledger on disk: every record and trust root as bytes, and the one way to append."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.workspace.evidence_store import GATES
from abverify.workspace.files import read_bytes, write_new

if TYPE_CHECKING:
    from pathlib import Path

TRUST = f"{GATES}/_trust"
_RECORD = "*.dsse.json"


def record_files(root: Path) -> dict[str, bytes]:
    """The bytes of every file that stands where records stand, by relative path.

    Whatever lies there is given to verification, so that a stray file is a
    fault and not overlooked.
    """
    folders = [f for f in (root / GATES).glob("*/*") if f.is_dir() and f.parent.name[0] != "_"]
    paths = [
        path.relative_to(root).as_posix()
        for folder in folders
        for path in folder.iterdir()
        if path.is_symlink() or not path.is_dir()
    ]
    return {path: read_bytes(root, path) for path in sorted(paths)}


def root_files(root: Path) -> dict[str, bytes]:
    """The bytes of every trust root version, by relative path."""
    found = sorted((root / TRUST).glob(_RECORD))
    paths = [path.relative_to(root).as_posix() for path in found]
    return {path: read_bytes(root, path) for path in paths}


def append_record(root: Path, path: str, data: bytes) -> None:
    """Adds a record's file, which must not exist yet; whole or not at all.

    Raises:
        RefusedError: AV403 if somebody appended the same number first.
        IndeterminateError: AV404 if the ledger cannot be written.
    """
    write_new(root / path, data)
