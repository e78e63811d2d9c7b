"""Reading and writing repository files: no symlinks followed, nothing half-written."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.errors import IndeterminateError, RefusedError, UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 64 << 20

_READ = 1 << 12
_PIECE = 1 << 18

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe must not wait for somebody to write to it.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read_bytes(root: Path, relative: str) -> bytes:
    """The bytes of a regular file below the root, refusing symlinks on the way.

    Raises:
        FileNotFoundError: if it does not exist.
        UntrustedError: AV402 if any part of the path is a symlink, or the file is not regular.
    """
    return _read_regular(_reached(root, relative, _FILE), relative)


@contextmanager
def reading(root: Path, relative: str) -> Iterator[Iterator[bytes]]:
    """The bytes of a regular file below the root in pieces, for one that may be of any size.

    Raises:
        FileNotFoundError: if it does not exist.
        UntrustedError: AV402 if any part of the path is a symlink, or the file is not regular.
    """
    file = _reached(root, relative, _FILE)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _not_plain(relative)
        yield iter(lambda: os.read(file, _PIECE), b"")
    finally:
        os.close(file)


def _reached(root: Path, relative: str, flags: int) -> int:
    """Opens what lies below the root, folder by folder, and follows no symlink on the way."""
    parts = relative.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise _not_plain(relative)
    reached = os.open(root, _FOLDER)
    for number, part in enumerate(parts, 1):
        folder = reached
        try:
            reached = _open(part, _FOLDER if number < len(parts) else flags, folder, relative)
        finally:
            os.close(folder)
    return reached


def _read_regular(file: int, relative: str) -> bytes:
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            raise _not_plain(relative)
        # Not by way of a stream, which costs as much as reading a small file does.
        parts: list[bytes] = []
        while part := os.read(file, max(status.st_size, _READ) + 1):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(file)


def _open(part: str, flags: int, directory: int, relative: str) -> int:
    try:
        return os.open(part, flags | os.O_NOFOLLOW, dir_fd=directory)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _LINK_ERRORS:
            raise _not_plain(relative) from None
        raise _unreadable(relative, error) from None


_LINK_ERRORS = (errno.ENOTDIR, errno.ELOOP)  # what O_NOFOLLOW answers for a symlink


def _unreadable(relative: str, error: OSError) -> IndeterminateError:
    return IndeterminateError(
        f"cannot read {relative}", rule="AV003", place=relative, found=error.strerror
    )


def _not_plain(relative: str) -> UntrustedError:
    return UntrustedError(
        "not a plain file of reasonable size",
        rule="AV402",
        place=relative,
        expected=f"a regular file of at most {MAX_FILE_BYTES >> 20} MiB, reached without symlinks",
    )


def read_named(path: Path) -> bytes:
    """The bytes of a file that a person named, wherever it is.

    Raises:
        IndeterminateError: AV404 if it cannot be read, or is larger than a file here may be.
    """
    try:
        size = path.stat().st_size
        if size <= MAX_FILE_BYTES:
            return path.read_bytes()
        found = f"{size} bytes"
    except OSError as error:
        found = error.strerror or str(error)
    raise IndeterminateError(
        "the file cannot be read",
        rule="AV404",
        place=str(path),
        expected=f"a file of at most {MAX_FILE_BYTES} bytes",
        found=found,
        next_step="name a file that is there",
    )


def read_tree(
    root: Path, relative: str, *, without: frozenset[str] = frozenset()
) -> dict[str, bytes]:
    """Every file below a folder, contents by path relative to that folder.

    Args:
        root: the repository.
        relative: the folder, relative to it.
        without: paths relative to the folder that are not read.

    Raises:
        UntrustedError: AV402 for a symlink or special file anywhere inside.
        IndeterminateError: AV003 for a folder or file that cannot be read.
    """
    files: dict[str, bytes] = {}
    for path, name, folder in _tree(root, relative):
        if path not in without:
            place = f"{relative}/{path}"
            files[path] = _read_regular(_open(name, _FILE, folder, place), place)
    return dict(sorted(files.items()))


def list_tree(root: Path, relative: str) -> tuple[str, ...]:
    """The path of every file below a folder, relative to that folder; errors as above."""
    return tuple(sorted(path for path, _, _ in _tree(root, relative)))


def _tree(root: Path, relative: str) -> Iterator[tuple[str, str, int]]:
    """Every file below a folder: its path, its name, and the open folder that it lies in."""
    try:
        top = _reached(root, relative, _FOLDER)
        yield from _below(top, relative, "")
    except FileNotFoundError as error:
        raise _unreadable(relative, error) from None


def _below(folder: int, relative: str, above: str) -> Iterator[tuple[str, str, int]]:
    """Files are reached through the folder that was listed: nothing can be swapped on the way."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((entry.name, entry) for entry in found)
        for name, entry in entries:
            path = f"{above}{name}"
            if entry.is_symlink():
                raise _not_plain(f"{relative}/{path}")
            if entry.is_dir(follow_symlinks=False):
                inner = _open(name, _FOLDER, folder, f"{relative}/{path}")
                yield from _below(inner, relative, f"{path}/")
            else:
                yield path, name, folder
    finally:
        os.close(folder)


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that must not exist yet, whole or not at all, and syncs it to disk.

    Raises:
        RefusedError: AV403 if the file exists.
        IndeterminateError: AV404 if it cannot be written.
    """
    temporary = _write_temporary(path, data)
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise RefusedError(
            "the file exists already and is never overwritten",
            rule="AV403",
            place=str(path),
            next_step="somebody appended first: run the command again",
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file, replacing what was there in one step.

    Raises:
        IndeterminateError: AV404 if it cannot be written.
    """
    temporary = _write_temporary(path, data)
    try:
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    _sync_folder(path.parent)


def _write_temporary(path: Path, data: bytes) -> Path:
    import tempfile  # not above: most processes write no file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".abverify-")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    return Path(name)


def _unwritable(path: Path, error: OSError) -> IndeterminateError:
    return IndeterminateError(
        "cannot write the file; nothing was changed",
        rule="AV404",
        place=str(path),
        expected="a writable folder with space left",
        found=error.strerror or str(error),
        next_step=f"make {path.parent} writable and run the command again",
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
