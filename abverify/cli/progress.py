"""Live progress on standard error: which trial, which turn, how fast, and how each one ended."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from abverify.report.plain import inert

if TYPE_CHECKING:
    from abverify.evidence.rows import (
        AgentRow,
        CalibrationRow,
        ParserCalibrationRow,
        Row,
        Trial,
        TrialEnded,
        TurnRow,
    )

_REFRESH_SECONDS = 0.2
_CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Watches a run. On a terminal one line lives; elsewhere each ended trial is one line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._label = ""
        self._turn = 1
        self._shown = 0.0
        self._started = time.monotonic()
        self._tokens = 0
        self._decode_millis = 0
        self._readings = [0, 0]
        self._trials = [0, 0]

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """A trial begins."""
        self._label = f"[{number}/{total}] {trial.fixture} seed {trial.seed}"
        self._turn, self._tokens, self._decode_millis = 1, 0, 0
        self._line(f"{self._label}  turn 1")

    def token(self, count: int) -> None:
        """The engine has sampled `count` tokens of the current turn."""
        moment = time.monotonic()
        if count == 1:
            self._started = moment
        if self._live and moment - self._shown >= _REFRESH_SECONDS:
            self._shown = moment
            speed = (count - 1) / max(moment - self._started, 1e-6)
            self._line(f"{self._label}  turn {self._turn}  {count} tokens  {speed:.0f} tok/s")

    def row(self, row: Row) -> None:
        """A row was journaled."""
        match row.kind:
            case "turn":
                self._turned(row)
            case "outcome":
                self._ended(row)
            case "calibration":
                self._read(row)
            case "agent":
                self._acted(row)
            case "parser":
                self._parser(row)
            case _:
                return

    def _turned(self, row: TurnRow) -> None:
        self._turn = row.turn + 1
        self._tokens += row.completion_tokens
        self._decode_millis += row.millis
        self._line(f"{self._label}  turn {self._turn}")

    def _ended(self, row: TrialEnded) -> None:
        speed = self._tokens * 1000 / max(self._decode_millis, 1)
        self._say(
            f"{self._label}  {row.outcome}  {row.reason}"
            f"  ({row.turns} turns, {self._tokens} tokens, {speed:.0f} tok/s)"
        )

    def _read(self, row: CalibrationRow) -> None:
        right = row.passed == row.expected
        self._readings[0] += right
        self._readings[1] += 1
        said = "passes" if row.passed else "fails"
        self._line(f"calibrating {row.fixture}: {row.state} {said}")
        if not right:
            self._say(f"WRONG  {row.fixture}: {row.state} {said}; {row.detail}")

    def _acted(self, row: AgentRow) -> None:
        right = row.passed == row.expected
        self._trials[0] += right
        self._trials[1] += 1
        said = "passes" if row.passed else "fails"
        self._line(f"calibrating {row.fixture}: {row.agent} agent {said}")
        if not right:
            self._say(f"WRONG  {row.fixture}: {row.agent} agent {said}; {row.ended.reason}")

    def _parser(self, row: ParserCalibrationRow) -> None:
        self._say(f"calibrated: {self._readings[0]}/{self._readings[1]} oracle readings right")
        self._say(f"calibrated: {self._trials[0]}/{self._trials[1]} scripted trials right")
        self._say(f"calibrated: parser {row.profile}/{row.version} {row.exact}/{row.total} exact")

    def _line(self, text: str) -> None:
        if self._live:
            sys.stderr.write(_CLEAR_LINE + inert(text))
            sys.stderr.flush()

    def _say(self, text: str) -> None:
        if not self._quiet:
            clear = _CLEAR_LINE if self._live else ""
            sys.stderr.write(f"{clear}{inert(text)}\n")
            sys.stderr.flush()
