"""Calibration: the meter reads states whose answer is known, before any verdict counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from abverify.bench.oracle import judge_files
from abverify.bench.scripted import DIALECTS, run_agent
from abverify.evidence.rows import AGENTS, CalibrationRow, ParserCalibrationRow
from abverify.model.corpus import STATES
from abverify.toolcalls import run_calibration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.oracle import Bench, OracleReading
    from abverify.evidence.rows import AgentRow
    from abverify.model.config import RunConfig
    from abverify.model.corpus import CalibrationState, Corpus, Fixture


def calibrate(
    corpus: Corpus, config: RunConfig, system_prompt: str, bench: Bench
) -> Iterator[CalibrationRow | AgentRow | ParserCalibrationRow]:
    """Reads every fixture in each state, lets two agents at it, and reads the parser's corpus.

    The reference solution must pass the oracle; the untouched start state and
    the known-bad state must fail it. The good agent must pass through the whole
    loop, the one that gives up at once must fail.
    """
    for number, fixture in enumerate(corpus.fixtures):
        for state in STATES:
            yield read_state(fixture, state, bench)
        dialect = DIALECTS[number % len(DIALECTS)]
        for agent in AGENTS:
            yield run_agent(agent, fixture, config, system_prompt, bench, dialect=dialect)
    parsed = run_calibration()
    yield ParserCalibrationRow(
        profile=config.parser.profile,
        version=config.parser.version,
        exact=parsed.checked - len(parsed.failures),
        total=parsed.total,
    )


def read_state(fixture: Fixture, state: CalibrationState, bench: Bench) -> CalibrationRow:
    """Reads one known state."""
    started = time.monotonic()
    readings = judge_files(fixture, fixture.state(state), bench)
    return CalibrationRow(
        fixture=fixture.id,
        state=state,
        passed=all(reading.passed for reading in readings),
        expected=state == "reference",
        detail="; ".join(map(_detail, readings)),
        millis=round((time.monotonic() - started) * 1000),
    )


def _detail(reading: OracleReading) -> str:
    end = f"killed by {reading.killed}" if reading.killed else f"exit {reading.exit_code}"
    return f"{reading.command.id}: {'passed' if reading.passed else 'failed'} ({end})"
