"""A person at a shell: command lines run as they stand in a document, in one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROGRAMS = {"abverify": "-m abverify", "pytest": "-m pytest -p no:cacheprovider"}
_AUTHOR = "ana@example.org"


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder to be in, and the environment of whoever sits there."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Runs one command line."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            check=False,
            encoding="utf-8",
        )

    def done(self, line: str, code: int = 0) -> str:
        """Runs one command line, which must end with this exit code; what it printed."""
        ran = self.run(line)
        assert ran.returncode == code, (
            f"exit {ran.returncode}, not {code}: {line}\n{ran.stdout}\n{ran.stderr}"
        )
        return ran.stdout


def open_shell(folder: Path, *, keys: Path, beside: Path) -> Shell:
    """A shell that finds abverify and pytest, and has a home, keys and a passphrase.

    Args:
        folder: where commands are run.
        keys: the key folder.
        beside: a folder for the programs and the home.
    """
    programs, home = beside / "bin", beside / "home"
    for place in (programs, home):
        place.mkdir(parents=True)
    for name, words in _PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    git = {f"GIT_{who}_{what}": _AUTHOR for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    environment = {
        **os.environ,
        **git,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "HOME": str(home),
        "ABVERIFY_KEYS": str(keys),
        "ABVERIFY_PASSPHRASE": "correct horse",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    return Shell(folder, environment)
