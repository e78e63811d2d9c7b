"""Carrying a workspace into the sandbox and back out, while nothing in it is alive.

The sandbox works on a copy held by a tmpfs of fixed size, so it can neither fill
the host's disk nor reach the host's folder through a link. Both directions walk
by directory descriptor and never follow a symlink.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_ENTRIES = 20_000
MAX_DEPTH = 64
_CHUNK = 1 << 20
_OPEN_FOLDER = 0o755
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class WorkspaceTooBig(Exception):  # noqa: N818 (an outcome of the run, not our failure)
    """More bytes, entries or levels than a workspace may have."""


def carry_in(source: Path, into: int, *, owner: int | None, limit: int) -> None:
    """Copies a host folder into an empty folder of the sandbox.

    Args:
        source: the host folder.
        into: a descriptor of the empty folder.
        owner: the user and group id to give the copies to, if not the caller.
        limit: bytes the whole may have.

    Raises:
        WorkspaceTooBig: if it is bigger.
    """
    with _opened(source) as origin:
        _measure(origin, limit)
        _Copy(owner=owner, confine=False).folder(origin, into, ())
        if owner is not None:
            os.chown(into, owner, owner)


def carry_out(origin: int, target: Path, *, limit: int) -> tuple[str, ...]:
    """Makes a host folder equal to a folder of the sandbox.

    Args:
        origin: a descriptor of the sandbox's folder; no process may be left in it.
        target: the host folder, which keeps its own identity.
        limit: bytes the whole may have, holes counted.

    Returns:
        The paths not carried: special files, names that are not UTF-8, and
        symlinks that lead, or could lead, out of the folder.

    Raises:
        WorkspaceTooBig: if it is bigger; the host folder is then untouched.
    """
    os.chmod(origin, _OPEN_FOLDER)  # the run may have locked it
    _measure(origin, limit)
    copy = _Copy(owner=None, confine=True)
    with _opened(target) as into:
        copy.folder(origin, into, ())
    return tuple(sorted(copy.dropped))


@dataclass(slots=True)
class _Copy:
    """One pass over a tree; `confine` keeps out what the host must not receive."""

    owner: int | None
    confine: bool
    dropped: list[str] = field(default_factory=list)

    def folder(self, origin: int, into: int, above: tuple[str, ...]) -> None:
        """Makes one folder equal to another, below the names in `above`."""
        wanted = [name for name in sorted(os.listdir(origin)) if self._wants(origin, name, above)]
        for name in set(os.listdir(into)) - set(wanted):
            _remove(into, name)
        for name in wanted:
            self._entry(origin, into, name, above)

    def _wants(self, origin: int, name: str, above: tuple[str, ...]) -> bool:
        mode = os.lstat(name, dir_fd=origin).st_mode
        wanted = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
        if self.confine:
            wanted = wanted and _is_text(name)
            if stat.S_ISLNK(mode):
                target = os.readlink(name, dir_fd=origin)
                wanted = wanted and stays_inside(target, len(above))
        if not wanted:
            self.dropped.append("/".join([*above, name]).encode("utf-8", "replace").decode())
        return wanted

    def _entry(self, origin: int, into: int, name: str, above: tuple[str, ...]) -> None:
        found = os.lstat(name, dir_fd=origin)
        if stat.S_ISDIR(found.st_mode):
            self._subfolder(origin, into, name, above)
        elif stat.S_ISLNK(found.st_mode):
            _remove(into, name)
            os.symlink(os.readlink(name, dir_fd=origin), name, dir_fd=into)
        else:
            _readable(origin, name, found.st_mode, 0o400)
            if _same_bytes(origin, into, name):
                _remode(into, name, found.st_mode)
            else:
                _remove(into, name)
                _copy_bytes(origin, into, name)
        self._finish(into, name, found)

    def _subfolder(self, origin: int, into: int, name: str, above: tuple[str, ...]) -> None:
        if not _is_folder(into, name):
            _remove(into, name)
            os.mkdir(name, 0o700, dir_fd=into)
        _readable(origin, name, os.lstat(name, dir_fd=origin).st_mode, 0o700)
        with _opened(name, origin) as source, _opened(name, into) as sink:
            self.folder(source, sink, (*above, name))

    def _finish(self, into: int, name: str, found: os.stat_result) -> None:
        if not stat.S_ISLNK(found.st_mode):
            _remode(into, name, found.st_mode)
        if self.owner is not None:
            os.chown(name, self.owner, self.owner, dir_fd=into, follow_symlinks=False)
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=into, follow_symlinks=False)


def stays_inside(target: str, depth: int) -> bool:
    """Whether a symlink's target can only lead to places below the folder it lives under.

    `..` may stand only in front: after a name it could climb out of wherever that
    name's own symlink leads.

    Args:
        target: the symlink's text.
        depth: how many folders deep the symlink lies.
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return (
        not target.startswith("/")
        and climbs <= depth
        and ".." not in parts[climbs:]
        and _is_text(target)
    )


