"""The record files of a ledger: named at once, read one at a time.

Records are never changed, so their names, taken in one moment, stand for that moment
whenever the bytes are read. No symlink is followed, in no part of a path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.records.listing import Listing, by_folder
from abverify.workspace.evidence_store import GATES
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from abverify.model.ids import GateId

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX = 1 << 17
"""More than a record may have: what does not fit is read, and refused, by the usual way."""


class RecordFiles(Mapping[str, bytes]):
    """The bytes of every file that stands where records stand, by path, folder after folder."""

    def __init__(
        self, root: Path, listings: Iterable[Listing], instead: Mapping[str, bytes]
    ) -> None:
        """Takes the names.

        Args:
            root: the repository.
            listings: the files, by folder.
            instead: what to take for the bytes of some of them, or of files beside them.
        """
        self.root = root
        self.instead = instead
        self._listings = {listing.folder: listing for listing in listings}
        for more in by_folder(instead):
            there = self._listings.get(more.folder, more)
            names = {*there.names, *more.names}
            self._listings[more.folder] = Listing.of(more.folder, names)
        self._folder = ("", -1)
        self._named: tuple[str, frozenset[str]] = ("", frozenset())

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The files by folder, in the order of the folders."""
        return tuple(self._listings[folder] for folder in sorted(self._listings))

    def __len__(self) -> int:
        return sum(map(len, self._listings.values()))

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.listings)

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, str):
            return False
        folder, _, name = path.rpartition("/")
        if self._named[0] != folder:
            listing = self._listings.get(folder)
            self._named = (folder, frozenset(listing.names if listing else ()))
        return name in self._named[1]

    def __getitem__(self, path: str) -> bytes:
        if path not in self:
            raise KeyError(path)
        return self.read(path)

    def read(self, path: str) -> bytes:
        """The bytes of one of these files; whoever took its name from them asks here.

        Raises:
            UntrustedError: AV402 for what is no plain file, AV452 for a file that is gone.
        """
        if path in self.instead:
            return self.instead[path]
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


def record_listings(root: Path) -> tuple[Listing, ...]:
    """The files that stand where records stand: two folders below `gates`, whatever they are."""
    gates = f"{root}/{GATES}"
    return tuple(
        _listing(root, f"{GATES}/{namespace}/{gate}")
        for namespace in _folders(gates)
        if not namespace.startswith("_")
        for gate in _folders(f"{gates}/{namespace}")
    )


def gate_listing(root: Path, gate: GateId) -> Listing:
    """The files that stand in one gate's own folder; none if it has no folder."""
    try:
        return _listing(root, f"{GATES}/{gate}")
    except (FileNotFoundError, NotADirectoryError):
        return Listing.of(f"{GATES}/{gate}", ())


def _listing(root: Path, folder: str) -> Listing:
    with os.scandir(f"{root}/{folder}") as entries:
        names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    return Listing.of(folder, names)


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
