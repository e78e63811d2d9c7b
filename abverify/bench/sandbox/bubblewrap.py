"""The sandbox made of Linux namespaces by bubblewrap."""

from __future__ import annotations

import errno
import signal
import time
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.sandbox import layout
from abverify.bench.sandbox.carry import WorkspaceTooBig, carry_in, carry_out
from abverify.bench.sandbox.cell import Cell, opened
from abverify.bench.sandbox.faults import SandboxFailed
from abverify.bench.sandbox.interface import NO_ENV, Completed, Limits
from abverify.bench.sandbox.output import Output, drain, follow
from abverify.bench.sandbox.spawn import Order
from abverify.bench.sandbox.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from abverify.bench.sandbox.interface import Toolchain

_LIMIT_OF_EXIT = {128 + signal.SIGXCPU: "cpu_seconds", 128 + signal.SIGXFSZ: "file_bytes"}


@frozen
class BubblewrapSandbox:
    """Runs each command in fresh namespaces, on a copy of the workspace.

    Attributes:
        program: the `bwrap` executable.
        version: what it calls itself.
    """

    program: Path
    version: str
    name: str = "bubblewrap"
    isolated: bool = True

    def run(
        self,
        argv: Sequence[str],
        *,
        workspace: Path,
        limits: Limits,
        toolchains: Sequence[Toolchain],
        stdin: bytes = b"",
        env: Mapping[str, str] = NO_ENV,
    ) -> Completed:
        """Runs a command in isolation; see `Sandbox.run`."""
        started = time.monotonic()
        variables = layout.environment(toolchains, env)
        output = Output(limits.output_bytes)
        with opened(Order(self.program, argv, toolchains, limits, variables, stdin)) as cell:
            _fill(cell, workspace, limits)
            exit_code, killed = _live(cell, limits, output)
            dropped: tuple[str, ...] = ()
            try:
                dropped = carry_out(cell.workspace, workspace, limit=limits.workspace_bytes)
            except WorkspaceTooBig:
                killed = killed or "workspace_bytes"
        return Completed(
            exit_code=None if killed else exit_code,
            output=output.kept(),
            truncated=output.truncated,
            timed_out=killed == "wall_seconds",
            killed=killed,
            seconds=time.monotonic() - started,
            dropped=dropped,
        )


def _live(cell: Cell, limits: Limits, output: Output) -> tuple[int | None, str | None]:
    """From the gate to the last process's end: the exit code, or the limit that was broken."""
    stream = cell.waiting.stream.fileno()
    cell.restrict(limits)
    cell.release()
    killed = follow(
        stream,
        cell.exited,
        output,
        deadline=time.monotonic() + limits.wall_seconds,
        breach=Watch(cell.proc, limits).breach,
    )
    cell.end()
    drain(stream, output)
    if killed:
        return None, killed
    exit_code = _exit_code(cell, output)
    return exit_code, _LIMIT_OF_EXIT.get(exit_code)


def _fill(cell: Cell, workspace: Path, limits: Limits) -> None:
    try:
        carry_in(workspace, cell.workspace, owner=cell.waiting.owner, limit=limits.workspace_bytes)
    except WorkspaceTooBig as error:
        raise SandboxFailed(f"the workspace {workspace} is too big: {error}") from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise SandboxFailed(
            f"the workspace {workspace} does not fit into {limits.workspace_bytes} bytes"
        ) from None


def _exit_code(cell: Cell, output: Output) -> int:
    code = cell.exit_code()
    if code is None:
        words = output.kept().decode("utf-8", "replace").strip()
        raise SandboxFailed(words or "bubblewrap ended without a word")
    return code
