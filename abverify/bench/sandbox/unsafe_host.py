"""No sandbox at all, for the user who insisted: `--unsafe-no-sandbox`.

It keeps the time and output limits and kills the process group. It hides nothing
and bounds nothing else, so evidence made with it is never eligible.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.sandbox import layout
from abverify.bench.sandbox.interface import NO_ENV, Completed, Limits
from abverify.bench.sandbox.output import Output, drain, follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from abverify.bench.sandbox.interface import Toolchain

_NOT_STARTED = 127


@frozen
class UnsafeHost:
    """Runs commands on the host itself, with the caller's own rights."""

    name: str = "unsafe-host"
    version: str = f"{platform.system()} {platform.release()}"
    isolated: bool = False

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
        """Runs a command on the host; only `wall_seconds` and `output_bytes` are enforced."""
        started = time.monotonic()
        output = Output(limits.output_bytes)
        with (
            tempfile.TemporaryDirectory(prefix="abverify-scratch-") as scratch,
            tempfile.TemporaryFile() as given,
        ):
            given.write(stdin)
            given.seek(0)
            variables = _relocated(layout.environment(toolchains, env), scratch)
            try:
                code, killed = _run(argv, workspace, variables, given.fileno(), limits, output)
            except OSError as error:
                output.add(f"cannot start {argv[0]}: {error.strerror}\n".encode())
                code, killed = _NOT_STARTED, None
        return Completed(
            exit_code=None if killed else code,
            output=output.kept(),
            truncated=output.truncated,
            timed_out=killed == "wall_seconds",
            killed=killed,
            seconds=time.monotonic() - started,
        )


def _run(
    argv: Sequence[str],
    workspace: Path,
    env: dict[str, str],
    stdin: int,
    limits: Limits,
    output: Output,
) -> tuple[int, str | None]:
    reader, writer = os.pipe()
    with FileIO(reader, "r") as stream, FileIO(writer, "w") as sink:
        os.set_blocking(reader, False)
        process = subprocess.Popen(
            argv,
            cwd=workspace,
            env=env,
            stdin=stdin,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sink.close()
        exited = os.pidfd_open(process.pid)
        try:
            deadline = time.monotonic() + limits.wall_seconds
            killed = follow(stream.fileno(), exited, output, deadline=deadline, breach=lambda: None)
        finally:
            os.close(exited)
            # The group lives on while any member does; its leader is not yet reaped.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        drain(stream.fileno(), output)
    return (code if code >= 0 else 128 - code), killed


def _relocated(env: dict[str, str], scratch: str) -> dict[str, str]:
    """The sandbox's private `/tmp` becomes a folder of this run: the host's is shared."""
    tmp = "/tmp"  # noqa: S108 (the path inside the sandbox, here taken away)
    return {
        name: scratch + value.removeprefix(tmp)
        if value == tmp or value.startswith(f"{tmp}/")
        else value
        for name, value in env.items()
    }
