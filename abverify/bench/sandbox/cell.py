"""One process tree in a sandbox, from the closed gate to its last process's end."""

from __future__ import annotations

import json
import os
import resource
import signal
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.sandbox.faults import SandboxFailed
from abverify.bench.sandbox.layout import WORKSPACE
from abverify.bench.sandbox.spawn import readable, spawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.sandbox.interface import Limits
    from abverify.bench.sandbox.spawn import Order, Waiting

_END_SECONDS = 10.0
_OPEN_FILES = 512
_STACK_BYTES = 8 << 20
_LOCKED_BYTES = 64 << 10


@frozen
class Cell:
    """A sandbox whose descriptors stay good after every process in it has ended.

    Attributes:
        waiting: bubblewrap, at its gate until `release`.
        exited: a pidfd of it, readable once the command has exited.
        init: a pidfd of the sandbox's process 1, readable once all its processes are gone.
        workspace: a descriptor of the sandbox's `/workspace`.
        proc: a descriptor of its `/proc`, which lists the sandbox's processes only.
    """

    waiting: Waiting
    exited: int
    init: int
    workspace: int
    proc: int

    def restrict(self, limits: Limits) -> None:
        """Sets the per-process limits on process 1, from which every other one inherits."""
        # An unprivileged caller's process 1 counts as one more process of the user inside.
        processes = limits.processes + (self.waiting.owner is None)
        wanted = {
            resource.RLIMIT_NPROC: (processes, processes),
            resource.RLIMIT_DATA: (limits.memory_bytes, limits.memory_bytes),
            resource.RLIMIT_FSIZE: (limits.file_bytes, limits.file_bytes),
            resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
            resource.RLIMIT_NOFILE: (_OPEN_FILES, _OPEN_FILES),
            resource.RLIMIT_STACK: (_STACK_BYTES, _STACK_BYTES),
            resource.RLIMIT_MEMLOCK: (_LOCKED_BYTES, _LOCKED_BYTES),
            resource.RLIMIT_MSGQUEUE: (0, 0),
            resource.RLIMIT_NICE: (0, 0),
            resource.RLIMIT_RTPRIO: (0, 0),
            # 1, not 0: at 0 the kernel still starts the host's core-dump handler.
            resource.RLIMIT_CORE: (1, 1),
        }
        for kind, pair in wanted.items():
            _lower(self.waiting.init_pid, kind, pair)

    def release(self) -> None:
        """Opens the gate: the command starts."""
        self.waiting.gate.write(b"x")

    def end(self) -> None:
        """Kills every process of the sandbox and waits until the last one is gone.

        Raises:
            SandboxFailed: if one outlives the kill, stuck in the kernel.
        """
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.init, signal.SIGKILL)
        if not readable(self.init, _END_SECONDS):
            raise SandboxFailed(f"process {self.waiting.init_pid} does not end after SIGKILL")
        self.waiting.process.wait()

    def exit_code(self) -> int | None:
        """The command's exit code, to be asked after `end`; None if it never started."""
        for line in self.waiting.status.readall().splitlines():
            code = json.loads(line).get("exit-code")
            if isinstance(code, int):
                return code
        return None


@contextmanager
def opened(order: Order) -> Iterator[Cell]:
    """A sandbox waiting at its gate; whatever happens, nothing in it outlives the block.

    Raises:
        SandboxFailed: if it cannot be built or cannot be ended.
    """
    with ExitStack() as stack:
        waiting = spawn(order, stack)
        try:
            cell = Cell(
                waiting,
                exited=_kept(stack, os.pidfd_open(waiting.process.pid)),
                init=_kept(stack, os.pidfd_open(waiting.init_pid)),
                workspace=_folder(stack, WORKSPACE.lstrip("/"), waiting.root),
                proc=_folder(stack, "proc", waiting.root),
            )
        except OSError as error:
            raise SandboxFailed(f"the sandbox ended at its gate ({error})") from None
        stack.callback(cell.end)
        yield cell


def _lower(pid: int, kind: int, pair: tuple[int, int]) -> None:
    """Sets a limit, or the caller's own where that is lower still."""
    ceiling = resource.prlimit(pid, kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        pair = (min(pair[0], ceiling), min(pair[1], ceiling))
    resource.prlimit(pid, kind, pair)


def _kept(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _folder(stack: ExitStack, name: str, parent: int) -> int:
    return _kept(stack, os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=parent))
