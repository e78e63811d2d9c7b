"""Command lines, run in this process for speed or in one of their own for truth."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from abverify.cli.group import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command line ended: its exit code, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as JSON."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def codes(self) -> set[str]:
        """The reason codes of a JSON report."""
        return {reason["code"] for reason in self.json["reasons"]}


def in_process(*arguments: str, stdin: bytes = b"", environment: Mapping[str, str]) -> Ran:
    """Runs a command line here; its streams are byte streams, as a shell's are."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
            out.flush()
            err.flush()
    return Ran(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")


def in_subprocess(
    *arguments: str,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    wrapper: tuple[str, ...] = (),
) -> Ran:
    """Runs a command line in a process of its own, `wrapper` in front of it."""
    done = subprocess.run(
        [*wrapper, *command(*arguments)],
        env={**os.environ, **environment},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def command(*arguments: str) -> list[str]:
    """The words that run abverify with this interpreter."""
    return [sys.executable, "-m", "abverify", *arguments]