def _measure(root: int, limit: int) -> None:
    """Adds up apparent sizes before anything is copied: a sparse file counts in full."""
    total = entries = 0
    for size, depth in _sizes(root, 1):
        total, entries = total + size, entries + 1
        if total > limit:
            raise WorkspaceTooBig(f"more than {limit} bytes")
        if entries > MAX_ENTRIES:
            raise WorkspaceTooBig(f"more than {MAX_ENTRIES} entries")
        if depth > MAX_DEPTH:
            raise WorkspaceTooBig(f"more than {MAX_DEPTH} levels of folders")


def _sizes(folder: int, depth: int) -> Iterator[tuple[int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            yield (found.st_size if stat.S_ISREG(found.st_mode) else 0), depth
            if stat.S_ISDIR(found.st_mode):
                _readable(folder, entry.name, found.st_mode, 0o700)
                with _opened(entry.name, folder) as inner:
                    yield from _sizes(inner, depth + 1)


@contextmanager
def _opened(path: str | Path, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, _FOLDER, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _readable(folder: int, name: str, mode: int, needed: int) -> None:
    """Gives the owner the bits that reading needs; the caller looked: it is no symlink."""
    if mode & needed != needed:
        os.chmod(name, stat.S_IMODE(mode) | needed, dir_fd=folder)


def _remode(into: int, name: str, mode: int) -> None:
    # No set-user-id bits, and always readable and removable by its owner.
    kept = stat.S_IMODE(mode) & 0o777
    os.chmod(name, kept | (0o700 if stat.S_ISDIR(mode) else 0o600), dir_fd=into)


def _is_folder(parent: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode)
    except FileNotFoundError:
        return False


def _is_text(name: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def _remove(parent: int, name: str) -> None:
    if _is_folder(parent, name):
        shutil.rmtree(name, dir_fd=parent)
        return
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return


def _same_bytes(origin: int, into: int, name: str) -> bool:
    """Whether the target is a file of its own with the same content."""
    try:
        there = os.lstat(name, dir_fd=into)
    except FileNotFoundError:
        return False
    here = os.lstat(name, dir_fd=origin)
    # A file with a second name may be shared with a fixture: it is replaced, not changed.
    if not stat.S_ISREG(there.st_mode) or there.st_nlink > 1 or there.st_size != here.st_size:
        return False
    with _reader(origin, name) as left, _reader(into, name) as right:
        while chunk := os.read(left, _CHUNK):
            if chunk != os.read(right, _CHUNK):
                return False
    return True


def _copy_bytes(origin: int, into: int, name: str) -> None:
    sink = os.open(name, _CREATE, 0o600, dir_fd=into)
    try:
        with _reader(origin, name) as source:
            while chunk := os.read(source, _CHUNK):
                while chunk:
                    chunk = chunk[os.write(sink, chunk) :]
    finally:
        os.close(sink)


@contextmanager
def _reader(folder: int, name: str) -> Iterator[int]:
    descriptor = os.open(name, _READ, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
