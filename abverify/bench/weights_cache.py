"""Digests of weight files, remembered while the files stay untouched.

Hashing 18 GB takes long, and the file is the same every day. What is remembered
says of one file, in one state, which digest its bytes had; any sign of a change
makes it worthless. It is a convenience of the machine that measures: nothing
that verifies ever reads it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from abverify._canonical import sha256_hex

_SCHEMA: Final = "abverify/weights-digest/v1"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MAX_ENTRY: Final = 65_536
_SETTLED_NS: Final = 2_000_000_000
"""How long a file must have lain still, in ns: the coarsest clock of a file system ticks so."""
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path:
    """Where digests are kept: `ABVERIFY_CACHE`, else the user's cache directory."""
    named = os.environ.get("ABVERIFY_CACHE")
    if named:
        return Path(named).absolute() / "weights"
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if base.startswith("/") else Path("~/.cache").expanduser()
    return home / "abverify" / "weights"


def is_settled(status: os.stat_result) -> bool:
    """Whether a write from now on is bound to show in the file's times.

    A write within one tick of the file system's clock leaves them as they are, so
    a file that was touched just now is not remembered.
    """
    # The machine's clock, whatever ABVERIFY_NOW says: it is compared with the file system's.
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) >= _SETTLED_NS


def recall(path: Path, status: os.stat_result) -> str | None:
    """The digest remembered for a file in exactly this state; null when there is none.

    An entry that is damaged, or that another user could have written, is none.
    """
    try:
        entry = _read(_entry_path(path))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry != _entry(path, status, entry.get("sha256")):
        return None
    digest = entry["sha256"]
    return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else None


def remember(path: Path, status: os.stat_result, sha256: str) -> None:
    """Keeps a digest, whole or not at all; a cache that cannot be written is no fault.

    Args:
        path: the file.
        status: its state before its first byte was read, unchanged after the last, and
            settled before the first.
        sha256: what its bytes hash to.
    """
    data = json.dumps(_entry(path, status, sha256), indent=1).encode("ascii")
    target = _entry_path(path)
    with suppress(OSError):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


def _entry_path(path: Path) -> Path:
    real = os.fsencode(os.path.realpath(path))
    return cache_folder() / f"{sha256_hex(real)}.json"


def _entry(path: Path, status: os.stat_result, sha256: object) -> dict[str, Any]:
    """What an entry says. The change time is in it because no program can set it back."""
    return {
        "schema": _SCHEMA,
        "path": os.path.realpath(path),
        "device": status.st_dev,
        "inode": status.st_ino,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
        "sha256": sha256,
    }


def _read(target: Path) -> Any:
    """An entry's JSON.

    Raises:
        OSError: if it cannot be read.
        ValueError: if somebody else may have written it, or it is no JSON.
    """
    _require_own(target.parent.stat())
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        _require_own(status)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        return json.loads(stream.read(_MAX_ENTRY))


def _require_own(status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
        raise ValueError("somebody else may have written it")
