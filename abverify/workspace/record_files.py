"""The record files of a ledger: named at once, read one at a time.

Records are never changed, so their names, taken in one moment, stand for that moment
whenever the bytes are read. No symlink is followed, in no part of a path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.workspace.evidence_store import GATES
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.model.ids import GateId

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX = 1 << 17
"""More than a record may have: what does not fit is read, and refused, by the usual way."""


class RecordFiles(Mapping[str, bytes]):
    """The bytes of every file that stands where records stand, by path, in the order of paths."""

    def __init__(self, root: Path, paths: tuple[str, ...], instead: Mapping[str, bytes]) -> None:
        """Takes the names.

        Args:
            root: the repository.
            paths: the files.
            instead: what to take for the bytes of some of them.
        """
        self.root = root
        self.instead = instead
        self._paths = dict.fromkeys(sorted({*paths, *instead}))
        self._folder = ("", -1)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __getitem__(self, path: str) -> bytes:
        if path in self.instead:
            return self.instead[path]
        if path not in self._paths:
            raise KeyError(path)
        try:
            return self._read(path)
        except FileNotFoundError:
            raise _vanished(path) from None

    def __del__(self) -> None:
        if self._folder[1] >= 0:
            os.close(self._folder[1])

    def _read(self, path: str) -> bytes:
        folder, _, name = path.rpartition("/")
        try:
            file = os.open(name, _FILE, dir_fd=self._opened(folder))
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise
            return read_bytes(self.root, path)
        try:
            data = os.read(file, _MAX)
            plain = stat.S_ISREG(os.fstat(file).st_mode) and len(data) < _MAX
        except OSError:
            plain = False
        finally:
            os.close(file)
        return data if plain else read_bytes(self.root, path)

    def _opened(self, folder: str) -> int:
        """The folder, opened part by part; the last one stays open, for the next file in it."""
        if self._folder[0] != folder:
            if self._folder[1] >= 0:
                os.close(self._folder[1])
            self._folder = ("", -1)
            self._folder = (folder, _open_folder(self.root, folder))
        return self._folder[1]


def record_paths(root: Path) -> tuple[str, ...]:
    """The files that stand where records stand: two folders below `gates`, whatever they are."""
    found: list[str] = []
    for namespace in _folders(f"{root}/{GATES}"):
        if namespace.startswith("_"):
            continue
        for gate in _folders(f"{root}/{GATES}/{namespace}"):
            found += _files(root, f"{GATES}/{namespace}/{gate}")
    return tuple(found)


def gate_paths(root: Path, gate: GateId) -> tuple[str, ...]:
    """The files that stand in one gate's own folder; none if it has no folder."""
    try:
        return tuple(_files(root, f"{GATES}/{gate}"))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _files(root: Path, folder: str) -> list[str]:
    with os.scandir(f"{root}/{folder}") as entries:
        return [
            f"{folder}/{entry.name}" for entry in entries if not entry.is_dir(follow_symlinks=False)
        ]


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _open_folder(root: Path, folder: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    held = os.open(root, flags)
    for part in folder.split("/"):
        try:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=held)
        finally:
            os.close(held)
        held = inner
    return held


def _vanished(path: str) -> UntrustedError:
    return UntrustedError(
        "a record vanished while the ledger was read",
        rule="AV452",
        place=path,
        expected="records that are never removed",
        found="no file",
        next_step="run the command again; restore the file from version control",
    )
