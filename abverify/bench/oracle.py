"""The oracle: a fixture's real commands, run in the sandbox on what the trial delivered.

It judges a clean copy: the fixture's start state, into which only the declared
deliverables of the trial are taken. So a model cannot win by editing the tests,
by adding a module that shadows the test runner, or by leaving build products;
what it changed among the protected files is reported with the reading. Nor by
leaving the tests early with the right words: see `control`.
"""

from __future__ import annotations

import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.confined import Confined, OutsideWorkspace
from abverify.bench.control import controls
from abverify.bench.sandbox import Limits
from abverify.bench.side_by_side import usable_cores
from abverify.bench.steady import STEADY_ENV, steadied
from abverify.model.globs import glob_regex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.bench.sandbox import Sandbox, Toolchain
    from abverify.model.corpus import Fixture, OracleCommand

_OUTPUT_KEPT = 4_000
_LEAST_SECONDS = 0.05
"""A limit has to be positive; a command that gets no more than this is cut short anyway."""


@frozen
class OracleReading:
    """What one oracle command said.

    Attributes:
        command: the declared command.
        passed: whether it exited with 0 within its limits, said what it is expected to, and,
            for tests, fails with a failing test among them.
        exit_code: its exit code; None when it was killed.
        killed: which limit killed it, if one did.
        output: the end of its output, steadied.
        millis: wall-clock time.
        cut_short: whether the caller's clock, not the fixture's own limit, ended it; such a
            reading says nothing about the workspace.
    """

    command: OracleCommand
    passed: bool
    exit_code: int | None
    killed: str | None
    output: str
    millis: int
    cut_short: bool = False


@frozen
class Bench:
    """Where oracles and tools run.

    Attributes:
        sandbox: what confines them.
        toolchains: each language's toolchain.
        spare_core: whether a core is free beside the one that a command takes: the control of a
            test command then runs beside it, before it is known whether it is needed.
    """

    sandbox: Sandbox
    toolchains: Mapping[str, Toolchain]
    spare_core: bool = False

    def alone(self) -> Bench:
        """The same where nothing else runs while an oracle does, as between two turns."""
        return replace(self, spare_core=usable_cores() > 1)

    def chain(self, fixture: Fixture) -> tuple[Toolchain, ...]:
        """The toolchains a fixture's commands may use."""
        return (self.toolchains[fixture.spec.language],)


def fixture_limits(fixture: Fixture) -> Limits:
    """The sandbox limits that the fixture declares for each of its commands."""
    declared = fixture.spec.limits
    return Limits(
        wall_seconds=float(declared.seconds),
        cpu_seconds=declared.seconds * 2,
        memory_bytes=declared.memory_mb << 20,
        processes=declared.processes,
        output_bytes=declared.output_kb << 10,
    )


def judge_workspace(
    fixture: Fixture, workspace: Path, bench: Bench, *, seconds: float | None = None
) -> tuple[tuple[OracleReading, ...], tuple[str, ...]]:
    """Runs the oracle on a trial's workspace.

    Args:
        fixture: the task.
        workspace: what the trial made of its start state.
        bench: where the commands run.
        seconds: what all of them together may take; None for as long as the fixture says.

    Returns:
        The readings, one a command, and the protected files the trial had changed.
    """
    files = Confined(workspace)
    readings = judge_files(fixture, delivered(fixture, files), bench, seconds=seconds)
    return readings, tampered(fixture, files)


