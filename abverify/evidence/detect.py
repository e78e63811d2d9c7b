"""What went wrong in a trial, derived from its turns alone: loops, format loss, role leaks.

Nobody declares these signs and none is stored: whoever has the journal derives
the same ones. The agent loop ends a trial by the same two counts (`silence`,
`repeats`) where the contract sets a limit for them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import ParsedCall, TurnRow
    from abverify.model.bundle_report import SignTotal

CALLED = ("native", "recovered")
"""The parse verdicts of a turn that keeps the call format."""

LOOP_LENGTH = 3
"""How many silent turns, or identical calls, in a row are a loop where the lock names no limit."""


@frozen
class Signs:
    """What a trial's turns show.

    Attributes:
        silence: the longest run of turns without a call.
        repeats: the longest run of executed calls with the same name and arguments, each
            right after the other; 0 if none was executed, 1 if no two follow each other.
        kept_format: whether any turn made a call.
        format_lost_at: the first turn after the last one with a call, if turns followed it.
        role_leak_at: the first turn whose text goes on to write the user's turn.
    """

    silence: int
    repeats: int
    kept_format: bool
    format_lost_at: int | None
    role_leak_at: int | None


def signs(turns: Sequence[TurnRow]) -> Signs:
    """Reads the signs off a trial's turns, given in order."""
    called = [turn.turn for turn in turns if turn.parse.verdict in CALLED]
    lost = called[-1] + 1 if called and called[-1] < len(turns) else None
    leaks = (turn.turn for turn in turns if leaks_role(turn.raw))
    return Signs(
        silence=max(_silences(turns), default=0),
        repeats=max(_repeats(turns), default=0),
        kept_format=bool(called),
        format_lost_at=lost,
        role_leak_at=next(leaks, None),
    )


def silence_now(turns: Sequence[TurnRow]) -> int:
    """How many turns without a call stand in a row at the end."""
    return _last(_silences(turns))


def repeats_now(turns: Sequence[TurnRow]) -> int:
    """How many times in a row the last executed call was made.

    A turn without a call between two equal calls does not break the row: nothing was
    done in it, so the second call can have learned nothing new.
    """
    return _last(_repeats(turns))


def _last(counts: list[int]) -> int:
    return counts[-1] if counts else 0


def _silences(turns: Iterable[TurnRow]) -> list[int]:
    """After each turn, how many without a call stand in a row."""
    counts: list[int] = []
    for turn in turns:
        counts.append(0 if turn.parse.verdict in CALLED else _last(counts) + 1)
    return counts


def _repeats(turns: Iterable[TurnRow]) -> list[int]:
    """After each executed call, how many equal ones stand in a row."""
    counts: list[int] = []
    before: ParsedCall | None = None
    for turn in turns:
        for call in _executed(turn):
            counts.append(_last(counts) + 1 if call == before else 1)
            before = call
    return counts


def _executed(turn: TurnRow) -> tuple[ParsedCall, ...]:
    """The calls that were executed: the contract may say that only a turn's first one is."""
    return turn.parse.calls[: len(turn.results)]


_QUOTED = re.compile(
    r"<tool_call>.*?(?:</tool_call>|\Z)|<function=.*?(?:</function>|\Z)|^```.*?(?:^```|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""Calls and code blocks: what is written there is data, not the conversation."""

_USERS_TURN = re.compile(
    r"^[ \t]*(?:#{1,4}[ \t]*)?(?:\*\*)?(?:Human|User)(?:\*\*)?:"
    r"|<\|im_start\|>\s*user\b"
    r"|<\|start_header_id\|>\s*user\b"
    r"|<start_of_turn>\s*user\b"
    r"|<\|user\|>"
    r"|\[INST\]"
    r"|<tool_response>",
    re.MULTILINE,
)
"""How the user's turn begins, by the chat formats in use; ours answers calls in it."""


def leaks_role(raw: str) -> bool:
    """Whether assistant text goes on to write the turn of the user, or the tools' answers."""
    return _USERS_TURN.search(_QUOTED.sub("\n", raw)) is not None


@frozen
class LoopLimits:
    """From where on silence and repetition are a loop: as declared, else `LOOP_LENGTH`."""

    silence: int = LOOP_LENGTH
    repeats: int = LOOP_LENGTH

    @classmethod
    def of(cls, values: Mapping[str, Scalar]) -> LoopLimits:
        """The limits that a run lock's values declare."""
        silence = values.get("budgets.max_silent_turns")
        repeats = values.get("budgets.max_repeated_calls")
        return cls(
            silence if isinstance(silence, int) else LOOP_LENGTH,
            repeats if isinstance(repeats, int) else LOOP_LENGTH,
        )


def totals(trials: Sequence[Signs], limits: LoopLimits) -> tuple[SignTotal, ...]:
    """Totals over trials: loops and leaks of all, format loss of those that had the format."""
    from abverify.model.bundle_report import SignTotal

    total = len(trials)
    return (
        SignTotal(
            "text_loop",
            f"{limits.silence} turns in a row without a call",
            sum(t.silence >= limits.silence for t in trials),
            total,
        ),
        SignTotal(
            "repeated_call",
            f"the same call {limits.repeats} times in a row",
            sum(t.repeats >= limits.repeats for t in trials),
            total,
        ),
        SignTotal(
            "format_loss",
            "made calls, then none to the end",
            sum(t.format_lost_at is not None for t in trials),
            sum(t.kept_format for t in trials),
        ),
        SignTotal(
            "role_leak",
            "wrote the user's turn",
            sum(t.role_leak_at is not None for t in trials),
            total,
        ),
    )


def described(found: Signs, limits: LoopLimits) -> tuple[str, ...]:
    """A trial's signs in words; empty when it shows none."""
    told = (
        (found.silence >= limits.silence, f"text loop: {found.silence} turns without a call"),
        (found.repeats >= limits.repeats, f"repeated call: {found.repeats} times in a row"),
        (found.format_lost_at is not None, f"format lost at turn {found.format_lost_at}"),
        (found.role_leak_at is not None, f"role leak at turn {found.role_leak_at}"),
    )
    return tuple(text for holds, text in told if holds)
