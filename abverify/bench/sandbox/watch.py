"""What a running sandbox uses, summed over its whole process tree.

Limits of single processes (rlimits) do not bound a tree, so the tree is measured
from outside about fifty times a second, through the sandbox's own `/proc`. Between
two looks memory can grow only as fast as the machine can clear pages.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abverify.bench.sandbox.interface import Limits

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_KIB = 1024
# Private and shared memory, page tables, and what went to swap; file pages can be dropped.
_RESIDENT = (b"RssAnon:", b"RssShmem:", b"VmPTE:", b"VmSwap:")
# The same, with pages that several processes share divided among them.
_PROPORTIONAL = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")
_CPU_FIELDS = slice(11, 15)  # utime, stime, cutime, cstime: proc(5), after the command name


@dataclass(slots=True)
class Watch:
    """Tells when a tree breaks a limit that only the tree as a whole can break.

    Attributes:
        proc: a descriptor of the sandbox's `/proc`.
        limits: what the run may use.
    """

    proc: int
    limits: Limits

    def breach(self) -> str | None:
        """The limit that is broken now, if one is."""
        pids = [name for name in os.listdir(self.proc) if name.isdigit()]  # noqa: PTH208 (a descriptor)
        if self._memory(pids) > self.limits.memory_bytes:
            return "memory_bytes"
        if sum(map(self._cpu_ticks, pids)) > self.limits.cpu_seconds * _TICKS_PER_SECOND:
            return "cpu_seconds"
        return None

    def _memory(self, pids: list[str]) -> int:
        resident = sum(self._kib(f"{pid}/status", _RESIDENT) for pid in pids)
        if resident * _KIB <= self.limits.memory_bytes:
            return resident * _KIB
        # Forked processes share pages, which the quick sum counts several times over.
        return sum(self._proportional(pid) for pid in pids) * _KIB

    def _proportional(self, pid: str) -> int:
        exact = self._kib(f"{pid}/smaps_rollup", _PROPORTIONAL)
        if exact == 0:  # unreadable: the quick figure stands, too strict rather than too lax
            return self._kib(f"{pid}/status", _RESIDENT)
        return exact + self._kib(f"{pid}/status", (b"VmPTE:",))

    def _kib(self, path: str, fields: tuple[bytes, ...]) -> int:
        lines = self._read(path).splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(fields))

    def _cpu_ticks(self, pid: str) -> int:
        after_name = self._read(f"{pid}/stat").rpartition(b")")[2].split()
        return sum(map(int, after_name[_CPU_FIELDS]))

    def _read(self, path: str) -> bytes:
        """A file of `/proc`; empty once its process has ended."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)
        except OSError:
            return b""
        try:
            return os.read(descriptor, 1 << 16)
        except OSError:
            return b""
        finally:
            os.close(descriptor)
