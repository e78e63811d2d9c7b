"""A trial's workspace, reached so that no path and no symlink leads out of it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1 << 20
MAX_FILES = 5000


class OutsideWorkspace(Exception):  # noqa: N818 (an answer to the model, not our failure)
    """A path that leads out of the workspace, or to something that is no plain file."""


@frozen
class Confined:
    """File access below one folder; every path component is opened without following links."""

    root: Path

    def read(self, path: str) -> bytes:
        """The bytes of a plain file of at most 1 MiB.

        Raises:
            OutsideWorkspace: if the path does not lead to one.
            FileNotFoundError: if it does not exist.
        """
        folder, name = self._parent(path, make=False)
        try:
            descriptor = _open_inside(name, os.O_RDONLY | os.O_NONBLOCK, folder, path)
        finally:
            os.close(folder)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OutsideWorkspace(f"{path} is not a file")
            if status.st_size > MAX_FILE_BYTES:
                raise OutsideWorkspace(f"{path} is larger than 1 MiB")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(descriptor)

    def write(self, path: str, data: bytes) -> None:
        """Creates or replaces a plain file, making folders on the way.

        Raises:
            OutsideWorkspace: if the path leads out, or names something that is no plain file.
        """
        if len(data) > MAX_FILE_BYTES:
            raise OutsideWorkspace("the content is larger than 1 MiB")
        folder, name = self._parent(path, make=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK
            descriptor = _open_inside(name, flags, folder, path)
            with os.fdopen(descriptor, "wb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    raise OutsideWorkspace(f"{path} is not a file")
                stream.truncate(0)
                stream.write(data)
        finally:
            os.close(folder)

    def remove(self, path: str) -> None:
        """Removes whatever stands at a path, without following it."""
        folder, name = self._parent(path, make=False)
        try:
            os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)

    def files(self) -> Iterator[str]:
        """The plain files, as sorted relative POSIX paths; symlinks are no files."""
        found: list[str] = []
        for folder, folders, names in os.walk(self.root, followlinks=False):
            folders[:] = sorted(f for f in folders if f not in _SKIPPED)
            for name in names:
                full = os.path.join(folder, name)  # noqa: PTH118 (hot, and never resolved)
                if _is_file(full):
                    found.append(os.path.relpath(full, self.root))
            if len(found) > MAX_FILES:
                break
        yield from sorted(found)[:MAX_FILES]

    def digests(self) -> dict[str, str]:
        """SHA-256 of every plain file by path; of a file over 1 MiB, of its size alone."""
        result: dict[str, str] = {}
        for path in self.files():
            try:
                result[path] = sha256_hex(self.read(path))
            except (OutsideWorkspace, FileNotFoundError, PermissionError):
                size = os.lstat(self.root / path).st_size
                result[path] = sha256_hex(f"{size} bytes, not read".encode())
        return result

    def fill(self, files: Mapping[str, bytes]) -> None:
        """Writes a fixture's files into an empty workspace."""
        for path, data in files.items():
            self.write(path, data)

    def _parent(self, path: str, *, make: bool) -> tuple[int, str]:
        parts = _parts(path)
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                if make:
                    _make_folder(part, folder)
                inner = _open_inside(part, os.O_RDONLY | os.O_DIRECTORY, folder, path)
                os.close(folder)
                folder = inner
        except BaseException:
            os.close(folder)
            raise
        return folder, parts[-1]


_SKIPPED = frozenset(["target", "__pycache__", ".git"])
"""Folders of build products: neither the model's work nor part of a workspace diff."""

_NAME_MAX = 255
_PATH_MAX = 1024


def _is_file(path: str) -> bool:
    """Whether a plain file stands there; what lies too deep for a path to name is none."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\x00" in path or not parts:
        raise OutsideWorkspace(f"{path!r} is not a path inside the repository")
    try:
        sizes = [len(part.encode("utf-8")) for part in parts]
    except UnicodeEncodeError:
        raise OutsideWorkspace("a file name is not valid text") from None
    if max(sizes) > _NAME_MAX or sum(sizes) + len(sizes) > _PATH_MAX:
        raise OutsideWorkspace("a file name is too long")
    return parts


def _make_folder(part: str, folder: int) -> None:
    try:
        os.mkdir(part, dir_fd=folder)
    except FileExistsError:
        return


def _open_inside(part: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(part, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=folder)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        raise OutsideWorkspace(f"{path} is not a plain file inside the repository") from error
