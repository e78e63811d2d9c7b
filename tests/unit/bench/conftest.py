"""Trials with scripted completions, and everything else real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.arena import Arena
from abverify.bench.engines.replay import ReplayEngine

from .tasks import ANY_PROMPT, TRIAL, bench, config, task

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.bench.engines import Completion
    from abverify.evidence.rows import Row
    from abverify.model.corpus import Fixture


@pytest.fixture
def trial(tmp_path: Path) -> Any:
    """Runs one trial with a script of completions; gives its rows."""

    def run(*script: str | Completion, fixture: Fixture | None = None, **knobs: Any) -> list[Row]:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        rows: list[Row] = []
        arena = Arena(
            trial=TRIAL,
            fixture=fixture or task(),
            config=config(**knobs),
            system_prompt="You are a code agent.",
            engine=ReplayEngine(script, digest=lambda _: ANY_PROMPT),
            bench=bench(),
            workspace=workspace,
            emit=rows.append,
        )
        arena.run()
        return rows

    return run
