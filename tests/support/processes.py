"""Real processes: started, watched at work, interrupted or killed, and counted afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.console import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.repository import Repository

_PATIENCE_SECONDS = 120
_POLL_SECONDS = 0.01

Identity = tuple[int, str]
"""A process id and its start time: the same process, not another that got its number."""


@contextmanager
def running(
    repository: Repository, *arguments: str, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A command line at work, in a process group of its own as a terminal gives it."""
    process = subprocess.Popen(
        command(*arguments, "--root", str(repository.root)),
        env={**os.environ, **repository.environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        process_group=0,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits for something that a process is about to do."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        ended = process.poll()
        assert ended is None, f"it ended with {ended} before it got there"
        assert time.monotonic() < deadline, "it never got there"
        time.sleep(_POLL_SECONDS)


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """Interrupts the whole process group, as a terminal does."""
    os.killpg(process.pid, signal.SIGINT)


def descendants(process: subprocess.Popen[str]) -> set[Identity]:
    """Every process that descends from this one, at this moment."""
    parents = dict(_all_parents())
    found: set[int] = {process.pid}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            break
        found |= more
    identities = (_identity(pid) for pid in found - {process.pid})
    return {identity for identity in identities if identity is not None}


def survivors(processes: set[Identity]) -> set[Identity]:
    """Those that are still alive after they were given a fair time to end."""
    deadline = time.monotonic() + 20
    while left := {known for known in processes if _identity(known[0]) == known}:
        if time.monotonic() > deadline:
            return left
        time.sleep(_POLL_SECONDS)
    return set()


def _all_parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if fields is not None:
            yield int(folder.name), int(fields[1])


def _identity(pid: int) -> Identity | None:
    """None for a process that is gone, or dead and only waiting to be noticed."""
    fields = _stat(pid)
    return None if fields is None or fields[0] == "Z" else (pid, fields[19])


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; the name before it may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
