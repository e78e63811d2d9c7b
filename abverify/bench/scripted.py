"""Scripted agents: one that does every task right, and one that gives up at once.

They go through the real loop: the arena, the parser, the tools, the sandbox and the oracle. Only
their words come from a script, in place of a model. The good agent reads each file before it
changes it, edits where one edit is enough and else writes the file anew; its calls are written
in the native dialects by turns, so that a calibration has read each of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from abverify.bench.arena import Arena
from abverify.bench.engines.replay import ReplayEngine
from abverify.evidence.rows import AgentRow, OracleRow, Trial, TurnRow
from abverify.model.config import Budgets
from abverify.toolcalls.render import NATIVE_RENDERERS, render_hermes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.oracle import Bench
    from abverify.evidence.rows import Agent, Row
    from abverify.model.config import RunConfig
    from abverify.model.corpus import Fixture

DIALECTS: Final = tuple(NATIVE_RENDERERS)
SEED: Final = 1
"""A script is not sampled; its trials carry a seed because every trial does."""

SILENT_TURNS: Final = 2
"""Turns without a call that end a scripted trial."""

_DONE: Final = "The work is done."
_GIVE_UP: Final = "I looked at the task and could not find what to change. I give up."


def run_agent(
    agent: Agent,
    fixture: Fixture,
    config: RunConfig,
    system_prompt: str,
    bench: Bench,
    *,
    dialect: str,
) -> AgentRow:
    """Lets a scripted agent work on a fixture, from the first prompt to the outcome.

    Args:
        agent: which of the two.
        fixture: the task.
        config: the run's configuration. Parser and loop are as it says; the budgets are the
            script's own, so that a calibration holds for every contract with this meter.
        system_prompt: the text of the system prompt.
        bench: where tools and oracle run.
        dialect: the native dialect that the good agent's calls are written in.

    Raises:
        SandboxFailed: if the sandbox could not be started or ended.
    """
    script = good_script(fixture, dialect) if agent == "good" else ()
    config = config.model_copy(update={"budgets": _budgets(fixture, len(script))})
    words = (*script, *(_DONE if script else _GIVE_UP for _ in range(SILENT_TURNS)))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="abverify-agent-") as folder:
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        trial, engine = Trial(fixture=fixture.id, seed=SEED), ReplayEngine(words)
        arena = Arena(trial, fixture, config, system_prompt, engine, bench, workspace, rows.append)
        ended = arena.run()
    return AgentRow(
        agent=agent,
        turns=tuple(row for row in rows if isinstance(row, TurnRow)),
        oracle=tuple(row for row in rows if isinstance(row, OracleRow)),
        ended=ended,
        expected=agent == "good",
    )


def good_script(fixture: Fixture, dialect: str) -> tuple[str, ...]:
    """The completions that solve a fixture, one call each; its solution is UTF-8 text."""
    return tuple(
        _written(dialect, tool, arguments)
        for path, data in sorted(fixture.solution.items())
        for tool, arguments in _calls(path, fixture.workspace.get(path), data)
    )


def _calls(path: str, before: bytes | None, after: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    text = after.decode("utf-8")
    if before is None:
        yield "file_write", {"path": path, "content": text}
        return
    yield "file_read", {"path": path}
    old, new = _difference(before.decode("utf-8", "replace"), text)
    if old and before.count(old.encode("utf-8")) == 1:
        yield "file_edit", {"path": path, "old_string": old, "new_string": new}
    else:
        yield "file_write", {"path": path, "content": text}


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines between the first and the last that differ, before and after."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    least = min(len(old), len(new))
    head = next((n for n in range(least) if old[n] != new[n]), least)
    tail = next((n for n in range(least - head) if old[-1 - n] != new[-1 - n]), least - head)
    return "".join(old[head : len(old) - tail]), "".join(new[head : len(new) - tail])


def _written(dialect: str, tool: str, arguments: dict[str, str]) -> str:
    try:
        return NATIVE_RENDERERS[dialect](tool, arguments)
    except ValueError:  # the XML dialect has no escaping; JSON carries any text
        return render_hermes(tool, arguments)


def _budgets(fixture: Fixture, calls: int) -> Budgets:
    """Enough for the script, and an end after its last word."""
    turns = calls + SILENT_TURNS
    seconds = fixture.spec.limits.seconds * len(fixture.spec.oracle)
    return Budgets(
        max_turns=turns,
        turn_seconds=seconds,
        wall_seconds=seconds * (turns + 1),
        max_silent_turns=SILENT_TURNS,
    )
