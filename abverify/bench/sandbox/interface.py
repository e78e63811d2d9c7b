"""What a sandbox is to the rest of the bench: one call that runs a command and says how it ended.

A container runtime becomes a second implementation of `Sandbox`; nothing else changes.
"""

from __future__ import annotations

from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from abverify._frozen import frozen, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


NO_ENV: Mapping[str, str] = MappingProxyType({})
_MIB = 1 << 20


@frozen
class Toolchain:
    """A language's tools, as the sandbox shows them.

    Attributes:
        name: what a fixture calls it: `python`, `rust` or `shell`.
        version: what its own tools say of themselves; enters the run lock.
        binds: host folders shown read-only at the same path.
        path: folders that go to the front of PATH.
        env: environment variables; values below `/tmp` mean the run's private scratch.
    """

    name: str
    version: str
    binds: tuple[Path, ...] = ()
    path: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: NO_ENV)

    def identity(self) -> str:
        """One line for the run lock: equal lines mean the same tools."""
        return self.version


@frozen
class Limits:
    """What one run may use; whatever is not stated has a default, never "unlimited".

    Attributes:
        wall_seconds: time from start to kill, by the clock.
        cpu_seconds: processor time of the whole tree together.
        memory_bytes: memory of the whole tree together, and of each process by itself.
        processes: processes and threads alive at one time.
        file_bytes: size of any one file.
        output_bytes: how much of stdout and stderr is kept; the rest is read and dropped.
        scratch_bytes: size of the private `/tmp`, gone when the run ends.
        workspace_bytes: size of everything in `/workspace` together.
    """

    wall_seconds: float = 60.0
    cpu_seconds: int = 120
    memory_bytes: int = 2048 * _MIB
    processes: int = 128
    file_bytes: int = 64 * _MIB
    output_bytes: int = 256 * 1024
    scratch_bytes: int = 512 * _MIB
    workspace_bytes: int = 64 * _MIB

    def __post_init__(self) -> None:
        for name, value in named(self).items():
            if not value > 0:
                raise ValueError(f"the limit {name} must be positive, not {value}")


@frozen
class Completed:
    """How one run ended.

    Attributes:
        exit_code: the command's exit code, 128 + n when signal n ended it, 126 or 127
            when it could not be started; None exactly when a limit ended the run.
        output: stdout and stderr in the order written; when longer than
            `output_bytes`, its first and last halves with a line between that says so.
        truncated: whether output was dropped.
        timed_out: whether `wall_seconds` ended the run.
        killed: the name of the limit that ended the run, a field of `Limits`.
        seconds: wall-clock time, start and clean-up included.
        dropped: paths left behind in the sandbox: devices, sockets, names that are not
            UTF-8, and symlinks that lead out of the workspace.
    """

    exit_code: int | None
    output: bytes
    truncated: bool
    timed_out: bool
    killed: str | None
    seconds: float
    dropped: tuple[str, ...] = ()


class Sandbox(Protocol):
    """A place to run code that nobody trusts."""

    @property
    def name(self) -> str:
        """What confines the run, such as `bubblewrap`."""

    @property
    def version(self) -> str:
        """Its version, for the run lock."""

    @property
    def isolated(self) -> bool:
        """Whether it isolates at all; evidence made without isolation is ineligible."""

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
        """Runs a command in the workspace and ends every process it started.

        Args:
            argv: the command; its name is looked up on the toolchains' path, then `/usr/bin`.
            workspace: a folder of the host; afterwards it holds what the run left.
            limits: what the run may use.
            toolchains: what it may read besides the system's own `/usr`.
            stdin: what it reads; the end of file follows.
            env: further environment variables, which win over all others.

        Raises:
            SandboxFailed: if the sandbox itself, not the command, failed.
        """
