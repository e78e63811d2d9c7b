"""What this machine has: programs that run, and packages that really load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_SECONDS = 60


def first_line(program: str, *arguments: str) -> str | None:
    """The first line that a program of PATH says; None if there is none that runs."""
    found = shutil.which(program, path=_search())
    return _said([found, *arguments]) if found else None


def loads(module: str) -> bool:
    """Whether a module can be imported, tried in a process of its own: a library may crash."""
    return _said([sys.executable, "-c", f"import {module}; print('loaded')"]) is not None


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or in the nearest one above it that is there."""
    there = next(part for part in (folder, *folder.parents) if part.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _search() -> str:
    """PATH, and the usual folder of cargo, which an installer may not have added yet."""
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    return os.pathsep.join([os.environ.get("PATH", os.defpath), f"{home}/bin"])


def _said(words: list[str]) -> str | None:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_SECONDS, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return (done.stdout.strip().splitlines() or [""])[0]
