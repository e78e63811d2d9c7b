"""Whether a journal agrees with itself: seeds, parses and outcomes, each derived again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.detect import repeats_now, silence_now
from abverify.evidence.seeds import SEED_RULE, turn_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import TurnRow
    from abverify.evidence.trials import WholeTrial


@frozen
class Fault:
    """Something in a bundle that is not as it must be: where, what, expected, found."""

    file: str
    message: str
    expected: str | None = None
    found: str | None = None


def trial_faults(attempt: WholeTrial, lock: RunLock, place: str) -> Iterator[Fault]:
    """Every contradiction between a trial's rows and what can be derived from them."""
    name = f"{attempt.trial.fixture} seed {attempt.trial.seed}"
    for turn in attempt.turns:
        yield from _turn_faults(turn, lock, place, name)
    yield from _outcome_faults(attempt, place, name)
    yield from _loop_faults(attempt, lock, place, name)


def _turn_faults(turn: TurnRow, lock: RunLock, place: str, name: str) -> Iterator[Fault]:
    # Not above: who reads no evidence does not wait for the parser and its tables.
    from abverify.evidence.reparse import is_stored, reparse, stored

    where = f"{name} turn {turn.turn}"
    if lock.values.get("sampling.seed_rule") == SEED_RULE:
        seed = turn_seed(turn.trial.seed, turn.trial.fixture, turn.turn)
        if seed != turn.seed:
            message = f"{where}: the seed does not follow from the declared one"
            yield Fault(place, message, expected=str(seed), found=str(turn.seed))
    again = reparse(turn, lock)
    if again is not None and not is_stored(again, turn.parse):
        message = f"{where}: the stored parse is not what the profile makes of the raw text"
        expected, found = (str(parse.to_json()) for parse in (stored(again), turn.parse))
        yield Fault(place, message, expected=expected, found=found)


def _outcome_faults(attempt: WholeTrial, place: str, name: str) -> Iterator[Fault]:
    if attempt.ended is None:
        return
    outcome = attempt.ended.outcome
    last = attempt.last_oracle_round()
    passed = bool(last) and all(row.passed for row in last)
    tests = [row for row in last if row.purpose == "tests"]
    tests_passed = bool(tests) and all(row.passed for row in tests)
    if (outcome == "oracle_passed") != passed and outcome != "infrastructure_failure":
        found = f"last oracle run passed: {passed}, outcome: {outcome}"
        yield Fault(place, f"{name}: the outcome is not what the oracle said", found=found)
    if outcome == "compliance_failed" and (passed or not tests_passed):
        yield Fault(place, f"{name}: compliance cannot be what failed", found=str(outcome))
    if attempt.ended.turns != len(attempt.turns):
        expected, found = str(len(attempt.turns)), str(attempt.ended.turns)
        yield Fault(place, f"{name}: turns are miscounted", expected=expected, found=found)


def _loop_faults(attempt: WholeTrial, lock: RunLock, place: str, name: str) -> Iterator[Fault]:
    """A text loop must be one by the limits that the lock tells; an import may tell none."""
    if attempt.ended is None or attempt.ended.outcome != "text_loop":
        return
    told = {key: lock.values[key] for key in _LOOP_LIMITS if key in lock.values}
    if not told:
        return
    reached = (silence_now(attempt.turns), repeats_now(attempt.turns))
    limits = [told.get(key) for key in _LOOP_LIMITS]
    if not any(isinstance(n, int) and m >= n for n, m in zip(limits, reached, strict=True)):
        expected = " or ".join(f"{key}={value}" for key, value in told.items())
        found = f"{reached[0]} turns without a call, {reached[1]} equal calls at the end"
        yield Fault(place, f"{name}: the turns are no text loop", expected=expected, found=found)


_LOOP_LIMITS = ("budgets.max_silent_turns", "budgets.max_repeated_calls")
