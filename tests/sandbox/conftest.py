"""A sandbox, a workspace of the caller's own, and a shorthand to run one in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from abverify.bench.sandbox import Completed, Limits, toolchains

from . import callers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .callers import Caller


def pytest_report_header() -> str:
    return f"sandbox callers: {', '.join(callers.CALLERS)}"


@pytest.fixture(scope="session", params=callers.CALLERS)
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    with callers.caller(request.param) as found:
        yield found


@pytest.fixture
def workspace(caller: Caller) -> Iterator[Path]:
    with caller.folder() as folder:
        path = folder / "workspace"
        path.mkdir()
        caller.own(folder)
        yield path


_LIMITS = Limits(wall_seconds=30.0)


class Run(Protocol):
    def __call__(
        self,
        *argv: str,
        limits: Limits = ...,
        stdin: bytes = ...,
        env: Mapping[str, str] = ...,
        tools: tuple[str, ...] = ...,
    ) -> Completed: ...


@pytest.fixture
def run(caller: Caller, workspace: Path) -> Run:
    def run(
        *argv: str,
        limits: Limits = _LIMITS,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        tools: tuple[str, ...] = (),
    ) -> Completed:
        caller.own(workspace)
        return caller.sandbox.run(
            argv,
            workspace=workspace,
            limits=limits,
            toolchains=[toolchains.find(name) for name in tools],
            stdin=stdin,
            env=env or {},
        )

    return run
