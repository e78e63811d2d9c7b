"""Reading and writing repository files: no symlinks followed, nothing half-written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from abverify.errors import IndeterminateError, RefusedError, UntrustedError

MAX_FILE_BYTES = 64 << 20


def read_bytes(root: Path, relative: str) -> bytes:
    """The bytes of a regular file below the root, refusing symlinks on the way.

    Raises:
        FileNotFoundError: if it does not exist.
        UntrustedError: AV402 if any part of the path is a symlink, or the file is not regular.
    """
    parts = relative.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise _not_plain(relative)
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = _open(part, os.O_RDONLY | os.O_DIRECTORY, directory, relative)
            os.close(directory)
            directory = inner
        # O_NONBLOCK: opening a pipe must not wait for somebody to write to it.
        file = _open(parts[-1], os.O_RDONLY | os.O_NONBLOCK, directory, relative)
    finally:
        os.close(directory)
    return _read_regular(file, relative)


def _read_regular(file: int, relative: str) -> bytes:
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            raise _not_plain(relative)
        with os.fdopen(file, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(file)


def _open(part: str, flags: int, directory: int, relative: str) -> int:
    try:
        return os.open(part, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
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


def read_tree(root: Path, relative: str) -> dict[str, bytes]:
    """Every file below a folder, contents by path relative to that folder.

    Raises:
        UntrustedError: AV402 for a symlink or special file anywhere inside.
        IndeterminateError: AV003 for a folder or file that cannot be read.
    """
    top = root / relative
    result: dict[str, bytes] = {}

    def refuse(error: OSError) -> None:
        place = Path(error.filename).relative_to(root).as_posix()
        raise _unreadable(place, error) from None

    for folder, folders, names in os.walk(top, onerror=refuse, followlinks=False):
        folders.sort()
        for name in [*names, *(f for f in folders if (Path(folder) / f).is_symlink())]:
            path = (Path(folder) / name).relative_to(root).as_posix()
            result[path[len(relative) + 1 :]] = read_bytes(root, path)
    return dict(sorted(result.items()))


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
