"""The files of the log: named at once, and read one at a time where they never change again.

A full file of entries and a full tile are written once. Only the checkpoint and the newest
entries are written anew with every append, so these are read in the moment that the names
are taken, and whatever else lies there with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.records.log.entries import LOG, bundle_path
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENTRIES = f"{LOG}/entries/"
_WRITTEN_ONCE = re.compile(rf"{LOG}/(?:entries|tile/[0-9]+)/(?:x[0-9]{{3}}/)*[0-9]{{3}}")


class LogFiles(Mapping[str, bytes]):
    """The bytes of every file of a log, by path."""

    def __init__(self, root: Path, names: frozenset[str], held: Mapping[str, bytes]) -> None:
        """Takes the names.

        Args:
            root: the repository.
            names: the files.
            held: the bytes of those that are known already.
        """
        self._root = root
        self._names = names
        self._held = held

    def changed(self, *, without: str, instead: Mapping[str, bytes]) -> LogFiles:
        """The same without one file, and with other bytes for some, or of more files."""
        names = self._names - {without} | instead.keys()
        return LogFiles(self._root, names, {**self._held, **instead})

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __contains__(self, path: object) -> bool:
        return path in self._names

    def __getitem__(self, path: str) -> bytes:
        if path not in self._names:
            raise KeyError(path)
        if path in self._held:
            return self._held[path]
        try:
            return read_bytes(self._root, path)
        except FileNotFoundError:
            raise _vanished(path) from None


def log_files(root: Path) -> LogFiles:
    """The files below `gates/_log`; no writer may be at work.

    Raises:
        UntrustedError: AV402 for what is no plain file.
    """
    found = [path for path in (root / LOG).rglob("*") if path.is_symlink() or not path.is_dir()]
    names = {path.relative_to(root).as_posix(): path.is_symlink() for path in found}
    once = {name for name in names if _WRITTEN_ONCE.fullmatch(name)}
    newest = bundle_path(max(0, sum(name.startswith(_ENTRIES) for name in once) - 1))
    now = [name for name, is_link in names.items() if is_link or name == newest or name not in once]
    return LogFiles(root, frozenset(names), {name: read_bytes(root, name) for name in sorted(now)})


def _vanished(path: str) -> UntrustedError:
    return UntrustedError(
        "a file of the log vanished while the ledger was read",
        rule="AV454",
        place=path,
        expected="entries and tiles that are never removed",
        found="no file",
        next_step="run the command again; restore gates/_log from version control",
    )