def judge_files(
    fixture: Fixture,
    files: Mapping[str, bytes],
    bench: Bench,
    *,
    seconds: float | None = None,
) -> tuple[OracleReading, ...]:
    """Runs every oracle command, each on a fresh copy of the files, all of them even if one fails.

    A pass of the tests counts only if its control fails. Only a clock of the caller's stops
    the round: the command it cuts short is the last one.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    readings: list[OracleReading] = []
    for command in fixture.spec.oracle:
        judged = _Judged(command, fixture, files, bench, ends)
        readings.append(judged.reading())
        if readings[-1].cut_short:
            break
    return tuple(readings)


@frozen
class _Control:
    """What the controls of a passed test command say.

    Attributes:
        cut_short: whether the caller's clock ended one of them.
        passed_in: the test file in which a failing test goes unnoticed, if there is one.
    """

    cut_short: bool = False
    passed_in: str | None = None


@frozen
class _Judged:
    """One oracle command on some files, within the caller's clock."""

    command: OracleCommand
    fixture: Fixture
    files: Mapping[str, bytes]
    bench: Bench
    ends: float | None

    def reading(self) -> OracleReading:
        """What the command says; a pass of the tests only if its controls fail."""
        if self.command.kind != "tests":
            return self._run(self.files)
        if self.bench.spare_core:
            return self._beside_its_controls()
        reading = self._run(self.files)
        return _weighed(reading, self._controls(Event())) if reading.passed else reading

    def _beside_its_controls(self) -> OracleReading:
        """The same, with both at once: a failed command has its controls given up."""
        given_up = Event()
        with ThreadPoolExecutor(1, thread_name_prefix="control") as pool:
            control = pool.submit(self._controls, given_up)
            try:
                reading = self._run(self.files)
                return _weighed(reading, control.result()) if reading.passed else reading
            finally:
                given_up.set()

    def _controls(self, given_up: Event) -> _Control:
        for path, controlled in controls(self.fixture, self.files):
            if given_up.is_set():
                break
            control = self._run(controlled)
            if control.cut_short:
                return _Control(cut_short=True)
            if control.exit_code == 0:
                return _Control(passed_in=path)
        return _Control()

    def _run(self, files: Mapping[str, bytes]) -> OracleReading:
        return _run(self.command, self.fixture, files, self.bench, self.ends)


def _weighed(reading: OracleReading, control: _Control) -> OracleReading:
    """A reading that passed, or what it is worth if a control passed as well."""
    if control.cut_short:
        return replace(reading, passed=False, cut_short=True)
    if control.passed_in is None:
        return reading
    note = "[not counted: the command passes with a failing test in"
    output = f"{reading.output}\n{note} {control.passed_in} as well]"
    return replace(reading, passed=False, output=output)


def delivered(fixture: Fixture, files: Confined) -> dict[str, bytes]:
    """The start state with the trial's deliverables in place of its own.

    A protected file is the fixture's own even where a deliverable's glob would match it.
    """
    patterns = [re.compile(glob_regex(glob)) for glob in fixture.deliverables]
    chosen = {
        path: data
        for path, data in fixture.workspace.items()
        if path in fixture.spec.protected or not _matches(path, patterns)
    }
    for path in files.files():
        if path not in chosen and _matches(path, patterns):
            data = _read(files, path)
            if data is not None:
                chosen[path] = data
    return chosen


def tampered(fixture: Fixture, files: Confined) -> tuple[str, ...]:
    """The protected files whose bytes are no longer the fixture's."""
    return tuple(
        path for path in fixture.spec.protected if _read(files, path) != fixture.workspace[path]
    )


def _matches(path: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(path) for pattern in patterns)


def _read(files: Confined, path: str) -> bytes | None:
    try:
        return files.read(path)
    except (OutsideWorkspace, FileNotFoundError, PermissionError):
        return None


def _run(
    command: OracleCommand,
    fixture: Fixture,
    files: Mapping[str, bytes],
    bench: Bench,
    ends: float | None,
) -> OracleReading:
    started = time.monotonic()
    limits = fixture_limits(fixture)
    left = limits.wall_seconds if ends is None else max(_LEAST_SECONDS, ends - started)
    with tempfile.TemporaryDirectory(prefix="abverify-oracle-") as folder:
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        Confined(workspace).fill(files)
        done = bench.sandbox.run(
            command.run,
            workspace=workspace,
            limits=replace(limits, wall_seconds=min(limits.wall_seconds, left)),
            toolchains=bench.chain(fixture),
            env=STEADY_ENV,
        )
    text = done.output.decode("utf-8", "replace")
    said = command.expect is None or command.expect in text
    return OracleReading(
        command=command,
        passed=done.exit_code == 0 and done.killed is None and not done.timed_out and said,
        exit_code=done.exit_code,
        killed=done.killed,
        output=steadied(text)[-_OUTPUT_KEPT:],
        millis=round((time.monotonic() - started) * 1000),
        cut_short=done.timed_out and left < limits.wall_seconds,
    )
