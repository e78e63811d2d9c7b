"""How much memory a benchmark's process and its children hold together, at most."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 0.05
_PSS = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)


class PeakMemory:
    """Looks at the processes again and again, as a context manager.

    What processes share, such as weights that are mapped from one file, is counted once.
    """

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        before: set[int] = set()
        while not self._over.wait(_SECONDS):
            # One that was not there before may be a copy of its parent, about to become another
            # program; what it shares would be counted twice.
            now = set(family(os.getpid()))
            held = sum(map(proportional_bytes, now & before))
            self.megabytes, before = max(self.megabytes, held / 1e6), now


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def proportional_bytes(pid: int) -> int:
    """A process's share of the memory that it holds (PSS); 0 for one that has ended."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
    except OSError:
        return 0
    return 1024 * int(found.group(1)) if found else 0
