"""One trial: the agent loop of a fixture, turn by turn, until an outcome.

Rules, in the order they apply in each turn:

1. The wall clock is looked at before the turn. Engine and tools together get what is left of
   it, at most a turn's share; the engine gets the tokens that are left.
2. The completion is parsed under the declared profile; its calls are executed, all or the first.
3. After a turn that changed the workspace the oracle runs, at the declared cadence and within
   what is left of the wall clock; a pass ends the trial. A round that the clock cut short says
   nothing and is not journaled.
4. A time limit, a full context, the tokens' end, or a loop of the declared length ends it.
5. However it ends, the oracle has the last word, where declared, on a workspace it has not
   judged yet. That takes the fixture's own time, not the trial's: it measures, and does not work.

Only the engine's or the sandbox's own failure is an infrastructure failure; whatever the model
does is a measurement.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.confined import Confined
from abverify.bench.engines import Message
from abverify.bench.observation import observation
from abverify.bench.oracle import fixture_limits, judge_workspace
from abverify.bench.tools import Tools
from abverify.evidence.detect import repeats_now, silence_now
from abverify.evidence.reparse import parse_turn, stored
from abverify.evidence.rows import OracleRow, ToolResult, TrialEnded, TurnRow
from abverify.evidence.seeds import turn_seed
from abverify.evidence.workspace_diff import changes
from abverify.toolcalls import profile_by_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.bench.engines import Engine
    from abverify.bench.oracle import Bench
    from abverify.evidence.rows import Outcome, Row, Trial
    from abverify.model.config import RunConfig
    from abverify.model.corpus import Fixture
    from abverify.toolcalls import ParsedTurn


@dataclass(slots=True)
class Arena:
    """A trial in progress: its workspace, its conversation, and where its rows go."""

    trial: Trial
    fixture: Fixture
    config: RunConfig
    system_prompt: str
    engine: Engine
    bench: Bench
    workspace: Path
    emit: Callable[[Row], None]
    _messages: list[Message] = field(default_factory=list)
    _told: list[TurnRow] = field(default_factory=list)
    _judged: dict[str, str] = field(default_factory=dict)
    _failed_kind: str | None = None
    _started: float = field(default_factory=time.monotonic)

    def run(self) -> TrialEnded:
        """Runs the trial to its outcome and emits every row of it.

        Raises:
            EngineFailure: if the engine broke; the trial then has no outcome yet.
        """
        Confined(self.workspace).fill(self.fixture.workspace)
        self._judged = Confined(self.workspace).digests()
        self._messages = [
            Message("system", self.system_prompt),
            Message("user", self.fixture.spec.prompt),
        ]
        self.engine.start_trial()
        ended = self._end(*self._turns())
        self.emit(ended)
        return ended

    def _turns(self) -> tuple[Outcome, str, int]:
        budgets = self.config.budgets
        for turn in range(1, budgets.max_turns + 1):
            if self._seconds_left() <= 0:
                return self._stopped("budget_exhausted", "wall_seconds", turn - 1)
            row, time_out = self._turn(turn)
            if self._oracle_is_due(turn) and self._oracle_passes(turn, self._seconds_left()):
                return "oracle_passed", f"the oracle passed after turn {turn}", turn
            stop = time_out or self._stop_reason(row)
            if stop is not None:
                return self._stopped(*stop, turn)
        reason = f"all {budgets.max_turns} turns were used"
        return self._stopped("oracle_failed", reason, budgets.max_turns)

    def _turn(self, turn: int) -> tuple[TurnRow, tuple[Outcome, str] | None]:
        clock = self._turn_clock()
        seed = turn_seed(self.trial.seed, self.fixture.id, turn)
        completion = self.engine.complete(
            self._messages, seed=seed, max_tokens=self._tokens_left(), seconds=clock.left()
        )
        profile = profile_by_name(self.config.parser.profile, self.config.parser.version)
        files = tuple(Confined(self.workspace).files()) if profile.markdown else None
        parsed = parse_turn(completion.text, completion.finish_reason, profile, files or ())
        results = self._execute(parsed, clock)
        row = TurnRow(
            trial=self.trial,
            turn=turn,
            seed=seed,
            prompt_sha256=completion.prompt_sha256,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            prefilled_tokens=completion.prefilled_tokens,
            finish_reason=completion.finish_reason,
            raw=completion.text,
            files=files,
            parse=stored(parsed),
            results=results,
            millis=_since(clock.started),
        )
        self._told.append(row)
        self.emit(row)
        reply = observation(results) if results else self.config.prompt.no_call
        self._messages += [Message("assistant", completion.text), Message("user", reply)]
        ran_out = completion.finish_reason == "time" or clock.left() <= 0
        return row, ("budget_exhausted", clock.name) if ran_out else None

    def _turn_clock(self) -> _Clock:
        """The time of one turn: its own share, or what is left of the trial's."""
        share, left = float(self.config.budgets.turn_seconds), self._seconds_left()
        name = "turn_seconds" if share < left else "wall_seconds"
        return _Clock(name, min(share, left))

    def _tokens_left(self) -> int:
        """Tokens that the next completion may have; 0 only once the trial's are spent."""
        a_turn, total = self.config.sampling.max_tokens, self.config.budgets.max_tokens_total
        if total is None:
            return a_turn
        return min(a_turn, max(0, total - sum(row.completion_tokens for row in self._told)))

    def _execute(self, parsed: ParsedTurn, clock: _Clock) -> tuple[ToolResult, ...]:
        calls = parsed.calls if self.config.loop.calls == "all" else parsed.calls[:1]
        tools = Tools(
            self.workspace,
            self.bench.sandbox,
            fixture_limits(self.fixture),
            self.bench.chain(self.fixture),
        )
        return tuple(
            tools.execute(call.name, call.arguments, seconds=clock.left()) for call in calls
        )

    def _stop_reason(self, row: TurnRow) -> tuple[Outcome, str] | None:
        budgets = self.config.budgets
        if row.finish_reason == "context":
            return "budget_exhausted", "context_exhausted"
        if not self._tokens_left():
            return "budget_exhausted", "tokens"
        silence, repeats = silence_now(self._told), repeats_now(self._told)
        if budgets.max_silent_turns is not None and silence >= budgets.max_silent_turns:
            return "text_loop", f"{silence} turns in a row without a call"
        if budgets.max_repeated_calls is not None and repeats >= budgets.max_repeated_calls:
            return "text_loop", f"the same call {repeats} times in a row"
        return None

    def _stopped(self, outcome: Outcome, reason: str, turn: int) -> tuple[Outcome, str, int]:
        """The last word of the oracle, on a workspace it has not judged yet."""
        last_word = self.config.loop.oracle_on_finish and self._is_unjudged()
        if last_word and self._oracle_passes(turn, None):
            return "oracle_passed", f"the oracle passed at the end ({reason})", turn
        if self._failed_kind == "compliance":
            return "compliance_failed", f"the tests passed, compliance did not ({reason})", turn
        return outcome, reason, turn

    def _oracle_is_due(self, turn: int) -> bool:
        every = self.config.loop.oracle_every_turns
        return every > 0 and turn % every == 0 and self._is_unjudged()

    def _is_unjudged(self) -> bool:
        return Confined(self.workspace).digests() != self._judged

    def _oracle_passes(self, turn: int, seconds: float | None) -> bool:
        """Runs every oracle command, within `seconds` where the trial's clock still counts."""
        if seconds is not None and seconds <= 0:
            return False
        seen = Confined(self.workspace).digests()
        readings, tampered = judge_workspace(
            self.fixture, self.workspace, self.bench, seconds=seconds
        )
        if any(reading.cut_short for reading in readings):
            return False
        self._judged = seen
        for reading in readings:
            self.emit(
                OracleRow(
                    trial=self.trial,
                    turn=turn,
                    command=reading.command.id,
                    purpose=reading.command.kind,
                    passed=reading.passed,
                    exit_code=reading.exit_code,
                    killed=reading.killed,
                    output=reading.output,
                    tampered=tampered,
                    millis=reading.millis,
                )
            )
        failed = {reading.command.kind for reading in readings if not reading.passed}
        self._failed_kind = "tests" if "tests" in failed else next(iter(failed), None)
        return not failed

    def _seconds_left(self) -> float:
        return self.config.budgets.wall_seconds - (time.monotonic() - self._started)

    def _end(self, outcome: Outcome, reason: str, turns: int) -> TrialEnded:
        return TrialEnded(
            trial=self.trial,
            outcome=outcome,
            reason=reason,
            turns=turns,
            changes=changes(self.fixture.workspace, Confined(self.workspace).digests()),
            millis=_since(self._started),
        )


@frozen
class _Clock:
    """Seconds that run from now on; `name` is the budget that they come from."""

    name: str
    seconds: float
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return self.seconds - (time.monotonic() - self.started)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
